import type { BlockWork } from '../execute/tasks/work-watch.js';
import type { Logger } from './log.js';

/** Interval at which the block under way is checked. */
const LOOK_MS = 500;

/** Reports blocks that take longer than a bound while they still run: the thread that is busy with one cannot. */
export class SlowBlocks {
  /** Seconds that the slowest block seen has taken. */
  slowest = 0;
  #told: { readonly height: number; readonly again: number } | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #look: () => BlockWork | undefined;
  readonly #boundMs: number;
  readonly #log: Logger;

  constructor(look: () => BlockWork | undefined, boundMs: number, log: Logger) {
    this.#look = look;
    this.#boundMs = boundMs;
    this.#log = log;

    this.#timer = setInterval(() => this.#tell(), Math.min(LOOK_MS, boundMs)).unref();
  }

  /** The block under way; `slow`: it takes longer than the bound. */
  get current(): (BlockWork & { readonly slow: boolean }) | undefined {
    const work = this.#look();
    if (work === undefined) return undefined;
    this.slowest = Math.max(this.slowest, work.ms / 1000);
    return { ...work, slow: work.ms >= this.#boundMs };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Logs once when the block passes the bound, then each time its duration has doubled. */
  #tell(): void {
    const work = this.current;
    if (work === undefined || !work.slow) return;
    if (this.#told?.height === work.height && work.ms < this.#told.again) return;
    this.#told = { height: work.height, again: work.ms * 2 };
    this.#log.warn({ code: 'BLOCK_SLOW', ...workFields(work) }, 'a block takes long');
  }
}

/** Block and transaction under way as fields of a log line. */
export function workFields({ height, ms, transaction }: BlockWork): Record<string, unknown> {
  const seconds = (of: number): number => Math.round(of / 10) / 100;
  const own = transaction && {
    index: transaction.index,
    txid: transaction.txid,
    transactionSeconds: seconds(transaction.ms),
  };
  return { height, seconds: seconds(ms), ...own };
}
