import { performance } from 'node:perf_hooks';

const TERMINAL_MS = 200;
const FILE_MS = 10_000;

/**
 * One line on stderr that says how far something is: overwritten on a terminal, elsewhere a new one every ten seconds.
 */
export interface ProgressLine {
  /** `text` is called only when the line is due. */
  show(text: () => string): void;
  /** Takes the line off the terminal. */
  clear(): void;
}

export function progressLine(): ProgressLine {
  const terminal = process.stderr.isTTY;
  const every = terminal ? TERMINAL_MS : FILE_MS;
  let last = performance.now();
  let shown = false;
  return {
    show(text) {
      const now = performance.now();
      if (now - last < every) return;
      last = now;
      shown = true;
      process.stderr.write(terminal ? `\r\x1b[K${text()}` : `${text()}\n`);
    },
    clear() {
      if (terminal && shown) process.stderr.write('\r\x1b[K');
      shown = false;
    },
  };
}
