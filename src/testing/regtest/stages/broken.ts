import type { MessageStatus } from '../../../lane/types.js';
import { encodeRunestone } from '../../../protocol/encode.js';
import type { AlkaneId } from '../../../protocol/types.js';
import { fromHex } from '../../../util/bytes.js';
import { call, edict, id, laneMessage, type Stone } from '../messages.js';
import { AMM, CLAIM, MINT, PROBE, type World } from './world.js';

/** Messages that end in every status, with and without assets to refund. */
export function failureStage({ director }: World): void {
  const probe = (kind: string, expect: MessageStatus, ...inputs: (bigint | number)[]) =>
    director.send({ kind, stones: [call(PROBE, inputs)], expect: [expect] });
  for (let i = 0; i < 6; i++) {
    probe('revert', 'REVERT', 1);
    probe('trap', 'TRAP', 2);
    probe('out of fuel', 'OUT_OF_FUEL', 3);
    probe('division by zero', 'TRAP', 12, 0);
    probe('division', 'OK', 12, 7 + i);
    probe('load out of bounds', 'TRAP', 13, 1_000 * i);
    probe('abort, then an endless loop', 'REVERT', 20);
    probe('unknown opcode', 'REVERT', 55 + i);
    probe('loop', 'OK', 10, 2_000 * (i + 1));
    probe('bad result pointer', 'REJECTED', 7, [0, 1, 0xffffffff][i % 3]);
    probe('data 08c379a0 without abort', 'OK', 19);
    probe('own asset minted', 'OK', 9, PROBE.block, PROBE.tx, 50 + i);
    probe('transfer beyond the balance', 'REJECTED', 9, CLAIM.block, CLAIM.tx, 1n << 90n);
  }
  probe('loop out of fuel', 'OUT_OF_FUEL', 10, 0x7fffffff);
  director.seal();
  const nowhere = [id(2, 0), id(2, 900), id(4, 1), id(32, 0), id(7, 1), id(0, 5), id(1, 3), id(800_000_000, 0)];
  for (const target of nowhere) {
    director.send({ kind: 'target without code', stones: [call(target, [77])], expect: ['REJECTED'] });
  }
  const statuses: [number, MessageStatus][] = [
    [1, 'REVERT'],
    [2, 'TRAP'],
    [3, 'OUT_OF_FUEL'],
    [7, 'REJECTED'],
  ];
  for (const [opcode, status] of statuses) {
    for (const asset of [CLAIM, MINT]) {
      const spend = [director.spendHolding(asset)];
      const stones = [call(PROBE, [opcode], { refund: 1 })];
      const tx = director.send({ kind: 'failure refunds the incoming', spend, outputs: 2, stones, expect: [status] });
      director.hold(tx, 1, asset);
    }
  }
  director.seal();
}

/** Cenotaphs, malformed protostones, messages and calldata; most of them spend assets, which they destroy or refund. */
export function malformedStage(world: World): void {
  const { director } = world;
  const assets: AlkaneId[] = [CLAIM, MINT];
  const asset = () => director.spendHolding(director.random.pick(assets));
  for (let i = 0; i < 2; i++) {
    const minting = [call(MINT, [77])];
    const cenotaphs: [string, Uint8Array][] = [
      ['even tag', encodeRunestone({ rawFields: [[126, 0]], protostones: minting })],
      ['edict output', encodeRunestone({ protostones: minting, edicts: [{ id: id(1, 1), amount: 1n, output: 9 }] })],
      ['opcode', fromHex('6a5d0151')],
      ['push past the end', fromHex('6a5d051401')],
      ['varint', fromHex('6a5d0181')],
      ['truncated field', fromHex('6a5d03010203')],
    ];
    for (const [flaw, script] of cenotaphs)
      director.send({ kind: `cenotaph: ${flaw}`, spend: [asset()], script, expect: [] });
    director.send({ kind: 'cenotaph without assets', script: cenotaphs[0][1] });

    // A protocol field that does not decode: no protostones, so the assets are destroyed and nothing else happens.
    const raw = encodeRunestone({ rawFields: [[16383, (1n << 120n) - 1n]] });
    director.send({ kind: 'protocol field with a bad varint', spend: [asset()], script: raw, expect: [] });
    director.send({
      kind: 'protostone longer than the field',
      spend: [asset()],
      stones: [call(MINT, [77], { length: 60n })],
      expect: [],
    });
    director.send({
      kind: 'runestone without protocol field',
      spend: [asset()],
      script: encodeRunestone({ pointer: 0 }),
    });
    director.send({
      kind: 'protostone of another tag',
      spend: [asset()],
      stones: [{ ...minting[0], protocolTag: 2n }],
    });
    brokenMessages(world, asset);
    director.seal();
    calldata(world);
    looseEnds(world);
    director.seal();
  }
}

