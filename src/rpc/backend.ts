import type { StoreReader } from '../store/reader.js';

/** What the server answers from. */
export interface RpcBackend {
  readonly store: StoreReader;
  /**
   * Runs a view of the standard lane's module at a height, within a time limit of the backend's own (the server sets
   * none: it must not block this thread); backends share out their threads between clients. Rejects with a
   * WarpshrewError, `VIEW_NOT_FOUND` if the module has no such view.
   */
  view(name: string, input: Uint8Array, height: number, client: string): Promise<Uint8Array>;
  /** Runs a view over the state after a block that is never stored. Without it `metashrew_preview` answers an error. */
  preview?(block: Uint8Array, name: string, input: Uint8Array, height: number): Promise<Uint8Array>;
}
