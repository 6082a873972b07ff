import { StoreError } from '../errors/errors.js';
import { toDisplayHash } from '../util/bytes.js';
import { COLUMNS, type Database, type DatabaseBatch } from './database.js';
import { ascii, META_GENESIS, META_IDENTITY, META_LABEL } from './keys.js';
import type { StoreReader } from './reader.js';
import type { StoreIdentity } from './types.js';

/** The records about itself that a store writes with its first block. */
export interface Stamp {
  readonly identity: StoreIdentity;
  /** Hash of block 0 (32 bytes, wire order), if it is known. */
  readonly genesis: Uint8Array | undefined;
  /** UTF-8. */
  readonly label: Uint8Array | undefined;
}

export function putStamp(batch: DatabaseBatch, { identity, genesis, label }: Stamp): void {
  batch.put('meta', META_IDENTITY, ascii(JSON.stringify(identity)));
  if (genesis !== undefined) batch.put('meta', META_GENESIS, genesis);
  if (label !== undefined) batch.put('meta', META_LABEL, label);
}

/**
 * Takes the records of `store` back out of its database, with its first block; returns them for the next first block.
 */
export function delStamp(batch: DatabaseBatch, store: Pick<StoreReader, 'identity' | 'genesis' | 'label'>): Stamp {
  for (const key of [META_IDENTITY, META_GENESIS, META_LABEL]) batch.del('meta', key);
  const label = store.label();
  return {
    identity: store.identity(),
    genesis: store.genesis(),
    label: label === undefined ? undefined : ascii(label),
  };
}

/** The error of a chain whose block 0 has another hash than the recorded one; both in wire order. */
export function otherGenesis(recorded: Uint8Array, offered: Uint8Array): StoreError {
  return new StoreError('STORE_OTHER_CHAIN', 'the store was made from a chain with another genesis block', {
    facts: { recorded: toDisplayHash(recorded), offered: toDisplayHash(offered) },
    hint: 'Name a node of the chain that the store was made from, or another folder.',
  });
}

/** Whether the database has no row at all. */
export function isNew(database: Database): boolean {
  return COLUMNS.every((column) => database.first(column, {}) === undefined);
}

/**
 * Throws STORE_SCHEMA_MISMATCH unless the database, which has no identity record, has no row at all. `path`: what
 * errors call it.
 */
export function assertNew(database: Database, path: string): void {
  if (isNew(database)) return;
  throw new StoreError('STORE_SCHEMA_MISMATCH', 'the database has rows but no identity record', {
    facts: { path },
    hint: 'It is damaged, or not of this program: use another folder.',
  });
}
