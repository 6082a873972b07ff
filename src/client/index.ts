/** What `warpshrew/client` gives (docs/client.md). */
export {
  type ClientOptions,
  type Listing,
  type MethodName,
  type ParamsOf,
  type ResultOf,
  RpcFailure,
  WarpshrewClient,
} from './client.js';
export { METHOD_NAMES, type Methods } from './methods.js';
export type * from './types.js';
