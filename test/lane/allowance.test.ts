// What the messages of one transaction share: fuel, and one attempt to create (docs/lane-rules.md, sections 3 to 5).
import { describe, expect, it } from 'vitest';
import { Allowance, CREATION_FUEL, transactionFuel } from '../../src/lane/allowance.js';
import { resolveTarget } from '../../src/lane/creation.js';
import { TransactionView } from '../../src/lane/overlay.js';
import type { MessageReceipt } from '../../src/lane/types.js';
import { encodeCellpack, encodeEnvelope } from '../../src/protocol/encode.js';
import { concatBytes, readU32, U128_MAX, u32Bytes } from '../../src/util/bytes.js';
import { call as callOf, i32, WasmBuilder } from '../helpers/wasm-builder.js';
import { builtProgram, call, envelope, makeTx, PROBE, type TxSpec, World } from './world.js';

const LEAST = 3_500_000;
const message = (bytes: Uint8Array) => ({ pointer: 0, refund: 1, message: bytes });

/** Runs one transaction of these messages; also what fuel each run was given. */
function runAll(world: World, messages: readonly Uint8Array[], spec: TxSpec = {}) {
  const given: number[] = [];
  const plain = world.runner.run.bind(world.runner);
  world.runner.run = (program, host, fuel) => {
    given.push(fuel as number);
    return plain(program, host, fuel);
  };
  const [outcome] = world.run(makeTx({ protostones: messages.map(message), ...spec }));
  world.runner.run = plain;
  return { outcome, messages: outcome.messages, given };
}

const ends = (messages: readonly MessageReceipt[]) => messages.map(({ status, error }) => [status, error]);

/** A contract that gives what `__fuel` says, behind its length word, as data. */
function fuelTeller(): Uint8Array {
  const builder = new WasmBuilder();
  const fuel = builder.import('__fuel');
  return builder
    .data(100, u32Bytes(32))
    .execute([i32(128), callOf(fuel), i32(104)])
    .bytes();
}

