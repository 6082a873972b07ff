import { expect, onTestFinished, test } from 'vitest';
import { compactSize } from '../../src/bitcoin/compact-size.js';
import { sheetKey } from '../../src/lane/keys.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { parseId } from '../../src/protocol/alkane-id.js';
import { encodeSheet, Sheet } from '../../src/protocol/sheet.js';
import { HeightState } from '../../src/simulate/height-state.js';
import { LaneViews, type LaneViewsOptions } from '../../src/simulate/lane-views.js';
import type { SimulationRequest } from '../../src/simulate/request.js';
import { simulate } from '../../src/simulate/simulate.js';
import { Store } from '../../src/store/store.js';
import { concatBytes } from '../../src/util/bytes.js';
import { ACTOR, read as actorRead } from '../lane/calls/actor.js';
import { call, envelope, makeTx, PROBE, World } from '../lane/world.js';
import { block, OPTIONS, temporaryFolder } from '../store/helpers.js';

const ROOM = 1 << 24;
const LONG_MS = 3_600_000;

/** An outpoint that holds 9 of 2:1. */
const HELD = { txid: new Uint8Array(32).fill(9), vout: 1 };

/** A store whose block 5 has created the probe as 2:1 and the actor as 2:2. */
async function probeStore(): Promise<Store> {
  const world = new World();
  world.deploy();
  world.deploy(ACTOR);
  world.state.set(sheetKey(HELD.txid, HELD.vout), encodeSheet(Sheet.of([{ id: parseId('2:1'), amount: 9n }])));
  const store = await Store.open(temporaryFolder(), OPTIONS);
  store.commitBlock({ ...block(5), laneWrites: world.state });
  return store;
}

async function views(options: Partial<LaneViewsOptions> = {}): Promise<{ store: Store; views: LaneViews }> {
  const store = await probeStore();
  const { handle: storeHandle } = store;
  if (storeHandle === undefined) throw new Error('the store cannot be shared');
  const opened = new LaneViews({
    ...{ storeHandle, answerBytes: ROOM, threads: 1, queue: 4, limitMs: LONG_MS, waitMs: LONG_MS },
    ...options,
  });
  onTestFinished(async () => {
    await opened.close();
    await store.close();
  });
  return { store, views: opened };
}

function toProbe(...inputs: bigint[]): SimulationRequest {
  const message = { target: parseId('2:1'), inputs, protostone: 0 };
  return { height: 5, message, incoming: undefined, transaction: undefined, block: undefined };
}

test('a thread answers what the same simulation answers here, and nothing of it is kept', async () => {
  const { store, views: lane } = await views();
  const runner = new ProgramRunner();
  const before = store.rawContent();
  for (const input of [0n, 1n, 2n, 3n, 4n, 9n]) {
    const request = toProbe(input, 1n, 1n, 77n);
    const here = simulate(request, { state: new HeightState(store, 5), chain: store, runner, answerBytes: ROOM });
    expect(here.messages.length).toBe(1);
    expect(await lane.run('simulate', request, 'a')).toEqual(here);
  }
  expect(store.rawContent()).toEqual(before);
});

test('a creation gets the next number, and its first run sees its code', async () => {
  const { views: lane } = await views();
  const tx = makeTx({
    witnesses: [envelope(PROBE)],
    protostones: [{ pointer: 0, refund: 0, message: call('1:0', 0) }],
  });
  const message = { target: parseId('1:0'), inputs: [4n], protostone: 0 };
  const simulation = await lane.run('simulate', { ...toProbe(), message, transaction: tx.raw }, 'a');
  expect(simulation.messages[0].receipt).toMatchObject({ status: 'OK', target: '2:3' });
  expect(simulation.created).toMatchObject([{ id: '2:3', codeBytes: PROBE.length, cloneOf: null }]);
  expect(simulation.sequence).toEqual({ before: '3', after: '4' });
});

test('a transaction that cannot be read is refused with its code', async () => {
  const { views: lane } = await views();
  const wrong = concatBytes(Uint8Array.of(2, 0, 0, 0), compactSize(100_000));
  await expect(lane.run('simulate', { ...toProbe(0n), transaction: wrong }, 'a')).rejects.toMatchObject({
    code: 'TX_TRUNCATED',
  });
});

test('what comes in is what is said, for a message and for a whole transaction, else what the state says', async () => {
  const { views: lane } = await views();
  const keep = call('2:1', 15);
  const { raw: transaction } = makeTx({ spend: [HELD], protostones: [{ pointer: 0, refund: 0, message: keep }] });
  const balancesOf = async (request: SimulationRequest) =>
    (await lane.run('simulate', request, 'a')).balances.map(({ asset, after }) => [asset, after]);
  const incoming = [{ id: parseId('7:7'), amount: 3n }];
  const message = toProbe(15n);
  expect(await balancesOf({ ...message, transaction })).toEqual([]);
  expect(await balancesOf({ ...message, transaction, incoming })).toEqual([['7:7', '3']]);
  expect(await balancesOf({ ...message, incoming })).toEqual([['7:7', '3']]);
  const whole = { ...message, message: undefined, transaction };
  expect(await balancesOf(whole)).toEqual([['2:1', '9']]);
  expect(await balancesOf({ ...whole, incoming })).toEqual([['7:7', '3']]);
  expect(await balancesOf({ ...whole, incoming: [] })).toEqual([]);
});

test('an answer has all data of a message, not what a receipt keeps', async () => {
  const { views: lane } = await views();
  const reads = Array.from({ length: 300 }, () => actorRead(1)).flat();
  const message = { target: parseId('2:2'), inputs: reads, protostone: 0 };
  const [{ receipt }] = (await lane.run('simulate', { ...toProbe(), message }, 'a')).messages;
  expect(receipt).toMatchObject({ status: 'OK', dataBytes: 4_800 });
  expect(receipt.data.length).toBe(9_600);
});

test('clients take turns', async () => {
  const { views: lane } = await views({ queue: 100 });
  const ended: string[] = [];
  const ask = (client: string) => lane.run('simulate', toProbe(3n), client).then(() => ended.push(client));
  await ask('first');
  const greedy = Array.from({ length: 20 }, () => ask('greedy'));
  await Promise.all([...greedy, ask('modest')]);
  // One runs when the other client asks.
  expect(ended.indexOf('modest')).toBeLessThanOrEqual(3);
  expect(ended.length).toBe(22);
});

test('an answer above the limit is refused', async () => {
  const { views: lane } = await views({ answerBytes: 100 });
  await expect(lane.run('simulate', toProbe(0n), 'a')).rejects.toMatchObject({ code: 'VIEW_ANSWER_TOO_LARGE' });
});

test('a simulation past its limit ends with its thread, and the next one runs', async () => {
  const { views: lane } = await views({ limitMs: 1 });
  const late = await lane.run('simulate', toProbe(10n, 1_000_000_000n), 'a').catch((error: unknown) => error);
  expect(late).toMatchObject({ code: 'MODULE_TIMEOUT', facts: { height: 5, limitMs: 1 } });
  expect(lane.load).toMatchObject({ running: 0, waiting: 0 });
});
