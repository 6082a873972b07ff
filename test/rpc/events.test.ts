import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { ChangeBell } from '../../src/rpc/change-bell.js';
import { MOST_READERS_OF_A_CLIENT } from '../../src/rpc/event-server.js';
import { Reader, readStream } from '../../src/testing/chains/event-reader.js';
import { generator, temporaryFolder } from '../store/helpers.js';
import { chainOf, grow } from './event-chain.js';
import { serveExample } from './example-store.js';

const FROM = 2;
const STEPS = 120;

describe('events', () => {
  let example: Awaited<ReturnType<typeof serveExample>> | undefined;
  const bell = new ChangeBell();
  afterEach(async () => {
    await example?.close();
    example = undefined;
  });
  const serve = async (limits = {}, dir = temporaryFolder()): Promise<NonNullable<typeof example>> => {
    example = await serveExample(dir, { fill: false, bell, limits });
    if (example.store.tip() === undefined) for (let i = 0; i < 5; i++) grow(example.store, 2);
    return example;
  };

  it.each([1, 2, 3])(
    'make of a reader what the chain is, over random reorgs, broken streams and restarts (seed %i)',
    async (seed) => {
      const random = generator(seed);
      const dir = temporaryFolder();
      let { store, server } = await serve({}, dir);
      const reader = new Reader();
      const isThere = (): boolean => {
        const chain = chainOf(store, FROM);
        return (
          JSON.stringify([...reader.hashes]) === JSON.stringify([...chain.hashes]) &&
          JSON.stringify(reader.receipts) === JSON.stringify(chain.receipts)
        );
      };
      let [steps, restarts] = [0, 0];
      // A reader that is slow hears less of what is undone: it goes on until he has heard enough.
      const isEnough = (): boolean => steps >= STEPS && reader.undone > 5;
      const step = (): void => {
        if (random(3) > 0 || isEnough()) return;
        steps++;
        const tip = store.tip()?.height ?? 0;
        if (random(4) === 0 && tip > FROM) store.rollback(Math.max(FROM, tip - 1 - random(6)));
        for (let i = random(4); i > 0; i--) grow(store, random(5));
        bell.ring();
      };
      while (!isEnough() || !isThere()) {
        // What happens between two streams, of which the next may be one of another server.
        step();
        if (restarts < 2 && steps > 40 * (restarts + 1)) {
          await example?.close();
          ({ store, server } = await serve({}, dir));
          step();
          restarts++;
        }
        let looks = random(20);
        const url = `${server.url}/events?from=${FROM}&contract=2:1`;
        await readStream(url, reader, () => {
          step();
          return --looks < 0 && (!isEnough() || isThere());
        });
      }
      expect(reader.hashes.size).toBeGreaterThan(5);
      expect(restarts).toBeGreaterThan(0);
    },
  );

  it('come by long poll as well, at once or when something happens, and without a contract only blocks', async () => {
    const { store, server } = await serve();
    interface Polled {
      readonly events: Parameters<Reader['hear']>[0][];
      readonly after: string;
    }
    const poll = async (query: string): Promise<Polled> =>
      (await fetch(`${server.url}/events/poll?${query}`)).json() as Promise<Polled>;
    const reader = new Reader();
    const first = await poll('from=0');
    for (const event of first.events) reader.hear(event);
    expect([...reader.hashes]).toEqual([...chainOf(store, 0).hashes]);
    expect(reader.receipts).toEqual([]);
    const nothing = await poll(`after=${first.after}&wait=0`);
    expect(nothing).toEqual({ events: [], after: first.after });
    const waiting = poll(`after=${first.after}`);
    store.rollback(2);
    grow(store, 1);
    bell.ring();
    for (const event of (await waiting).events) reader.hear(event);
    const again = await poll(`after=${reader.last}&wait=0`);
    for (const event of again.events) reader.hear(event);
    expect([...reader.hashes]).toEqual([...chainOf(store, 0).hashes]);
    // Without a place: what comes from now on.
    expect(await poll('wait=0')).toMatchObject({ events: [] });
  });

  it('of a chain that has nothing in common with the reader begin at its first block', async () => {
    const { store, server } = await serve();
    const reader = new Reader();
    await readStream(`${server.url}/events?from=0`, reader, () => reader.hashes.size === 5);
    store.rollback(-1);
    for (let i = 0; i < 4; i++) grow(store, 0);
    await readStream(`${server.url}/events`, reader, () => reader.hashes.size === 4);
    expect([...reader.hashes]).toEqual([...chainOf(store, 0).hashes]);
    expect(reader.undone).toBe(1);
  });

  it('tell no block below the first one that was asked for, however deep the chain was undone', async () => {
    for (const [from, undoneTo] of [
      [2, 0],
      [2, -1],
      [4, 1],
    ]) {
      const { store, server } = await serve();
      const url = `${server.url}/events?from=${from}`;
      const reader = new Reader();
      const isThere = (): boolean =>
        JSON.stringify([...reader.hashes]) === JSON.stringify([...chainOf(store, from).hashes]);
      await readStream(url, reader, isThere);
      // Undone between two streams, and under one.
      for (const isOpen of [false, true]) {
        const undo = (): void => {
          store.rollback(undoneTo);
          for (let i = 0; i < 8; i++) grow(store, 1);
          bell.ring();
        };
        if (!isOpen) undo();
        let looks = 0;
        await readStream(url, reader, () => {
          if (isOpen && ++looks === 5) undo();
          return isThere() && (!isOpen || looks > 5);
        });
        expect([...reader.hashes.keys()][0]).toBe(from);
      }
      expect(reader.undone).toBe(2);
      await example?.close();
      example = undefined;
    }
  });

  it('refuses what is asked wrongly', async () => {
    const { server } = await serve();
    const codeOf = async (query: string): Promise<string> => {
      const answer = await fetch(`${server.url}/events?${query}`);
      expect(answer.status).toBe(400);
      return ((await answer.json()) as { error: { data: { code: string } } }).error.data.code;
    };
    expect(await codeOf('nosuch=1')).toBe('RPC_BAD_EVENTS');
    expect(await codeOf('after=x')).toBe('RPC_BAD_EVENTS');
    expect(await codeOf('after=1.x.')).toBe('RPC_BAD_EVENTS');
    expect(await codeOf('after=4294967296..')).toBe('RPC_BAD_EVENTS');
    expect(await codeOf('contract=2:1&after=1.4294967296.')).toBe('RPC_BAD_EVENTS');
    expect(await codeOf('wait=1e3')).toBe('RPC_BAD_EVENTS');
    expect(await codeOf('wait=60001')).toBe('RPC_BAD_EVENTS');
    expect(await codeOf(`contract=2:1&after=${'1'.repeat(600)}`)).toBe('RPC_BAD_EVENTS');
    expect(await codeOf('from=x')).toBe('RPC_BAD_HEIGHT');
    expect(await codeOf('contract=2')).toBe('RPC_BAD_ID');
    expect((await fetch(`${server.url}/events`, { method: 'POST' })).status).toBe(405);
  });

  it('has room for some readers of a client, and for others when these are gone', async () => {
    const { server } = await serve();
    const ends: AbortController[] = [];
    for (let i = 0; i < MOST_READERS_OF_A_CLIENT; i++) {
      const end = new AbortController();
      expect((await fetch(`${server.url}/events`, { signal: end.signal })).status).toBe(200);
      ends.push(end);
    }
    const refused = await fetch(`${server.url}/events`);
    expect(refused.status).toBe(503);
    expect(await refused.text()).toContain('RPC_EVENTS_HELD');
    // Others are answered meanwhile.
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    for (const end of ends) end.abort();
    await expect.poll(async () => (await fetch(`${server.url}/events/poll?wait=0`)).status).toBe(200);
  });

  it('ends the stream of a reader who does not read', async () => {
    const { store, server } = await serve({ transferTimeoutMs: 300 });
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET /events?from=0&contract=2:1 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    let isClosed = false;
    socket.once('close', () => {
      isClosed = true;
    });
    // On a busy machine the server may not have begun to write: then the reader tries again, more slowly.
    for (let ms = 2_000; !isClosed; ms *= 2) {
      socket.pause();
      // More than the buffers of both ends hold.
      for (let i = 0; i < 8; i++) grow(store, 600, 99);
      bell.ring();
      await setTimeout(ms);
      // Ended by the server: nothing more can be read but what the buffers have.
      socket.resume();
      await setTimeout(ms / 2);
    }
    await expect.poll(async () => (await fetch(`${server.url}/events/poll?wait=0`)).status).toBe(200);
  });

  it('ends streams when the server closes', async () => {
    const { server } = await serve();
    const answer = await fetch(`${server.url}/events`);
    const started = performance.now();
    await server.close();
    expect(performance.now() - started).toBeLessThan(4_000);
    expect(await answer.text()).toContain('retry');
  });
});
