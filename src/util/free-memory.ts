import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { InternalError } from '../errors/errors.js';

/** Memory of a run that is not left to the collector's own time. */
const LARGE_BYTES = 64 << 20;

/** Each is as likely to be disturbed as threads begin at the same moment. */
const MOST_TRIES = 1_000;

let collect: (() => void) | undefined;

/**
 * Frees the memory of a run that ended, if it is large: else it stays until the collector finds the time, and the next
 * run's comes on top of it. Nothing may refer to the run's instance any more.
 */
export function freeMemoryOf(memoryBytes: number): void {
  if (memoryBytes >= LARGE_BYTES) freeMemory();
}

/** Frees what this thread no longer refers to, now. */
export function freeMemory(): void {
  collect ??= findCollect();
  collect();
}

/** The flag is the process's: another thread may take it away before this one has looked. */
function findCollect(): () => void {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    setFlagsFromString('--expose-gc');
    const found: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
    // For no other context.
    setFlagsFromString('--no-expose-gc');
    if (typeof found === 'function') return found as () => void;
  }
  throw new InternalError('the memory of a run cannot be freed: the engine does not hand out its collector');
}
