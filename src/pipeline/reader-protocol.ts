import type { BlockColumns } from '../bitcoin/block-offsets.js';
import type { Failure } from '../errors/errors.js';
import type { ScanAhead } from '../lane/columns/scan-ahead.js';

/** What the thread that reads blocks ahead gets at its start. */
export interface ReaderSetup {
  /** Handle of the store that it looks sheets up in. */
  readonly storeHandle: bigint;
}

export interface ReadRequest {
  readonly id: number;
  /** The block, in shared memory. */
  readonly raw: Uint8Array;
  /** Hash (wire order) that it must build on. */
  readonly previousHash: Uint8Array;
}

/** A valid block as it comes from that thread, without a copy. */
export interface BlockRead {
  readonly columns: BlockColumns;
  readonly scan: ScanAhead;
  /**
   * By input that names no transaction of the block: 1 if its outpoint had a sheet when it was looked up, at some time
   * after the request.
   */
  readonly held: Uint8Array;
  /** Milliseconds that all of it took. */
  readonly ms: number;
}

export type ReadReply =
  | { readonly kind: 'read'; readonly id: number; readonly read: BlockRead }
  /** The block is not valid: who reads it again finds out why. */
  | { readonly kind: 'refused'; readonly id: number }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: Failure };
