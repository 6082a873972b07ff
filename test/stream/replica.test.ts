import { expect, test } from 'vitest';
import type { StreamError } from '../../src/errors/errors.js';
import type { Store } from '../../src/store/store.js';
import { decodeChunk, encodeChunk } from '../../src/stream/chunk.js';
import { EventParts } from '../../src/stream/event-parts.js';
import { findStart } from '../../src/stream/find-start.js';
import { Replica } from '../../src/stream/replica.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { generator } from '../store/helpers.js';
import { isSameTip, MemoryLog, memoryStore, nextBlock, publishAll, publisherOf, rowsOf } from './helpers.js';

/** Follows the stream to its end, as after a start; `most`: ends after so many messages. */
async function follow(store: Store, log: MemoryLog, most = Number.POSITIVE_INFINITY): Promise<void> {
  const replica = new Replica(store);
  const parts = new EventParts();
  let read = 0;
  for await (const { bytes } of log.read(await findStart(store, log))) {
    if (read++ >= most) return;
    const event = parts.add(decodeChunk(bytes));
    if (event !== undefined) await replica.apply(event);
  }
}

const differing = (a: Record<string, string>, b: Record<string, string>): string[] =>
  Object.keys({ ...a, ...b }).filter((name) => a[name] !== b[name]);

async function codeOf(act: Promise<unknown>): Promise<string> {
  return act.then(
    () => 'nothing was thrown',
    (error: StreamError) => error.code,
  );
}

function grow(store: Store, count: number, salt = 0): void {
  for (let i = 0; i < count; i++) store.commitBlock(nextBlock(store, salt));
}

test('a replica has the rows of the index after random reorgs, whoever ended at whatever moment', async () => {
  for (let seed = 0; seed < 3; seed++) {
    const random = generator(seed);
    const [ownDisk, disk] = [new Disk(), new Disk()];
    const [index, log] = [memoryStore(ownDisk), new MemoryLog()];
    let store = memoryStore(disk);
    // The salts are few, so that blocks come back that were undone.
    const salt = (): number => random(2);
    let { publisher } = publisherOf(index, log);
    for (let step = 0; step < 25; step++) {
      const tip = index.tip()?.height ?? -1;
      if (tip >= 0 && random(tip > 12 ? 2 : 4) === 0) index.rollback(Math.max(-1, tip - 1 - random(5)));
      for (let i = random(tip > 16 ? 2 : 5); i > 0; i--) index.commitBlock(nextBlock(index, salt()));
      // The publisher dies in the middle of an event, or between two.
      if (random(3) === 0) log.left = random(4);
      try {
        for (let i = random(10); i > 0; i--) await publisher.step();
      } catch {
        log.left = Number.POSITIVE_INFINITY;
        ({ publisher } = publisherOf(index, log));
      }
      if (random(3) === 0) await follow(store, log, random(20));
      if (random(8) === 0) store = memoryStore(disk);
    }
    log.left = Number.POSITIVE_INFINITY;
    if (index.tip() === undefined) index.commitBlock(nextBlock(index, 3));
    // The stream undoes blocks when others come in their place.
    grow(index, 16, 4);
    await publishAll(index, log);
    await follow(store, log);
    expect(isSameTip(store, index), `seed ${seed}`).toBe(true);
    expect(differing(rowsOf(disk), rowsOf(ownDisk)), `seed ${seed}`).toEqual([]);
  }
});

test('a replica that begins again undoes nothing but what is not in the chain any more', async () => {
  const [index, store, log] = [memoryStore(), memoryStore(), new MemoryLog()];
  grow(index, 4);
  for (let salt = 1; salt < 4; salt++) {
    index.rollback(1);
    grow(index, 2, salt);
    await publishAll(index, log);
  }
  await follow(store, log);
  index.rollback(1);
  grow(index, 3, 9);
  await publishAll(index, log);
  const undone: number[] = [];
  const rollback = store.rollback.bind(store);
  store.rollback = (to) => {
    undone.push(to);
    rollback(to);
  };
  await follow(store, log);
  expect(undone).toEqual([1]);
  expect(isSameTip(store, index)).toBe(true);
});

