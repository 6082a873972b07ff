// Rules of docs/lane-rules.md, sections 1 and 2, that have no case of their own in section 8.
import { describe, expect, it } from 'vitest';
import { scanBlock } from '../../src/lane/scan.js';
import { encodeCellpack, encodeRunestone, packChunks } from '../../src/protocol/encode.js';
import { EMPTY_BYTES } from '../../src/util/bytes.js';
import { call, makeBlock, makeTx, ORDINARY, World } from './world.js';

const CENOTAPH = Uint8Array.of(0x6a, 0x5d, 2, 0x16, 2);
const UNDECODABLE = encodeRunestone({ rawFields: packChunks(Uint8Array.of(1, 40, 1)).map((v) => [16383, v] as const) });
const ASSET = { block: 2n, tx: 9n };

describe('which transactions are lane transactions', () => {
  const lane = (world: World, ...txs: ReturnType<typeof makeTx>[]): number[] =>
    scanBlock(makeBlock(txs), { get: (key) => world.state.get(key) }).map(({ index }) => index);

  it('those with a tag-1 protostone, with or without a message, and no other tag', () => {
    const world = new World();
    const txs = [
      makeTx(),
      makeTx({ protostones: [{ pointer: 0 }] }),
      makeTx({ protostones: [{ pointer: 0, protocolTag: 2n }] }),
      makeTx({ protostones: [{ protocolTag: 2n }, { message: call('2:1', 0) }] }),
      makeTx({ runestone: CENOTAPH }),
      makeTx({ runestone: UNDECODABLE }),
    ];
    expect(lane(world, ...txs)).toEqual([1, 3]);
  });

  it('those that spend an outpoint with a lane sheet', () => {
    const world = new World();
    expect(lane(world, makeTx({ spend: [world.give({ '2:1': 1n })] }), makeTx())).toEqual([0]);
  });

  it('those that spend an output of another lane transaction of the block, recursively', () => {
    const world = new World();
    const first = makeTx({ protostones: [{ pointer: 0 }] });
    const second = makeTx({ spend: [{ txid: first.txid, vout: 2 }] });
    const third = makeTx({ spend: [{ txid: second.txid, vout: 1 }], runestone: CENOTAPH });
    const plain = makeTx();
    const other = makeTx({ spend: [{ txid: plain.txid, vout: 0 }] });
    expect(lane(world, first, plain, second, other, third)).toEqual([0, 2, 4]);
  });

  it.each([
    ['a plain payment', undefined],
    ['a cenotaph', CENOTAPH],
    ['a protocol field that does not decode', UNDECODABLE],
  ])('%s destroys the assets it spends and does nothing else', (_, runestone) => {
    const world = new World();
    const tx = makeTx({ spend: [world.give({ '2:1': 1n })], runestone });
    const [outcome] = world.run(tx);
    expect(outcome).toMatchObject({ undone: undefined, messages: [] });
    expect(world.state.size).toBe(0);
  });

  it('without a tag-1 protostone edicts are not looked at', () => {
    const world = new World();
    const edicts = [{ id: { block: 0n, tx: 1n }, amount: 1n, output: 0n }];
    const tx = makeTx({ spend: [world.give({ '2:1': 1n })], protostones: [{ protocolTag: 2n, edicts }] });
    expect(world.run(tx)[0].undone).toBeUndefined();
  });
});

describe('checks of a message, in order', () => {
  it.each([
    ['message without pointer', { refund: 0 }],
    ['message without refund', { pointer: 0 }],
    ['pointer out of range', { pointer: 5, refund: 0 }],
    ['refund out of range', { pointer: 0, refund: 5 }],
  ])('%s undoes the transaction, whatever its target', (undone, fields) => {
    const world = new World();
    for (const message of [Uint8Array.of(0x80), encodeCellpack({ block: 2n, tx: 0n }, [77])]) {
      expect(world.run(makeTx({ protostones: [{ ...fields, message }] }))[0].undone).toBe(undone);
    }
  });

  it('pointer and refund up to n + the number of protostones are in range', () => {
    const world = new World();
    const id = world.deploy();
    for (const pointer of [3, 4]) {
      const protostones = [{ pointer, refund: pointer, message: call(id, 0) }];
      expect(world.run(makeTx({ protostones }))[0]).toMatchObject({ undone: undefined, messages: [{ status: 'OK' }] });
    }
  });

  it('pointer and refund are cut to 32 bits before any check', () => {
    const world = new World();
    const id = world.deploy();
    const protostones = [{ pointer: 2n ** 40n + 1n, refund: 2n ** 32n, message: call(id, 9, 2, 1, 5) }];
    const tx = makeTx({ protostones });
    expect(world.run(tx)[0].messages[0].status).toBe('OK');
    expect(world.sheet(tx, 1)).toEqual({ [id]: 5n });
  });

  it('a shadow output at n + 100 or above undoes the transaction', () => {
    const world = new World();
    const id = world.deploy();
    const protostones = (count: number) => [
      ...new Array(count).fill({ pointer: 0 }),
      { pointer: 0, refund: 0, message: call(id, 0) },
    ];
    expect(world.run(makeTx({ protostones: protostones(98) }))[0].undone).toBeUndefined();
    expect(world.run(makeTx({ protostones: protostones(99) }))[0].undone).toBe('too many protostones before a message');
  });

  it('bad calldata, another target and the start height fail the message and refund it', () => {
    const world = new World();
    world.laneStartHeight = 1_000;
    const cases: [Uint8Array, string, string][] = [
      [new Uint8Array(15).fill(0xff), 'REJECTED', 'bad calldata'],
      [encodeCellpack({ block: 2n, tx: 0n }, [77]), 'STANDARD', 'the target is not 8:8'],
      [call('2:1', 0), 'REJECTED', 'below the lane start height'],
    ];
    for (const [message, status, error] of cases) {
      const spend = [world.give({ '2:9': 7n })];
      const tx = makeTx({ spend, protostones: [{ pointer: 0, refund: 1, message }] });
      expect(world.run(tx)[0].messages[0]).toMatchObject({ status, error, fuelUsed: 0 });
      expect(world.sheet(tx, 1)).toEqual({ '2:9': 7n });
    }
  });

  it('below the start height edicts and pointers apply all the same', () => {
    const world = new World();
    world.laneStartHeight = 1_000;
    const edicts = [{ id: ASSET, amount: 2n, output: 1n }];
    const tx = makeTx({ spend: [world.give({ '2:9': 7n })], protostones: [{ pointer: 0, edicts }] });
    world.run(tx);
    expect([world.sheet(tx, 0), world.sheet(tx, 1)]).toEqual([{ '2:9': 5n }, { '2:9': 2n }]);
  });
});

