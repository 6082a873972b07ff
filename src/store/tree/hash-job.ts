/** What the thread that hashes trees and the one that wants it have in common (tree-hasher.ts). */

/** Cells of the words that both share: {@link IDLE} to {@link FAILED}, and the number of the last job. */
export const STATE = 0;
export const JOB = 1;
export const CONTROL_WORDS = 2;

export const IDLE = 0;
/** A job waits; whoever makes another state of this one has it. */
export const POSTED = 1;
export const TAKEN = 2;
export const DONE = 3;
/** The trees are undefined. */
export const FAILED = 4;

export interface HashJob {
  readonly number: number;
  /** Of trees that are handed over. */
  readonly memories: readonly WebAssembly.Memory[];
}