describe('fuel of a transaction', () => {
  it('3,500,000, or 50 per byte of its serialisation with witness if that is more', () => {
    const fuel = (length: number): number => transactionFuel({ raw: new Uint8Array(length) });
    expect([fuel(100), fuel(70_000), fuel(70_001), fuel(4_000_000)]).toEqual([LEAST, LEAST, 3_500_050, 200_000_000]);
    const world = new World();
    const id = world.deploy();
    expect(runAll(world, [call(id, 0)]).given).toEqual([LEAST]);
    const large = runAll(world, [call(id, 0)], { witnesses: [new Uint8Array(100_000)] });
    expect(large.given[0]).toBeGreaterThan(5_000_000);
    const turns = world.turnsFor(id, 4_000_000);
    expect(runAll(world, [call(id, 10, turns)]).messages[0].status).toBe('OUT_OF_FUEL');
    expect(runAll(world, [call(id, 10, turns)], { padding: 100_000 }).messages[0].status).toBe('OK');
  });

  it('its messages share it: each later one has what is left, whatever the status of the earlier ones', () => {
    const world = new World();
    const id = world.deploy();
    const [ok, revert, trap, rejected, late] = [[4, 1], [1], [2], [9, 2, 9, 1], [0]].map((inputs) =>
      call(id, ...inputs),
    );
    const { messages, given } = runAll(world, [ok, revert, trap, rejected, late]);
    expect(messages.map(({ status }) => status)).toEqual(['OK', 'REVERT', 'TRAP', 'REJECTED', 'OK']);
    let left = LEAST;
    messages.forEach(({ fuelUsed }, i) => {
      expect(fuelUsed).toBeGreaterThan(0);
      expect(given[i]).toBe(left);
      left -= fuelUsed;
    });
  });

  it('two messages of one transaction, the second with the fuel that the first left', () => {
    const world = new World();
    const id = world.deploy();
    const turns = world.turnsFor(id, 2_000_000);
    const alone = world.message(call(id, 10, turns)).messages[0];
    expect(alone.status).toBe('OK');
    const { messages } = runAll(world, [call(id, 10, turns), call(id, 10, turns)]);
    expect(ends(messages)).toEqual([
      ['OK', undefined],
      ['OUT_OF_FUEL', 'out of fuel'],
    ]);
    expect(messages.map(({ fuelUsed }) => fuelUsed)).toEqual([alone.fuelUsed, LEAST - alone.fuelUsed]);
  });

  it('OUT_OF_FUEL uses all of it', () => {
    const world = new World();
    const id = world.deploy();
    const { messages, given } = runAll(world, [call(id, 3), call(id, 0)]);
    expect(messages.map(({ status, fuelUsed }) => [status, fuelUsed])).toEqual([
      ['OUT_OF_FUEL', LEAST],
      ['OUT_OF_FUEL', 0],
    ]);
    expect(given).toEqual([LEAST, 0]);
  });

  it('a result that cannot be paid uses all of it, also in a later message', () => {
    const world = new World();
    const id = world.deploy();
    const turns = world.turnsFor(id, 3_000_000);
    const { messages } = runAll(world, [call(id, 8, 10_000, 1), call(id, 10, turns), call(id, 8, 10_000, 2)]);
    expect(messages.map(({ status }) => status)).toEqual(['OK', 'OUT_OF_FUEL', 'OUT_OF_FUEL']);
    expect(messages.reduce((sum, { fuelUsed }) => sum + fuelUsed, 0)).toBe(LEAST);
    expect(world.storage(id, concatBytes(Buffer.from('big/'), Uint8Array.of(2), new Uint8Array(15)))).toBeUndefined();
  });

  it('a message that fails before its run uses nothing', () => {
    const world = new World();
    const id = world.deploy();
    world.setBalance('2:9', id, U128_MAX);
    const early = [
      new Uint8Array(15).fill(0xff),
      encodeCellpack({ block: 2n, tx: 0n }, [77]),
      call('2:900', 0),
      call('1:5', 0),
    ];
    const tx = makeTx({
      spend: [world.give({ '2:9': 1n })],
      protostones: [message(call(id, 0)), ...[...early, call(id, 0)].map(message)],
    });
    const [outcome] = world.run(tx);
    expect(outcome.messages.map(({ error }) => error)).toEqual([
      'sum over u128 on a balance',
      'bad calldata',
      'the target is not 8:8',
      'no code at the target',
      'no code at the target',
      undefined,
    ]);
    expect(outcome.messages.slice(0, -1).map(({ fuelUsed }) => fuelUsed)).toEqual([0, 0, 0, 0, 0]);
  });

  it('__fuel tells what is left of the transaction', () => {
    const world = new World();
    const probe = world.deploy();
    const teller = world.deploy(fuelTeller());
    const told = ({ data }: MessageReceipt): number => readU32(Buffer.from(data, 'hex'), 4);
    const alone = runAll(world, [call(teller, 0)]).messages[0];
    const { messages } = runAll(world, [call(probe, 4, 1), call(teller, 0)]);
    expect(told(alone)).toBeGreaterThan(LEAST - 200_000);
    expect(told(messages[1])).toBe(told(alone) - messages[0].fuelUsed);
    const large = runAll(world, [call(teller, 0)], { padding: 100_000 });
    expect(told(large.messages[0])).toBe(told(alone) - LEAST + large.given[0]);
  });
});

