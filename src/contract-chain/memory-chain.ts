/**
 * A regtest chain in memory with the state of the parallel lane beside it: for contracts under development. Blocks are
 * valid but for signatures and amounts, which nobody checks; the sequential executor runs them, so receipts and state
 * are those that any index of the same blocks has.
 */
import { parseBlock } from '../bitcoin/parse-block.js';
import { parseTransaction } from '../bitcoin/parse-transaction.js';
import { REGTEST, regtestFrame, regtestGenesis } from '../bitcoin/regtest.js';
import { tellTxids, type WrittenTransaction, writeBareBlock, writeBlock } from '../bitcoin/serialise.js';
import { UsageError } from '../errors/errors.js';
import { dropVoidDeletions } from '../execute/run/merge-writes.js';
import type { CpuRunner } from '../execute/tasks/drive.js';
import { MapOverlay } from '../lane/overlay.js';
import type { DependentRule } from '../lane/policy.js';
import { IN_TURN, makeReceipt } from '../lane/receipt.js';
import { type LaneTransaction, scanBlock } from '../lane/scan.js';
import type { LaneKey, LaneOutcome, Receipt, StateReader } from '../lane/types.js';
import type { ProgramResult } from '../program/result.js';
import { ProgramRunner } from '../program/runner.js';
import { drive } from '../simulate/drive.js';
import { rootOfPairs } from '../store/tree/load-tree.js';
import { fromBinaryString, u32Bytes } from '../util/bytes.js';
import type { KnownBlocks } from './known-blocks.js';

const SECONDS_PER_BLOCK = 600;
/** OP_TRUE: anyone may spend what a block pays, if nobody else is named. */
const ANYONE = Uint8Array.of(0x51);
const NO_STATE: StateReader = { get: () => undefined };

/** A lane transaction of a block, with what became of it. */
export interface MinedTransaction {
  readonly transaction: LaneTransaction;
  readonly outcome: LaneOutcome;
  /** What the contract of each message returned that ran to its end, by its shadow output. */
  readonly results: ReadonlyMap<number, ProgramResult>;
}

/** A block of the chain. */
export interface MinedBlock {
  readonly height: number;
  /** Wire order. */
  readonly hash: Uint8Array;
  readonly raw: Uint8Array;
  /** Seconds. */
  readonly time: number;
  /** Those of the lane, in block order. */
  readonly lane: readonly MinedTransaction[];
  /** The keys that it wrote, with their last values; undefined: deleted. */
  readonly writes: MinedWrites;
  /** The transactions that it was made of, without the coinbase. */
  readonly transactions: readonly WrittenTransaction[];
}

type MinedWrites = LaneOutcome['writes'];

/** What a block does to the state before it. */
type BlockRun = Pick<MinedBlock, 'lane' | 'writes'>;

/** The same by somebody else; `txids`: 32 bytes each, the coinbase first. */
export interface ForeignRun {
  readonly writes: MinedWrites;
  readonly txids?: Uint8Array;
}

interface KeptBlock extends MinedBlock {
  /** The values that its keys had before it. */
  readonly undo: ReadonlyMap<LaneKey, Uint8Array | undefined>;
}

export interface MemoryChainOptions {
  /** What lies below the chain's own state; what it writes goes over it. Nothing if not given. */
  readonly base?: StateReader;
  /** Runs contracts; one for several chains keeps what it has compiled. */
  readonly runner?: CpuRunner;
  readonly laneStartHeight?: number;
  readonly dependent?: DependentRule;
  /** What blocks do that chains of the same options have run: theirs are not run again. For chains without a base. */
  readonly known?: KnownBlocks<BlockRun>;
}

export class MemoryChain implements StateReader {
  readonly dependent: DependentRule;
  readonly laneStartHeight: number;
  readonly #base: StateReader;
  readonly #runner: CpuRunner;
  readonly #blocks: KeptBlock[];
  /** Absent keys of the base are not in it; deleted ones are, undefined. */
  readonly #state = new Map<LaneKey, Uint8Array | undefined>();
  #waiting: WrittenTransaction[] = [];
  /** Keeps coinbases of one height on several branches apart. */
  #made = 0;
  #known: KnownBlocks<BlockRun> | undefined;

  constructor({ base, runner, laneStartHeight, dependent, known }: MemoryChainOptions = {}) {
    this.#base = base ?? NO_STATE;
    this.#runner = runner ?? new ProgramRunner();
    this.laneStartHeight = laneStartHeight ?? 0;
    this.dependent = dependent ?? 'demote';
    this.#known = base === undefined ? known : undefined;
    const genesis = { ...regtestGenesis(), height: 0, time: REGTEST.genesisTime, transactions: [] };
    this.#blocks = [{ ...genesis, lane: [], writes: new Map(), undo: new Map() }];
  }

