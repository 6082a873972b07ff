import { StoreError } from '../errors/errors.js';
import { readBeU32 } from '../store/keys.js';
import { type OpenReader, openReader } from '../store/open-reader.js';
import type { KeyProof } from '../store/proof/key-proof.js';
import { proveKey } from '../store/proof/prove-key.js';
import type { Namespace } from '../store/types.js';
import { toDisplayHash } from '../util/bytes.js';
import type { BlockAt, DiffSide } from './side.js';

/** A database that no other process has open. */
export class DatabaseSide implements DiffSide {
  private constructor(
    readonly name: string,
    readonly store: OpenReader,
  ) {}

  /** Throws what {@link openReader} throws. */
  static async open(dir: string): Promise<DatabaseSide> {
    return new DatabaseSide(dir, await openReader(dir));
  }

  async range(): Promise<{ first: number; tip: number } | undefined> {
    const tip = this.store.tip();
    // Records of blocks come first in their column, by height.
    const rows = this.store.rowsOf('blocks');
    const lowest = rows.next();
    rows.return();
    return tip === undefined || lowest.done ? undefined : { first: readBeU32(lowest.value[0], 1), tip: tip.height };
  }

  async block(height: number): Promise<BlockAt | undefined> {
    const record = this.store.blockRecord(height);
    return record && { hash: toDisplayHash(record.hash), roots: record.roots };
  }

  async prove(namespace: Namespace, key: Uint8Array, height: number): Promise<KeyProof | number> {
    try {
      return proveKey(this.store, namespace, key, height);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'STORE_NOT_PROVABLE') throw error;
      return Math.max(height + 1, Number(error.facts.from ?? 0));
    }
  }

  close(): Promise<void> {
    return this.store.close();
  }
}
