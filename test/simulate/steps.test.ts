import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../src/bitcoin/types.js';
import { IN_TURN, makeReceipt } from '../../src/lane/receipt.js';
import type { LaneKey, Receipt } from '../../src/lane/types.js';
import { ProgramRunner } from '../../src/program/runner.js';
import type { Program, RunHost, RunResult } from '../../src/program/types.js';
import { type Rerun, rerun } from '../../src/simulate/rerun.js';
import { MOST_STEPS } from '../../src/simulate/steps.js';
import { u128Bytes } from '../../src/util/bytes.js';
import { ACTOR, burn, makeCall, put, read } from '../lane/calls/actor.js';
import { place } from '../lane/calls/by-hand.js';
import { abortsWith, logging, says } from '../lane/saying.js';
import { call, envelope, makeBlock, makeTx, PROBE, World } from '../lane/world.js';

const ROOM = 1 << 24;
const IDENTITY = { schema: 0, rules: 2, network: 'regtest', laneStartHeight: 0, moduleHash: '' } as const;

/** Counts what runs before the transaction. */
class CountingRunner {
  readonly runner = new ProgramRunner();
  runs = 0;

  run(program: Program, host: RunHost, fuel: number): RunResult {
    this.runs++;
    return this.runner.run(program, host, fuel);
  }
}

const message = (bytes: Uint8Array): Transaction =>
  makeTx({ protostones: [{ pointer: 0, refund: 0, message: bytes }] });

/** Mines a block and runs its transaction number `at` again; `change` falsifies receipts before. */
function mined(
  world: World,
  transactions: Transaction[],
  options: { at?: number; answerBytes?: number; change?: (receipt: Receipt) => Receipt } = {},
) {
  const { at = transactions.length - 1, answerBytes = ROOM, change = (receipt) => receipt } = options;
  const before = new Map(world.state);
  const { height } = world;
  const receipts = world.run(...transactions).map((outcome) => change(makeReceipt(height, outcome, IN_TURN)));
  const txid = world.txid(transactions[at]);
  const runner = new CountingRunner();
  const found = rerun(
    { height, block: makeBlock(transactions).raw, txid },
    {
      before: { get: (key: LaneKey) => before.get(key) },
      chain: {
        identity: () => ({ ...IDENTITY, dependent: world.dependent }),
        receipt: (of) => receipts.find((receipt) => receipt.txid === of),
        receipts: function* (_, from = 0) {
          yield* receipts.filter(({ index }) => index >= from);
        },
      },
      runner,
      answerBytes,
    },
  );
  return { ...found, runs: runner.runs, receipt: receipts.find((receipt) => receipt.txid === txid) as Receipt };
}

const told = ({ steps }: Rerun) => steps.map(({ call: name, given, result }) => [name, given, result]);

