// Every case that docs/lane-rules.md, section 8, names for the lane itself.
import { describe, expect, it } from 'vitest';
import { sheetKey } from '../../src/lane/keys.js';
import { scanBlock } from '../../src/lane/scan.js';
import { laneTransaction } from '../../src/lane/transaction.js';
import { encodeCellpack } from '../../src/protocol/encode.js';
import { concatBytes, readU128, toHex, U128_MAX } from '../../src/util/bytes.js';
import { builtProgram, COINBASE, call, envelope, makeBlock, makeTx, ORDINARY, PROBE, World } from './world.js';

const CODE = (wasm: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(0), wasm);

describe('creations', () => {
  it('5:next naming itself', () => {
    const world = new World();
    const { messages } = world.message(call('5:1', 0));
    expect(messages[0]).toMatchObject({ status: 'REJECTED', error: 'no code to clone', target: undefined });
    expect(world.state.size).toBe(0);
  });

  it('a clone of a clone', () => {
    const world = new World();
    world.deploy();
    expect(world.message(call('5:1', 4, 0)).messages[0]).toMatchObject({ status: 'OK', target: '2:2' });
    expect(world.message(call('5:2', 4, 0)).messages[0]).toMatchObject({ status: 'OK', target: '2:3' });
    expect(toHex(world.code('2:3') as Uint8Array)).toBe(toHex(world.code('2:2') as Uint8Array));
    expect(world.code('2:3')?.[0]).toBe(1);
    expect(readU128(world.code('2:3') as Uint8Array, 17)).toBe(1n);
    expect(world.message(call('2:3', 4, 0)).messages[0].status).toBe('OK');
    expect([world.counter('2:1', 0n), world.counter('2:2', 0n), world.counter('2:3', 0n)]).toEqual([0n, 1n, 2n]);
  });

  it('a clone of a reserved id through 6:n', () => {
    const world = new World();
    expect(world.message(call('3:77', 0), { witnesses: [envelope(PROBE)] }).messages[0]).toMatchObject({
      status: 'OK',
      target: '4:77',
    });
    expect(world.sequence).toBeUndefined();
    expect(world.message(call('6:77', 0)).messages[0]).toMatchObject({ status: 'OK', target: '2:1' });
    expect(world.sequence).toBe(2n);
    expect(world.message(call('3:77', 0), { witnesses: [envelope(PROBE)] }).messages[0].error).toBe(
      'the reserved id has code already',
    );
  });

  it('creations that fail by their call', () => {
    const world = new World();
    const outcome = world.message(call('1:0', 1), { witnesses: [envelope(PROBE)] });
    expect(outcome.messages[0]).toMatchObject({ status: 'REVERT', error: 'abort', target: '2:1' });
    expect(world.state.size).toBe(0);
  });

  it('creations that fail by their parcel', () => {
    const world = new World();
    const outcome = world.message(call('1:0', 9, 2, 5, 1), { witnesses: [envelope(PROBE)] });
    expect(outcome.messages[0]).toMatchObject({ status: 'REJECTED', error: 'transfer beyond the balance' });
    expect(world.state.size).toBe(0);
  });

  it('creations that fail by the undoing of the transaction', () => {
    const world = new World();
    const tx = makeTx({
      witnesses: [envelope(PROBE)],
      protostones: [{ pointer: 0, refund: 0, message: call('1:0', 4, 1) }, { message: call('2:1', 0) }],
    });
    const [outcome] = world.run(tx);
    expect(outcome).toMatchObject({ undone: 'message without pointer', messages: [] });
    expect(world.state.size).toBe(0);
    expect(world.deploy()).toBe('2:1');
  });

  it('two envelopes', () => {
    const world = new World();
    world.message(call('1:0', 0), { witnesses: [envelope(PROBE), envelope(builtProgram('mint'))] });
    expect(toHex(world.code('2:1') as Uint8Array)).toBe(toHex(CODE(PROBE)));
    const tx = makeTx({
      witnesses: [concatBytes(envelope(PROBE), envelope(builtProgram('mint')))],
      protostones: [
        { pointer: 0, refund: 0, message: call('1:0', 0) },
        { pointer: 0, refund: 0, message: call('1:0', 0) },
      ],
    });
    expect(world.run(tx)[0].messages.map(({ target, error }) => [target, error])).toEqual([
      ['2:2', undefined],
      [undefined, 'the envelope is used'],
    ]);
    expect(toHex(world.code('2:2') as Uint8Array)).toBe(toHex(CODE(PROBE)));
    expect(world.code('2:3')).toBeUndefined();
  });

  it('an envelope voided halfway', () => {
    const world = new World();
    // OP_CHECKSIG inside the first envelope voids it; the second one stands.
    const voided = envelope(builtProgram('mint')).slice(0, -1);
    const witness = concatBytes(voided, Uint8Array.of(0xac), envelope(PROBE));
    expect(world.message(call('1:0', 0), { witnesses: [witness] }).messages[0].status).toBe('OK');
    expect(toHex(world.code('2:1') as Uint8Array)).toBe(toHex(CODE(PROBE)));
    expect(world.message(call('1:0', 0), { witnesses: [voided] }).messages[0].error).toBe('no envelope');
  });
});

