import { formatId, idFromBytes } from '../../protocol/alkane-id.js';
import { toDisplayHash, toHex } from '../../util/bytes.js';
import { toldOf } from '../overlay.js';
import { RECEIPT_DATA_BYTES } from '../receipt.js';
import { textsOf } from '../texts.js';
import type { LaneKey, LaneOutcome } from '../types.js';
import type { BlockState } from './block-state.js';
import type { CommonRunner } from './common-run.js';
import type { LaneColumns } from './lane-columns.js';

/** What the generator would say of the transaction at `row`, which `run` has run last and not applied yet. */
export function outcomeOf(columns: LaneColumns, row: number, run: CommonRunner, state: BlockState): LaneOutcome {
  const { block, contexts, contextStart, index } = columns;
  const at = index[row];
  const reads = new Map<LaneKey, Uint8Array | undefined>();
  for (let i = 0; i < run.reads.count; i++) {
    const key = run.reads.list[i];
    const text = state.keyText(key);
    reads.set(text, toldOf(text, valueAt(state, state.starts[key], state.ends[key])));
  }
  const writes = new Map<LaneKey, Uint8Array | undefined>();
  for (let i = 0; i < run.writes.count; i++) {
    writes.set(state.keyText(run.writes.key(i)), valueAt(state, run.writes.start(i), run.writes.end(i)));
  }
  const message = {
    protostone: 0,
    shadowVout: block.firstOutput[at + 1] - block.firstOutput[at] + 1,
    status: run.status,
    target: run.hasTarget ? formatId(idFromBytes(contexts, contextStart[row])) : undefined,
    error: run.error,
    fuelUsed: run.fuelUsed,
    data: toHex(run.data.subarray(0, Math.min(run.dataBytes, RECEIPT_DATA_BYTES))),
    dataBytes: run.dataBytes,
    calls: [],
    callTotal: 0,
    ...textsOf(run.texts),
  };
  return { index: at, txid: toDisplayHash(block.txid(at)), undone: undefined, messages: [message], reads, writes };
}

function valueAt(state: BlockState, start: number, end: number): Uint8Array | undefined {
  return start === end ? undefined : state.bytes.slice(start, end);
}
