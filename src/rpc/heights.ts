import type { RpcBackend } from './backend.js';
import { RpcError } from './errors.js';
import type { Params } from './params.js';

/** The requested height, or the tip. A height above the tip is refused: its state is not known. */
export function indexedHeight(params: Params, at: number, { store }: Pick<RpcBackend, 'store'>): number {
  const tip = store.tip()?.height;
  const height = params.height(at) ?? tip ?? 0;
  if (tip !== undefined && height <= tip) return height;
  const hint = tip === undefined ? 'Nothing is indexed yet.' : `The last indexed height is ${tip}.`;
  throw new RpcError('BLOCK_NOT_INDEXED', `Height ${height} is not indexed`, hint);
}

/** As {@link indexedHeight}, of a block that the store has. */
export function storedHeight(params: Params, at: number, backend: Pick<RpcBackend, 'store'>): number {
  const height = indexedHeight(params, at, backend);
  if (backend.store.blockHash(height) !== undefined) return height;
  throw notStored(height);
}

/** The store begins above `height`. */
export function notStored(height: number): RpcError {
  return new RpcError('BLOCK_NOT_INDEXED', `Height ${height} is not indexed`, 'The store begins above this height.');
}
