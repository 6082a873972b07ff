import { cpSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { checkStore } from '../../src/store/check/check.js';
import { ReceiptsBeside } from '../../src/store/receipts-beside.js';
import { Store } from '../../src/store/store.js';
import type { BlockCommit } from '../../src/store/types.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import * as shipped from '../../src/util/shipped.js';
import { SideThread } from '../../src/util/side-thread.js';
import { expectFailure, letThreadsFail } from './failing-thread.js';
import { block, bytes, name, OPTIONS, receipt, temporaryFolder } from './helpers.js';

/** Enough for the thread. */
const MANY = 600;
/** In which they are written. */
const PARTS = 2;
/** So few bytes that the thread writes several batches. */
const PIECES = { pieceBytes: 1 << 14 };

const large = (height: number): BlockCommit => ({
  ...block(height),
  laneWrites: new Map([[name(`key ${height}`), bytes('value')]]),
  receipts: Array.from({ length: MANY }, (_, i) => receipt(height, i)),
});

/** Counts the blocks whose receipts the thread wrote. */
function watched(): { readonly byThread: () => number } {
  let count = 0;
  const { put } = ReceiptsBeside.prototype;
  vi.spyOn(ReceiptsBeside.prototype, 'put').mockImplementation(function (this: ReceiptsBeside, ...given) {
    // The thread needs a moment to wake, or to start.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    const written = put.apply(this, given);
    if (written > 0) count++;
    return written;
  });
  return { byThread: () => count };
}

const contentOf = (blocks: number): Map<string, string> => {
  const store = Store.over(new MemoryDatabase(new Disk()), OPTIONS, 'memory');
  for (let height = 0; height < blocks; height++) store.commitBlock(large(height));
  return store.rawContent();
};

/** Commits blocks until the thread has written the receipts of one; returns how many there are. */
async function untilThreadWrote(store: Store, byThread: () => number): Promise<number> {
  let height = 0;
  for (const before = byThread(); byThread() === before; height++) {
    store.commitBlock(large(height));
    await sleep(5);
  }
  return height;
}

afterEach(() => {
  vi.restoreAllMocks();
});

it('receipts that the thread wrote are stored as any others, and go with their block', async () => {
  const { byThread } = watched();
  const dir = join(temporaryFolder(), 'db');
  const store = await Store.open(dir, { ...OPTIONS, ...PIECES });
  const height = await untilThreadWrote(store, byThread);
  expect(store.rawContent()).toEqual(contentOf(height));
  store.rollback(height - 2);
  expect(store.rawContent()).toEqual(contentOf(height - 1));
  store.commitBlock(large(height - 1));
  await store.close();
  const found: string[] = [];
  await checkStore(dir, { violation: ({ detail }) => found.push(detail) });
  expect(found).toEqual([]);
});

it('receipts that the thread wrote are not seen before their block, and a crash leaves none', async () => {
  const { byThread } = watched();
  const dir = join(temporaryFolder(), 'db');
  const store = await Store.open(dir, { ...OPTIONS, ...PIECES });
  const height = await untilThreadWrote(store, byThread);
  const before = store.rawContent();
  for (let copies = 0; copies === 0; ) {
    const written = byThread();
    const check = (): void => {
      if (byThread() === written) return;
      const inside = store.rawContent();
      expect(inside.size).toBeGreaterThan(before.size + MANY);
      for (let i = 0; i < MANY; i += 50) expect(store.receipt(receipt(height, i).txid)).toBeUndefined();
      expect([...store.receipts(height)]).toEqual([]);
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

it('a block that is refused leaves none of the receipts that the thread wrote', async () => {
  const { byThread } = watched();
  const store = await Store.open(join(temporaryFolder(), 'db'), { ...OPTIONS, ...PIECES });
  const height = await untilThreadWrote(store, byThread);
  const before = store.rawContent();
  const check = (): void => {
    throw new Error('another root');
  };
  for (const written = byThread(); byThread() === written; await sleep(5)) {
    expect(() => store.commitBlock(large(height), { check })).toThrow('another root');
    expect(store.rawContent()).toEqual(before);
  }
  store.commitBlock(large(height));
  expect(store.rawContent()).toEqual(contentOf(height + 1));
  await store.close();
});

it('a write that fails in the thread ends the writing of the store', async () => {
  letThreadsFail();
  watched();
  const store = await Store.open(join(temporaryFolder(), 'db'), OPTIONS);
  await expectFailure(store, large);
  await store.close();
});

it.each([
  ['STORE_WRITE_FAILED', 'store'],
  ['INTERNAL', 'internal'],
])('so does a thread that failed with %s while its block was given up for another reason', async (code, kind) => {
  letThreadsFail(code, kind);
  vi.spyOn(ReceiptsBeside.prototype, 'put').mockImplementation(() => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    throw new Error('given up');
  });
  const dir = join(temporaryFolder(), 'db');
  const store = await Store.open(dir, OPTIONS);
  const before = store.rawContent();
  let failed = false;
  const { abandon } = SideThread.prototype;
  vi.spyOn(SideThread.prototype, 'abandon').mockImplementation(function (this: SideThread<unknown>) {
    const failure = abandon.call(this);
    failed ||= failure !== undefined;
    return failure;
  });
  // The thread needs a moment to start: until then nothing has failed, and the block leaves nothing.
  for (; !failed; await sleep(5)) expect(() => store.commitBlock(large(0))).toThrow('given up');
  expect(() => store.commitBlock(large(0))).toThrow(expect.objectContaining({ code: 'STORE_WRITE_FAILED' }));
  // Whether the thread still writes is unknown: what it was to write stays announced, and goes at the next opening.
  expect(store.rawContent().size).toBe(before.size + 1);
  await store.close();
  const again = await Store.open(dir, OPTIONS);
  expect(again.rawContent()).toEqual(before);
  await again.close();
});

it('threads that cannot be started leave the receipts to the caller, and that is told once of each', async () => {
  vi.spyOn(shipped, 'shipped').mockReturnValue(new URL('file:///nowhere/receipts-thread.js'));
  const causes: unknown[] = [];
  const onThreadLost = (cause: unknown): void => void causes.push(cause);
  const store = await Store.open(join(temporaryFolder(), 'db'), { ...OPTIONS, onThreadLost });
  store.commitBlock(large(0));
  const threads = Math.min(3, Math.max(1, Math.floor(availableParallelism() / 4)), PARTS);
  await vi.waitUntil(() => causes.length >= threads, { timeout: 600_000 });
  store.commitBlock(large(1));
  expect(store.rawContent()).toEqual(contentOf(2));
  expect(causes).toHaveLength(threads);
  await store.close();
});
