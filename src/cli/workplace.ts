import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A temporary folder and child processes that are gone when this process ends, also by a signal. */
export class Workplace {
  readonly folder: string;
  /** Everything was taken away: nothing may be begun here any more. */
  closed = false;
  private readonly children = new Set<ChildProcess>();
  private hear: ((signal: (typeof SIGNALS)[number]) => void) | undefined;
  private readonly onSignal = (signal: (typeof SIGNALS)[number]): void => {
    if (this.hear !== undefined) this.hear(signal);
    else process.exit(128 + constants.signals[signal]);
  };
  private readonly onExit = (): void => {
    this.clean();
    this.farewell();
  };

  /**
   * Listens for signals before there is anything to leave behind. `prefix`: how the folder's name begins. `farewell`:
   * called when a signal has ended the process and everything is gone.
   */
  constructor(
    prefix: string,
    private readonly farewell: () => void = () => undefined,
  ) {
    for (const signal of SIGNALS) process.on(signal, this.onSignal);
    process.once('exit', this.onExit);
    this.folder = mkdtempSync(join(tmpdir(), prefix));
  }

  /** A child to be killed with this process. */
  owns(child: ChildProcess): void {
    this.children.add(child);
    child.once('exit', () => this.children.delete(child));
  }

  /** From now on a signal does not end the process: the first one resolves this. A second one ends it. */
  nextSignal(): Promise<void> {
    return new Promise((resolve) => {
      this.hear = () => {
        this.hear = undefined;
        resolve();
      };
    });
  }

  /** Takes everything away now. */
  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.onSignal);
    process.off('exit', this.onExit);
    this.clean();
  }

  private clean(): void {
    this.closed = true;
    for (const child of this.children) child.kill('SIGKILL');
    // A child that is just ending may still write.
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}