/** Pointer and refund are checked before the message runs: the transaction is undone, its sheets are gone. */
function brokenMessages({ director }: World, asset: () => ReturnType<World['director']['spendHolding']>): void {
  const message = laneMessage(MINT, [77]);
  const broken: [string, Stone[]][] = [
    ['message without pointer', [{ message, refund: 0 }]],
    ['message without refund', [{ message, pointer: 0 }]],
    ['pointer out of range', [call(MINT, [77], { pointer: 4 })]],
    ['refund out of range', [call(MINT, [77], { refund: 0xffffffff })]],
    ['later message undoes the earlier', [call(MINT, [77]), { message, pointer: 0 }]],
    ['edict of 0:1', [{ pointer: 0, edicts: [edict(id(0, 1), 5, 0)] }]],
  ];
  for (const [kind, stones] of broken) director.send({ kind, spend: [asset()], stones, undone: true });
  const many = Array.from({ length: 99 }, (): Stone => ({ protocolTag: 2n, pointer: 0 }));
  director.send({ kind: 'shadow output beyond 100', stones: [...many, call(MINT, [77])], undone: true });
}

/** Messages whose bytes are no cellpack, or one for the other lane: they fail, the incoming is refunded. */
function calldata({ director }: World): void {
  const bytes = (...list: number[]) => Uint8Array.from(list);
  const broken: [string, Uint8Array][] = [
    ['calldata ends inside a number', bytes(8, 8, 2, 4, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x80)],
    ['calldata of one number', bytes(...Array.from({ length: 14 }, () => 0x81), 1)],
    ['calldata with a number over u128', bytes(...Array.from({ length: 30 }, () => 0xff))],
  ];
  for (const [kind, message] of broken) {
    const tx = director.send({
      kind,
      spend: [director.spendHolding(CLAIM)],
      outputs: 2,
      stones: [{ message, pointer: 0, refund: 1 }],
    });
    director.hold(tx, 1, CLAIM);
  }
  director.send({
    kind: 'calldata of exactly 15 bytes',
    stones: [{ message: bytes(8, 8, 2, 4, 4, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0), pointer: 0, refund: 0 }],
    expect: ['OK'],
  });
  director.send({
    kind: 'prefix without target',
    stones: [{ message: bytes(8, 8), pointer: 0, refund: 0 }],
    expect: ['REJECTED'],
  });
  for (const target of [bytes(2, 0, 77), bytes(8, 9, 2, 3, 77), bytes(2, 3, 77)]) {
    const tx = director.send({
      kind: 'message to the standard lane',
      spend: [director.spendHolding(CLAIM)],
      stones: [{ message: target, pointer: 0, refund: 0 }],
      expect: ['STANDARD'],
    });
    director.hold(tx, 0, CLAIM);
  }
  director.send({
    kind: 'message to the standard lane',
    stones: [{ message: bytes(2, 0, 77), pointer: 0, refund: 0 }],
    expect: ['STANDARD'],
  });
}

/** Assets that go nowhere or a long way round, and payments that know nothing of the lane. */
function looseEnds({ director }: World): void {
  const spend = () => [director.spendHolding(CLAIM)];
  // One ordinary output and the runestone: n = 2, shadow outputs from 3.
  for (const pointer of [2, 3, 40, 0xffffffff]) {
    director.send({ kind: 'pointer to nowhere', spend: spend(), stones: [{ pointer, burn: 7n }] });
  }
  director.send({ kind: 'protostone without pointer', spend: spend(), stones: [{ from: 0 }] });
  director.send({
    kind: 'refund to the own shadow output',
    spend: spend(),
    stones: [call(PROBE, [1], { refund: 3 })],
    expect: ['REVERT'],
  });
  director.send({
    kind: 'pointer to the own shadow output',
    spend: spend(),
    stones: [call(PROBE, [11], { pointer: 3 })],
    expect: ['OK'],
  });
  director.send({
    kind: 'refund to a later shadow output',
    spend: spend(),
    stones: [call(PROBE, [1], { refund: 4 }), call(AMM, [3, 2, 0])],
    expect: ['REVERT', 'OK'],
  });
  director.send({
    kind: 'used shadow output as a later pointer',
    spend: spend(),
    stones: [call(PROBE, [11], { pointer: 4 }), call(PROBE, [11], { pointer: 3 })],
    expect: ['OK', 'OK'],
  });
  director.send({
    kind: 'several messages',
    stones: [call(MINT, [77], { pointer: 4 }), call(AMM, [3, 3, 0], { pointer: 5 }), call(PROBE, [11])],
    expect: ['OK', 'OK', 'OK'],
  });
  director.send({
    kind: 'several messages',
    stones: [call(PROBE, [4, 9]), call(PROBE, [2]), call(PROBE, [4, 9])],
    expect: ['OK', 'TRAP', 'OK'],
  });
  for (let i = 0; i < 4; i++) director.send({ kind: 'plain payment destroys', spend: [director.spendHolding(CLAIM)] });
  const parent = director.send({ kind: 'mint', stones: [call(MINT, [77])], outputs: 2, expect: ['OK'] });
  const [, second] = parent.coins;
  if (second) director.send({ kind: 'child without assets', spend: [second] });
}
