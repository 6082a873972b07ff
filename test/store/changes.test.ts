import { expect, it } from 'vitest';
import type { StateChange } from '../../src/store/changes.js';
import { Store } from '../../src/store/store.js';
import type { Namespace } from '../../src/store/types.js';
import { toHex } from '../../src/util/bytes.js';
import { generator, OPTIONS, randomBlock, temporaryFolder } from './helpers.js';

const NOTHING = new Uint8Array(0);

/** All values after a block, by namespace and key. */
function state(store: Store, height: number): Map<string, string> {
  const all = new Map<string, string>();
  for (const ns of ['S', 'P'] as const) {
    for (const [key, value] of height < 0 ? [] : store.entriesAt(ns, NOTHING, height))
      all.set(ns + toHex(key), toHex(value));
  }
  return all;
}

/** What differs between the states before and after a block. */
function differences(store: Store, height: number): string[] {
  const [before, after] = [state(store, height - 1), state(store, height)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => `${key} ${before.get(key)} -> ${after.get(key)}`)
    .sort();
}

const shown = (changes: Iterable<StateChange>): string[] =>
  [...changes]
    .map(({ ns, key, value, before }): [Namespace, string, string | undefined, string | undefined] => [
      ns,
      toHex(key),
      before && toHex(before),
      value && toHex(value),
    ])
    .map(([ns, key, before, value]) => `${ns}${key} ${before} -> ${value}`)
    .sort();

it('the changes of blocks are what differs between the states, from undo data and from all rows alike', async () => {
  for (const seed of [1, 2]) {
    const random = generator(seed);
    const dir = temporaryFolder();
    const store = await Store.open(dir, { ...OPTIONS, keepUndo: 8 });
    const blocks = 30;
    for (let height = 0; height < blocks; height++) {
      store.commitBlock(randomBlock(height, random), { final: height < 10, moreFollow: true });
      if (height === 24) store.rollback(21);
      if (height === 24)
        for (let again = 22; again <= 24; again++) store.commitBlock(randomBlock(again, random), { moreFollow: true });
    }
    const lowest = store.lowestRollback();
    expect(lowest).toBe(blocks - 1 - 8);
    const walked = new Map<number, StateChange[]>();
    for (const change of store.changesBetween(0, blocks - 1)) {
      walked.set(change.height, [...(walked.get(change.height) ?? []), change]);
    }
    for (let height = 0; height < blocks; height++) {
      const expected = differences(store, height);
      expect(shown(walked.get(height) ?? []), `seed ${seed}, height ${height}`).toEqual(expected);
      const undone = store.changes(height);
      expect(undone === undefined).toBe(height <= lowest);
      if (undone !== undefined) expect(shown(undone)).toEqual(expected);
    }
    expect([...store.changesBetween(5, 7)].length).toBe([5, 6, 7].flatMap((at) => walked.get(at) ?? []).length);
    await store.close();
  }
});
