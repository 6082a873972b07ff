import { backoff, type Clock } from '../chain/clock.js';
import type { ChainBlock, ChainSource } from '../chain/source.js';
import { ChainError, InternalError, WarpshrewError } from '../errors/errors.js';
import { type Following, lookAhead } from '../pipeline/look-ahead.js';
import { bytesEqual, toDisplayHash } from '../util/bytes.js';
import { checkGenesis, isRefusedBlock, Refusals, tooDeep } from './chain-checks.js';
import { findFork } from './fork-point.js';
import type { Indexer } from './indexer.js';
import type { FollowerState, FollowerStatus, Rollback } from './status.js';

export interface FollowerOptions {
  readonly source: ChainSource;
  readonly indexer: Indexer;
  /** `mainnet`, `regtest`, …: the source's block 0 must be this network's. */
  readonly network: string;
  /** Hash of the block 0 that the index was built from (32 bytes, wire order), if recorded. */
  readonly recordedGenesis?: Uint8Array;
  /**
   * Milliseconds for which a failing source is retried, counted from the first of consecutive errors with a finite
   * limit: Infinity for an error that passes by itself, 0 for one that ends the follower at once.
   */
  readonly patience: (error: unknown) => number;
  readonly clock: Clock;
  /** First block of an empty index; 0 if not given. */
  readonly startBlock?: number;
  /** The follower ends after the block before this height; if not given, it never ends. */
  readonly exitAt?: number;
  /**
   * So close to the source's tip, its chain is compared before each block, not only every 2,000 blocks (default 0). A
   * block that does not build on the one before is never indexed; this finds those earlier that would be undone.
   */
  readonly checkWithin?: number;
  /** Milliseconds between polls of the node when no notification comes (default 2,000). */
  readonly pollMs?: number;
  /**
   * Milliseconds before the first retry after an error (default 250), doubled each time up to `mostRetryMs` (30,000).
   */
  readonly firstRetryMs?: number;
  readonly mostRetryMs?: number;
  /**
   * How often the same block may be refused before the follower gives up (default 10, which takes more than a minute).
   */
  readonly badBlockTries?: number;
  /** Called with the hash of the source's block 0 (32 bytes, wire order) each time it was checked. */
  readonly onGenesis?: (hash: Uint8Array) => void;
  /** Called before a block is indexed with the milliseconds spent waiting for it. */
  readonly onFetched?: (ms: number) => void;
  readonly onIndexed?: (block: ChainBlock) => void;
  readonly onRollback?: (rollback: Rollback) => void;
  readonly onState?: (state: FollowerState) => void;
  /**
   * Called with errors that are retried, once for consecutive errors of one code, and with checks that are skipped.
   * `leftMs`: how long the source is retried at most; undefined: for ever.
   */
  readonly onNote?: (text: string, error?: unknown, leftMs?: number) => void;
}

/** Blocks fetched per request; after that many the node's tip is checked again. */
const BLOCKS_PER_LOOK = 2_000;

/** The node's answers contradict each other, or end too early: retry. */
class Unsettled extends Error {}

/** A block that the index refuses. */
class RefusedBlock extends Error {
  constructor(
    readonly height: number,
    readonly hash: string,
    override readonly cause: WarpshrewError,
  ) {
    super(cause.message);
  }
}

/** An error of the index: never retried. */
class IndexFailure extends Error {
  constructor(override readonly cause: unknown) {
    super('the index failed');
  }
}

