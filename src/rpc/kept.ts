import type { StoreReader } from '../store/reader.js';

/**
 * What `read` gives of the state after block `height`, if that is kept. Asked before, so that an old height is refused
 * whatever is read of it, and after, as another thread drops old rows meanwhile. Throws StoreError
 * STORE_HISTORY_PRUNED.
 */
export async function ofKept<T>(
  store: Pick<StoreReader, 'assertKept'>,
  height: number,
  read: () => T | Promise<T>,
): Promise<T> {
  store.assertKept(height);
  try {
    return await read();
  } finally {
    store.assertKept(height);
  }
}
