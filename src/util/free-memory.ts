import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Memory of a run that is not left to the collector's own time. */
const LARGE_BYTES = 64 << 20;

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
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
    // For no other context.
    setFlagsFromString('--no-expose-gc');
  }
  collect();
}
