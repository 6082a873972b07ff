import { MultiBar, type SingleBar } from 'cli-progress';
import { syncFigures } from './reporter.js';
import type { ServiceState } from './service-state.js';

/** A progress line at the bottom of a terminal during a sync; log lines appear above it. */
export class SyncProgress {
  readonly #bars = new MultiBar({
    format: 'syncing [{bar}] {value}/{total}  {blocksPerSecond} blocks/s  {megabytesPerSecond} MB/s  {left} left',
    hideCursor: true,
    stream: process.stderr,
    // The service handles signals.
    gracefulExit: false,
  });
  #bar: SingleBar | undefined;

  /** Writes lines of the log. */
  write(lines: string): void {
    if (this.#bar === undefined) process.stderr.write(lines);
    else this.#bars.log(lines);
  }

  show(state: ServiceState): void {
    const { height, target, etaSeconds, ...speeds } = syncFigures(state);
    if (state.phase !== 'syncing' || height === undefined || target === undefined) {
      this.stop();
      return;
    }
    this.#bar ??= this.#bars.create(target, height);
    this.#bar.setTotal(target);
    this.#bar.update(height, { ...speeds, left: etaSeconds === undefined ? '?' : timeText(etaSeconds) });
  }

  stop(): void {
    if (this.#bar !== undefined) this.#bars.remove(this.#bar);
    this.#bar = undefined;
    this.#bars.stop();
  }
}

/** `2h05m`, `7m12s`, `9s`. */
export function timeText(seconds: number): string {
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)}h${pad(Math.floor((seconds % 3600) / 60))}m`;
  return seconds >= 60 ? `${Math.floor(seconds / 60)}m${pad(seconds % 60)}s` : `${seconds}s`;
}
