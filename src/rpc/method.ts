import type { RpcBackend } from './backend.js';
import type { Params } from './params.js';

export interface Method {
  /** How it is called; shown where a call is wrong. */
  readonly usage: string;
  /** The result as JSON can hold it, for `client`; throws RpcError or WarpshrewError. */
  run(params: Params, backend: RpcBackend, client: string): unknown;
}
