import { StoreError, WarpshrewError } from '../errors/errors.js';

/** What `end` gives; a write that failed in another thread is thrown as if it had failed in this one. */
export function endOfThread<T>(end: () => T): T {
  try {
    return end();
  } catch (cause) {
    if (!(cause instanceof WarpshrewError && cause.code === 'STORE_WRITE_FAILED')) throw cause;
    const { message, facts, hint } = cause;
    throw new StoreError('STORE_WRITE_FAILED', message, { facts, hint, cause });
  }
}