describe('sheets', () => {
  it('a used shadow output named again as a later pointer', () => {
    const world = new World();
    const id = world.deploy();
    const coin = world.give({ '2:9': 50n });
    // n = 3: shadow outputs 4 and 5. The first message fails and refunds to its own shadow output, which is used by
    // then; the second names it as pointer, takes what lies there, and an edict brings part of it to output 1.
    const tx = makeTx({
      spend: [coin],
      protostones: [
        { pointer: 0, refund: 4, message: call(id, 1) },
        {
          pointer: 4,
          refund: 0,
          message: call(id, 0),
          edicts: [{ id: { block: 2n, tx: 9n }, amount: 20n, output: 1n }],
        },
      ],
    });
    const [outcome] = world.run(tx);
    expect(outcome.messages.map(({ status }) => status)).toEqual(['REVERT', 'OK']);
    expect(world.sheet(tx, 1)).toEqual({ '2:9': 20n });
    expect(world.sheet(tx, 0)).toEqual({});
    expect(world.sheet(coin)).toEqual({});
  });

  it('a pointer to the own shadow output', () => {
    const world = new World();
    const id = world.deploy();
    const coin = world.give({ '2:9': 50n });
    const tx = makeTx({
      spend: [coin],
      protostones: [
        {
          pointer: 4,
          refund: 0,
          message: call(id, 11),
          edicts: [{ id: { block: 2n, tx: 9n }, amount: 8n, output: 0n }],
        },
      ],
    });
    expect(world.run(tx)[0].messages[0].status).toBe('OK');
    expect(world.sheet(tx, 0)).toEqual({ '2:9': 8n });
    expect(world.balance('2:9', id)).toBe(0n);
    const plain = makeTx({ spend: [world.give({ '2:9': 5n })], protostones: [{ pointer: 4 }] });
    expect(world.run(plain)[0].undone).toBeUndefined();
    expect([world.sheet(plain, 0), world.sheet(plain, 1)]).toEqual([{}, {}]);
  });

  it('an undone transaction that deletes its sheets', () => {
    const world = new World();
    const coin = world.give({ '2:9': 50n });
    const tx = makeTx({ spend: [coin], protostones: [{ refund: 0, message: call('2:1', 0) }] });
    const [outcome] = world.run(tx);
    expect(outcome.undone).toBe('message without pointer');
    expect([...outcome.writes]).toEqual([[sheetKey(coin.txid, 0), undefined]]);
    expect(world.state.size).toBe(0);
  });

  it('a split over no ordinary output', () => {
    const world = new World();
    const coin = world.give({ '2:9': 50n });
    const split = { id: { block: 2n, tx: 9n }, amount: 0n, output: 2n };
    const tx = makeTx({
      spend: [coin],
      outputs: [Uint8Array.of(0x6a)],
      protostones: [{ pointer: 0, edicts: [split] }],
    });
    expect(world.run(tx)[0].undone).toBeUndefined();
    expect(world.state.size).toBe(0);
    const other = makeTx({
      spend: [world.give({ '2:9': 51n })],
      outputs: [ORDINARY, new Uint8Array(0), Uint8Array.of(0x6a)],
      protostones: [{ pointer: 0, edicts: [{ ...split, output: 4n }] }],
    });
    world.run(other);
    expect([world.sheet(other, 0), world.sheet(other, 1)]).toEqual([{ '2:9': 26n }, { '2:9': 25n }]);
  });
});

