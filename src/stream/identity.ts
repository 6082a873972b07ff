/** What the index of a stream was made with: every message says it, so that no replica mixes two. */
import { StreamError } from '../errors/errors.js';
import { DEPENDENT_RULES } from '../lane/policy.js';
import type { StoreReader } from '../store/reader.js';
import type { StoreIdentity } from '../store/types.js';
import { toDisplayHash } from '../util/bytes.js';
import { withinShape } from '../util/json-shape.js';

export interface StreamIdentity extends StoreIdentity {
  /** Hash of block 0 of the chain in display order; null if the index has not recorded it. */
  readonly genesis: string | null;
  /** Height of the index's first block. */
  readonly first: number;
}

export const MAX_IDENTITY_BYTES = 1_024;
const MAX_HEIGHT = 0xfffffffe;
const FIELDS: readonly (keyof StreamIdentity)[] = [
  'schema',
  'rules',
  'network',
  'laneStartHeight',
  'dependent',
  'moduleHash',
  'genesis',
  'first',
];

/** Of an index that has a block; undefined of one that has none. */
export function identityOfStore(store: StoreReader): StreamIdentity | undefined {
  const recorded = store.recordedIdentity();
  const first = store.lists.firstHeight();
  if (recorded === undefined || first === undefined) return undefined;
  const genesis = store.genesis();
  return { ...recorded, genesis: genesis === undefined ? null : toDisplayHash(genesis), first };
}

export function encodeIdentity(identity: StreamIdentity): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(Object.fromEntries(FIELDS.map((name) => [name, identity[name]]))));
}

/** Undefined if the bytes are none. */
export function decodeIdentity(bytes: Uint8Array): StreamIdentity | undefined {
  if (bytes.length > MAX_IDENTITY_BYTES || !withinShape(bytes, 1, FIELDS.length)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { schema, rules, network, laneStartHeight, dependent, moduleHash, genesis, first } = value as Partial<
    Record<string, unknown>
  >;
  const rule = DEPENDENT_RULES.find((name) => name === dependent);
  if (!isHeight(schema) || !isHeight(rules) || !isHeight(laneStartHeight) || !isHeight(first)) return undefined;
  if (rule === undefined || typeof network !== 'string' || !/^[a-z0-9]{1,32}$/.test(network)) return undefined;
  if (!isHash(moduleHash) || !(genesis === null || isHash(genesis))) return undefined;
  return { schema, rules, network, laneStartHeight, dependent: rule, moduleHash, genesis, first };
}

/**
 * Throws StreamError STREAM_OTHER_INDEX with the first difference. A chain whose block 0 is not known is taken for any.
 */
export function checkSameIndex(stream: StreamIdentity, own: StreamIdentity): void {
  for (const name of FIELDS) {
    if (stream[name] === own[name] || (name === 'genesis' && (own.genesis === null || stream.genesis === null)))
      continue;
    throw otherIndex(name, String(stream[name]), String(own[name]));
  }
}

/** The error of a stream whose index differs in `what`. */
function otherIndex(what: string, stream: string, own: string): StreamError {
  return new StreamError('STREAM_OTHER_INDEX', `the stream is of an index that differs: ${what}`, {
    facts: { stream, own },
    hint: 'Name another stream, or another database. A replica needs the module of the index: --indexer FILE.wasm.',
  });
}

function isHeight(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_HEIGHT;
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}
