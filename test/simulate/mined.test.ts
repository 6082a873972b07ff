// Messages that are simulated and then mined at that state, one a block: both tell the same.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Transaction } from '../../src/bitcoin/types.js';
import { runSequential } from '../../src/execute/sequential.js';
import { balanceKey, codeKey, keyBytes, SEQUENCE_KEY, sheetKey, storagePrefix } from '../../src/lane/keys.js';
import type { LaneContext } from '../../src/lane/message.js';
import { IN_TURN, makeReceipt } from '../../src/lane/receipt.js';
import { scanBlock } from '../../src/lane/scan.js';
import type { LaneKey, MessageReceipt } from '../../src/lane/types.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { parseId } from '../../src/protocol/alkane-id.js';
import { decodeCellpack } from '../../src/protocol/cellpack.js';
import { decodeSheet } from '../../src/protocol/sheet.js';
import { actorInputs, RandomTrees } from '../../src/selftest/inputs/actor-script.js';
import { Prng, seededBytes } from '../../src/selftest/inputs/prng.js';
import { LaneViews } from '../../src/simulate/lane-views.js';
import type { SimulationRequest } from '../../src/simulate/request.js';
import type { Simulation } from '../../src/simulate/simulate.js';
import { Store } from '../../src/store/store.js';
import { StoredState } from '../../src/store/stored-state.js';
import { fromHex, toHex, u128Bytes } from '../../src/util/bytes.js';
import {
  ABORT,
  ACTOR,
  burn,
  callsProgram,
  makeCall,
  put,
  RETURNED,
  read,
  type Script,
  SEQUENCE,
  TRAP,
  transfer,
} from '../lane/calls/actor.js';
import { call, envelope, makeBlock, makeTx, type Outpoint, PROBE } from '../lane/world.js';
import { block, OPTIONS, plan, temporaryFolder } from '../store/helpers.js';

const START = 100;
const TREES = 150;
const TIME_MS = 3_600_000;
const FRAMES = 33;

interface Mined {
  readonly request: SimulationRequest;
  readonly simulation: Simulation;
}

/** A chain in a store, and threads that simulate over it. */
class Chain {
  readonly mined: Mined[] = [];
  readonly runner = new ProgramRunner();
  height = START;

  private constructor(
    readonly store: Store,
    readonly views: LaneViews,
  ) {}

  static async open(): Promise<Chain> {
    const store = await Store.open(temporaryFolder(), OPTIONS);
    store.commitBlock(block(START));
    const { handle: storeHandle } = store;
    if (storeHandle === undefined) throw new Error('the store cannot be shared');
    const bounds = { answerBytes: 1 << 28, threads: 1, queue: 8, limitMs: TIME_MS, waitMs: TIME_MS };
    return new Chain(store, new LaneViews({ storeHandle, ...bounds }));
  }

  async close(): Promise<void> {
    await this.views.close();
    await this.store.close();
  }

  simulate(request: SimulationRequest): Promise<Simulation> {
    return this.views.run('simulate', request, 'a');
  }

  /**
   * Simulates a message and its transaction, mines that, and expects the same of all three. Gives the receipt.
   * `given`: assets that come in.
   */
  async send(message: Uint8Array, options: { given?: Outpoint; code?: Uint8Array } = {}): Promise<MessageReceipt> {
    const { given, code } = options;
    const tx = makeTx({
      ...(given && { spend: [given] }),
      ...(code && { witnesses: [envelope(code)] }),
      protostones: [{ pointer: 0, refund: 1, message }],
    });
    const raw = makeBlock([tx]).raw;
    const request = this.#request(message, tx, raw, given);
    const simulation = await this.simulate(request);
    const whole = await this.simulate({ ...request, message: undefined, incoming: undefined });
    const outcome = this.#mine(tx, raw);
    expect(simulation.messages.map(({ receipt }) => receipt)).toEqual(outcome.messages);
    expect(simulation).toMatchObject({ undone: outcome.undone, fuel: outcome.fuel, sheets: [] });
    const { sheets: _, ...ofMessage } = simulation;
    const { sheets, ...ofWhole } = whole;
    expect(ofWhole).toEqual(ofMessage);
    this.#expectChanges(whole, outcome.writes);
    const onPointer = sheets.find(({ outpoint }) => outpoint === `${outcome.txid}:0`)?.after ?? {};
    expect(onPointer).toEqual(sumOf(simulation.messages[0].transfers));
    this.mined.push({ request, simulation });
    return outcome.messages[0];
  }

