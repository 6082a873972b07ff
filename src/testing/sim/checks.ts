/** Conditions on the disk and on how a follower ended. All throw a plain Error that names the violated one. */
import { COLUMNS } from '../../store/database.js';
import { beU32, META_FINAL } from '../../store/keys.js';
import { withoutRoots } from '../../store/records.js';
import { treesAreStored } from '../../store/tree-origin.js';
import { bytesEqual, toDisplayHash } from '../../util/bytes.js';
import type { Disk } from './disk.js';
import type { FakeNode } from './fake-node.js';
import { MemoryDatabase } from './memory-database.js';
import type { Plan } from './plan.js';
import { openStore } from './sim-indexer.js';
import { ancestorAt, forkHeight, type World, type WorldBlock } from './world.js';

type Tip = WorldBlock | undefined;

/** The block that the store on the disk stands at; undefined for an empty one. */
export function tipOf(world: World, disk: Disk): Tip {
  const tip = openStore(new MemoryDatabase(disk)).tip();
  if (tip === undefined) return undefined;
  const block = world.find(tip.hash);
  if (block?.height !== tip.height) throw new Error(`the tip ${toDisplayHash(tip.hash)} is no block at ${tip.height}`);
  return block;
}

/**
 * Every row of every column must be that of a fresh index of the tip's chain, and there must be no other row: keys,
 * values, versions, undo data, receipts, roots. The stored rows of the state trees must give the roots. The lowest undo
 * data may be gone, but not those that must be kept for the highest chain so far: `highest` is that of the index,
 * `announced` that of the node. Returns the tip and the lowest height that can be rolled back to.
 */
export function checkDisk(
  world: World,
  disk: Disk,
  { keep, finals }: Plan,
  highest: number,
  announced: number,
): { readonly tip: Tip; readonly lowest: number } {
  const tip = tipOf(world, disk);
  const lowest = openStore(new MemoryDatabase(disk)).lowestRollback();
  for (const column of COLUMNS.filter((name) => name !== 'tree')) {
    const gone = column === 'undo' ? beU32(lowest + 1) : undefined;
    const same = column === 'blocks' ? isSameBut : undefined;
    const own = column === 'meta' && finals ? META_FINAL : undefined;
    const difference = disk.difference(tip?.reference ?? world.empty, column, { gone, same, own });
    if (difference !== undefined) throw new Error(`at height ${tip?.height ?? 'none'}: ${difference}`);
  }
  const database = new MemoryDatabase(disk);
  const roots = tip && openStore(database).roots(tip.height);
  if (!treesAreStored(database, tip?.height ?? -1, roots)) {
    throw new Error(`at height ${tip?.height ?? 'none'}: the rows of the state trees do not give the roots`);
  }
  if (tip !== undefined && lowest >= world.start && tip.height - lowest > keep) {
    throw new Error(`undo data for ${tip.height - lowest} blocks is kept, not for ${keep}`);
  }
  const wanted = Math.max(world.start - 1, (finals ? Math.max(highest, announced) : highest) - keep);
  if (tip !== undefined && lowest > Math.min(wanted, tip.height)) {
    throw new Error(`undo data reaches down to ${lowest}, not to ${wanted}`);
  }
  return { tip, lowest };
}

/** Blocks that were stored together have a root of the last one only: the record is that of the reference else. */
function isSameBut(value: Uint8Array, expected: Uint8Array): boolean {
  return bytesEqual(value, expected) || bytesEqual(value, withoutRoots(expected));
}

/** Errors that may end a life only for a reason. */
export function checkFailure(end: string, tip: Tip, world: World, plan: Plan, node: FakeNode, lowest: number): void {
  switch (end) {
    case 'CHAIN_REORG_TOO_DEEP':
      if (node.history.some((best) => isTooDeep(best, tip, world, lowest))) return;
      throw new Error('it takes a reorg for too deep that is not');
    case 'CHAIN_BAD_BLOCK':
      if (plan.poison !== undefined && tip === beforePoison(plan, tip)) return;
      throw new Error('it gives up a chain for a bad block that is not there');
    case 'STORE_WRITE_FAILED':
    case 'MODULE_TRAPPED':
      if (!node.calm) return;
      throw new Error(`${end} where nothing fails`);
    case 'killed':
    case 'stopped':
    case 'at-tip':
    case 'node-behind':
      return;
    default:
      throw new Error(`it ended with ${end}`);
  }
}

/** How a life must end that saw only the final chain. */
export function checkEnd(end: string, tip: Tip, world: World, plan: Plan, lowest: number): void {
  const expected = expectedEnd(tip, world, plan, lowest);
  if (end !== expected)
    throw new Error(`it ended with ${end} at height ${tip?.height ?? 'none'}, not with ${expected}`);
}

function expectedEnd(tip: Tip, world: World, plan: Plan, lowest: number): string {
  const { final, exitAt = Number.POSITIVE_INFINITY } = plan;
  if (isTooDeep(final, tip, world, lowest)) return 'CHAIN_REORG_TOO_DEEP';
  if (tip === undefined ? exitAt <= world.start : tip.height >= exitAt - 1 && agree(tip, final, world))
    return 'stopped';
  if (final.height < world.start) return 'node-behind';
  const poison = plan.poison?.healed === false ? plan.poison.block : undefined;
  if (poison !== undefined && ancestorAt(final, poison.height) === poison && tip === beforePoison(plan, tip)) {
    return 'CHAIN_BAD_BLOCK';
  }
  if (tip !== undefined && tip !== final && ancestorAt(tip, final.height) === final) return 'node-behind';
  return tip === final ? 'at-tip' : 'on the final chain';
}

/** Whether both have the same block at the greatest common height, which must be indexed. */
function agree(tip: WorldBlock, final: WorldBlock, world: World): boolean {
  const common = Math.min(tip.height, final.height);
  return common >= world.start && ancestorAt(tip, common) === ancestorAt(final, common);
}

/** A chain that ends below the first block of the index has no height in common with it that could differ. */
function isTooDeep(best: WorldBlock, tip: Tip, world: World, lowest: number): boolean {
  if (tip === undefined || best.height < world.start) return false;
  const fork = forkHeight(best, tip);
  return fork < Math.min(best.height, tip.height) && fork < lowest;
}

/** The tip at which the damaged block comes next: its parent, or an empty index. */
function beforePoison({ poison }: Plan, tip: Tip): Tip {
  return tip === undefined ? undefined : poison?.block.parent;
}