test('a large block comes in chunks, and one that is cut off is taken from its beginning', async () => {
  const [ownDisk, disk] = [new Disk(), new Disk()];
  const [index, store, log] = [memoryStore(ownDisk), memoryStore(disk), new MemoryLog()];
  grow(index, 2);
  const block = nextBlock(index, 0);
  const values = Array.from({ length: 100 }, (_, i) => [`large ${i}`, new Uint8Array(1_000).fill(i)] as const);
  index.commitBlock({ ...block, standardWrites: new Map(values) });
  log.left = 6;
  const { publisher } = publisherOf(index, log);
  await expect(
    (async () => {
      while (await publisher.step());
    })(),
  ).rejects.toMatchObject({ code: 'STREAM_UNREACHABLE' });
  await follow(store, log);
  expect(store.tip()?.height).toBe(1);
  log.left = Number.POSITIVE_INFINITY;
  await publishAll(index, log);
  expect(log.messages.length).toBeGreaterThan(15);
  await follow(store, log);
  expect(differing(rowsOf(disk), rowsOf(ownDisk))).toEqual([]);
});

test('two publishers of one index publish each block once', async () => {
  const [index, log] = [memoryStore(), new MemoryLog()];
  grow(index, 3);
  const [a, b] = [publisherOf(index, log), publisherOf(index, log)];
  expect(await a.publisher.step()).toBe(true);
  expect(await b.publisher.step()).toBe(true);
  expect(await codeOf(a.publisher.step())).toBe('STREAM_TAKEN');
  expect([...a.heard.blocks, ...b.heard.blocks]).toEqual([0, 1]);
  expect((await publishAll(index, log)).blocks).toEqual([2]);
});

test('a publisher that was away for too long leaves out what nothing tells any more, and replicas say so', async () => {
  const [index, store, log] = [memoryStore(new Disk(), 5), memoryStore(), new MemoryLog()];
  grow(index, 4);
  await publishAll(index, log);
  await follow(store, log);
  grow(index, 20);
  const { leftOut, blocks } = await publishAll(index, log);
  expect(leftOut).toEqual([[4, index.lowestRollback()]]);
  expect(blocks[0]).toBe(index.lowestRollback() + 1);
  await expect(follow(store, log)).rejects.toMatchObject({ code: 'STREAM_GAP', facts: { block: blocks[0], tip: 3 } });
  expect(store.tip()?.height).toBe(3);
});

test('a stream that has lost its beginning is refused by a new replica, and taken by one from a snapshot', async () => {
  const [ownDisk, log] = [new Disk(), new MemoryLog()];
  const index = memoryStore(ownDisk);
  const snapshot = new Disk();
  grow(index, 6);
  const copy = memoryStore(snapshot);
  for (let height = 0; height < 6; height++) copy.commitBlock(nextBlock(copy, 0));
  grow(index, 6);
  await publishAll(index, log);
  log.messages = log.messages.filter(({ height }) => height >= 6);
  expect(await codeOf(follow(memoryStore(), log))).toBe('STREAM_GAP');
  await follow(copy, log);
  expect(differing(rowsOf(snapshot), rowsOf(ownDisk))).toEqual([]);
});

test('a block that is too large for a stream is left out, and what follows is published', async () => {
  const [index, log] = [memoryStore(), new MemoryLog()];
  grow(index, 2);
  index.commitBlock({ ...nextBlock(index, 0), standardWrites: new Map([['large', new Uint8Array(30_000)]]) });
  grow(index, 2);
  const { publisher, heard } = publisherOf(index, log, 20_000);
  while (await publisher.step());
  expect(heard).toEqual({ blocks: [0, 1, 3, 4], leftOut: [[2, 2]] });
  // Another block in its place is no longer left out.
  index.rollback(1);
  grow(index, 4, 1);
  while (await publisher.step());
  expect(heard.blocks.slice(4)).toEqual([1, 2, 3, 4, 5]);
});