  /** Puts assets on an outpoint that nobody made: a block without transactions. */
  give(assets: Record<string, bigint>): Outpoint {
    const outpoint = { txid: seededBytes('simulated', 'given', this.height), vout: 0 };
    const sheet = Object.entries(assets).map(([id, amount]) => [parseId(id).block, parseId(id).tx, amount]);
    const value = Buffer.concat(sheet.flat().map(u128Bytes));
    this.#commit(new Map([[sheetKey(outpoint.txid, 0), value]]));
    return outpoint;
  }

  #request(message: Uint8Array, tx: Transaction, raw: Uint8Array, given: Outpoint | undefined): SimulationRequest {
    const outer = decodeCellpack(message);
    if (outer === undefined) throw new Error('no calldata');
    const [of, number, ...inputs] = outer.inputs;
    const sheet = given && this.store.getLatest('P', keyBytes(sheetKey(given.txid, given.vout)));
    return {
      height: this.height,
      message: { target: { block: of, tx: number }, inputs, protostone: 0 },
      incoming: decodeSheet(sheet).entries(),
      transaction: tx.raw,
      block: raw,
    };
  }

  /** Mines a block of one transaction; what the store then says of it. */
  #mine(tx: Transaction, raw: Uint8Array) {
    const state = new StoredState(this.store);
    const context: LaneContext = { height: this.height + 1, block: raw, laneStartHeight: 0, dependent: 'demote' };
    const [outcome] = runSequential(scanBlock(makeBlock([tx]), state), context, state, this.runner);
    this.#commit(outcome.writes, [makeReceipt(context.height, outcome, IN_TURN)]);
    const receipt = this.store.receipt(outcome.txid);
    if (receipt === undefined) throw new Error('the receipt is stored');
    return { ...receipt, writes: outcome.writes };
  }

  #commit(
    laneWrites: ReadonlyMap<LaneKey, Uint8Array | undefined>,
    receipts: ReturnType<typeof makeReceipt>[] = [],
  ): void {
    this.height++;
    this.store.commitBlock({ ...block(this.height), laneWrites, receipts, plan: plan(this.height) });
  }

  /** The changes are those that the store has seen. */
  #expectChanges(simulation: Simulation, writes: ReadonlyMap<LaneKey, Uint8Array | undefined>): void {
    const { storage, balances, created, sequence, sheets } = simulation;
    const valueAt = (key: LaneKey, height: number): string | null => {
      const value = this.store.getAt('P', keyBytes(key), height);
      return value === undefined ? null : toHex(value);
    };
    const told = new Map<LaneKey, readonly [string | null, string | null]>();
    for (const { contract, key, before, after } of storage) {
      told.set(storagePrefix(parseId(contract)) + Buffer.from(fromHex(key)).toString('latin1'), [before, after]);
    }
    const stored = (amount: string): string | null => (amount === '0' ? null : toHex(u128Bytes(BigInt(amount))));
    for (const { holder, asset, before, after } of balances) {
      told.set(balanceKey(parseId(asset), parseId(holder)), [stored(before), stored(after)]);
    }
    if (sequence !== null) {
      told.set(SEQUENCE_KEY, [sequence.before === '1' ? null : stored(sequence.before), stored(sequence.after)]);
    }
    for (const { id } of created) {
      const key = codeKey(parseId(id));
      told.set(key, [null, valueAt(key, this.height)]);
    }
    const changed = [...writes.keys()].filter(
      (key) => !key.startsWith('sheet/') && valueAt(key, this.height - 1) !== valueAt(key, this.height),
    );
    expect(new Map(changed.map((key) => [key, [valueAt(key, this.height - 1), valueAt(key, this.height)]]))).toEqual(
      told,
    );
    expect(sheets.length).toBe(
      [...writes.keys()].filter(
        (key) => key.startsWith('sheet/') && valueAt(key, this.height - 1) !== valueAt(key, this.height),
      ).length,
    );
  }
}

