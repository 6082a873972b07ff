import type { Clock } from '../../src/chain/clock.js';
import { genesisOf } from '../../src/chain/networks.js';
import type { ChainBlock, ChainSource, ChainTip } from '../../src/chain/source.js';
import { InputError, NodeError, StoreError } from '../../src/errors/errors.js';
import { Follower, type FollowerOptions } from '../../src/follow/follower.js';
import type { IndexedTip, Indexer } from '../../src/follow/indexer.js';
import type { FollowerState, Rollback } from '../../src/follow/status.js';
import { seededBytes } from '../../src/selftest/inputs/prng.js';
import { bytesEqual, toHex } from '../../src/util/bytes.js';

export const GENESIS = genesisOf('regtest') as Uint8Array;

/** Toy blocks of a branch by height: `raw` is the hash of the block before. */
export type Chain = readonly ChainBlock[];

/** `length` blocks on top of `base`, whose hashes depend on `name`. */
export function grow(base: Chain, name: string, length: number): Chain {
  const blocks = [...base];
  for (let i = 0; i < length; i++) {
    const height = blocks.length;
    blocks.push({
      height,
      hash: seededBytes(name, 'block', height),
      raw: blocks[height - 1]?.hash ?? new Uint8Array(32),
    });
  }
  return blocks;
}

export const ROOT_CHAIN: Chain = [{ height: 0, hash: GENESIS, raw: new Uint8Array(32) }];

export function nodeDown(): NodeError {
  return new NodeError('NODE_UNREACHABLE', 'the node does not answer');
}

/** A node whose chain the test changes; every answer can be replaced. */
export class ToySource implements ChainSource {
  readonly kind = 'rpc' as const;
  readonly name = 'toy';
  /** Thrown by the next calls, one each. */
  readonly errors: unknown[] = [];
  calls = 0;
  genesisHash: Uint8Array | undefined = GENESIS;
  /** Runs at each wait for a change. */
  onWait: () => void = () => undefined;
  /** Runs at each call, before its answer. */
  onCall: () => void = () => undefined;
  /** What is served in place of a block. */
  serve: (block: ChainBlock) => ChainBlock | undefined = (block) => block;
  closed = 0;

  constructor(public chain: Chain) {}

  async #turn(): Promise<void> {
    this.calls++;
    if (this.calls > 20_000) throw new Error('the follower asks for ever');
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.onCall();
    if (this.errors.length > 0) throw this.errors.shift();
  }

  async genesis(): Promise<Uint8Array | undefined> {
    await this.#turn();
    return this.genesisHash;
  }

  async tip(): Promise<ChainTip> {
    await this.#turn();
    return this.chain[this.chain.length - 1];
  }

  async hashAt(height: number): Promise<Uint8Array | undefined> {
    await this.#turn();
    return this.chain[height]?.hash;
  }

  async *blocks(from: number, to: number, signal: AbortSignal): AsyncGenerator<ChainBlock, void, void> {
    try {
      for (let height = from; height <= to && !signal.aborted; height++) {
        await this.#turn();
        const block = this.chain[height];
        const served = block && this.serve(block);
        if (served === undefined) return;
        yield served;
      }
    } finally {
      this.closed++;
    }
  }

  async changed(_ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await this.#turn();
    this.onWait();
  }

  async close(): Promise<void> {}
}

/** An index of hashes that checks what it is given. */
export class ToyIndex implements Indexer {
  readonly blocks: IndexedTip[] = [];
  keep = Number.POSITIVE_INFINITY;
  /** Thrown by the next block. */
  error: unknown;
  refuse: (block: ChainBlock) => boolean = () => false;
  readonly rollbacks: number[] = [];
  onIndex: () => Promise<void> | void = () => undefined;

  static of(chain: Chain, from = 0): ToyIndex {
    const index = new ToyIndex();
    index.blocks.push(...chain.slice(from));
    return index;
  }

  tip(): IndexedTip | undefined {
    return this.blocks[this.blocks.length - 1];
  }

  hashAt(height: number): Uint8Array | undefined {
    return this.blocks.find((block) => block.height === height)?.hash;
  }

  lowestRollback(): number {
    const tip = this.tip();
    return tip === undefined ? -1 : Math.max(this.blocks[0].height - 1, tip.height - this.keep);
  }

  async index(block: ChainBlock): Promise<void> {
    await this.onIndex();
    if (this.error !== undefined) throw this.error;
    const tip = this.tip();
    if (this.refuse(block)) throw new InputError('BLOCK_BAD_MERKLE_ROOT', 'the toy block is bad');
    if (tip && (block.height !== tip.height + 1 || !bytesEqual(block.raw, tip.hash))) {
      throw new InputError('BLOCK_WRONG_PREVIOUS_HASH', 'the toy block builds on another');
    }
    this.blocks.push({ height: block.height, hash: block.hash });
  }

  settle(): void {}

  async rollback(toHeight: number): Promise<void> {
    if (toHeight < this.lowestRollback()) throw new StoreError('STORE_CORRUPT', 'a rollback below the undo data');
    this.rollbacks.push(toHeight);
    while ((this.tip()?.height ?? -1) > toHeight) this.blocks.pop();
  }

  get hashes(): string[] {
    return this.blocks.map(({ hash }) => toHex(hash));
  }
}

export function hashesOf(chain: Chain): string[] {
  return chain.map(({ hash }) => toHex(hash));
}

export interface Run {
  readonly follower: Follower;
  readonly waits: number[];
  readonly states: FollowerState[];
  readonly rollbacks: Rollback[];
  readonly notes: string[];
  /** Until it ends by itself. */
  readonly end: Promise<void>;
}

/** Starts a follower that does not wait in real time. */
export function follow(source: ToySource, indexer: Indexer, options: Partial<FollowerOptions> = {}): Run {
  const waits: number[] = [];
  const states: FollowerState[] = [];
  const rollbacks: Rollback[] = [];
  const notes: string[] = [];
  const clock: Clock = {
    now: () => waits.reduce((sum, ms) => sum + ms, 0),
    random: () => 0.5,
    sleep: async (ms) => {
      waits.push(ms);
      await new Promise<void>((resolve) => setImmediate(resolve));
    },
  };
  const follower = new Follower({
    source,
    indexer,
    network: 'regtest',
    clock,
    patience: (error) => (error instanceof NodeError && error.code.startsWith('NODE_') ? Number.POSITIVE_INFINITY : 0),
    onState: (state) => states.push(state),
    onRollback: (rollback) => rollbacks.push(rollback),
    onNote: (text) => notes.push(text),
    ...options,
  });
  const end = follower.run();
  return { follower, waits, states, rollbacks, notes, end };
}

/** Starts one that is stopped at the `waits`-th wait for a change of the chain. */
export async function followUntilCalm(
  source: ToySource,
  indexer: Indexer,
  options: Partial<FollowerOptions> = {},
  waits = 1,
): Promise<Run> {
  let left = waits;
  const before = source.onWait;
  source.onWait = () => {
    before();
    if (--left === 0) void run.follower.stop();
  };
  const run = follow(source, indexer, options);
  await run.end;
  return run;
}
