import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { NodeError } from '../../src/errors/errors.js';
import { BlockDesk, type FetchBlock, serveBlocks } from '../../src/service/block-desk.js';

const HASH = new Uint8Array(32).fill(7);

function deskWith(fetch: FetchBlock): BlockDesk {
  const { port1, port2 } = new MessageChannel();
  serveBlocks(port2, fetch);
  const desk = new BlockDesk(port1);
  onTestFinished(() => {
    desk.close();
    port2.close();
  });
  return desk;
}

test('blocks come back to who asked for them, whatever the order, and so do errors with their codes', async () => {
  const wait = new Map<number, () => void>();
  const desk = deskWith(async (height, hash) => {
    expect(hash).toEqual(HASH);
    if (height === 3) throw new NodeError('NODE_BLOCK_PRUNED', 'gone', { facts: { height } });
    if (height === 4) return undefined;
    await new Promise<void>((resolve) => wait.set(height, resolve));
    return Uint8Array.of(height);
  });
  const [one, two] = [desk.block(1, HASH, 'a'), desk.block(2, HASH, 'b')];
  await expect(desk.block(3, HASH, 'c')).rejects.toMatchObject({ code: 'NODE_BLOCK_PRUNED', facts: { height: 3 } });
  expect(await desk.block(4, HASH, 'c')).toBeUndefined();
  wait.get(2)?.();
  expect(await two).toEqual(Uint8Array.of(2));
  wait.get(1)?.();
  expect(await one).toEqual(Uint8Array.of(1));
});

test('a client has two blocks under way, all clients eight; more are refused, and there is room again', async () => {
  const waiting: (() => void)[] = [];
  const desk = deskWith(async (height) => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return Uint8Array.of(height);
  });
  const own = [desk.block(1, HASH, 'a'), desk.block(2, HASH, 'a')];
  await expect(desk.block(3, HASH, 'a')).rejects.toMatchObject({ code: 'VIEW_BUSY' });
  const others = ['b', 'c', 'd'].flatMap((client) => [desk.block(1, HASH, client), desk.block(2, HASH, client)]);
  await expect(desk.block(1, HASH, 'e')).rejects.toMatchObject({ code: 'VIEW_BUSY' });
  while (waiting.length < 8) await new Promise(setImmediate);
  for (const done of waiting) done();
  expect((await Promise.all([...own, ...others])).length).toBe(8);
  const next = desk.block(5, HASH, 'a');
  while (waiting.length < 9) await new Promise(setImmediate);
  waiting[8]();
  expect(await next).toEqual(Uint8Array.of(5));
});

test('whoever waits when the other end is gone is told so, and so is whoever asks later', async () => {
  const { port1, port2 } = new MessageChannel();
  const desk = new BlockDesk(port1);
  const asked = desk.block(1, HASH, 'a');
  const refused = expect(asked).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  port2.close();
  await once(port1, 'close');
  await refused;
  await expect(desk.block(1, HASH, 'a')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
});