describe('sheets, edicts, pointers', () => {
  it('the incoming assets go to the first protostone with tag 1', () => {
    const world = new World();
    const tx = makeTx({
      spend: [world.give({ '2:9': 7n }), world.give({ '2:9': 1n, '2:8': 2n })],
      protostones: [{ protocolTag: 2n, pointer: 1 }, { pointer: 0 }, { pointer: 1 }],
    });
    world.run(tx);
    expect([world.sheet(tx, 0), world.sheet(tx, 1)]).toEqual([{ '2:8': 2n, '2:9': 8n }, {}]);
  });

  it.each([[3], [4], [4294967295]])(
    'a protostone without message may have pointer %i: the assets are lost, no error',
    (pointer) => {
      const world = new World();
      const tx = makeTx({ spend: [world.give({ '2:9': 7n })], protostones: [{ pointer }] });
      expect(world.run(tx)[0].undone).toBeUndefined();
      expect(world.state.size).toBe(0);
    },
  );

  it('a protostone without pointer: the rest goes to the first output that is not OP_RETURN', () => {
    const world = new World();
    const tx = makeTx({
      spend: [world.give({ '2:9': 7n })],
      outputs: [Uint8Array.of(0x6a), EMPTY_BYTES, ORDINARY],
      protostones: [{}],
    });
    world.run(tx);
    expect(world.sheet(tx, 1)).toEqual({ '2:9': 7n });
  });

  it('a refund to a later shadow output is the incoming of that protostone', () => {
    const world = new World();
    const id = world.deploy();
    const tx = makeTx({
      spend: [world.give({ '2:9': 7n })],
      protostones: [
        { pointer: 0, refund: 5, message: call(id, 1) },
        { pointer: 1, refund: 0, message: call(id, 11) },
      ],
    });
    expect(world.run(tx)[0].messages.map(({ status }) => status)).toEqual(['REVERT', 'OK']);
    expect(world.sheet(tx, 1)).toEqual({ '2:9': 7n });
  });

  it.each([[4], [5]])(
    'a refund to the own or an earlier shadow output (%i of the second message) is lost',
    (refund) => {
      const world = new World();
      const id = world.deploy();
      const tx = makeTx({
        spend: [world.give({ '2:9': 7n })],
        protostones: [{ pointer: 5 }, { pointer: 0, refund, message: call(id, 1) }],
      });
      expect(world.run(tx)[0]).toMatchObject({ undone: undefined, messages: [{ status: 'REVERT' }] });
      expect([world.sheet(tx, 0), world.sheet(tx, 1)]).toEqual([{}, {}]);
    },
  );

  it('after a successful message the working sheet is all that is on output `pointer`, from others too', () => {
    const world = new World();
    const id = world.deploy();
    const tx = makeTx({
      spend: [world.give({ '2:9': 7n })],
      protostones: [
        { pointer: 0 },
        { pointer: 0, refund: 0, message: call(id, 0), edicts: [{ id: ASSET, amount: 3n, output: 1n }] },
      ],
    });
    world.run(tx);
    expect([world.sheet(tx, 0), world.sheet(tx, 1)]).toEqual([{ '2:9': 4n }, { '2:9': 3n }]);
  });

  it('edicts of a failed message are skipped and not checked', () => {
    const world = new World();
    const id = world.deploy();
    const edicts = [{ id: { block: 0n, tx: 1n }, amount: 1n, output: 0n }];
    const protostones = (opcode: number) => [{ pointer: 0, refund: 0, message: call(id, opcode), edicts }];
    expect(world.run(makeTx({ protostones: protostones(1) }))[0].undone).toBeUndefined();
    expect(world.run(makeTx({ protostones: protostones(0) }))[0].undone).toBe('edict id 0:x with x over 0');
  });

  it('key 81 with zeros only is a message; no key 81 is none', () => {
    const world = new World();
    const zeros = world.run(makeTx({ protostones: [{ pointer: 0, refund: 0, rawFields: [[81, 0]] }] }))[0];
    expect(zeros.messages[0]).toMatchObject({ status: 'STANDARD', target: '0:0' });
    expect(world.run(makeTx({ protostones: [{ pointer: 0, refund: 0 }] }))[0].messages).toEqual([]);
  });
});
