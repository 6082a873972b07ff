import type { BlockWork } from '../execute/tasks/work-watch.js';
import type { Logger } from './log.js';

/** How often a slow block is looked for. */
const LOOK_MS = 500;

/** Tells of blocks that take longer than a bound, while they do: the thread that is busy with one cannot. */
export class SlowBlocks {
  /** Seconds that the slowest block seen has taken. */
  slowest = 0;
  private told: { readonly height: number; readonly again: number } | undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly look: () => BlockWork | undefined,
    private readonly boundMs: number,
    private readonly log: Logger,
  ) {
    this.timer = setInterval(() => this.tell(), Math.min(LOOK_MS, boundMs)).unref();
  }

  /** The block under way; `slow`: it takes longer than the bound. */
  get current(): (BlockWork & { readonly slow: boolean }) | undefined {
    const work = this.look();
    if (work === undefined) return undefined;
    this.slowest = Math.max(this.slowest, work.ms / 1000);
    return { ...work, slow: work.ms >= this.boundMs };
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** Once when the block passes the bound, then each time that it has taken twice as long. */
  private tell(): void {
    const work = this.current;
    if (work === undefined || !work.slow) return;
    if (this.told?.height === work.height && work.ms < this.told.again) return;
    this.told = { height: work.height, again: work.ms * 2 };
    this.log.warn({ code: 'BLOCK_SLOW', ...workFields(work) }, 'a block takes long');
  }
}

/** Block and transaction under way as a line of the log has them. */
export function workFields({ height, ms, transaction }: BlockWork): Record<string, unknown> {
  const seconds = (of: number): number => Math.round(of / 10) / 100;
  const own = transaction && {
    index: transaction.index,
    txid: transaction.txid,
    transactionSeconds: seconds(transaction.ms),
  };
  return { height, seconds: seconds(ms), ...own };
}