test('nothing is stored of a block with another root, of another index, or with other bytes', async () => {
  const [index, store, log] = [memoryStore(), memoryStore(), new MemoryLog()];
  grow(index, 3);
  await publishAll(index, log);
  const messages = log.messages;
  const chunks = messages.map(({ bytes }) => decodeChunk(bytes));
  const withLast = (bytes: Uint8Array): void => {
    log.messages = [...messages.slice(0, 2), { ...messages[2], bytes }];
  };
  const { identity } = chunks[2];
  for (const other of [
    { network: 'mainnet' },
    { moduleHash: 'cd'.repeat(32) },
    { laneStartHeight: 7 },
    { dependent: 'reject' as const },
    { rules: 99 },
    { schema: 99 },
    { first: 1 },
  ]) {
    withLast(encodeChunk({ ...chunks[2], identity: { ...identity, ...other } }));
    expect(await codeOf(follow(store, log))).toBe('STREAM_OTHER_INDEX');
  }
  // Of another index whose block has the same header.
  const liar = memoryStore();
  grow(liar, 2);
  liar.commitBlock({ ...nextBlock(liar, 0), laneWrites: new Map([['other', Uint8Array.of(1)]]) });
  const [lies, truth] = [new MemoryLog(), chunks[2].data];
  await publishAll(liar, lies);
  const lie = decodeChunk(lies.messages[2].bytes).data;
  expect(lie.subarray(0, 80)).toEqual(truth.subarray(0, 80));
  const forged = new Uint8Array([...lie.subarray(0, 80), ...truth.subarray(80, 144), ...lie.subarray(144, -32)]);
  const { createHash } = await import('node:crypto');
  const signed = new Uint8Array([...forged, ...createHash('sha256').update(forged).digest()]);
  withLast(encodeChunk({ ...chunks[2], data: signed }));
  expect(await codeOf(follow(store, log))).toBe('STREAM_WRONG_ROOT');
  withLast(encodeChunk({ ...chunks[2], data: truth.subarray(1) }));
  expect(await codeOf(follow(store, log))).toBe('STREAM_BAD_MESSAGE');
  expect(store.tip()?.height).toBe(1);
  log.messages = messages;
  await follow(store, log);
  expect(isSameTip(store, index)).toBe(true);
});

test('a stream that undoes more than the replica can is refused, and nothing is undone', async () => {
  const [index, store, log] = [memoryStore(), memoryStore(new Disk(), 2), new MemoryLog()];
  grow(index, 8);
  await publishAll(index, log);
  await follow(store, log);
  index.rollback(2);
  grow(index, 8, 1);
  await publishAll(index, log);
  expect(await codeOf(follow(store, log))).toBe('STREAM_FORK_TOO_DEEP');
  expect(store.tip()?.height).toBe(7);
});

test('an event that follows nothing is refused, and one that ends another branch undoes nothing', async () => {
  const [index, fork, store] = [memoryStore(), memoryStore(), memoryStore()];
  const [log, others] = [new MemoryLog(), new MemoryLog()];
  grow(index, 4);
  grow(fork, 2);
  grow(fork, 3, 1);
  await publishAll(index, log);
  await publishAll(fork, others);
  await follow(store, log);
  const replica = new Replica(store);
  const last = others.messages.map(({ bytes }) => decodeChunk(bytes)).filter(({ height }) => height === 4);
  const parts = new EventParts();
  const event = last.map((chunk) => parts.add(chunk)).at(-1);
  if (event === undefined) throw new Error('the last block is not whole');
  expect(await codeOf(replica.apply(event))).toBe('STREAM_GAP');
  const hash = fork.blockHash(2) ?? new Uint8Array(0);
  const undone = { ...event, kind: 'undone', height: 2, hash, previous: event.hash, body: new Uint8Array(0) } as const;
  expect(await replica.apply(undone)).toMatchObject({ undone: undefined, stored: undefined });
  expect(isSameTip(store, index)).toBe(true);
});

test('a replica begins again with the first chunk of an event', async () => {
  const [index, store, log] = [memoryStore(), memoryStore(), new MemoryLog()];
  grow(index, 2);
  const large = new Map([['large', new Uint8Array(4 * log.chunkBytes).fill(7)]]);
  index.commitBlock({ ...nextBlock(index, 0), laneWrites: large });
  await publishAll(index, log);
  await follow(store, log);
  const first = log.messages.find(({ sequence, bytes }) => sequence > 0 && decodeChunk(bytes).height === 2);
  expect(decodeChunk(log.messages[log.messages.length - 1].bytes).number).toBeGreaterThan(2);
  expect(await findStart(store, log)).toBe(first?.sequence);
});

test('an index that is behind its stream waits until it has caught up, and undoes nothing of it', async () => {
  const [index, behind, log] = [memoryStore(), memoryStore(), new MemoryLog()];
  grow(index, 8);
  await publishAll(index, log);
  grow(behind, 5);
  expect((await publishAll(behind, log)).blocks).toEqual([]);
  grow(behind, 4);
  expect((await publishAll(behind, log)).blocks).toEqual([8]);
});

test('a publisher does not write to the stream of another index', async () => {
  const [index, log] = [memoryStore(), new MemoryLog()];
  grow(index, 1);
  await publishAll(index, log);
  const { bytes } = log.messages[0];
  const chunk = decodeChunk(bytes);
  log.messages[0] = {
    ...log.messages[0],
    bytes: encodeChunk({ ...chunk, identity: { ...chunk.identity, network: 'signet' } }),
  };
  expect(await codeOf(publishAll(index, log))).toBe('STREAM_OTHER_INDEX');
});