/**
 * Keeps an index on the best chain of a source: finds where to continue, indexes block after block, and undoes blocks
 * when the best chain changes. Every step begins by querying the source, so a change of the chain cannot invalidate
 * anything remembered. Holds no sockets, files or timers of its own.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #stopping = new AbortController();
  readonly #refusals: Refusals;
  #running: Promise<void> | undefined;
  /** Consecutive waits without a block indexed or the tip reached. */
  #attempts = 0;
  /** The last code reported during these waits. */
  #noted: string | undefined;
  /** Time of the first of consecutive errors that may be permanent. */
  #doubtfulSince: number | undefined;
  /** Highest block indexed since the follower was created, to tell a growing chain from one that only changes. */
  #highest = -1;
  /** Reorgs since {@link #highest} last rose. */
  #reorgsInARow = 0;
  /** Whether the follower has waited for a reorg in quick succession to be reverted. */
  #waitedForReorg = false;
  /** First block to index after a reorg has emptied the index. */
  #restartAt: number | undefined;
  #genesisNoted = false;
  #state: FollowerState = 'syncing';
  #height: number | undefined;
  #nodeHeight: number | undefined;
  #lastError: string | undefined;
  readonly #counts = { reorgs: 0, deepestReorg: 0, blocksIndexed: 0, blocksUndone: 0, retries: 0, badBlocks: 0 };

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#refusals = new Refusals(options.badBlockTries ?? 10);
  }

  /**
   * Follows the chain until {@link stop} or `exitAt`. Rejects with ChainError CHAIN_WRONG_NETWORK,
   * CHAIN_OTHER_GENESIS, CHAIN_REORG_TOO_DEEP or CHAIN_BAD_BLOCK, with errors of the index, and with errors of the
   * source that are final or have lasted too long (`patience`).
   */
  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  /** Ends the follower: a block that is being indexed is finished, a fetch is dropped. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running?.catch(() => undefined);
  }

  get status(): FollowerStatus {
    return {
      state: this.#state,
      height: this.#height,
      nodeHeight: this.#nodeHeight,
      ...this.#counts,
      lastError: this.#lastError,
    };
  }

  async #run(): Promise<void> {
    let genesisChecked = false;
    try {
      while (!this.#stopped) {
        try {
          if (!genesisChecked) await this.#checkGenesis();
          genesisChecked = true;
          if (await this.#step()) break;
        } catch (error) {
          await this.#recover(error);
        }
      }
      this.#enter('stopped');
    } catch (error) {
      this.#lastError = codeOf(error);
      this.#enter('failed');
      throw error;
    }
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  #enter(state: FollowerState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }

  /** Queries the source once and acts on the answer. True when `exitAt` is reached. */
  async #step(): Promise<boolean> {
    const { source, indexer } = this.#options;
    const node = await source.tip();
    this.#nodeHeight = node.height;
    const tip = indexer.tip();
    this.#height = tip?.height;
    if (tip === undefined) return this.#begin(node.height, node.hash);
    const common = Math.min(tip.height, node.height);
    const ours = indexer.hashAt(common);
    // The node's chain ends below the first block of the index: there is nothing to compare.
    if (ours === undefined) return this.#wait('node-behind');
    const theirs = common === node.height ? node.hash : await source.hashAt(common);
    if (theirs === undefined) throw new Unsettled('the node has no block below its own tip');
    if (!bytesEqual(ours, theirs)) {
      await this.#reorganise(common);
      return false;
    }
    if (tip.height + 1 >= (this.#options.exitAt ?? Number.POSITIVE_INFINITY)) return true;
    if (node.height < tip.height) return this.#wait('node-behind');
    if (node.height === tip.height) return this.#wait('at-tip');
    await this.#index(tip.height + 1, node.height, node.hash);
    return false;
  }

  /** The first block of an empty index. */
  async #begin(nodeHeight: number, nodeHash: Uint8Array): Promise<boolean> {
    const start = this.#restartAt ?? this.#options.startBlock ?? 0;
    if (start >= (this.#options.exitAt ?? Number.POSITIVE_INFINITY)) return true;
    if (nodeHeight < start) return this.#wait('node-behind');
    await this.#index(start, nodeHeight, nodeHash);
    return false;
  }

  async #wait(state: 'at-tip' | 'node-behind'): Promise<false> {
    this.#worked();
    this.#enter(state);
    await this.#options.source.changed(this.#options.pollMs ?? 2_000, this.#stopping.signal);
    return false;
  }

  /** Indexes the blocks from `from` on; `tipHash` is that of the node's tip, at `tipHeight`. */
  async #index(from: number, tipHeight: number, tipHash: Uint8Array): Promise<void> {
    const { source, exitAt = Number.POSITIVE_INFINITY, checkWithin = 0 } = this.#options;
    this.#enter('syncing');
    const unchecked = Math.max(from, tipHeight - checkWithin);
    const to = Math.min(unchecked, exitAt - 1, from + BLOCKS_PER_LOOK - 1);
    let next = from;
    // Aborted however this ends, so that the source stops fetching ahead.
    const fetching = new AbortController();
    try {
      const signal = AbortSignal.any([fetching.signal, this.#stopping.signal]);
      for await (const { item: block, waited, following } of lookAhead(source.blocks(from, to, signal))) {
        if (this.#stopped) return;
        this.#options.onFetched?.(waited);
        if (block.height !== next || block.height > to) throw new Unsettled('the node served a block out of order');
        if (block.height === tipHeight && !bytesEqual(block.hash, tipHash)) {
          throw new Unsettled('the node served another block than its tip');
        }
        await this.#indexOne(block, following, Math.min(tipHeight, exitAt - 1) - block.height);
        next++;
      }
    } catch (error) {
      if (this.#stopped && !(error instanceof IndexFailure)) return;
      throw isRefusedBlock(error) ? new RefusedBlock(next, String(error.facts.block ?? ''), error) : error;
    } finally {
      fetching.abort();
      this.#settle();
    }
    if (next <= to && !this.#stopped) throw new Unsettled('the node ended the chain below the tip that it announced');
  }

  #settle(): void {
    try {
      this.#options.indexer.settle();
    } catch (error) {
      throw new IndexFailure(error);
    }
  }

  async #indexOne(block: ChainBlock, following: Following<ChainBlock>, behind: number): Promise<void> {
    const { indexer, onIndexed } = this.#options;
    try {
      await indexer.index(block, following, behind);
    } catch (error) {
      if (isRefusedBlock(error)) throw new RefusedBlock(block.height, toDisplayHash(block.hash), error);
      // Nothing of the block is stored: it is indexed when the other index is there.
      if (codeOf(error) === 'SECONDARY_AWAY') throw error;
      throw new IndexFailure(error);
    }
    this.#counts.blocksIndexed++;
    this.#height = block.height;
    this.#worked();
    this.#refusals.clear();
    if (block.height > this.#highest) {
      this.#highest = block.height;
      this.#reorgsInARow = 0;
    }
    onIndexed?.(block);
  }

  /** Follows a chain that differs from the index at height `differing`. */
  async #reorganise(differing: number): Promise<void> {
    const { source, indexer } = this.#options;
    // Another node may have replaced the one that was checked at the start.
    await this.#checkGenesis();
    const fork = await findFork(source, indexer, differing);
    if (fork.kind === 'unsettled')
      throw new Unsettled('the chain of the node changed during the search for its fork point');
    const lowest = indexer.lowestRollback();
    // An empty index is consistent with every chain.
    const to = fork.kind === 'at' ? fork.height : fork.firstIndexed - 1;
    if (to < lowest) {
      const tip = indexer.tip();
      throw tooDeep(fork, lowest, tip?.height ?? differing, this.#options.startBlock);
    }
    // A node that switches back and forth between chains need not be followed at full speed.
    if (this.#reorgsInARow > 1 && !this.#waitedForReorg) {
      this.#waitedForReorg = true;
      await this.#backOff(this.#reorgsInARow - 2);
      return;
    }
    if (fork.kind === 'below') this.#restartAt = fork.firstIndexed;
    await this.#rollBack(to);
  }

  async #rollBack(to: number): Promise<void> {
    const { indexer, onRollback } = this.#options;
    const from = indexer.tip();
    if (from === undefined) return;
    this.#enter('rolling-back');
    this.#reorgsInARow++;
    this.#waitedForReorg = false;
    this.#counts.reorgs++;
    let height = from.height;
    try {
      while (height > to && !this.#stopped) {
        await indexer.rollback(height - 1);
        height--;
        this.#height = indexer.tip()?.height;
        this.#counts.blocksUndone++;
      }
    } catch (error) {
      throw new IndexFailure(error);
    } finally {
      this.#counts.deepestReorg = Math.max(this.#counts.deepestReorg, from.height - height);
      if (height < from.height) onRollback?.({ from, toHeight: height });
    }
  }

  #worked(): void {
    this.#attempts = 0;
    this.#noted = undefined;
    this.#doubtfulSince = undefined;
  }

  /** Waits after an error that may pass by itself; throws one that does not, or has lasted too long. */
  async #recover(error: unknown): Promise<void> {
    const { onNote } = this.#options;
    let left: number | undefined;
    if (error instanceof IndexFailure) throw error.cause;
    // Aborted calls may reject with anything; a problem of the chain is found again at the next start.
    if (this.#stopped) return;
    if (error instanceof RefusedBlock) {
      this.#counts.badBlocks++;
      this.#lastError = error.cause.code;
      onNote?.(`block ${error.height} is refused`, error.cause);
      this.#refusals.add(error.height, error.hash, error.cause);
    } else if (error instanceof Unsettled) {
      onNote?.(error.message);
    } else {
      left = this.#patienceLeft(error);
      this.#lastError = codeOf(error);
      // Reported once for consecutive errors: a node may be down for days.
      if (this.#noted !== this.#lastError) onNote?.('the node cannot be reached', error, left);
      this.#noted = this.#lastError;
    }
    await this.#backOff(this.#attempts++, left);
  }

  /** Milliseconds for which the source is still retried; undefined: for ever. Throws the error when none are left. */
  #patienceLeft(error: unknown): number | undefined {
    const { clock, patience } = this.#options;
    const most = error instanceof ChainError ? 0 : patience(error);
    if (most === Number.POSITIVE_INFINITY) {
      this.#doubtfulSince = undefined;
      return undefined;
    }
    this.#doubtfulSince ??= clock.now();
    const tried = clock.now() - this.#doubtfulSince;
    if (tried < most) return most - tried;
    throw most > 0 && error instanceof WarpshrewError ? triedFor(error, tried) : error;
  }

  async #backOff(attempt: number, mostMs = Number.POSITIVE_INFINITY): Promise<void> {
    const { clock, firstRetryMs = 250, mostRetryMs = 30_000 } = this.#options;
    this.#enter('waiting-for-node');
    this.#counts.retries++;
    const pause = Math.min(mostMs, backoff(attempt, firstRetryMs, mostRetryMs, clock));
    await clock.sleep(pause, this.#stopping.signal);
  }

  async #checkGenesis(): Promise<void> {
    const { source, indexer, network, recordedGenesis, onGenesis, onNote } = this.#options;
    const offered = await source.genesis();
    const indexed = indexer.hashAt(0) ?? recordedGenesis;
    checkGenesis(network, source.name, offered, indexed);
    if (offered !== undefined) onGenesis?.(offered);
    if (offered !== undefined || this.#genesisNoted) return;
    this.#genesisNoted = true;
    onNote?.('the source has no block 0: its network is not checked');
  }
}

/** The error, with how long it was retried. */
function triedFor({ code, kind, message, facts, hint, cause }: WarpshrewError, ms: number): WarpshrewError {
  return new WarpshrewError(code, kind, message, {
    facts: { ...facts, triedForSeconds: Math.round(ms / 1000) },
    hint,
    cause,
  });
}

function codeOf(error: unknown): string {
  return error instanceof WarpshrewError ? error.code : new InternalError('').code;
}
