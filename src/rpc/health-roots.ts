import type { StateRoots } from '../store/types.js';

/** The roots in `/health`: null before the first block. */
export function healthRoots(roots: StateRoots | undefined): Readonly<Record<string, string | null>> {
  return {
    stateRoot: roots?.state ?? null,
    standardRoot: roots?.standard ?? null,
    laneRoot: roots?.lane ?? null,
  };
}
