import { runSeed, type SeedResult } from './scenario.js';
import { World } from './world.js';

/** Seeds that share a tree of blocks: making one costs as much as dozens of seeds. */
const SEEDS_A_WORLD = 200;
/** Start block of every third world. */
const LATE_START = 4;

/** Sums over seeds. */
export interface SimSummary {
  seeds: number;
  lives: number;
  indexed: number;
  undone: number;
  reorgs: number;
  deepest: number;
  retries: number;
  badBlocks: number;
  /** How many seeds ended how. */
  readonly ends: Record<string, number>;
}

export function emptySummary(): SimSummary {
  return { seeds: 0, lives: 0, indexed: 0, undone: 0, reorgs: 0, deepest: 0, retries: 0, badBlocks: 0, ends: {} };
}

export function addSummary(
  sum: SimSummary,
  more: Omit<SimSummary, 'ends'> & { ends: Readonly<Record<string, number>> },
): void {
  for (const name of ['seeds', 'lives', 'indexed', 'undone', 'reorgs', 'retries', 'badBlocks'] as const)
    sum[name] += more[name];
  sum.deepest = Math.max(sum.deepest, more.deepest);
  for (const [end, count] of Object.entries(more.ends)) sum.ends[end] = (sum.ends[end] ?? 0) + count;
}

/** Runs seeds `from` to `from + count - 1` in this thread. Throws SimFailure at the first that fails. */
export async function runSeeds(
  from: number,
  count: number,
  onSeed: (done: number) => void = () => undefined,
): Promise<SimSummary> {
  const sum = emptySummary();
  let world: World | undefined;
  for (let seed = from; seed < from + count; seed++) {
    const number = Math.floor(seed / SEEDS_A_WORLD);
    if (world?.seed !== `world ${number}`)
      world = await World.make(`world ${number}`, number % 3 === 2 ? LATE_START : 0);
    const { end, ...counts }: SeedResult = await runSeed(world, seed);
    addSummary(sum, { seeds: 1, ...counts, ends: { [end]: 1 } });
    onSeed(seed - from + 1);
  }
  return sum;
}
