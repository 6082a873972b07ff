import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { InternalError } from '../../src/errors/errors.js';
import { Store } from '../../src/store/store.js';
import { StateTree } from '../../src/store/tree/state-tree.js';
import { TreeHasher } from '../../src/store/tree/tree-hasher.js';
import { TreeMemory } from '../../src/store/tree/tree-memory.js';
import { toHex } from '../../src/util/bytes.js';
import * as shipped from '../../src/util/shipped.js';
import { block, bytes, generator, name, OPTIONS, temporaryFolder, withStore } from './helpers.js';
import { NAMESPACE, rootOfPairs } from './tree-reference.js';

const SOURCE = { getMany: (keys: readonly Uint8Array[]) => keys.map(() => undefined) };
const newTree = (): StateTree => new StateTree(new TreeMemory(), SOURCE, NAMESPACE, undefined);

/** Writes of some of 20,000 keys, a third of them removals. */
function randomWrites(random: (n: number) => number, writes: number): Map<string, Uint8Array | undefined> {
  const value = (): Uint8Array | undefined => (random(3) === 0 ? undefined : bytes(`value ${random(9)}`));
  return new Map(Array.from({ length: writes }, () => [name(`key ${random(20_000)}`), value()] as const));
}

/** What a tree would store, and would store after an undo. */
function rowsOf(tree: StateTree, height: number): string[] {
  const rows: string[] = [];
  const emit = (key: Uint8Array, value: Uint8Array | undefined): void => {
    rows.push(`${toHex(key)} ${value && toHex(value)}`);
  };
  tree.storeUndone(height, emit);
  tree.store(height, { blocks: 4, behind: 8, bytes: Number.POSITIVE_INFINITY }, emit);
  return rows;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the thread that hashes trees', () => {
  it('gives what hashing on the spot gives, whoever comes first', async () => {
    const hasher = new TreeHasher();
    const random = generator(77);
    const [here, there] = [
      [newTree(), newTree()],
      [newTree(), newTree()],
    ];
    const seen = { thread: 0, caller: 0 };
    // The thread needs a moment to start; after that it has each job that is waited for.
    for (let height = 0; height < 40 || seen.thread < 10; height++) {
      const writes = [randomWrites(random, 1 + random(3_000)), randomWrites(random, 20)];
      there.forEach((tree, i) => {
        expect(tree.add(writes[i])).toEqual(here[i].add(writes[i]));
      });
      hasher.begin(there);
      if (height % 3 !== 0) await sleep(5);
      if (hasher.end()) seen.thread++;
      else seen.caller++;
      here.forEach((tree, i) => {
        expect(toHex(there[i].root())).toBe(toHex(tree.hash()));
        expect(rowsOf(there[i], height)).toEqual(rowsOf(tree, height));
      });
    }
    expect(seen.thread).toBeGreaterThan(0);
    await hasher.close();
  });

  it('what was begun and given up does not reach the next trees', async () => {
    const hasher = new TreeHasher();
    const random = generator(78);
    for (let i = 0; i < 30; i++) {
      const [given, wanted, same] = [newTree(), newTree(), newTree()];
      const writes = randomWrites(random, 2_000);
      for (const tree of [given, wanted, same]) tree.add(writes);
      hasher.begin([given]);
      if (i % 2 === 0) await sleep(3);
      if (i % 3 === 0) hasher.abandon();
      hasher.begin([wanted]);
      if (i % 5 === 0) await sleep(3);
      hasher.end();
      expect(toHex(wanted.root())).toBe(toHex(same.hash()));
    }
    await hasher.close();
  });

  it('the thread hashes what is wanted, not what was given up before', async () => {
    const hasher = new TreeHasher();
    for (let i = 0; i < 5; i++) {
      const [given, wanted, same] = [newTree(), newTree(), newTree()];
      // So few that one thread has all of a tree.
      given.add(randomWrites(generator(i), 50));
      for (const tree of [wanted, same]) tree.add(randomWrites(generator(100 + i), 50));
      const root = toHex(same.hash());
      hasher.begin([given]);
      hasher.begin([wanted]);
      await vi.waitUntil(() => toHex(wanted.root()) === root, { timeout: 60_000, interval: 2 });
      expect(hasher.end()).toBe(true);
      expect(toHex(wanted.root())).toBe(root);
    }
    await hasher.close();
  });

  it('jobs that are taken back and posted again at once are never mixed up', async () => {
    const hasher = new TreeHasher();
    const random = generator(80);
    for (let i = 0; i < 1_000; i++) {
      const [tree, same] = [newTree(), newTree()];
      const writes = randomWrites(random, 1 + random(12));
      for (const each of [tree, same]) each.add(writes);
      if (i % 2 === 0) {
        const given = newTree();
        given.add(writes);
        hasher.begin([given]);
      }
      hasher.begin([tree]);
      for (let left = random(3_000); left > 0; left--);
      hasher.end();
      expect(toHex(tree.root())).toBe(toHex(same.hash()));
      if (i % 200 === 0) await sleep(20);
    }
    await hasher.close();
  });

  it('a thread that fails leaves the work to the caller, and says so once', async () => {
    vi.spyOn(shipped, 'shipped').mockReturnValue(new URL('file:///nowhere/hash-thread.js'));
    const causes: unknown[] = [];
    const hasher = new TreeHasher({ onLost: (cause) => causes.push(cause) });
    for (let i = 0; i < 3; i++) {
      const [tree, same] = [newTree(), newTree()];
      const writes = randomWrites(generator(i), 100);
      for (const each of [tree, same]) each.add(writes);
      hasher.begin([tree]);
      await vi.waitUntil(() => causes.length > 0, { timeout: 60_000 });
      expect(hasher.end()).toBe(false);
      expect(toHex(tree.root())).toBe(toHex(same.hash()));
    }
    expect(causes).toHaveLength(1);
    await hasher.close();
  });

  it('a thread that never answers is given up, with the trees that it has', async () => {
    const code = `
      import { workerData } from 'node:worker_threads';
      Atomics.wait(workerData.control, 0, 0);
      Atomics.store(workerData.control, 0, 2);
      setInterval(() => undefined, 1_000);`;
    vi.spyOn(shipped, 'shipped').mockReturnValue(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
    const causes: unknown[] = [];
    const hasher = new TreeHasher({ onLost: (cause) => causes.push(cause), patienceMs: 50 });
    const tree = newTree();
    tree.add(randomWrites(generator(1), 100));
    for (let isTaken = false; !isTaken; ) {
      hasher.begin([tree]);
      await sleep(20);
      try {
        hasher.end();
      } catch (error) {
        expect(error).toBeInstanceOf(InternalError);
        isTaken = true;
      }
    }
    expect(causes).toHaveLength(1);
    const [next, same] = [newTree(), newTree()];
    for (const each of [next, same]) each.add(randomWrites(generator(2), 100));
    hasher.begin([next]);
    expect(hasher.end()).toBe(false);
    expect(toHex(next.root())).toBe(toHex(same.hash()));
    await hasher.close();
  });

  it('after it was closed the caller hashes', async () => {
    const hasher = new TreeHasher();
    await hasher.close();
    const [tree, same] = [newTree(), newTree()];
    for (const each of [tree, same]) each.add(randomWrites(generator(5), 100));
    hasher.begin([tree]);
    expect(hasher.end()).toBe(false);
    expect(toHex(tree.root())).toBe(toHex(same.hash()));
  });
});