describe('u128 overflow at each of the five places', () => {
  const mint = (id: string, amount: bigint): Uint8Array => call(id, 9, 2, 1, amount);

  it('of the inputs: the transaction is undone', () => {
    const world = new World();
    const spend = [world.give({ '2:9': U128_MAX }), world.give({ '2:9': 1n }), world.give({ '2:8': 1n })];
    const [outcome] = world.run(makeTx({ spend, protostones: [{ pointer: 0 }] }));
    expect(outcome.undone).toBe('sum over u128 of the inputs');
    expect(world.state.size).toBe(0);
  });

  it('of an edict: the transaction is undone', () => {
    const world = new World();
    const id = world.deploy();
    const tx = makeTx({
      spend: [world.give({ [id]: 1n })],
      protostones: [
        { pointer: 0 },
        {
          pointer: 1,
          refund: 0,
          message: mint(id, U128_MAX),
          edicts: [{ id: { block: 2n, tx: 1n }, amount: 0n, output: 0n }],
        },
      ],
    });
    expect(world.run(tx)[0].undone).toBe('sum over u128 in an edict');
    expect(world.sheet(tx, 0)).toEqual({});
  });

  it('of the rest to a pointer: the transaction is undone', () => {
    const world = new World();
    const id = world.deploy();
    const tx = makeTx({
      spend: [world.give({ [id]: 1n })],
      protostones: [{ pointer: 0 }, { pointer: 6, refund: 0, message: mint(id, U128_MAX) }, { pointer: 0 }],
    });
    expect(world.run(tx)[0].undone).toBe('sum over u128 at a pointer');
  });

  it('of a refund: the transaction is undone', () => {
    const world = new World();
    const id = world.deploy();
    const tx = makeTx({
      protostones: [
        { pointer: 0, refund: 0, message: mint(id, U128_MAX) },
        { pointer: 6, refund: 0, message: mint(id, U128_MAX) },
        { pointer: 1, refund: 0, message: call(id, 1) },
      ],
    });
    const [outcome] = world.run(tx);
    expect(outcome).toMatchObject({ undone: 'sum over u128 of a refund', messages: [] });
  });

  it("of the incoming onto the contract's balance: the message fails", () => {
    const world = new World();
    const id = world.deploy();
    world.setBalance('2:9', id, U128_MAX);
    const tx = makeTx({
      spend: [world.give({ '2:9': 1n })],
      protostones: [{ pointer: 0, refund: 1, message: call(id, 0) }],
    });
    const [outcome] = world.run(tx);
    expect(outcome.messages[0]).toMatchObject({ status: 'REJECTED', error: 'sum over u128 on a balance', fuelUsed: 0 });
    expect(world.sheet(tx, 1)).toEqual({ '2:9': 1n });
    expect(world.balance('2:9', id)).toBe(U128_MAX);
  });

  it("of a parcel onto the pointer's sheet: the message fails", () => {
    const world = new World();
    const id = world.deploy();
    const tx = makeTx({
      protostones: [
        { pointer: 0, refund: 0, message: mint(id, U128_MAX) },
        { pointer: 0, refund: 1, message: mint(id, 1n) },
      ],
    });
    const [outcome] = world.run(tx);
    expect(outcome.undone).toBeUndefined();
    expect(outcome.messages.map(({ status, error }) => [status, error])).toEqual([
      ['OK', undefined],
      ['REJECTED', 'sum over u128 of a parcel'],
    ]);
    expect(world.sheet(tx, 0)).toEqual({ [id]: U128_MAX });
  });
});

describe('calls', () => {
  it('a coinbase with a message', () => {
    const world = new World();
    const id = world.deploy();
    const outcome = world.message(call(id, 4, 3), { spend: [COINBASE] });
    expect(outcome).toMatchObject({ index: 0, messages: [{ status: 'OK', target: id }] });
    expect(world.counter(id, 3n)).toBe(1n);
  });

  it('data beginning 08c379a0 without abort (a success)', () => {
    const world = new World();
    const id = world.deploy();
    const [message] = world.message(call(id, 19)).messages;
    expect(message).toMatchObject({ status: 'OK', error: undefined });
    expect(message.data).toBe(`08c379a0${Buffer.from('not an error').toString('hex')}`);
  });

  it('abort followed by an endless loop (REVERT), through a whole transaction', () => {
    const world = new World();
    const id = world.deploy();
    const [message] = world.message(call(id, 20)).messages;
    expect(message).toMatchObject({ status: 'REVERT', error: 'abort' });
    expect(message.fuelUsed).toBeLessThan(3_500_000);
  });

  it('own id debited before minting', () => {
    const world = new World();
    const id = world.deploy();
    world.setBalance(id, id, 30n);
    const mint = (amount: bigint): Record<string, bigint> => {
      const tx = makeTx({ protostones: [{ pointer: 0, refund: 0, message: call(id, 9, 2, 1, amount) }] });
      expect(world.run(tx)[0].messages[0].status).toBe('OK');
      return world.sheet(tx, 0);
    };
    expect(mint(10n)).toEqual({ [id]: 10n });
    expect(world.balance(id, id)).toBe(20n);
    expect(mint(25n)).toEqual({ [id]: 25n });
    expect(world.balance(id, id)).toBe(0n);
    expect(mint(5n)).toEqual({ [id]: 5n });
  });

  it('calldata of exactly 15 bytes without padding', () => {
    const world = new World();
    world.deploy();
    const message = encodeCellpack({ block: 8n, tx: 8n }, [2, 1, ...Array.from({ length: 11 }, (_, i) => i + 1)]);
    expect(message.length).toBe(15);
    const inputsOf = (bytes: Uint8Array): bigint[] => {
      const block = makeBlock([makeTx({ protostones: [{ pointer: 0, refund: 0, message: bytes }] })]);
      const reader = { get: (key: string) => world.state.get(key) };
      const step = laneTransaction(scanBlock(block, reader)[0], world.context(block), reader).next();
      if (step.done) throw new Error('no call');
      const { context } = step.value;
      return Array.from({ length: context.length / 16 - 6 }, (_, i) => readU128(context, (6 + i) * 16));
    };
    expect(inputsOf(message)).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n, 11n]);
    expect(inputsOf(encodeCellpack({ block: 8n, tx: 8n }, [2, 1, 7]))).toEqual([7n, ...new Array(10).fill(0n)]);
  });
});