describe('steps of a transaction', () => {
  it('tell each host call in its order: what it was given, what came of it, and what it used', () => {
    const world = new World();
    const id = world.deploy(ACTOR);
    world.message(call(id, ...put(7, 700)));
    const { steps, stepTotal, receipt, messages } = mined(world, [message(call(id, ...read(7)))]);
    expect(stepTotal).toBe(steps.length);
    expect(steps.map(({ call: name }) => name)).toContain('__load_storage');
    const load = steps.find(({ call: name }) => name === '__load_storage');
    expect(load).toMatchObject({ protostone: 0, frame: 0, depth: 0, stop: null });
    expect(load?.result).toBe(`0x${Buffer.from(u128Bytes(700n)).toString('hex')}`);
    expect(load?.fuelUsed).toBe(100 + 500 + 2 * (16 + ((load?.given.key.length ?? 0) - 2) / 2));
    const [{ fuelUsed }] = receipt.messages;
    for (const [i, { fuel }] of steps.entries()) {
      if (i > 0) expect(fuel).toBeLessThanOrEqual(steps[i - 1].fuel - steps[i - 1].fuelUsed);
    }
    expect(steps.reduce((sum, step) => sum + step.fuelUsed, 0)).toBeLessThan(fuelUsed);
    expect(messages).toEqual([{ protostone: 0, transfers: [], data: receipt.messages[0].data }]);
  });

  it('tell calls of other contracts with what they get, and name the frame of every call', () => {
    const world = new World();
    const a = world.deploy(ACTOR);
    place(world, '2:9', says(['inner']));
    const inner = makeCall('call', '2:9', [], { parcel: [[a, 3n]] });
    const found = mined(world, [message(call(a, ...makeCall('call', a, [inner])))]);
    const { steps, receipt } = found;
    const calls = steps.filter(({ call: name }) => name === '__call');
    expect(calls.map(({ frame, depth, stop }) => [frame, depth, stop])).toEqual([
      [0, 0, null],
      [1, 1, null],
    ]);
    expect(calls[0].given.cellpack).toMatch(new RegExp(`^${a} \\[3, 0, 2, 9, 1, `));
    expect(calls[1].given).toEqual({ cellpack: '2:9 []', parcel: `3 of ${a}`, checkpoint: 'nothing' });
    const [outer, deeper] = receipt.messages[0].calls;
    expect(calls[1].fuelUsed).toBeGreaterThan(deeper.fuelUsed);
    expect(calls[0].fuelUsed).toBeGreaterThan(outer.fuelUsed + deeper.fuelUsed);
    expect(told(found)).toContainEqual(['__log', { text: '"inner"' }, null]);
    expect(steps.find(({ call: name }) => name === '__log')).toMatchObject({ frame: 2, depth: 2 });
  });

  it('end with the call that ended the run, and say why', () => {
    const world = new World();
    const a = world.deploy(ACTOR);
    place(world, '2:9', abortsWith({ message: 'broke', file: 'a.ts', line: 1, column: 2 }));
    const { steps } = mined(world, [message(call(a, ...makeCall('staticcall', '2:9', [])))]);
    expect(steps.at(-1)).toMatchObject({ call: 'abort', given: { text: '"broke (a.ts:1:2)"' }, stop: 'abort' });
    expect(steps.find(({ call: name }) => name === '__staticcall')?.stop).toBe('inner-call');
    place(world, '2:8', says([], -1));
    expect(mined(world, [message(call('2:8', 0))]).steps).toMatchObject([
      { call: '__log', given: { text: 'a bad pointer' }, result: null, stop: 'bad-pointer', fuelUsed: 0 },
    ]);
    const spent = mined(world, [message(call(a, ...makeCall('call', a, [burn(1_000_000_000)])))]);
    expect(spent.receipt.messages[0].status).toBe('OUT_OF_FUEL');
    const last = spent.steps.find(({ call: name }) => name === '__call');
    expect(last).toMatchObject({ stop: 'out-of-fuel', fuelUsed: last?.fuel });
    place(world, '2:7', logging(100, 60_000));
    const short = mined(world, [message(call('2:7', 0))]).steps.at(-1);
    expect(short?.fuel).toBeGreaterThan(0);
    expect(short).toMatchObject({ call: '__log', stop: 'out-of-fuel', fuelUsed: short?.fuel });
  });

  it('are bounded in number and in what they show; all are counted', () => {
    const world = new World();
    place(world, '2:9', logging(MOST_STEPS + 5, 3));
    const many = mined(world, [message(call('2:9', 0))]);
    expect([many.steps.length, many.stepTotal]).toEqual([MOST_STEPS, MOST_STEPS + 5]);
    place(world, '2:8', logging(50, 60_000));
    const wide = mined(world, [message(call('2:8', 0))]);
    expect(JSON.stringify(wide.steps).length).toBeLessThan(50 * 700);
    expect(() => mined(world, [message(call('2:8', 0))], { answerBytes: 10_000 })).toThrow('larger than an answer');
  });

  it('are there for a transaction that is undone, and for the messages behind the first', () => {
    const world = new World();
    const id = world.deploy();
    const edicts = [{ id: { block: 0n, tx: 5n }, amount: 1n, output: 0n }];
    const undone = makeTx({ protostones: [{ pointer: 0, refund: 0, message: call(id, 4, 1), edicts }] });
    const found = mined(world, [undone]);
    expect(found.receipt.undone).toBeDefined();
    expect(found.messages).toEqual([]);
    expect(found.stepTotal).toBeGreaterThan(0);
    const one = { pointer: 0, refund: 0, message: call(id, 4, 1) };
    const two = mined(world, [makeTx({ protostones: [one, one] })]);
    expect([...new Set(two.steps.map(({ protostone }) => protostone))]).toEqual([0, 1]);
  });

  it('of a creation are those of its first run, and the changes name the contract', () => {
    const world = new World();
    const creating = makeTx({
      witnesses: [envelope(PROBE)],
      protostones: [{ pointer: 0, refund: 0, message: call('1:0', 4) }],
    });
    const { changes, steps } = mined(world, [creating]);
    expect(changes.created).toMatchObject([{ id: '2:1' }]);
    expect(steps.length).toBeGreaterThan(0);
  });
});

describe('the transactions before it', () => {
  const counting = (id: string, n: number) => message(call(id, 4, n));

  it('run as far as it depends on them', () => {
    const world = new World();
    const id = world.deploy();
    const others = Array.from({ length: 10 }, (_, i) => counting(id, i));
    const found = mined(world, [...others, counting(id, 3), counting(id, 99), counting(id, 3)]);
    expect(found.runs).toBe(2);
    expect(mined(world, [...others, counting(id, 50)]).runs).toBe(0);
  });

  it('all run where the receipts do not tell', () => {
    const world = new World();
    const id = world.deploy();
    const others = Array.from({ length: 10 }, (_, i) => counting(id, i));
    const change = (receipt: Receipt): Receipt =>
      receipt.index === 4 ? { ...receipt, readTotal: receipt.readTotal + 300 } : receipt;
    expect(mined(world, [...others, counting(id, 50)], { change }).runs).toBe(10);
  });

  it('and another receipt than the stored one is an error, never a trace', () => {
    const world = new World();
    const id = world.deploy();
    const change = (receipt: Receipt): Receipt => ({ ...receipt, fuel: receipt.fuel + 1 });
    expect(() => mined(world, [counting(id, 1)], { change })).toThrow('gave another receipt');
  });
});
