import type { RpcBackend } from './backend.js';
import type { Params } from './params.js';

export interface Method {
  /** How to call it; shown when a call is wrong. */
  readonly usage: string;
  /** Its only parameter is an object, which may also stand for the array of parameters. */
  readonly takesObject?: boolean;
  /**
   * Its result follows from its parameters and what is stored alone, and takes less than a turn of this thread: the
   * server keeps it until something is written.
   */
  readonly isStored?: true;
  /** The result, as a JSON value, for `client`; throws RpcError or WarpshrewError. */
  run(params: Params, backend: RpcBackend, client: string): unknown;
}
