import { patienceWith } from '../../src/chain/node-errors.js';
import { WarpshrewError } from '../../src/errors/errors.js';

/** The WarpshrewError that `work` ends with. */
export async function errorOf(work: Promise<unknown>): Promise<WarpshrewError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof WarpshrewError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

/** Whether who follows a chain waits for the end of it, however long that takes. */
export function isPassing(error: unknown): boolean {
  return patienceWith(error, 1_000) === Number.POSITIVE_INFINITY;
}
