import { terminal } from './terminal.js';

const TERMINAL_MS = 500;
const FILE_MS = 10_000;
/** Takes the line off the terminal, and leaves the cursor at its beginning. */
const ERASE = '\r\x1b[K';

/**
 * One line on stderr that says how far something is: overwritten on a terminal and never longer than it, elsewhere a
 * new one every ten seconds.
 */
export interface StatusLine {
  /** `text` is called only when the line is due. */
  show(text: () => string): void;
  /** Writes whole lines above it. */
  above(lines: string): void;
  /** Takes it off the terminal. */
  clear(): void;
}

/** What the line needs of a stream. */
interface Screen {
  readonly columns?: number;
  write(text: string): unknown;
}

/** `screen`: the terminal that stderr is, if it is one; `file`: what it is otherwise. */
export function statusLine(
  { screen, file }: { readonly screen: Screen | undefined; readonly file: Screen } = {
    screen: terminal(),
    file: process.stderr,
  },
  now: () => number = () => performance.now(),
): StatusLine {
  const every = screen === undefined ? FILE_MS : TERMINAL_MS;
  let last = now();
  let shown = '';
  return {
    show(text) {
      if (now() - last < every) return;
      last = now();
      if (screen === undefined) file.write(`${text()}\n`);
      else {
        shown = text().slice(0, (screen.columns ?? 80) - 1);
        screen.write(`${ERASE}${shown}`);
      }
    },
    above(lines) {
      if (screen === undefined || shown === '') (screen ?? file).write(lines);
      else screen.write(`${ERASE}${lines}${shown}`);
    },
    clear() {
      if (screen !== undefined && shown !== '') screen.write(ERASE);
      shown = '';
    },
  };
}

/** `2h05m`, `7m12s`, `9s`. */
export function timeText(seconds: number): string {
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)}h${pad(Math.floor((seconds % 3600) / 60))}m`;
  return seconds >= 60 ? `${Math.floor(seconds / 60)}m${pad(seconds % 60)}s` : `${seconds}s`;
}
