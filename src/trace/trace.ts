/** The trace of a mined lane transaction: its receipt, why it waited, and on request what a run of it tells. */
import { sha256d } from '../bitcoin/hash.js';
import { StoreError } from '../errors/errors.js';
import type { Rerun, RerunRequest } from '../simulate/rerun.js';
import type { StoreReader } from '../store/reader.js';
import { bytesEqual, toDisplayHash } from '../util/bytes.js';
import { receiptJson } from './receipt-json.js';
import { type Waits, waitsOf } from './waits.js';

const HEADER_LENGTH = 80;

/** A trace as JSON-RPC and the command line give it. `run`: see {@link Rerun}; null where it was not asked for. */
export type Trace = ReturnType<typeof receiptJson> & { readonly waits: Waits; readonly run: Rerun | null };

/** What running a transaction again needs. */
export interface RunAgain {
  /** The bytes of the block at that height, whose hash is `hash` (wire order); undefined: they are not to be had. */
  block(height: number, hash: Uint8Array): Promise<Uint8Array | undefined>;
  run(request: RerunRequest): Promise<Rerun>;
}

/**
 * The trace of a transaction by its txid in display order. Throws StoreError STORE_NO_RECEIPT, STORE_REORG_UNDER_WAY;
 * with `again` also STORE_HISTORY_PRUNED, STORE_NO_BLOCK_BYTES, and what its functions throw.
 */
export async function traceOf(store: StoreReader, txid: string, again?: RunAgain): Promise<Trace> {
  const receipt = store.receipt(txid);
  if (receipt === undefined) {
    throw new StoreError('STORE_NO_RECEIPT', 'the database has no receipt of the transaction', {
      facts: { txid },
      hint: 'It is not a transaction of the parallel lane, or its block is not indexed yet.',
    });
  }
  const { height } = receipt;
  const hash = store.blockHash(height);
  const waits = await waitsOf(store, receipt);
  const run = again === undefined ? null : await runAgain(store, { height, txid, hash }, again);
  if (hash === undefined || !bytesEqual(hash, store.blockHash(height))) {
    const hint = 'The chain was reorganised at this height. Ask again.';
    throw new StoreError('STORE_REORG_UNDER_WAY', 'the block was undone meanwhile', { facts: { height }, hint });
  }
  return { ...receiptJson(receipt), waits, run };
}

async function runAgain(
  store: StoreReader,
  of: { readonly height: number; readonly txid: string; readonly hash: Uint8Array | undefined },
  again: RunAgain,
): Promise<Rerun> {
  const { height, txid, hash = new Uint8Array(0) } = of;
  store.assertKept(height - 1);
  const block = await again.block(height, hash);
  if (block === undefined || !bytesEqual(sha256d(block.subarray(0, HEADER_LENGTH)), hash)) {
    throw new StoreError('STORE_NO_BLOCK_BYTES', 'the block of the transaction is not at hand', {
      facts: { height, hash: toDisplayHash(hash) },
      hint: 'Steps need its bytes: name a folder that has it with --blocks, or ask a server that follows a node.',
    });
  }
  return again.run({ height, block, txid });
}
