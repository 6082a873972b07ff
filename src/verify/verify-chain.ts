/** Proves what a database holds of blocks by running them once more from its own history. */
import { BlockOffsets } from '../bitcoin/block-offsets.js';
import type { ChainSource } from '../chain/source.js';
import { StoreError } from '../errors/errors.js';
import type { LaneEngine } from '../execute/engine.js';
import { changesFrom } from '../export/read-blocks.js';
import type { StandardIndexer } from '../standard/standard-indexer.js';
import type { StateChange } from '../store/changes.js';
import type { StoreReader } from '../store/reader.js';
import { bytesEqual, toDisplayHash } from '../util/bytes.js';
import { type Difference, differenceOf } from './compare-block.js';
import { runAgain } from './run-again.js';

/** Blocks whose height leaves `remainder` when divided by `divisor`: what one of several that share the work does. */
export interface WorkFilter {
  readonly divisor: number;
  readonly remainder: number;
}

export interface VerifyOptions {
  readonly store: StoreReader;
  readonly source: Pick<ChainSource, 'blocks' | 'name'>;
  readonly engine: LaneEngine;
  readonly standard: StandardIndexer;
  readonly from: number;
  readonly to: number;
  readonly filter: WorkFilter;
  /** For temporary files. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onBlock: (height: number) => void;
}

export interface Verified {
  /** Blocks that were run and agree. */
  readonly blocks: number;
  readonly transactions: number;
  readonly changes: number;
  readonly receipts: number;
  /** The first block that does not agree, with what of it. */
  readonly different: { readonly height: number; readonly difference: Difference } | undefined;
  readonly stopped: boolean;
}

/**
 * Runs the stored blocks from `from` to `to` that the filter takes, each on the state before it, and compares what they
 * change and their receipts with what is stored; ends at the first that differs. Together with `db check`, which proves
 * that rows and roots fit each other, it shows that the database is what its blocks make. Throws StoreError
 * STORE_HISTORY_PRUNED, SOURCE errors, and what running a block throws.
 */
export async function verifyChain(options: VerifyOptions): Promise<Verified> {
  const { store, from, to, filter, folder, signal, onBlock } = options;
  const sums = { blocks: 0, transactions: 0, changes: 0, receipts: 0 };
  const isOurs = (height: number): boolean => height % filter.divisor === filter.remainder;
  for await (const { height, changes } of changesFrom(store, from, to, { folder, signal }, isOurs)) {
    if (signal.aborted) break;
    onBlock(height);
    const stored = changes();
    const of = await verifyBlock(options, height, stored, sums);
    if (of !== undefined) return { ...sums, different: { height, difference: of }, stopped: false };
    sums.blocks++;
  }
  return { ...sums, different: undefined, stopped: signal.aborted };
}

async function verifyBlock(
  { store, engine, standard, source, signal }: VerifyOptions,
  height: number,
  stored: Iterable<StateChange>,
  sums: { transactions: number; changes: number; receipts: number },
): Promise<Difference | undefined> {
  const raw = await rawBlock(source, height, signal);
  const block = BlockOffsets.read(raw);
  const hash = store.blockHash(height);
  if (!bytesEqual(hash, block.hash)) {
    return {
      what: 'hash',
      stored: hash === undefined ? 'none' : toDisplayHash(hash),
      given: toDisplayHash(block.hash),
    };
  }
  const again = await runAgain(store, engine, standard, raw, height);
  sums.transactions += block.count;
  sums.changes += again.changes.S.size + again.changes.P.size;
  sums.receipts += again.receipts.length;
  return differenceOf(again, stored, store.receipts(height));
}

async function rawBlock(source: VerifyOptions['source'], height: number, signal: AbortSignal): Promise<Uint8Array> {
  for await (const { raw } of source.blocks(height, height, signal)) return raw;
  throw new StoreError('STORE_OTHER_CHAIN', 'the source of blocks has no block of that height', {
    facts: { height, source: source.name },
    hint: 'Name the node, or the folder of blocks, that the database was indexed from.',
  });
}
