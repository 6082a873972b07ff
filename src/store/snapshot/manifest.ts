import type { StoreIdentity } from '../types.js';
import { type ChunkEntry, malformed, possibleChunk, SNAPSHOT_COLUMNS, type SnapshotManifest } from './format.js';

/**
 * A manifest from a file that anybody may have written: every field has its type and range, the chunks are in the
 * order of the columns, and their rows add up. Throws InputError SNAPSHOT_MALFORMED.
 */
export function parseManifest(bytes: Uint8Array): SnapshotManifest {
  const raw = record(parsedJson(bytes), 'the manifest');
  if (raw.format !== 2) throw malformed('its format version is another');
  const tip = record(raw.tip, 'the tip');
  const rows = record(raw.rows, 'the row counts');
  const chunks = list(raw.chunks).map(chunkEntry);
  const manifest: SnapshotManifest = {
    format: 2,
    identity: identity(record(raw.identity, 'the identity')),
    genesis: raw.genesis === null ? null : hash(raw.genesis, 'genesis'),
    tip: { height: count(tip.height, 'height'), hash: hash(tip.hash, 'tip hash') },
    lowestRollback: raw.lowestRollback === -1 ? -1 : count(raw.lowestRollback, 'lowestRollback'),
    stateRoot: hash(raw.stateRoot, 'state root'),
    rows: {
      latest: count(rows.latest, 'rows'),
      history: count(rows.history, 'rows'),
      blocks: count(rows.blocks, 'rows'),
      // A file from before there was an index by address does not say that it has none.
      addresses: count(rows.addresses ?? 0, 'rows'),
      undo: count(rows.undo, 'rows'),
      meta: count(rows.meta, 'rows'),
    },
    chunks,
  };
  checkOrder(manifest);
  return manifest;
}

function checkOrder({ chunks, rows }: SnapshotManifest): void {
  let column = 0;
  const sums = Object.fromEntries(SNAPSHOT_COLUMNS.map((name) => [name, 0]));
  for (const chunk of chunks) {
    const at = SNAPSHOT_COLUMNS.indexOf(chunk.column);
    if (at < column) throw malformed('its chunks are out of order');
    column = at;
    sums[chunk.column] += chunk.rows;
  }
  if (SNAPSHOT_COLUMNS.some((name) => sums[name] !== rows[name])) throw malformed('its row counts do not add up');
}

function chunkEntry(value: unknown): ChunkEntry {
  const raw = record(value, 'a chunk');
  const column = SNAPSHOT_COLUMNS.find((name) => name === raw.column);
  if (column === undefined) throw malformed('a chunk of an unknown column');
  const entry = {
    column,
    rows: count(raw.rows, 'rows of a chunk'),
    bytes: count(raw.bytes, 'bytes of a chunk'),
    stored: count(raw.stored, 'stored bytes of a chunk'),
    sha256: hash(raw.sha256, 'hash of a chunk'),
  };
  if (!possibleChunk(entry)) throw malformed('a chunk says lengths that none can have');
  return entry;
}

function identity(raw: Record<string, unknown>): StoreIdentity {
  const { network, moduleHash, dependent, addresses, addressRows } = raw;
  if (typeof network !== 'string' || typeof moduleHash !== 'string') throw malformed('its identity lacks a field');
  if (addresses !== undefined && addresses !== true) throw malformed('its identity has a field of another kind');
  if (dependent !== 'demote' && dependent !== 'reject') throw malformed('its identity lacks a field');
  return {
    schema: count(raw.schema, 'schema'),
    rules: count(raw.rules, 'rules'),
    network,
    laneStartHeight: count(raw.laneStartHeight, 'lane start height'),
    dependent,
    moduleHash,
    ...(addresses === true && { addresses }),
    ...(addressRows !== undefined && { addressRows: count(addressRows, 'layout of the index by address') }),
  };
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw malformed('its manifest is not JSON', cause);
  }
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`${what} is not an object`);
  return Object.fromEntries(Object.entries(value));
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw malformed('its chunks are not a list');
  return value;
}

function count(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw malformed(`${what} is not a count`);
  return value;
}

function hash(value: unknown, what: string): string {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) throw malformed(`${what} is not a hash`);
  return value;
}