it('large blocks of a store have the roots of their states, forwards and back', () =>
  withStore(async (store) => {
    const random = generator(79);
    const states: Map<string, Uint8Array>[] = [];
    for (let height = 0; height < 8; height++) {
      const writes = randomWrites(random, height === 3 ? 10 : 4_000);
      const state = new Map(states.at(-1));
      for (const [key, value] of writes) {
        if (value === undefined) state.delete(key);
        else state.set(key, value);
      }
      states.push(state);
      store.commitBlock({ ...block(height), laneWrites: writes });
      await sleep(height % 2 === 0 ? 20 : 0);
    }
    for (let height = 7; height >= 0; height -= 2) {
      store.rollback(height);
      expect(store.roots(height)?.lane).toBe(rootOfPairs(states[height]));
    }
    store.commitBlock({ ...block(2), laneWrites: new Map([...states[1].keys()].map((key) => [key, undefined])) });
    expect(store.roots(2)?.lane).toBe('00'.repeat(32));
  }));

it('a large block whose roots are refused leaves nothing, though pieces of it were written', async () => {
  const store = await Store.open(temporaryFolder(), { ...OPTIONS, pieceBytes: 1 << 14 });
  const random = generator(81);
  store.commitBlock({ ...block(0), laneWrites: randomWrites(random, 3_000) });
  const before = store.rawContent();
  const next = { ...block(1), laneWrites: randomWrites(random, 3_000) };
  const check = (): void => {
    throw new Error('another root');
  };
  expect(() => store.commitBlock(next, { check })).toThrow('another root');
  expect(store.rawContent()).toEqual(before);
  store.commitBlock(next);
  expect(store.tip()?.height).toBe(1);
  await store.close();
});