function sumOf(transfers: Simulation['messages'][number]['transfers']): Record<string, string> {
  const sums: Record<string, bigint> = {};
  for (const { id, amount } of transfers) {
    const name = `${id.block}:${id.tx}`;
    sums[name] = (sums[name] ?? 0n) + amount;
  }
  return Object.fromEntries(Object.entries(sums).map(([id, amount]) => [id, amount.toString()]));
}

describe('a message that is simulated and then mined', () => {
  let chain: Chain;
  let probe = '';
  let actors: string[] = [];
  beforeAll(async () => {
    chain = await Chain.open();
    const create = async (target: string, code: Uint8Array, ...inputs: number[]): Promise<string> => {
      const { status, target: id } = await chain.send(call(target, ...inputs), { code });
      expect(status).toBe('OK');
      return String(id);
    };
    probe = await create('1:0', PROBE, 0);
    actors = [await create('1:0', ACTOR), await create('3:77', ACTOR), await create('1:0', ACTOR)];
  }, TIME_MS);
  afterAll(() => chain.close());

  const act = (script: Script): Promise<MessageReceipt> => chain.send(call(actors[0], ...script));

  it('ends alike in every way', async () => {
    const ends: string[] = [];
    for (const inputs of [
      [0],
      [1],
      [2],
      [3],
      [4, 7],
      [5, 1, 2],
      [6, 1],
      [7, 0],
      [7, 4294967295],
      [8, 3_000, 1],
      [10, 9],
      [12, 0],
      [13, 5],
      [14, 3],
      [16, 2, 1],
      [17, 1, 7],
      [18, 1, 2],
      [19],
      [20],
      [21, 4, 4],
    ]) {
      const { status } = await chain.send(call(probe, ...inputs));
      ends.push(status);
    }
    expect(new Set(ends)).toEqual(new Set(['OK', 'REVERT', 'TRAP', 'OUT_OF_FUEL', 'REJECTED']));
  });

  it('moves, keeps and mints assets alike', async () => {
    const [a, b] = ['9:1', '9:2'];
    expect(await chain.send(call(probe, 15), { given: chain.give({ [a]: 10n, [b]: 1n << 100n }) })).toMatchObject({
      status: 'OK',
    });
    expect(await chain.send(call(probe, 11), { given: chain.give({ [a]: 5n }) })).toMatchObject({ status: 'OK' });
    expect(await chain.send(call(probe, 9, 9, 1, 4))).toMatchObject({ status: 'OK' });
    expect(await chain.send(call(probe, 9, 9, 1, 7))).toMatchObject({ status: 'REJECTED' });
    const { block: of, tx } = parseId(probe);
    expect(await chain.send(call(probe, 9, of, tx, 12))).toMatchObject({ status: 'OK' });
    expect(await chain.send(call(probe, 1), { given: chain.give({ [a]: 5n }) })).toMatchObject({ status: 'REVERT' });
    const full = chain.give({ [a]: (1n << 128n) - 1n });
    expect(await chain.send(call(probe, 15), { given: full })).toMatchObject({ error: 'sum over u128 on a balance' });
  });

  it('creates alike, or fails to', async () => {
    const { tx } = parseId(probe);
    for (const [target, code, status] of [
      ['1:0', PROBE, 'OK'],
      ['1:0', undefined, 'REJECTED'],
      ['1:5', PROBE, 'REJECTED'],
      ['1:0', PROBE.subarray(0, 100), 'REJECTED'],
      ['3:7', PROBE, 'OK'],
      ['3:7', PROBE, 'REJECTED'],
      [`5:${tx}`, undefined, 'OK'],
      ['6:7', undefined, 'OK'],
      ['5:999', undefined, 'REJECTED'],
      ['2:999', undefined, 'REJECTED'],
      ['7:1', undefined, 'REJECTED'],
    ] as const) {
      expect(await chain.send(call(target, 0), { ...(code && { code }) })).toMatchObject({ status });
    }
    expect(await chain.send(call('1:0', 1), { code: PROBE })).toMatchObject({ status: 'REVERT' });
    expect(await chain.send(call('3:8', 3), { code: PROBE })).toMatchObject({ status: 'OUT_OF_FUEL' });
  });

  it('calls alike: each kind, inside each other, taken back, failing at any depth', async () => {
    const [, b, c] = actors;
    const given = { parcel: [[actors[0], 5n]] as const };
    let deep: Script = read(1);
    for (let frame = 0; frame < FRAMES - 1; frame++) deep = makeCall('call', actors[frame % 2], [deep]);
    const cases: readonly (readonly [Script, string])[] = [
      [makeCall('call', b, [put(1, 2), read(1)], given), 'OK'],
      [makeCall('delegatecall', b, [put(1, 3), transfer(actors[0], 9n)], given), 'OK'],
      [[...makeCall('staticcall', b, [put(1, 4)], { checkpoint: [[2, 2]] }), ...read(2), ...RETURNED], 'OK'],
      [makeCall('call', b, [makeCall('staticcall', c, [makeCall('delegatecall', actors[0], [put(2, 2)])])]), 'OK'],
      [makeCall('call', b, [makeCall('call', actors[0], [read(1)])], { checkpoint: [[1, 9]] }), 'OK'],
      [makeCall('call', `5:${parseId(b).block === 4n ? parseId(probe).tx : 1n}`, []), 'OK'],
      [makeCall('call', '6:77', [put(1, 1)]), 'OK'],
      [makeCall('staticcall', '6:77', [put(1, 1)]), 'OK'],
      [[...makeCall('call', '800000000:0', []), ...makeCall('staticcall', '800000000:1', []), ...RETURNED], 'OK'],
      [makeCall('delegatecall', '800000000:3', []), 'OK'],
      [makeCall('call', '800000000:2', []), 'REJECTED'],
      [makeCall('call', '1:0', []), 'REJECTED'],
      [makeCall('call', '2:999', []), 'REJECTED'],
      [makeCall('call', b, [makeCall('call', c, [ABORT])]), 'REVERT'],
      [makeCall('delegatecall', b, [makeCall('staticcall', c, [TRAP])]), 'TRAP'],
      [makeCall('call', b, [burn(2 ** 31)]), 'OUT_OF_FUEL'],
      [makeCall('call', b, [transfer('9:9', 1n)]), 'REJECTED'],
      [makeCall('call', b, [SEQUENCE], { parcel: [['9:9', 1n]] }), 'REJECTED'],
      [deep, 'OK'],
      [makeCall('call', b, [deep]), 'REVERT'],
    ];
    for (const [script, status] of cases) expect(await act(script)).toMatchObject({ status });
    // The envelope of the transaction is for the first attempt, wherever.
    const created = await chain.send(call(actors[0], ...makeCall('call', '1:0', [put(1, 1)])), { code: ACTOR });
    expect(created).toMatchObject({ status: 'OK', calls: [{ depth: 1 }] });
    expect(await chain.send(call('1:0'), { code: callsProgram('recursion') })).toBeDefined();
  });

  it('does what random trees of calls do', async () => {
    const trees = new RandomTrees(new Prng('simulated', 'trees'), actors.map(parseId), [
      parseId('9:1'),
      parseId('9:2'),
    ]);
    const ends = new Map<string, number>();
    let calls = 0;
    for (let i = 0; i < TREES; i++) {
      const given = i % 3 === 0 ? chain.give({ [actors[0]]: 7n, '9:1': 1_000n }) : undefined;
      const { status, callTotal } = await chain.send(call(actors[0], ...actorInputs(trees.tree())), {
        ...(given && { given }),
        ...(i % 4 === 0 && { code: ACTOR }),
      });
      ends.set(status, (ends.get(status) ?? 0) + 1);
      calls += callTotal;
    }
    expect(ends.get('OK')).toBeGreaterThan(TREES / 10);
    expect(ends.size).toBeGreaterThanOrEqual(4);
    expect(calls).toBeGreaterThan(TREES);
  });

  it('is answered alike from the history, when the chain has gone on', async () => {
    expect(chain.mined.length).toBeGreaterThan(200);
    for (const { request, simulation } of chain.mined) expect(await chain.simulate(request)).toEqual(simulation);
  });
});
