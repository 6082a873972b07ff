/** The four batches that users ask for, and the check that nothing of them leads outside of their columns. */
import { InputError } from '../../errors/errors.js';
import { writeDerSignature, writeKey } from './keys.js';
import { type ForestWork, type HashWork, type SignatureWork, WIDTHS } from './work.js';

/** SHA-256 of many messages. */
export interface Sha256Batch {
  /** All messages, one after the other. */
  readonly bytes: Uint8Array;
  /** Message i lies at `offsets[i]` to `offsets[i + 1]`: one entry more than messages, none below the one before. */
  readonly offsets: Uint32Array;
  /** Double SHA-256, as Bitcoin hashes; default: single. */
  readonly twice?: boolean;
}

/** BIP340 verification of many signatures of 32-byte messages. */
export interface SchnorrBatch {
  /** 32 bytes each. */
  readonly messages: Uint8Array;
  /** x-only keys, 32 bytes each. */
  readonly keys: Uint8Array;
  /** 64 bytes each. */
  readonly signatures: Uint8Array;
}

/**
 * ECDSA verification of many signatures, as Bitcoin's consensus has it. A high s is valid: that s must be the lower one
 * of two is a rule of relay (BIP146's LOW_S), which blocks need not follow; whoever wants it compares s with n/2.
 * Signatures in DER must be strict (BIP66), which consensus wants since block 363,725; older ones need a parser of
 * their own and the compact form. Keys: 33 bytes, 65 bytes, or hybrid, which consensus takes.
 */
export interface EcdsaBatch {
  /** What was signed: 32 bytes each. */
  readonly digests: Uint8Array;
  readonly keys: Uint8Array;
  /** Key i lies at `keyOffsets[i]` to `keyOffsets[i + 1]` of `keys`. */
  readonly keyOffsets: Uint32Array;
  readonly signatures: Uint8Array;
  /** Where each DER signature lies, without its hash type; not given: 64 bytes each (r, s; big-endian). */
  readonly signatureOffsets?: Uint32Array;
}

/** Bitcoin's Merkle tree: double SHA-256; a level of odd length repeats its last node. */
export interface MerkleBuild {
  /** At least one hash of 32 bytes, in wire order. */
  readonly leaves: Uint8Array;
  /** Whether the answer has all levels; default: the root alone. */
  readonly levels?: boolean;
}

/** Most messages or leaves of a batch, most signatures, and most bytes of all messages. */
const MOST_HASHES = 2 ** 24;
const MOST_SIGNATURES = 2 ** 22;
const MOST_BYTES = 2 ** 30;
/** A forest has at most so many trees; the rest of the way to the root is short. */
const MOST_TREES = 2_048;

const HASH = 32;

/** Throws InputError TASK_MALFORMED, as all functions here. */
export function hashWork({ bytes, offsets, twice = false }: Sha256Batch): HashWork {
  const count = checkOffsets('offsets', offsets, bytes);
  checkMost('messages', count, MOST_HASHES);
  checkMost('bytes', bytes.length, MOST_BYTES);
  return { kind: 'sha256', bytes, offsets, twice };
}

export function schnorrWork({ messages, keys, signatures }: SchnorrBatch): SignatureWork {
  const count = rowsOf('messages', messages, HASH);
  checkMost('signatures', count, MOST_SIGNATURES);
  checkRows('keys', keys, HASH, count);
  checkRows('signatures', signatures, 2 * HASH, count);
  return { kind: 'schnorr', columns: [messages, keys, signatures] };
}

export function ecdsaWork(batch: EcdsaBatch): SignatureWork {
  const { digests, keys, keyOffsets, signatures, signatureOffsets } = batch;
  const count = rowsOf('digests', digests, HASH);
  checkMost('signatures', count, MOST_SIGNATURES);
  checkCount('keyOffsets', checkOffsets('keyOffsets', keyOffsets, keys), count);
  if (signatureOffsets === undefined) checkRows('signatures', signatures, 2 * HASH, count);
  else checkCount('signatureOffsets', checkOffsets('signatureOffsets', signatureOffsets, signatures), count);
  const points = new Uint8Array(count * 2 * HASH);
  const kinds = new Uint8Array(count);
  for (let i = 0; i < count; i++) kinds[i] = writeKey(points, i, keys.subarray(keyOffsets[i], keyOffsets[i + 1]));
  const compact = signatureOffsets === undefined ? signatures : compactSignatures(signatures, signatureOffsets);
  return { kind: 'ecdsa', columns: [digests, points, compact, kinds] };
}

/** Whether columns are those of a work of signatures, of at least one row. */
export function columnsFit(kind: SignatureWork['kind'], columns: readonly Uint8Array[]): boolean {
  const widths = WIDTHS[kind];
  const rows = columns.length === widths.length ? columns[0].length / widths[0] : 0;
  return Number.isInteger(rows) && rows > 0 && columns.every(({ length }, c) => length === rows * widths[c]);
}

/** What is no strict DER becomes zeros: r = 0 is never valid. */
function compactSignatures(signatures: Uint8Array, offsets: Uint32Array): Uint8Array {
  const compact = new Uint8Array((offsets.length - 1) * 2 * HASH);
  for (let i = 0; i + 1 < offsets.length; i++) {
    writeDerSignature(compact, i, signatures.subarray(offsets[i], offsets[i + 1]));
  }
  return compact;
}

export function forestWork({ leaves, levels = false }: MerkleBuild): ForestWork {
  const count = rowsOf('leaves', leaves, HASH);
  if (count === 0) throw malformed('leaves', 'a Merkle tree has at least one leaf', {});
  checkMost('leaves', count, MOST_HASHES);
  let height = 0;
  while (count > MOST_TREES * 2 ** height) height++;
  return { kind: 'forest', leaves, height, wantsLevels: levels };
}

function malformed(column: string, message: string, facts: Record<string, number>): InputError {
  return new InputError('TASK_MALFORMED', `${column}: ${message}`, { facts });
}

function checkMost(column: string, count: number, most: number): void {
  if (count > most) throw malformed(column, 'too many for one batch', { count, most });
}

function rowsOf(column: string, bytes: Uint8Array, width: number): number {
  if (bytes.length % width !== 0) throw malformed(column, 'not whole rows', { bytes: bytes.length, row: width });
  return bytes.length / width;
}

function checkRows(column: string, bytes: Uint8Array, width: number, count: number): void {
  checkCount(column, rowsOf(column, bytes, width), count);
}

function checkCount(column: string, rows: number, expected: number): void {
  if (rows !== expected) throw malformed(column, 'not as many rows as the first column has', { rows, expected });
}

/** The number of pieces. */
function checkOffsets(column: string, offsets: Uint32Array, bytes: Uint8Array): number {
  if (offsets.length === 0) throw malformed(column, 'the offset of the end is missing', {});
  for (let i = 1; i < offsets.length; i++) {
    if (offsets[i] < offsets[i - 1]) throw malformed(column, 'an offset is below the one before', { entry: i });
  }
  const end = offsets[offsets.length - 1];
  if (end > bytes.length) throw malformed(column, 'an offset is outside of the bytes', { end, bytes: bytes.length });
  return offsets.length - 1;
}
