/** Values of the column `blocks`. */
import { StoreError } from '../errors/errors.js';
import type { PlanSummary } from '../lane/types.js';
import { concatBytes, fromHex, readU32, toHex, u32Bytes } from '../util/bytes.js';
import { receiptCount } from './receipt-rows.js';
import { combinedRoot } from './tree/tree-hash.js';
import type { BlockCommit, BlockRecord, StateRoots } from './types.js';

const HASH_AT = 0;
const HEADER_AT = 32;
const STANDARD_ROOT_AT = 112;
const LANE_ROOT_AT = 144;
const RECEIPTS_AT = 176;
const FLAGS_AT = 180;
const HAS_ERROR = 1;
const HAS_NO_ROOTS = 2;
const ERROR_AT = 181;
/** In the place of a root that there is none of, hex. */
const ZEROS = '00'.repeat(32);
/** Errors of the standard module are stored cut to this many UTF-16 units: a module's abort text may be megabytes. */
const MAX_ERROR = 2_000;

/**
 * hash 32, header 80, standard root 32, lane root 32, receipts u32 LE, flags, error text. `roots`: undefined where none
 * were computed.
 */
export function encodeBlockRecord(block: BlockCommit, roots: StateRoots | undefined): Uint8Array {
  const error = block.standardError?.slice(0, MAX_ERROR);
  return concatBytes(
    block.hash,
    block.header,
    fromHex(roots?.standard ?? ZEROS),
    fromHex(roots?.lane ?? ZEROS),
    u32Bytes(receiptCount(block)),
    Uint8Array.of((error === undefined ? 0 : HAS_ERROR) | (roots === undefined ? HAS_NO_ROOTS : 0)),
    new TextEncoder().encode(error ?? ''),
  );
}

export function decodeBlockRecord(height: number, bytes: Uint8Array): BlockRecord {
  if (bytes.length < ERROR_AT) throw corrupt('block record', height);
  return {
    height,
    hash: new Uint8Array(bytes.subarray(HASH_AT, HEADER_AT)),
    header: new Uint8Array(bytes.subarray(HEADER_AT, STANDARD_ROOT_AT)),
    roots: rootsIn(bytes),
    standardError: (bytes[FLAGS_AT] & HAS_ERROR) !== 0 ? new TextDecoder().decode(bytes.subarray(ERROR_AT)) : undefined,
    receiptCount: readU32(bytes, RECEIPTS_AT),
  };
}

function rootsIn(bytes: Uint8Array): StateRoots | undefined {
  if ((bytes[FLAGS_AT] & HAS_NO_ROOTS) !== 0) return undefined;
  const [standard, lane] = [bytes.subarray(STANDARD_ROOT_AT, LANE_ROOT_AT), bytes.subarray(LANE_ROOT_AT, RECEIPTS_AT)];
  return { standard: toHex(standard), lane: toHex(lane), state: toHex(combinedRoot(standard, lane)) };
}

/** The record of a block whose roots were not computed. */
export function withoutRoots(record: Uint8Array): Uint8Array {
  const out = new Uint8Array(record);
  if (out.length < ERROR_AT) return out;
  out.fill(0, STANDARD_ROOT_AT, RECEIPTS_AT);
  out[FLAGS_AT] |= HAS_NO_ROOTS;
  return out;
}

/** The record with the roots of its block. */
export function withRoots(record: Uint8Array, { standard, lane }: StateRoots): Uint8Array {
  const out = new Uint8Array(record);
  out.set(fromHex(standard), STANDARD_ROOT_AT);
  out.set(fromHex(lane), LANE_ROOT_AT);
  out[FLAGS_AT] &= ~HAS_NO_ROOTS;
  return out;
}

export function encodePlan(value: PlanSummary): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

type Predicted = 'predicted' | 'mispredicted';
/** Plans that were stored before these were counted do not name them. */
type StoredPlan = Omit<PlanSummary, Predicted> & Partial<Pick<PlanSummary, Predicted>>;

export function decodePlan(bytes: Uint8Array): PlanSummary {
  const plan = JSON.parse(new TextDecoder().decode(bytes)) as StoredPlan;
  return { ...plan, predicted: plan.predicted ?? 0, mispredicted: plan.mispredicted ?? 0 };
}

export function corrupt(what: string, height: number): StoreError {
  return new StoreError('STORE_CORRUPT', `the ${what} of a block cannot be read`, {
    facts: { height },
    hint: 'Replay the chain into a new folder.',
  });
}
