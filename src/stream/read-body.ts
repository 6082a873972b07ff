/** Reads the data of a block's event (body.ts), which anybody may have made. */
import { createHash } from 'node:crypto';
import { sha256d } from '../bitcoin/hash.js';
import { decodeReceipt } from '../lane/receipt-bytes.js';
import { heightOf, indexOf } from '../lane/receipt-list.js';
import type { EncodedReceipts, PlanSummary } from '../lane/types.js';
import { decodePlan } from '../store/records.js';
import type { BlockCommit } from '../store/types.js';
import { bytesEqual, readU32, toHex } from '../util/bytes.js';
import { withinShape } from '../util/json-shape.js';
import { PackedMap } from '../util/packed-map.js';
import { DELETED, DIGEST_BYTES, END, NONE, PRESENT } from './body.js';
import { badMessage, type EventHead } from './chunk.js';

const HEADER = 80;
const HASH = 32;
const PREVIOUS_AT = 4;
/** A plan has a number for each colour; errors of the module are cut to 2,000 units. */
const MAX_PLAN_BYTES = 8 << 20;
const MAX_COLOURS = 1 << 20;
const MAX_ERROR_BYTES = 16 << 10;

/** A block as it is to be stored, and the roots that must come of it (hex). */
export interface StreamedBlock {
  readonly commit: BlockCommit;
  readonly roots: { readonly standard: string; readonly lane: string };
}

/**
 * The block whose event has this head and data. Nothing is allocated that is not there. Throws StreamError
 * STREAM_BAD_MESSAGE unless everything is as it was written, and the header is that of the hash and the previous hash.
 */
export function readBody(head: EventHead, body: Uint8Array): StreamedBlock {
  const end = body.length - DIGEST_BYTES;
  if (end < 0) throw badMessage('its data is cut off');
  const digest = createHash('sha256').update(body.subarray(0, end)).digest();
  if (!bytesEqual(digest, body.subarray(end))) throw badMessage('its data is damaged');
  const from = new Reader(body.subarray(0, end));
  const header = new Uint8Array(from.part(HEADER));
  if (!bytesEqual(sha256d(header), head.hash)) throw badMessage('its header does not hash to its hash');
  if (!bytesEqual(header.subarray(PREVIOUS_AT, PREVIOUS_AT + HASH), head.previous)) {
    throw badMessage('its header names another previous block');
  }
  const roots = { standard: toHex(from.part(HASH)), lane: toHex(from.part(HASH)) };
  const errorBytes = from.u32();
  if (errorBytes !== NONE && errorBytes > MAX_ERROR_BYTES) throw badMessage('the text of its error is too long');
  const standardError = errorBytes === NONE ? undefined : new TextDecoder().decode(from.part(errorBytes));
  const plan = readPlan(head.height, from.part(from.u32()));
  const standardWrites = readWrites(from, false);
  const laneWrites = readWrites(from, true);
  const receipts = readReceipts(head.height, from);
  if (from.left > 0) throw badMessage('more follows its end');
  const commit: BlockCommit = {
    height: head.height,
    hash: head.hash,
    header,
    // There is no deletion among them.
    standardWrites: standardWrites as ReadonlyMap<string, Uint8Array>,
    laneWrites,
    receipts,
    plan,
    ...(standardError !== undefined && { standardError }),
  };
  return { commit, roots };
}

/** `deletes`: whether there may be keys that were deleted. */
function readWrites(from: Reader, deletes: boolean): PackedMap {
  const writes = new PackedMap();
  const { bytes } = from;
  let before: Uint8Array | undefined;
  for (let tag = from.u8(); tag !== END; tag = from.u8()) {
    if (tag !== PRESENT && !(tag === DELETED && deletes)) throw badMessage('it holds a change of no known kind');
    const keyBytes = from.u32();
    const valueBytes = tag === PRESENT ? from.u32() : 0;
    const keyStart = from.at;
    const key = from.part(keyBytes);
    const keyEnd = from.at;
    from.part(valueBytes);
    if (before !== undefined && Buffer.compare(before, key) >= 0) throw badMessage('its keys are not in order');
    before = key;
    writes.setEntry({ bytes, keyStart, keyEnd, valueStart: keyEnd, valueEnd: tag === PRESENT ? from.at : -1 });
  }
  return writes;
}

function readReceipts(height: number, from: Reader): EncodedReceipts {
  const places: number[] = [];
  let last = -1;
  for (let tag = from.u8(); tag !== END; tag = from.u8()) {
    if (tag !== PRESENT) throw badMessage('it holds a receipt of no known kind');
    const length = from.u32();
    const start = from.at;
    const receipt = from.part(length);
    try {
      decodeReceipt(receipt);
    } catch (error) {
      if (error instanceof RangeError) throw badMessage('it holds a receipt that cannot be read');
      throw error;
    }
    const index = indexOf(receipt);
    if (heightOf(receipt) !== height || index <= last) throw badMessage('it holds a receipt of another place');
    last = index;
    places.push(start, from.at);
  }
  return {
    count: places.length / 2,
    data: from.bytes,
    start: (at) => places[2 * at],
    end: (at) => places[2 * at + 1],
  };
}

function readPlan(height: number, bytes: Uint8Array): PlanSummary {
  if (bytes.length > MAX_PLAN_BYTES || !withinShape(bytes, 2, MAX_COLOURS)) throw badMessage('its plan is too large');
  let plan: Partial<Record<keyof PlanSummary, unknown>> | undefined;
  try {
    plan = decodePlan(bytes);
  } catch {
    throw badMessage('its plan cannot be read');
  }
  const { laneTxs, demoted, edges, colours, widths, longestChain, predicted, mispredicted } = plan;
  if (plan.height !== height || !Array.isArray(widths) || !widths.every(isCount)) throw badMessage('its plan is none');
  const counts = { laneTxs, demoted, edges, colours };
  const others = { longestChain, predicted, mispredicted };
  if (![...Object.values(counts), ...Object.values(others)].every(isCount)) throw badMessage('its plan is none');
  // In the order in which it is stored, and nothing else that it may hold.
  return { height, ...counts, widths, ...others } as PlanSummary;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Reads bytes from the first to the last; what is not there is STREAM_BAD_MESSAGE. */
class Reader {
  at = 0;

  constructor(readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  part(length: number): Uint8Array {
    if (length > this.left) throw badMessage('it names more bytes than it has');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  u8(): number {
    return this.part(1)[0];
  }

  u32(): number {
    return readU32(this.part(4), 0);
  }
}
