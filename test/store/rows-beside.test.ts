import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { checkStore } from '../../src/store/check/check.js';
import { RowsBeside } from '../../src/store/rows-beside.js';
import { Store } from '../../src/store/store.js';
import type { BlockCommit } from '../../src/store/types.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import * as shipped from '../../src/util/shipped.js';
import { expectFailure, letThreadsFail } from './failing-thread.js';
import { block, bytes, generator, name, OPTIONS, temporaryFolder } from './helpers.js';

/** So few keys that a block has more parts than there are threads. */
const PARTS = { partKeys: 16 };
const KEYS = 400;
/** Of what is copied for the threads, no entry is as long. */
const LONG = 2_000;

/** Keys that are new, changed and deleted, in both namespaces, some of whose values no thread but the caller's sees. */
function large(height: number): BlockCommit {
  const random = generator(height);
  const key = (): string => name(`key ${random(2 * KEYS)}`);
  const value = (): Uint8Array => bytes(`${height} ${'v'.repeat(random(50) === 0 ? LONG : random(60))}`);
  return {
    ...block(height),
    standardWrites: new Map(Array.from({ length: KEYS }, () => [key(), value()])),
    laneWrites: new Map(Array.from({ length: KEYS }, () => [key(), random(5) === 0 ? undefined : value()])),
  };
}

/** Tells whether other threads wrote rows of the block committed last. */
function watched(): { readonly byThreads: () => number } {
  let bytesOfThreads = 0;
  const { put } = RowsBeside.prototype;
  vi.spyOn(RowsBeside.prototype, 'put').mockImplementation(function (this: RowsBeside, ...given) {
    const written = put.apply(this, given);
    bytesOfThreads += written;
    return written;
  });
  return { byThreads: () => bytesOfThreads };
}

const contentOf = (blocks: number): Map<string, string> => {
  const store = Store.over(new MemoryDatabase(new Disk()), OPTIONS, 'memory');
  for (let height = 0; height < blocks; height++) store.commitBlock(large(height));
  return store.rawContent();
};

/** Commits blocks until other threads have written rows of one; returns how many there are. */
async function untilThreadsWrote(store: Store, byThreads: () => number): Promise<number> {
  let height = 0;
  for (const before = byThreads(); byThreads() === before; height++) {
    store.commitBlock(large(height));
    await sleep(5);
  }
  return height;
}

afterEach(() => {
  vi.restoreAllMocks();
});

it('rows that other threads wrote are stored as any others, and go with their block', async () => {
  const { byThreads } = watched();
  const dir = join(temporaryFolder(), 'db');
  const store = await Store.open(dir, { ...OPTIONS, ...PARTS });
  const height = await untilThreadsWrote(store, byThreads);
  expect(store.rawContent()).toEqual(contentOf(height));
  store.rollback(height - 2);
  expect(store.rawContent()).toEqual(contentOf(height - 1));
  store.commitBlock(large(height - 1));
  await store.close();
  const found: string[] = [];
  await checkStore(dir, { violation: ({ detail }) => found.push(detail) });
  expect(found).toEqual([]);
});

it('rows that other threads wrote are not seen before their block, and a crash leaves none', async () => {
  const { byThreads } = watched();
  const dir = join(temporaryFolder(), 'db');
  const store = await Store.open(dir, { ...OPTIONS, ...PARTS });
  const height = await untilThreadsWrote(store, byThreads);
  const before = store.rawContent();
  const listed = (): unknown[] => (['S', 'P'] as const).map((ns) => [...store.entriesAt(ns, new Uint8Array(0))]);
  const earlier = listed();
  for (let copies = 0; copies === 0; ) {
    const written = byThreads();
    const check = (): void => {
      if (byThreads() === written) return;
      expect(store.rawContent()).not.toEqual(before);
      expect(listed()).toEqual(earlier);
      cpSync(dir, `${dir}-copy`, { recursive: true });
      copies++;
    };
    store.commitBlock(large(height), { check });
    if (copies === 0) store.rollback(height - 1);
    await sleep(5);
  }
  const after = store.rawContent();
  await store.close();
  const copy = await Store.open(`${dir}-copy`, OPTIONS);
  expect(copy.rawContent()).toEqual(before);
  copy.commitBlock(large(height));
  expect(copy.rawContent()).toEqual(after);
  await copy.close();
});

it('a block that is refused leaves none of the rows that other threads wrote', async () => {
  const { byThreads } = watched();
  const store = await Store.open(join(temporaryFolder(), 'db'), { ...OPTIONS, ...PARTS });
  const height = await untilThreadsWrote(store, byThreads);
  const before = store.rawContent();
  const check = (): void => {
    throw new Error('another root');
  };
  for (const written = byThreads(); byThreads() === written; await sleep(5)) {
    expect(() => store.commitBlock(large(height), { check })).toThrow('another root');
    expect(store.rawContent()).toEqual(before);
  }
  store.commitBlock(large(height));
  expect(store.rawContent()).toEqual(contentOf(height + 1));
  await store.close();
});

it('a write that fails in another thread ends the writing of the store', async () => {
  letThreadsFail();
  const store = await Store.open(join(temporaryFolder(), 'db'), { ...OPTIONS, ...PARTS });
  await expectFailure(store, large);
  await store.close();
});

it('threads that cannot be started leave the rows to the caller, and each tells it once', async () => {
  vi.spyOn(shipped, 'shipped').mockReturnValue(new URL('file:///nowhere/rows-thread.js'));
  const causes: unknown[] = [];
  const onThreadLost = (cause: unknown): void => void causes.push(cause);
  const store = await Store.open(join(temporaryFolder(), 'db'), { ...OPTIONS, ...PARTS, onThreadLost });
  store.commitBlock(large(0));
  await vi.waitUntil(() => causes.length > 0, { timeout: 600_000 });
  store.commitBlock(large(1));
  expect(store.rawContent()).toEqual(contentOf(2));
  await store.close();
});
