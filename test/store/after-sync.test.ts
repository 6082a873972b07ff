import { expect, it } from 'vitest';
import { Store } from '../../src/store/store.js';
import type { BlockCommit, Namespace } from '../../src/store/types.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { generator, OPTIONS, randomBlock } from './helpers.js';

/** Last block of the sync. */
const SYNCED = 70;
const KEPT: readonly { readonly keepUndo: number; readonly history?: number }[] = [
  { keepUndo: 12 },
  { keepUndo: 12, history: 5 },
  { keepUndo: 12, history: 30 },
];

/** The block of a branch: many keys of both namespaces change again and again. */
const blockOf = (branch: number, height: number): BlockCommit =>
  randomBlock(height, generator(1_000 * branch + height));

function opened(disk: Disk, kept: (typeof KEPT)[number]): { store: Store; remade: Namespace[] } {
  const remade: Namespace[] = [];
  const options = { ...OPTIONS, ...kept, onTreeRemade: (ns: Namespace) => void remade.push(ns) };
  return { store: Store.over(new MemoryDatabase(disk), options, 'test'), remade };
}

/** Commits blocks up to `last`; `syncing`: each but the last says that more follow. */
function commitTo(store: Store, branch: number, last: number, syncing: boolean): void {
  for (let height = (store.tip()?.height ?? -1) + 1; height <= last; height++) {
    store.commitBlock(blockOf(branch, height), { moreFollow: syncing && height < last });
  }
}

it.each(KEPT)(
  'after a kill between the end of a sync and the first block at the tip, the deepest reorg leaves the rows of %o',
  (kept) => {
    for (const lost of [0, 1, 3]) {
      const disk = new Disk();
      commitTo(opened(disk, kept).store, 0, SYNCED, true);
      // The process is gone; with the machine, what it wrote last may be, too.
      disk.lose(lost);
      const { store, remade } = opened(disk, kept);
      const tip = SYNCED - lost;
      expect(store.tip()?.height).toBe(tip);
      // What tells old states undoes blocks as well.
      const fork = tip - Math.max(kept.keepUndo, kept.history ?? 0);
      expect(store.lowestRollback()).toBe(fork);
      store.rollback(fork);
      commitTo(store, 1, SYNCED + 2, false);
      expect(remade).toEqual([]);

      const straight = opened(new Disk(), kept).store;
      commitTo(straight, 0, fork, true);
      commitTo(straight, 1, SYNCED + 2, false);
      expect(store.roots(SYNCED + 2)).toEqual(straight.roots(SYNCED + 2));
      expect(difference(store, straight)).toEqual([]);
    }
  },
);

it('a reorg that begins in the same process as soon as the sync has ended leaves the same rows, too', () => {
  for (const kept of KEPT) {
    const { store } = opened(new Disk(), kept);
    commitTo(store, 0, SYNCED, true);
    store.rollback(SYNCED - kept.keepUndo);
    commitTo(store, 1, SYNCED + 1, true);
    const straight = opened(new Disk(), kept).store;
    commitTo(straight, 0, SYNCED - kept.keepUndo, false);
    commitTo(straight, 1, SYNCED + 1, false);
    expect(difference(store, straight)).toEqual([]);
  }
});

/** Rows that one has otherwise than the other. */
function difference(a: Store, b: Store): string[] {
  const [rows, others] = [a.rawContent(), b.rawContent()];
  return [...new Set([...rows.keys(), ...others.keys()])].filter((key) => rows.get(key) !== others.get(key));
}
