import type { SimRandom } from './random.js';
import { ancestorAt, BRANCHES, type World, type WorldBlock } from './world.js';

/** What happens to the node at a moment (milliseconds of virtual time). */
export type NodeEvent =
  | { readonly at: number; readonly kind: 'chain'; readonly best: WorldBlock }
  | { readonly at: number; readonly kind: 'down' | 'up' };

/** A seed's scenario, derived from the seed alone. */
export interface Plan {
  readonly first: WorldBlock;
  /** Every tip the node has or had. */
  readonly tips: readonly WorldBlock[];
  readonly events: readonly NodeEvent[];
  /** When the node stops changing and everything works. */
  readonly calmAt: number;
  readonly final: WorldBlock;
  /** Blocks below the highest ever indexed that can be undone. */
  readonly keep: number;
  readonly exitAt: number | undefined;
  /** How many blocks may be stored together. */
  readonly together: number;
  /** Whether blocks far below the node's tip get no undo data. */
  readonly finals: boolean;
  /** Whether the disk loses its newest writes when the process dies. */
  readonly losing: boolean;
  /** Keys of a part of a block that is written in parts; undefined: none is. */
  readonly partKeys: number | undefined;
  /** A block that is served damaged, and until when. */
  readonly poison: { readonly block: WorldBlock; readonly healed: boolean } | undefined;
}

export async function makePlan(world: World, random: SimRandom): Promise<Plan> {
  const keep = random.between(2, 8);
  const first = await grow(world, world.genesis, random.between(1, 10), 0);
  const tips = [first];
  const events: NodeEvent[] = [];
  let best = first;
  let at = 0;
  for (let left = random.between(2, 7); left > 0; left--) {
    at += random.between(1, random.pick([2_000, 20_000]));
    if (random.chance(120)) {
      const down = random.between(100, random.pick([3_000, 60_000]));
      events.push({ at, kind: 'down' }, { at: at + down, kind: 'up' });
      if (random.chance(500)) at += down;
    }
    best = await next(world, random, best, tips, keep);
    tips.push(best);
    events.push({ at, kind: 'chain', best });
  }
  const calmAt = at + random.between(1, 30_000);
  const height = random.between(1, best.height + 2);
  const poisoned = ancestorAt(random.pick(tips), random.between(1, first.height));
  const poison =
    random.chance(60) && poisoned !== undefined ? { block: poisoned, healed: random.chance(500) } : undefined;
  return {
    first,
    tips,
    events,
    calmAt,
    final: best,
    keep,
    exitAt: random.chance(120) ? height : undefined,
    losing: random.chance(200),
    together: random.chance(500) ? random.between(2, 5) : 1,
    finals: random.chance(600),
    poison,
    partKeys: random.chance(500) ? random.between(1, 4) : undefined,
  };
}

/** What the node's chain becomes after `best`. */
async function next(
  world: World,
  random: SimRandom,
  best: WorldBlock,
  tips: readonly WorldBlock[],
  keep: number,
): Promise<WorldBlock> {
  const kind = random.below(100);
  if (kind < 40) return grow(world, best, random.between(1, 3), 0);
  // The node invalidates blocks, or begins anew.
  if (kind < 50) return ancestorAt(best, Math.max(0, best.height - random.between(1, 5))) ?? best;
  // It takes back what it did.
  if (kind < 60) return random.pick(tips);
  const depth = random.between(1, random.chance(150) ? keep + 4 : Math.min(keep, 4));
  const fork = ancestorAt(best, Math.max(0, best.height - depth)) ?? best;
  // Mostly longer than what it replaces; with less work at equal length only where blocks are invalidated.
  const length = Math.max(1, depth + random.between(-2, 2));
  const taken = ancestorAt(best, fork.height + 1)?.branch ?? 0;
  return grow(world, fork, length, (taken + random.between(1, BRANCHES - 1)) % BRANCHES);
}

async function grow(world: World, from: WorldBlock, length: number, branch: number): Promise<WorldBlock> {
  let block = await world.child(from, branch);
  for (let i = 1; i < length; i++) block = await world.child(block, 0);
  return block;
}
