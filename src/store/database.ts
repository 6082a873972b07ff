/** What the store wants of a database. {@link Rocks} is the one that is run; another may stand in for it. */

export const COLUMNS = ['latest', 'history', 'blocks', 'addresses', 'undo', 'tree', 'meta'] as const;
export type ColumnName = (typeof COLUMNS)[number];

export type Row = readonly [key: Uint8Array, value: Uint8Array];

export interface Range {
  readonly gte?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/**
 * Puts and deletes over any column, of which it takes copies, written at once. Ends with {@link write} or {@link
 * discard}.
 */
export interface DatabaseBatch {
  /** Sum of the lengths of all keys and values so far. */
  readonly bytes: number;
  put(column: ColumnName, key: Uint8Array, value: Uint8Array): void;
  del(column: ColumnName, key: Uint8Array): void;
  /**
   * All or nothing. With `sync` (unless it is false) it is on the disk when it returns, with all that was written
   * before; otherwise a crash of the machine may lose the newest batches, whole ones, while a crash of the process
   * loses none. Throws StoreError STORE_WRITE_FAILED.
   */
  write(sync?: boolean): void;
  discard(): void;
}

/** Puts rows when it is asked to. */
export type PutRows = (batch: Pick<DatabaseBatch, 'put'>) => void;

/** Ordered rows in columns. All reads are synchronous; keys are compared as unsigned bytes. */
export interface Database {
  /** For other threads of this process; undefined if it cannot be shared. */
  readonly handle: bigint | undefined;
  /** Grows with every write, by whichever thread of this process: while it stays, all that was read still holds. */
  readonly version: number;
  get(column: ColumnName, key: Uint8Array): Uint8Array | undefined;
  getMany(column: ColumnName, keys: readonly Uint8Array[]): (Uint8Array | undefined)[];
  /** First row of a range, in the given order. */
  first(column: ColumnName, range: Range): Row | undefined;
  /** Rows of a range as of the moment of the first step. */
  scan(column: ColumnName, range?: Range): Generator<Row, void, void>;
  batch(): DatabaseBatch;
  close(): Promise<void>;
}
