import type { ChainBlock, ChainSource, ChainTip } from '../chain/source.js';

/** A source that adds up how long its blocks were waited for. */
export class TimedSource implements ChainSource {
  private waited = 0;

  /** `now`: milliseconds of any clock that goes steadily. */
  constructor(
    private readonly source: ChainSource,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get kind(): ChainSource['kind'] {
    return this.source.kind;
  }

  get name(): string {
    return this.source.name;
  }

  genesis(): Promise<Uint8Array | undefined> {
    return this.source.genesis();
  }

  tip(): Promise<ChainTip> {
    return this.source.tip();
  }

  hashAt(height: number): Promise<Uint8Array | undefined> {
    return this.source.hashAt(height);
  }

  async *blocks(from: number, to: number, signal: AbortSignal): AsyncGenerator<ChainBlock, void, void> {
    const blocks = this.source.blocks(from, to, signal);
    try {
      for (;;) {
        const asked = this.now();
        const next = await blocks.next().finally(() => {
          this.waited += this.now() - asked;
        });
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await blocks.return();
    }
  }

  changed(ms: number, signal: AbortSignal): Promise<void> {
    return this.source.changed(ms, signal);
  }

  close(): Promise<void> {
    return this.source.close();
  }

  /** Milliseconds that were spent waiting for blocks since the last call. */
  takeWaited(): number {
    const { waited } = this;
    this.waited = 0;
    return waited;
  }
}
