import type { StoreReader } from '../store/reader.js';

/** The data and views that the server answers with. */
export interface RpcBackend {
  readonly store: StoreReader;
  /**
   * Runs a view of the standard module at a height, without blocking this thread. The backend sets the time limit (the
   * server sets none) and shares its threads between clients. Rejects with a WarpshrewError, `VIEW_NOT_FOUND` if the
   * module has no such view.
   */
  view(name: string, input: Uint8Array, height: number, client: string): Promise<Uint8Array>;
  /** Runs a view over the state after a block that is never stored. Without it `metashrew_preview` answers an error. */
  preview?(block: Uint8Array, name: string, input: Uint8Array, height: number): Promise<Uint8Array>;
}
