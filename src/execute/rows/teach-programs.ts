/** What the rows of a block tell of the programs whose whole runs may be left to the kernel (kernel-programs.ts). */
import type { Program } from '../../program/types.js';
import type { KernelPrograms, KernelTally } from '../choose/kernel-programs.js';

export interface LessonInputs {
  readonly programs: KernelPrograms;
  readonly rows: Uint32Array;
  /** By row: the colour of its node, from 1 on. */
  readonly colours: Uint32Array;
  /** The program that a row calls, if it tells. */
  programOf(row: number): Program | undefined;
  /** Whether what the row reads was predicted, and does not stand before the block. */
  isPredicted(row: number): boolean;
}

/** Tells how many calls of each program that the kernel was given it has run; `runs`: those, by hash. */
export function teachGiven(inputs: LessonInputs, runs: Readonly<Record<string, number>>): void {
  const { programs } = inputs;
  for (const [{ hash }, tally] of tallies(inputs, () => true))
    programs.learn(hash, { ...tally, taken: runs[hash] ?? 0 });
}

/**
 * Tells how many calls of each program ask whether they run dry and stand by themselves, where calls are divided: the
 * kernel runs what it is given of them, and threads the others.
 */
export function teachAsked(inputs: LessonInputs, hasAsked: (row: number) => boolean): void {
  const { programs } = inputs;
  for (const [{ hash }, tally] of tallies(inputs, hasAsked)) programs.learn(hash, { ...tally, taken: tally.calls });
}

function tallies(
  { rows, colours, programOf, isPredicted }: LessonInputs,
  counts: (row: number) => boolean,
): Map<Program, Omit<KernelTally, 'taken'>> {
  const found = new Map<Program, { calls: number; free: number }>();
  for (let node = 0; node < rows.length; node++) {
    const program = programOf(rows[node]);
    if (program === undefined) continue;
    const tally = found.get(program) ?? { calls: 0, free: 0 };
    found.set(program, tally);
    tally.calls++;
    if (colours[node] === 1 && !isPredicted(rows[node]) && counts(rows[node])) tally.free++;
  }
  return found;
}
