import { InternalError } from '../errors/errors.js';
import type { ColumnName, Database, DatabaseBatch, Range, Row } from './database.js';
import { StoreReader } from './reader.js';

/** Reads one database, until another takes its place. */
class ReplacedDatabase implements Database {
  #replaced = 0;
  #current: Database;

  constructor(first: Database) {
    this.#current = first;
  }

  replace(next: Database): void {
    this.#replaced += 1 + this.#current.version;
    this.#current = next;
  }

  get handle(): bigint | undefined {
    return this.#current.handle;
  }

  get version(): number {
    return this.#replaced + this.#current.version;
  }

  get(column: ColumnName, key: Uint8Array): Uint8Array | undefined {
    return this.#current.get(column, key);
  }

  getMany(column: ColumnName, keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    return this.#current.getMany(column, keys);
  }

  first(column: ColumnName, range: Range): Row | undefined {
    return this.#current.first(column, range);
  }

  scan(column: ColumnName, range?: Range): Generator<Row, void, void> {
    return this.#current.scan(column, range);
  }

  batch(): DatabaseBatch {
    throw new InternalError('a database that is only read was to be written');
  }

  /** Whoever opened a database closes it. */
  async close(): Promise<void> {}
}

/** A reader of a store that goes over to newer copies of it, which others open and close. */
export class ReplacedReader extends StoreReader {
  readonly #database: ReplacedDatabase;

  constructor(first: StoreReader) {
    const database = new ReplacedDatabase(first.database);
    super(database);
    this.#database = database;
  }

  /** From here on everything is read of `next`; what is being read is read to its end of the store before. */
  replace(next: StoreReader): void {
    this.#database.replace(next.database);
  }
}