describe('the charge of a creation', () => {
  it.each([
    ['1:0 that holds', '1:0', [0], 'OK', undefined],
    ['1:0 that fails by its run', '1:0', [1], 'REVERT', 'abort'],
    ['3:n that holds', '3:9', [0], 'OK', undefined],
    ['3:n where 4:n has code', '3:77', [0], 'REJECTED', 'the reserved id has code already'],
    ['5:n that holds', '5:1', [0], 'OK', undefined],
    ['5:n without original', '5:900', [0], 'REJECTED', 'no code to clone'],
    ['6:n that holds', '6:77', [0], 'OK', undefined],
    ['6:n without original', '6:900', [0], 'REJECTED', 'no code to clone'],
  ])('%s costs 100,000, and the run has what is left', (_, target, inputs, status, error) => {
    const world = new World();
    world.deploy();
    world.message(call('3:77', 0), { witnesses: [envelope(PROBE)] });
    const witnesses = [envelope(PROBE)];
    const created = runAll(world, [call(target, ...inputs), call('2:1', 0)], { witnesses });
    expect(created.messages[0]).toMatchObject({ status, error });
    const ran = created.given.length === 2;
    const of = (fuel: number, used: number): number[] => (ran ? [fuel, LEAST - used] : [LEAST - used]);
    const used = created.messages[0].fuelUsed;
    expect(created.given).toEqual(of(LEAST - CREATION_FUEL, used));
    if (!ran) expect(used).toBe(CREATION_FUEL);
    const called = world.message(call('2:1', ...inputs)).messages[0];
    if (ran) expect(used).toBe(CREATION_FUEL + called.fuelUsed);
    expect(created.messages[1].status).toBe('OK');
  });

  it('OUT_OF_FUEL with less than 100,000 left, and it is no attempt', () => {
    const world = new World();
    const id = world.deploy();
    const turns = world.turnsFor(id, LEAST - CREATION_FUEL / 2);
    const { messages } = runAll(world, [call(id, 10, turns), call('1:0', 0), call('1:0', 0)], {
      witnesses: [envelope(PROBE)],
    });
    const left = LEAST - messages[0].fuelUsed;
    expect(left).toBeLessThan(CREATION_FUEL);
    expect(left).toBeGreaterThan(0);
    const out = { status: 'OUT_OF_FUEL', error: 'out of fuel', target: undefined };
    expect(messages.slice(1)).toMatchObject([
      { ...out, fuelUsed: left },
      { ...out, fuelUsed: 0 },
    ]);
    expect(world.sequence).toBe(2n);
  });

  it('exactly 100,000 left pays, and the run has nothing', () => {
    const allowance = new Allowance({ raw: new Uint8Array(0) });
    allowance.leave(CREATION_FUEL);
    expect(allowance.charge(CREATION_FUEL)).toBe(true);
    expect([allowance.fuelLeft, allowance.charge(0), allowance.charge(1)]).toEqual([0, true, false]);
    allowance.leave(CREATION_FUEL - 1);
    expect([allowance.charge(CREATION_FUEL), allowance.fuelLeft]).toEqual([false, 0]);
  });

  it('1:x with x over 0 is no creation: it pays nothing and is no attempt', () => {
    const world = new World();
    const { messages } = runAll(world, [call('1:1', 0), call('1:0', 0)], { witnesses: [envelope(PROBE)] });
    expect(messages[0]).toMatchObject({ status: 'REJECTED', error: 'no code at the target', fuelUsed: 0 });
    expect(messages[1]).toMatchObject({ status: 'OK', target: '2:1' });
  });

  it('calldata, target and start height come before it', () => {
    const world = new World();
    world.laneStartHeight = 1_000;
    const { messages } = runAll(world, [call('1:0', 0)], { witnesses: [envelope(PROBE)] });
    expect(messages[0]).toMatchObject({ error: 'below the lane start height', fuelUsed: 0 });
    world.laneStartHeight = 0;
    const standard = runAll(world, [encodeCellpack({ block: 1n, tx: 0n }, [0])], { witnesses: [envelope(PROBE)] });
    expect(standard.messages[0]).toMatchObject({ status: 'STANDARD', fuelUsed: 0 });
  });
});

