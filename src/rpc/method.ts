import type { RpcBackend } from './backend.js';
import type { Params } from './params.js';

export interface Method {
  /** How to call it; shown when a call is wrong. */
  readonly usage: string;
  /** The result, as a JSON value, for `client`; throws RpcError or WarpshrewError. */
  run(params: Params, backend: RpcBackend, client: string): unknown;
}