  /** A chain that goes on from here by itself. */
  fork(): MemoryChain {
    const { laneStartHeight, dependent } = this;
    const other = new MemoryChain({ base: this.#base, runner: this.#runner, laneStartHeight, dependent });
    for (const [key, value] of this.#state) other.#state.set(key, value);
    other.#blocks.push(...this.#blocks.slice(1));
    other.#waiting = [...this.#waiting];
    other.#made = this.#made;
    return other;
  }

  get height(): number {
    return this.#blocks.length - 1;
  }

  get tip(): MinedBlock {
    return this.#blocks[this.height];
  }

  /** Block `height`; undefined above the tip. */
  block(height: number): MinedBlock | undefined {
    return this.#blocks[height];
  }

  /** Transactions that the next block takes, in the order in which they came. */
  get waiting(): readonly WrittenTransaction[] {
    return this.#waiting;
  }

  /** The value of a key of namespace P after the tip. */
  get(key: LaneKey): Uint8Array | undefined {
    return this.#state.has(key) ? this.#state.get(key) : this.#base.get(key);
  }

  /**
   * Puts a serialised transaction into the next block. Throws InputError `TX_*` for bytes that are none. Returns the
   * txid in wire order.
   */
  send(raw: Uint8Array): Uint8Array {
    const { txid } = parseTransaction(raw);
    this.sendWritten({ txid, raw });
    return txid;
  }

  /** The same of one that was made here. */
  sendWritten(transaction: WrittenTransaction): void {
    this.#waiting.push(transaction);
  }

  /** Takes what waits out of the next block. */
  drop(): void {
    this.#waiting = [];
  }

  /** Mines a block of all that waits; `reward` is the script that the coinbase pays. Returns it. */
  mine(reward: Uint8Array = ANYONE): MinedBlock {
    const next = this.#next(writeBlock, reward);
    return this.#append(next, this.#knownRun(next));
  }

  /**
   * The same with what somebody else says that the block writes, and the txids of its transactions, if he has them: for
   * blocks of very many transactions, of which nobody asks one by one what became of it. Its header commits to none of
   * them. No block is added if `run` throws.
   */
  async mineBy(run: (raw: Uint8Array, height: number) => Promise<ForeignRun>): Promise<MinedBlock> {
    const next = this.#next(writeBareBlock, ANYONE);
    // The hashes of it and of those that follow do not tell what is in them.
    this.#known = undefined;
    const { writes, txids } = await run(next.raw, next.height);
    if (txids !== undefined) tellTxids(next.transactions, txids.subarray(32));
    return this.#append(next, { lane: [], writes });
  }

  /** The next block, of all that waits. */
  #next(write: typeof writeBlock, reward: Uint8Array): Omit<MinedBlock, keyof BlockRun> {
    const transactions = this.#waiting;
    this.#waiting = [];
    const previous = this.tip;
    const height = previous.height + 1;
    const time = previous.time + SECONDS_PER_BLOCK;
    const mark = u32Bytes(this.#made++);
    const frame = regtestFrame({ previous: previous.hash, height, time, reward, fees: 0n, mark });
    const { raw, hash } = write(frame, transactions);
    return { height, hash, raw, time, transactions };
  }

  #append(next: Omit<MinedBlock, keyof BlockRun>, run: BlockRun): MinedBlock {
    const undo = new Map<LaneKey, Uint8Array | undefined>();
    for (const [key, value] of run.writes) {
      undo.set(key, this.get(key));
      if (value === undefined && this.#base.get(key) === undefined) this.#state.delete(key);
      else this.#state.set(key, value);
    }
    const block: KeptBlock = { ...next, ...run, undo };
    this.#blocks.push(block);
    return block;
  }

  /**
   * Undoes the blocks above `height`, the tip first: a reorg begins like that. Returns them, the lowest first. Throws
   * UsageError USAGE_DEVCHAIN_HEIGHT if there is no such block below the tip.
   */
  rollback(height: number): readonly MinedBlock[] {
    if (!Number.isInteger(height) || height < 0 || height > this.height) {
      throw new UsageError('USAGE_DEVCHAIN_HEIGHT', 'the chain has no block of that height to go back to', {
        facts: { height, tip: this.height },
        hint: 'Give a height from 0 to that of the tip.',
      });
    }
    const undone: KeptBlock[] = [];
    while (this.height > height) {
      const block = this.#blocks.pop() as KeptBlock;
      for (const [key, before] of block.undo) {
        if (before === undefined && this.#base.get(key) === undefined) this.#state.delete(key);
        else this.#state.set(key, before);
      }
      undone.push(block);
    }
    return undone.reverse();
  }

  /** Every key that the chain has written and its value, ascending; without those of the base. */
  entries(): [key: LaneKey, value: Uint8Array][] {
    const present = [...this.#state].filter((entry): entry is [LaneKey, Uint8Array] => entry[1] !== undefined);
    return present.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** The root of the lane's state (docs/state-root.md), of what the chain has written alone. 32 bytes. */
  root(): Uint8Array {
    return rootOfPairs(this.entries().map(([key, value]) => [fromBinaryString(key), value] as const));
  }

  /** The receipts of a block, as they are stored. */
  receipts(block: MinedBlock): Receipt[] {
    return block.lane.map(({ outcome }) => makeReceipt(block.height, outcome, IN_TURN));
  }

  #knownRun({ hash, raw, height }: Omit<MinedBlock, keyof BlockRun>): BlockRun {
    const known = this.#known?.get(hash);
    if (known !== undefined) return known;
    const run = this.#run(raw, height);
    this.#known?.add(hash, run, raw.length);
    return run;
  }

  #run(raw: Uint8Array, height: number): BlockRun {
    const { laneStartHeight, dependent } = this;
    const context = { height, block: raw, laneStartHeight, dependent };
    const after = new MapOverlay(this);
    const lane = scanBlock(parseBlock(raw), this).map((transaction): MinedTransaction => {
      const { outcome, results } = drive(transaction, context, after, this.#runner);
      after.apply(outcome.writes);
      return { transaction, outcome, results };
    });
    const writes = new Map(after.changes);
    dropVoidDeletions(writes, (key) => this.get(key) !== undefined);
    return { lane, writes };
  }
}
