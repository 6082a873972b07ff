// The call tree of a receipt (docs/lane-rules.md, section 9).
import { describe, expect, it } from 'vitest';
import { IN_TURN, makeReceipt, RECEIPT_CALLS } from '../../../src/lane/receipt.js';
import { decodeReceipt, encodeReceipt } from '../../../src/lane/receipt-bytes.js';
import type { LaneOutcome } from '../../../src/lane/types.js';
import { prepareProgram } from '../../../src/program/prepare.js';
import { call, makeTx, World } from '../world.js';
import { ABORT, ACTOR, balance, callsProgram, makeCall, put, type Script, transfer } from './actor.js';

const HOW = { ...IN_TURN, colour: 1, executor: 'cpu', reason: 'batch' } as const;

function setUp() {
  const world = new World();
  const a = world.deploy(ACTOR);
  const b = world.deploy(ACTOR);
  const act = (...steps: Script[]): LaneOutcome => world.message(call(a, ...steps.flat()));
  return { world, a, b, act };
}

describe('the call tree of a receipt', () => {
  it('has one entry per frame below the message’s, in call order', () => {
    const { a, b, act } = setUp();
    const inner = makeCall('staticcall', a, [balance(a, a), transfer('2:1', 0n)]);
    const [message] = act(
      makeCall('call', b, [inner], { parcel: [[a, 3n]] }),
      makeCall('delegatecall', b, [put(1, 1), transfer('7:7', 9n), transfer('7:7', 9n)]),
    ).messages;
    const codeHash = prepareProgram(ACTOR).hash;
    const common = { codeHash, status: 'OK' };
    expect(message.callTotal).toBe(3);
    expect(message.calls).toMatchObject([
      { ...common, depth: 1, kind: 'call', target: b, opcode: '3', parcel: 1, transfers: 0, dataBytes: 32 },
      { ...common, depth: 2, kind: 'staticcall', target: a, opcode: '9', parcel: 0, transfers: 1, dataBytes: 16 },
      { ...common, depth: 1, kind: 'delegatecall', target: b, opcode: '1', parcel: 0, transfers: 2, dataBytes: 0 },
    ]);
  });

  it('fuel is without that of the frames below, whose calls their callers pay', () => {
    const { a, act } = setUp();
    const alone = act(makeCall('call', a, [balance(a, a)])).messages[0];
    const deeper = act(makeCall('call', a, [makeCall('call', a, [balance(a, a)])])).messages[0];
    const [outer, inner] = deeper.calls.map(({ fuelUsed }) => fuelUsed);
    expect(inner).toBe(alone.calls[0].fuelUsed);
    const { entryFuel } = prepareProgram(ACTOR);
    expect(outer).toBeGreaterThan(entryFuel + 5_000);
    expect(deeper.fuelUsed).toBeGreaterThan(outer + inner + entryFuel + 5_000);
  });

  it('is there for a message that failed, and gone for a transaction that was undone', () => {
    const { a, act, world } = setUp();
    expect(act(makeCall('call', a, []), ABORT).messages[0]).toMatchObject({ status: 'REVERT', callTotal: 1 });
    const message = call(a, ...makeCall('call', a, []));
    const edicts = [{ id: { block: 0n, tx: 5n }, amount: 1n, output: 0n }];
    const [undone] = world.run(makeTx({ protostones: [{ pointer: 0, refund: 0, message, edicts }] }));
    expect(undone.messages).toEqual([]);
  });

  it('keeps the first 256 entries of all messages and counts the others', () => {
    const world = new World();
    const id = world.deploy(callsProgram('burner'));
    const message = { pointer: 0, refund: 0, message: call(id, 4, 150) };
    const [outcome] = world.run(makeTx({ padding: 150_000, protostones: [message, message, message] }));
    expect(outcome.messages.map(({ status }) => status)).toEqual(['OK', 'OK', 'OK']);
    expect(outcome.messages.map(({ callTotal }) => callTotal)).toEqual([150, 150, 150]);
    expect(outcome.messages.map(({ calls }) => calls.length)).toEqual([150, RECEIPT_CALLS - 150, 0]);
    const stored = encodeReceipt(makeReceipt(9, outcome, HOW));
    expect(stored.length).toBeLessThan(30_000);
  });

  it('comes back from the bytes that are stored as it was', () => {
    const { a, b, act } = setUp();
    const outcome = act(makeCall('call', b, [put(1, 1)]), makeCall('call', a, [], { parcel: [[a, 2n]] }));
    const receipt = makeReceipt(9, outcome, HOW);
    const bytes = encodeReceipt(receipt);
    expect(decodeReceipt(bytes)).toStrictEqual(receipt);
    expect(receipt.messages[0].calls[1].opcode).toBeUndefined();
    // A receipt that ends where its calls begin is one of a message without calls.
    const messages = receipt.messages.map((message) => ({ ...message, calls: [], callTotal: 0 }));
    const without = encodeReceipt({ ...receipt, messages }).length;
    for (let end = 0; end < bytes.length; end++) {
      if (end !== without) expect(() => decodeReceipt(bytes.subarray(0, end))).toThrow(RangeError);
    }
  });

  it('receipts of messages without calls have the bytes that they had before there were any', () => {
    const { act } = setUp();
    const receipt = makeReceipt(9, act(put(1, 1)), HOW);
    const bytes = encodeReceipt(receipt);
    expect(receipt.messages[0]).toMatchObject({ calls: [], callTotal: 0 });
    expect(decodeReceipt(bytes)).toStrictEqual(receipt);
    // Head, one message with its target, no text, no data; two lists of keys.
    const head = 4 + 4 + 32 + 1 + 1 + 4 + 4 + 2 + 2;
    const message = 4 + 4 + 1 + 33 + 2 + 4 + 4 + 2;
    const keys = [...receipt.reads, ...receipt.writes].reduce((sum, key) => sum + 2 + key.length / 2, 0);
    expect(bytes.length).toBe(head + message + 2 * (4 + 1 + 2) + keys);
  });
});
