import { WarpshrewError } from '../../src/errors.js';

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