describe('the envelope of a transaction', () => {
  const used = { status: 'REJECTED', error: 'the envelope is used', fuelUsed: CREATION_FUEL };
  const good = envelope(PROBE);
  const badCode = envelope(Uint8Array.of(0, 1, 2));

  it.each<[string, string, readonly number[], TxSpec, unknown]>([
    ['holds', '1:0', [0], { witnesses: [good] }, undefined],
    ['finds its id taken', '3:77', [0], { witnesses: [good] }, 'the reserved id has code already'],
    ['finds no envelope', '1:0', [0], {}, 'no envelope'],
    ['finds a bad body', '3:9', [0], { witnesses: [encodeEnvelope(PROBE), good] }, 'the envelope is no gzip body'],
    ['finds bad code', '1:0', [0], { witnesses: [badCode, good] }, expect.stringMatching(/^invalid code: WASM_/)],
    ['reverts', '1:0', [1], { witnesses: [good] }, 'abort'],
    ['traps', '1:0', [2], { witnesses: [good] }, 'trap'],
    ['fails by its parcel', '1:0', [9, 2, 900, 1], { witnesses: [good] }, 'transfer beyond the balance'],
  ])('is used up by an attempt that %s', (_, target, inputs, spec, error) => {
    const world = new World();
    world.deploy();
    world.message(call('3:77', 0), { witnesses: [good] });
    for (const later of ['1:0', '3:78', '3:77']) {
      const { messages } = runAll(world, [call(target, ...inputs), call(later, 0)], spec);
      expect(messages[0].error).toEqual(error);
      expect(messages[1]).toMatchObject(used);
    }
  });

  it('a second creation by 1:0 in one transaction, in another message', () => {
    const world = new World();
    const { messages } = runAll(world, [call('1:0', 4, 1), call('1:0', 4, 1), call('2:1', 4, 1)], {
      witnesses: [good, envelope(builtProgram('mint'))],
    });
    expect(ends(messages)).toEqual([
      ['OK', undefined],
      ['REJECTED', 'the envelope is used'],
      ['OK', undefined],
    ]);
    expect([world.sequence, world.counter('2:1', 1n)]).toEqual([2n, 2n]);
  });

  it('clones are no attempts', () => {
    const world = new World();
    world.deploy();
    const { messages } = runAll(world, [call('5:1', 0), call('5:900', 0), call('5:1', 0), call('1:0', 0)], {
      witnesses: [good],
    });
    expect(messages.map(({ target }) => target)).toEqual(['2:2', undefined, '2:3', '2:4']);
  });

  it('is used up by an attempt of a message that fails, but not by that of an undone transaction', () => {
    const world = new World();
    const undone = makeTx({
      witnesses: [good],
      protostones: [message(call('1:0', 0)), { message: call('2:1', 0) }],
    });
    expect(world.run(undone)[0].undone).toBe('message without pointer');
    expect(world.run(makeTx({ witnesses: [good], protostones: [message(call('1:0', 0))] }))[0].messages[0].status).toBe(
      'OK',
    );
  });

  it('envelope used comes before id taken, id taken before the envelope, the limits before the incoming', () => {
    const world = new World();
    world.message(call('3:77', 0), { witnesses: [good] });
    expect(ends(runAll(world, [call('3:77', 0), call('3:77', 0)]).messages)).toEqual([
      ['REJECTED', 'the reserved id has code already'],
      ['REJECTED', 'the envelope is used'],
    ]);
    world.setBalance('2:9', '2:1', U128_MAX);
    const incoming = () => ({ spend: [world.give({ '2:9': 1n })] });
    const bad = runAll(world, [call('1:0', 0)], { ...incoming(), witnesses: [badCode] });
    expect(bad.messages[0].error).toMatch(/^invalid code/);
    const over = runAll(world, [call('1:0', 0)], { ...incoming(), witnesses: [good] });
    expect(over.messages[0]).toMatchObject({
      status: 'REJECTED',
      error: 'sum over u128 on a balance',
      target: '2:1',
      fuelUsed: CREATION_FUEL,
    });
    expect(world.sequence).toBeUndefined();
  });

  it('a created id has its code from its creation on, also inside its first run', () => {
    const tx = makeTx({ witnesses: [good] });
    const view = new TransactionView({ get: () => undefined });
    const allowance = new Allowance(tx);
    view.beginMessage();
    const created = resolveTarget({ block: 1n, tx: 0n }, tx, view, allowance);
    if (!created.ok) throw new Error(created.error);
    expect(created.id).toEqual({ block: 2n, tx: 1n });
    // What a call of itself, and a clone of itself, would find before the message has ended.
    const itself = resolveTarget({ block: 2n, tx: 1n }, tx, view, allowance);
    const clone = resolveTarget({ block: 5n, tx: 1n }, tx, view, allowance);
    expect(itself.ok && itself.program.hash).toBe(created.program.hash);
    expect(clone.ok && [clone.program.hash, clone.id.tx]).toEqual([created.program.hash, 2n]);
    expect(resolveTarget({ block: 3n, tx: 1n }, tx, view, allowance)).toMatchObject({ error: 'the envelope is used' });
    view.dropMessage();
    expect(resolveTarget({ block: 2n, tx: 1n }, tx, view, allowance).ok).toBe(false);
  });
});
