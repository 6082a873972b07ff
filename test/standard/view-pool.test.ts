import { expect, onTestFinished, test } from 'vitest';
import { StandardIndexer, type StandardIndexerOptions } from '../../src/standard/standard-indexer.js';
import { Store } from '../../src/store/store.js';
import { i32, loop, OP, op } from '../helpers/wasm-builder.js';
import { OPTIONS, temporaryFolder } from '../store/helpers.js';
import { ascii, GuestBuilder, number } from './guest-builder.js';

const nothing = new Uint8Array(0);
const endless = [loop(), op(OP.br, 0), op(OP.end), i32(0)];
/** Longer than any test: what ends earlier did not wait for it. */
const LONG_MS = 3_600_000;

/** A lane over a store, with the views `spin` (never ends) and `ok`. */
async function laneWith(options: Partial<StandardIndexerOptions>): Promise<StandardIndexer> {
  const store = await Store.open(temporaryFolder(), OPTIONS);
  const guest = new GuestBuilder();
  const ok = guest.buffer(ascii('ok'));
  guest.start(guest.flush('k', 'v')).view('spin', endless).view('ok', number(ok));
  const lane = new StandardIndexer({ moduleBytes: guest.bytes(), storeHandle: store.handle, ...options });
  onTestFinished(async () => {
    await lane.close();
    await store.close();
  });
  lane.startViews();
  return lane;
}

const spin = (lane: StandardIndexer, client = 'a'): Promise<unknown> =>
  lane.view('spin', nothing, 0, 0, client).catch((error: Error) => error);
const ok = async (lane: StandardIndexer, client = 'a'): Promise<string> =>
  Buffer.from(await lane.view('ok', nothing, 0, 0, client)).toString();

test('a view that never ends holds up no other', async () => {
  const lane = await laneWith({ viewThreads: 2, viewTimeoutMs: LONG_MS });
  const hanging = spin(lane);
  for (let i = 0; i < 5; i++) expect(await ok(lane)).toBe('ok');
  expect(lane.viewLoad).toEqual({ threads: 2, running: 1, waiting: 0, refused: 0, interrupted: 0 });
  await lane.close();
  expect(await hanging).toMatchObject({ message: expect.stringContaining('closed') });
});

test('views that wait take the thread in turn once it is free, and the thread that was ended is replaced', async () => {
  const lane = await laneWith({ viewThreads: 1, viewTimeoutMs: 2_000, viewWaitMs: LONG_MS });
  const ended: string[] = [];
  const note = (name: string) => (answer: unknown) => {
    ended.push(name);
    return answer;
  };
  const hanging = spin(lane).then(note('spin'));
  const waited = ['a', 'b'].map((name) => ok(lane).then(note(name)));
  expect(await hanging).toMatchObject({ code: 'MODULE_TIMEOUT', facts: { limitMs: 2_000 } });
  expect(await Promise.all(waited)).toEqual(['ok', 'ok']);
  expect(ended).toEqual(['spin', 'a', 'b']);
  expect(lane.viewLoad).toEqual({ threads: 1, running: 0, waiting: 0, refused: 0, interrupted: 0 });
});

test('more views than may wait are refused at once', async () => {
  const lane = await laneWith({ viewThreads: 1, viewQueue: 2, viewTimeoutMs: LONG_MS });
  const hanging = [spin(lane), spin(lane), spin(lane)];
  expect(lane.viewLoad).toMatchObject({ running: 1, waiting: 2 });
  await expect(ok(lane)).rejects.toMatchObject({ code: 'VIEW_BUSY', facts: { waiting: 2 } });
  expect(lane.viewLoad).toMatchObject({ running: 1, waiting: 2, refused: 1 });
  await lane.close();
  for (const error of await Promise.all(hanging))
    expect(error).toMatchObject({ message: expect.stringContaining('closed') });
});

test('a view that no thread takes within the limit is refused', async () => {
  const lane = await laneWith({ viewThreads: 1, viewTimeoutMs: LONG_MS, viewWaitMs: 300 });
  const hanging = spin(lane);
  for (const error of await Promise.all([spin(lane), spin(lane)])) expect(error).toMatchObject({ code: 'VIEW_BUSY' });
  expect(lane.viewLoad).toEqual({ threads: 1, running: 1, waiting: 0, refused: 2, interrupted: 0 });
  await lane.close();
  await hanging;
});

test('a client with endless views on all threads gives one up to a client that has none, and so on', async () => {
  const lane = await laneWith({ viewThreads: 2, viewTimeoutMs: LONG_MS });
  const hanging = [spin(lane, 'greedy'), spin(lane, 'greedy'), spin(lane, 'greedy')];
  // With limits of an hour nothing but another client's turn ends these.
  for (const client of ['b', 'c', 'b']) expect(await ok(lane, client)).toBe('ok');
  expect(lane.viewLoad?.interrupted).toBeGreaterThanOrEqual(1);
  // What gave its thread up is not lost: it waits for its next turn, a few times.
  expect(lane.viewLoad?.refused).toBe(0);
  await lane.close();
  for (const error of await Promise.all(hanging))
    expect(error).toMatchObject({ message: expect.stringContaining('closed') });
});

test('a view that was interrupted is answered all the same', async () => {
  const lane = await laneWith({ viewThreads: 2, viewTimeoutMs: 4_000 });
  const hanging = [spin(lane, 'a'), spin(lane, 'a')];
  expect(await ok(lane, 'b')).toBe('ok');
  // It ran twice, and the second time to its limit.
  for (const error of await Promise.all(hanging)) expect(error).toMatchObject({ code: 'MODULE_TIMEOUT' });
  expect(lane.viewLoad).toMatchObject({ interrupted: 1, refused: 0 });
});

test('with one thread, a client that has none goes before the row of another', async () => {
  const lane = await laneWith({ viewThreads: 1, viewTimeoutMs: 1_000, viewWaitMs: LONG_MS });
  let ended = 0;
  const hanging = Array.from({ length: 3 }, () => spin(lane, 'greedy').then(() => ended++));
  expect(await ok(lane, 'other')).toBe('ok');
  // It waited for the view that ran, and for none of those in the row.
  expect(ended).toBe(1);
  expect(lane.viewLoad?.interrupted).toBe(0);
  await Promise.all(hanging);
});

test('a client that fills the row makes room for others, but not for itself', async () => {
  const lane = await laneWith({ viewThreads: 1, viewQueue: 4, viewTimeoutMs: LONG_MS });
  const greedy = Array.from({ length: 5 }, () => spin(lane, 'greedy'));
  expect(lane.viewLoad).toMatchObject({ running: 1, waiting: 4 });
  expect(await spin(lane, 'greedy')).toMatchObject({ code: 'VIEW_BUSY' });
  const other = spin(lane, 'other');
  expect(await greedy[4]).toMatchObject({ code: 'VIEW_BUSY' });
  expect(lane.viewLoad).toMatchObject({ running: 1, waiting: 4, refused: 2 });
  await lane.close();
  await Promise.all([...greedy, other]);
});
