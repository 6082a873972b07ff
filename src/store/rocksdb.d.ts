/** The part of the binding that src/store/rocks.ts uses; the underscore methods are its synchronous layer. */
declare module '@nxtedition/rocksdb' {
  export interface Column {
    readonly __column: unique symbol;
  }

  export interface PointReadOptions {
    readonly column: Column;
    readonly keyEncoding: 'buffer';
    readonly valueEncoding: 'buffer';
  }

  export interface ReadOptions extends PointReadOptions {
    readonly gte?: Uint8Array;
    readonly lt?: Uint8Array;
    readonly reverse?: boolean;
    readonly limit?: number;
    /** Whether blocks that are read go into the cache; false if not given. */
    readonly fillCache?: boolean;
    /** Of keys and values, after which a step of an iterator ends. */
    readonly highWaterMarkBytes?: number;
  }

  export interface Rows {
    /** Keys and values alternating. */
    readonly rows: Uint8Array[];
    readonly finished: boolean;
  }

  export interface Batch {
    _put(key: Uint8Array, value: Uint8Array, options: { readonly column: Column }): void;
    _del(key: Uint8Array, options: { readonly column: Column }): void;
    _writeSync(options: { readonly sync: boolean }): void;
    _clear(): void;
    _closeSync(): void;
  }

  export interface RocksIterator {
    _nextvSync(size: number): Rows;
    _closeSync(): void;
  }

  export class RocksLevel {
    constructor(locationOrHandle: string | bigint, options?: object);
    readonly handle: bigint;
    /** Number of the newest put or delete. */
    readonly sequence: number;
    readonly columns: Readonly<Record<string, Column>>;
    open(): Promise<void>;
    close(): Promise<void>;
    batch(): Batch;
    detachResource(resource: Batch | RocksIterator): void;
    querySync(options: ReadOptions): Rows;
    _getManySync(keys: readonly Uint8Array[], options: PointReadOptions): (Uint8Array | undefined)[];
    _iterator(options: ReadOptions): RocksIterator;
  }
}
