/** Trees that many threads hash at the same time, part by part. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { InternalError } from '../../src/errors/errors.js';
import { StateTree } from '../../src/store/tree/state-tree.js';
import { TreeHasher } from '../../src/store/tree/tree-hasher.js';
import { TreeMemory } from '../../src/store/tree/tree-memory.js';
import { fromBinaryString, toBinaryString, toHex } from '../../src/util/bytes.js';
import * as shipped from '../../src/util/shipped.js';
import { bytes, generator, name } from './helpers.js';
import { NAMESPACE, rootOfPairs } from './tree-reference.js';

type Random = (n: number) => number;

/** A tree over rows of its own, of which those that are written are dropped. */
function treeWithRows(mostBits = 24): { tree: StateTree; rows: Map<string, string>; store: (height: number) => void } {
  const rows = new Map<string, string>();
  const stored = new Map<string, Uint8Array>();
  const source = { getMany: (keys: readonly Uint8Array[]) => keys.map((key) => stored.get(toBinaryString(key))) };
  const tree = new StateTree(new TreeMemory({ mostBits }), source, NAMESPACE, undefined);
  const store = (height: number): void => {
    const emit = (key: Uint8Array, value: Uint8Array | undefined): void => {
      rows.set(toHex(key), value === undefined ? 'none' : toHex(value));
      if (value === undefined) stored.delete(toBinaryString(key));
      else stored.set(toBinaryString(key), value.slice());
    };
    // The rows that the last hashing touched, then those of the sweep.
    tree.storeUndone(height, emit);
    tree.store(height, { blocks: 3, behind: 6, bytes: 1 << 19 }, emit);
  };
  return { tree, rows, store };
}

function randomWrites(random: Random, keys: number, writes: number): Map<string, Uint8Array | undefined> {
  const value = (): Uint8Array | undefined => (random(5) === 0 ? undefined : bytes(`value ${random(9)}`));
  return new Map(Array.from({ length: writes }, () => [name(`key ${random(keys)}`), value()] as const));
}

/** Has `hasher` hash a tree, so that its threads have some of it if they are there. */
async function hashBeside(hasher: TreeHasher, tree: StateTree): Promise<boolean> {
  hasher.begin([tree]);
  await sleep(4);
  return hasher.end();
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('hashing by parts', () => {
  it.each([1, 2, 4])(
    '%i threads give what hashing on the spot gives, also of grown, dropped and loaded buckets',
    async (threads) => {
      const hasher = new TreeHasher({ threads });
      const random = generator(threads);
      const [here, there] = [treeWithRows(), treeWithRows()];
      const pairs = new Map<string, Uint8Array>();
      let dropped = 0;
      for (let height = 0, helped = 0; height < 10 || helped < 5; height++) {
        const writes = randomWrites(random, 1_000 + 2_500 * (height % 10), height % 4 === 3 ? 30 : 5_000);
        for (const [key, value] of writes) {
          if (value === undefined) pairs.delete(key);
          else pairs.set(key, value);
        }
        expect(there.tree.add(writes)).toEqual(here.tree.add(writes));
        if (await hashBeside(hasher, there.tree)) helped++;
        const root = toHex(here.tree.hash());
        expect(toHex(there.tree.root())).toBe(root);
        if (height === 9) expect(rootOfPairs(pairs)).toBe(root);
        for (const { store } of [here, there]) store(height);
        expect(there.rows).toEqual(here.rows);
        dropped += there.tree.droppedRows;
        for (let i = 0; i < 10; i++) {
          const key = fromBinaryString(name(`key ${random(30_000)}`));
          expect(there.tree.prove(key)).toEqual(here.tree.prove(key));
        }
      }
      expect(dropped).toBeGreaterThan(0);
      await hasher.close();
    },
  );

  it('a thread finds nothing of what lay before where it has its room', async () => {
    const hasher = new TreeHasher({ threads: 1 });
    const random = generator(3);
    for (let helped = 0; helped < 1; ) {
      const [here, there] = [treeWithRows().tree, treeWithRows().tree];
      // Lists of changes that were given back as larger ones were wanted are memory for other things.
      for (const count of [9_000, 60_000, 200_000]) {
        const writes = randomWrites(random, 1_000_000, count);
        for (const tree of [here, there]) tree.add(writes);
      }
      if (await hashBeside(hasher, there)) helped++;
      expect(toHex(there.root())).toBe(toHex(here.hash()));
    }
    await hasher.close();
  });

  it('a bucket for which a thread has no room is left to the caller', async () => {
    const hasher = new TreeHasher({ threads: 2 });
    const random = generator(7);
    const [here, there] = [treeWithRows(3).tree, treeWithRows(3).tree];
    const most = 36_000;
    for (const tree of [here, there]) {
      tree.update(new Map(Array.from({ length: most }, (_, i) => [name(`key ${i}`), bytes('first')])));
    }
    for (let height = 0, helped = 0; height < 3 || helped < 2; height++) {
      const writes = new Map(Array.from({ length: 20 }, () => [name(`key ${random(most)}`), bytes(`${random(99)}`)]));
      for (const tree of [here, there]) tree.add(writes);
      if (await hashBeside(hasher, there)) helped++;
      expect(toHex(there.root())).toBe(toHex(here.hash()));
    }
    await hasher.close();
  });

  it.each([
    ['fails', 4],
    ['never comes to an end', 2],
  ])('one of two threads that %s takes the trees with it, and the next are hashed', async (_, state) => {
    const code = `
      import { workerData } from 'node:worker_threads';
      while (Atomics.compareExchange(workerData.control, 0, 1, ${state}) !== 1) Atomics.wait(workerData.control, 0, 0);
      setInterval(() => undefined, 1_000);`;
    vi.spyOn(shipped, 'shipped').mockReturnValueOnce(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
    const causes: unknown[] = [];
    const hasher = new TreeHasher({ onLost: (cause) => causes.push(cause), patienceMs: 50, threads: 2 });
    let error: unknown;
    for (let i = 0; error === undefined; i++) {
      const { tree } = treeWithRows();
      tree.add(randomWrites(generator(i), 20_000, 8_000));
      await hashBeside(hasher, tree).catch((cause: unknown) => {
        error = cause;
      });
    }
    expect(error).toBeInstanceOf(InternalError);
    expect(causes).toHaveLength(state === 2 ? 1 : 0);
    const [next, same] = [treeWithRows().tree, treeWithRows().tree];
    for (const each of [next, same]) each.add(randomWrites(generator(2), 20_000, 8_000));
    await hashBeside(hasher, next);
    expect(toHex(next.root())).toBe(toHex(same.hash()));
    await hasher.close();
  });
});
