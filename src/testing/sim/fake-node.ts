import type { ChainBlock, ChainSource, ChainTip } from '../../chain/source.js';
import { InputError, NodeError, WarpshrewError } from '../../errors/errors.js';
import type { SimRandom } from './random.js';
import type { VirtualTime } from './time.js';
import { ancestorAt, type WorldBlock } from './world.js';

const PASSING = ['NODE_UNREACHABLE', 'NODE_BUSY', 'NODE_WARMING_UP'] as const;

/** The temporary errors of the fake node. */
export function isPassingInSim(error: unknown): boolean {
  return error instanceof WarpshrewError && PASSING.some((code) => code === error.code);
}

/** Number of true answers after a lie: a node that lies repeatedly about the same height has that chain. */
const HONEST_AFTER_A_LIE = 12;

/** A node whose chain the scenario changes, with all network faults until it is `calm`. */
export class FakeNode implements ChainSource {
  readonly kind = 'rpc' as const;
  readonly name = 'simulated node';
  calm = false;
  down = false;
  /** A block that is always damaged when served. */
  poison: WorldBlock | undefined;
  /** Every chain it has had. */
  readonly history: WorldBlock[] = [];
  /** Height of the highest tip that it has told of. */
  announced = -1;
  #honest = 0;
  readonly #listeners = new Set<() => void>();

  /** Chains whose blocks it may serve instead of its own. */
  readonly #others: readonly WorldBlock[];
  readonly #time: VirtualTime;
  readonly #random: SimRandom;

  constructor(
    others: readonly WorldBlock[],
    time: VirtualTime,
    random: SimRandom,
    public best: WorldBlock,
  ) {
    this.#others = others;
    this.#time = time;
    this.#random = random;

    this.history.push(best);
  }

  become(best: WorldBlock): void {
    this.best = best;
    this.history.push(best);
    if (!this.#goesWrong(300)) for (const wake of this.#listeners) wake();
  }

  genesis(): Promise<Uint8Array | undefined> {
    return this.#answer(() => ancestorAt(this.best, 0)?.hash);
  }

  async tip(): Promise<ChainTip> {
    const tip = await this.#answer((): ChainTip => {
      const { best } = this;
      if (!this.#lies()) return best;
      const below = ancestorAt(best, this.#random.below(best.height + 1)) ?? best;
      const beside = this.#other(best.height) ?? best;
      const nowhere = { height: best.height + this.#random.below(4), hash: this.#random.bytes(32) };
      return this.#random.pick([below, beside, nowhere, { ...nowhere, hash: best.hash }]);
    });
    this.announced = Math.max(this.announced, tip.height);
    return tip;
  }

  hashAt(height: number): Promise<Uint8Array | undefined> {
    return this.#answer(() => {
      const hash = ancestorAt(this.best, height)?.hash;
      if (!this.#lies()) return hash;
      return this.#random.pick([undefined, this.#random.bytes(32), this.#other(height)?.hash]);
    });
  }

  async *blocks(from: number, to: number, signal: AbortSignal): AsyncGenerator<ChainBlock, void, void> {
    // Fetched ahead: as the chain was then.
    const ahead = this.#random.chance(500) ? this.best : undefined;
    for (let height = from; height <= to && !signal.aborted; height++) {
      const block = await this.#answer(() => ancestorAt(ahead ?? this.best, height));
      if (block === undefined || this.#goesWrong(10)) return;
      yield this.#serve(block);
    }
  }

  async changed(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#listeners.delete(wake);
        resolve();
      };
      this.#listeners.add(wake);
      void this.#time.sleep(ms, signal).then(wake);
    });
    await woken;
    if (this.#goesWrong(20)) throw this.#failure();
  }

  async close(): Promise<void> {}

  #serve(block: WorldBlock): ChainBlock {
    const { height, hash, raw } = block;
    if (block === this.poison) return { height, hash, raw: damaged(raw, 81 + (raw.length >> 1)) };
    if (!this.#goesWrong(60)) return { height, hash, raw };
    switch (this.#random.below(5)) {
      case 0:
        return this.#other(height) ?? block;
      case 1:
        return { height, hash, raw: damaged(raw, this.#random.between(80, raw.length - 1)) };
      case 2:
        return { height, hash, raw: raw.subarray(0, this.#random.between(80, raw.length - 1)) };
      case 3:
        return { height: height + this.#random.pick([-1, 1]), hash, raw };
      default:
        throw new InputError('BLOCK_TRUNCATED', 'the simulated source refuses the block');
    }
  }

  #other(height: number): WorldBlock | undefined {
    return ancestorAt(this.#random.pick(this.#others), height);
  }

  /** Answers with the state at the beginning or at the end of a delay, or fails. */
  async #answer<T>(say: () => T): Promise<T> {
    const early = this.#random.chance(300) ? { said: say() } : undefined;
    await this.#time.sleep(this.calm ? 10 : this.#random.between(1, this.#random.pick([20, 200, 2_000])));
    if (this.down || this.#goesWrong(40)) throw this.#failure();
    return early === undefined ? say() : early.said;
  }

  #failure(): NodeError {
    return new NodeError(this.#random.pick(PASSING), 'the simulated node fails');
  }

  #goesWrong(perMille: number): boolean {
    return !this.calm && this.#random.chance(perMille);
  }

  #lies(): boolean {
    if (this.#honest > 0) {
      this.#honest--;
      return false;
    }
    if (!this.#goesWrong(30)) return false;
    this.#honest = HONEST_AFTER_A_LIE;
    return true;
  }
}

function damaged(raw: Uint8Array, at: number): Uint8Array {
  const copy = raw.slice();
  copy[Math.min(at, raw.length - 1)] ^= 0x10;
  return copy;
}
