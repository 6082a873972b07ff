import { StoreError } from '../../errors/errors.js';
import type { ColumnName, Database, DatabaseBatch, Range, Row } from '../../store/database.js';
import { toBinaryString } from '../../util/bytes.js';
import type { Change, Disk } from './disk.js';

/** The outcome of one write. A killed process writes all of it or nothing. */
export type WriteFate = 'written' | 'refused' | 'killed-before' | 'killed-after';

/** The process is dead: none of its work continues. */
export class Killed extends Error {}

/** A database over a {@link Disk}, as one process has it open. */
export class MemoryDatabase implements Database {
  readonly handle = undefined;
  version = 0;
  #dead = false;
  #closed = false;
  readonly #fate: () => WriteFate;

  constructor(
    readonly disk: Disk,
    fate: () => WriteFate = () => 'written',
  ) {
    this.#fate = fate;
  }

  /** From here on every call throws {@link Killed}. */
  kill(): void {
    this.#dead = true;
  }

  get(column: ColumnName, key: Uint8Array): Uint8Array | undefined {
    this.#assertOpen();
    const value = this.disk.get(column, key);
    return value && new Uint8Array(value);
  }

  getMany(column: ColumnName, keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    return keys.map((key) => this.get(column, key));
  }

  first(column: ColumnName, range: Range): Row | undefined {
    this.#assertOpen();
    const [row] = this.disk.scan(column, { ...range, limit: 1 });
    return row;
  }

  *scan(column: ColumnName, range: Range = {}): Generator<Row, void, void> {
    for (const row of this.disk.scan(column, range)) {
      this.#assertOpen();
      yield row;
    }
  }

  batch(): DatabaseBatch {
    this.#assertOpen();
    const changes: Change[] = [];
    let bytes = 0;
    // Copies, as the real database takes them: what the caller does with its bytes afterwards changes nothing.
    const add = (column: ColumnName, key: Uint8Array, value: Uint8Array | undefined): void => {
      bytes += key.length + (value?.length ?? 0);
      changes.push({ column, name: toBinaryString(key), key: key.slice(), value: value?.slice() });
    };
    return {
      get bytes() {
        return bytes;
      },
      put: add,
      del: (column, key) => add(column, key, undefined),
      discard: () => undefined,
      write: () => this.#write(changes),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #write(changes: readonly Change[]): void {
    this.#assertOpen();
    const fate = this.#fate();
    if (fate === 'refused') throw new StoreError('STORE_WRITE_FAILED', 'the simulated disk is full');
    if (fate !== 'killed-before') this.disk.apply(changes);
    this.version += changes.length;
    if (fate !== 'written') {
      this.kill();
      throw new Killed();
    }
  }

  #assertOpen(): void {
    if (this.#dead) throw new Killed();
    if (this.#closed) throw new StoreError('STORE_CLOSED', 'the store is closed');
  }
}
