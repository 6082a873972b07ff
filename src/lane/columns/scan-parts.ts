/** A block hashed and scanned in parts by several threads: what of that needs neither the state nor the other parts. */
import { HASH_LENGTH, hashTransactions, type TransactionTable } from '../../bitcoin/block-hash.js';
import type { BlockOffsets } from '../../bitcoin/block-offsets.js';
import { type Runestones, readRunestones, type ScanAhead, scanAhead } from './scan-ahead.js';

/** Some transactions of a block that follow each other. All places count from the first one's beginning. */
export interface BlockPart extends TransactionTable {
  readonly firstOutput: Uint32Array;
  readonly scripts: Uint32Array;
}

/** What was found of a part; the contexts lie in shared memory. */
export interface ScannedPart extends Runestones {
  readonly txids: Uint8Array;
}

/** Cuts a block into `count` parts of about as many bytes; of fewer transactions, into as many as it has. */
export function partsOf(block: BlockOffsets, count: number): BlockPart[] {
  const { starts } = block;
  const first = starts[0];
  const bytes = starts[block.count] - first;
  const parts: BlockPart[] = [];
  for (let n = 1, from = 0, to = 0; n <= count; n++, from = to) {
    while (to < block.count && starts[to] < first + (bytes * n) / count) to++;
    if (to > from) parts.push(partOf(block, from, to));
  }
  return parts;
}

function partOf({ raw, starts, witnesses, segwit, firstOutput, scripts }: BlockOffsets, from: number, to: number) {
  const at = starts[from];
  const output = firstOutput[from];
  return {
    raw: raw.subarray(at, starts[to]),
    count: to - from,
    starts: shifted(starts.slice(from, to + 1), at),
    witnesses: shifted(witnesses.slice(from, to), at),
    segwit: segwit.slice(from, to),
    firstOutput: shifted(firstOutput.slice(from, to + 1), output),
    scripts: shifted(scripts.slice(2 * output, 2 * firstOutput[to]), at),
  };
}

function shifted(places: Uint32Array, by: number): Uint32Array {
  for (let i = 0; i < places.length; i++) places[i] -= by;
  return places;
}

export function scanPart(part: BlockPart): ScannedPart {
  return { txids: hashTransactions(part), ...readRunestones(part) };
}

/** The buffers of all lists but the contexts, for a message that hands them over. */
export function buffersOfPart({ txids, mayCall, rows }: ScannedPart): ArrayBuffer[] {
  const { pointer, refund, contextStart, contextEnd } = rows;
  return [txids, mayCall, pointer, refund, contextStart, contextEnd].map(({ buffer }) => buffer as ArrayBuffer);
}

/** Puts together what was found of all parts of `block`, in their order; the block learns its txids. */
export function joinParts(block: BlockOffsets, parts: readonly ScannedPart[]): ScanAhead {
  const count = parts.reduce((sum, { mayCall }) => sum + mayCall.length, 0);
  const bytes = parts.reduce((sum, { rows }) => sum + rows.contexts.length, 0);
  const txids = new Uint8Array(block.count * HASH_LENGTH);
  const mayCall = new Uint32Array(count);
  const rows = {
    pointer: new Uint32Array(count),
    refund: new Uint32Array(count),
    contextStart: new Uint32Array(count),
    contextEnd: new Uint32Array(count),
    contexts: new Uint8Array(new SharedArrayBuffer(bytes)),
  };
  let [transaction, row, at] = [0, 0, 0];
  for (const part of parts) {
    txids.set(part.txids, transaction * HASH_LENGTH);
    for (let i = 0; i < part.mayCall.length; i++, row++) {
      mayCall[row] = transaction + part.mayCall[i];
      rows.pointer[row] = part.rows.pointer[i];
      rows.refund[row] = part.rows.refund[i];
      rows.contextStart[row] = at + part.rows.contextStart[i];
      rows.contextEnd[row] = at + part.rows.contextEnd[i];
    }
    rows.contexts.set(part.rows.contexts, at);
    transaction += part.txids.length / HASH_LENGTH;
    at += part.rows.contexts.length;
  }
  block.learnTxids(txids);
  return scanAhead(block, { mayCall, rows });
}
