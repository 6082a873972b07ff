// Built-in contracts (docs/lane-rules.md, section 9).
import { describe, expect, it } from 'vitest';
import { prepareProgram } from '../../../src/program/prepare.js';
import type { CallKind } from '../../../src/program/types.js';
import { fromHex, toHex, u128Bytes } from '../../../src/util/bytes.js';
import { call, envelope, makeBlock, makeTx, PROBE, World } from '../world.js';
import { ACTOR, makeCall, put, RETURNED, type Script, stored, TRAP } from './actor.js';
import { CALLER_INSTRUCTIONS, CALLER_RESULT, caller, numberBytes, place } from './by-hand.js';

const A = '2:1';
const KINDS: readonly CallKind[] = ['call', 'delegatecall', 'staticcall'];
const id = (k: number): string => `800000000:${k}`;
const logged = (bytes: Uint8Array): string => toHex(u128Bytes(BigInt(bytes.length))) + toHex(bytes);

function worldOfOne(): World {
  const world = new World();
  world.deploy(ACTOR);
  return world;
}

describe('the built-ins in all three kinds', () => {
  it.each(KINDS)('%s: the header, the coinbase with its witness, the sum of its outputs', (kind) => {
    const world = worldOfOne();
    // Three outputs of 546; the first transaction of the block is its coinbase.
    const coinbase = makeTx({ witnesses: [envelope(PROBE)], protostones: [] });
    const tx = makeTx({
      protostones: [
        { pointer: 0, refund: 0, message: call(A, ...[0, 1, 3].flatMap((k) => makeCall(kind, id(k), []))) },
      ],
    });
    const block = makeBlock([coinbase, tx]);
    const [{ messages }] = world.run(coinbase, tx);
    expect(messages[0]).toMatchObject({ status: 'OK', callTotal: 0 });
    const sum = u128Bytes(546n * BigInt(coinbase.outputs.length));
    const data = logged(block.raw.subarray(0, 80)) + logged(coinbase.raw) + logged(sum);
    // A receipt keeps the first 4,096 bytes.
    expect(messages[0].dataBytes).toBe(data.length / 2);
    expect(messages[0].data).toBe(data.slice(0, 8_192));
    expect(coinbase.raw.length).toBeGreaterThan(1_000);
  });

  it('return data are a count of 0 and the data; there is no entry in the call tree', () => {
    const world = worldOfOne();
    const { data, callTotal } = world.message(call(A, ...makeCall('call', id(3), []), ...RETURNED)).messages[0];
    expect(fromHex(data).at(-16)).toBe(32);
    expect(callTotal).toBe(0);
  });

  it('parcel and checkpoint are paid and ignored, inputs ignored', () => {
    const world = worldOfOne();
    const options = { parcel: [['9:9', 5n] as const], checkpoint: [[1, 1] as const] };
    const outcome = world.message(call(A, ...makeCall('call', id(0), [put(2, 2)], options)));
    expect(outcome.messages[0].status).toBe('OK');
    expect([stored(world, A, 1), stored(world, A, 2)]).toEqual([0n, 0n]);
    expect([...outcome.reads.keys()].some((key) => key.startsWith('balance/'))).toBe(false);
    const plain = world.message(call(A, ...makeCall('call', id(0), []))).messages[0];
    expect(outcome.messages[0].fuelUsed - plain.fuelUsed).toBeGreaterThan(500 + 5_000);
  });

  it('cost 1,000 and 1 per started 8 bytes beside the call', () => {
    const world = worldOfOne();
    const wasm = caller({ cellpack: numberBytes(800_000_000, 0) }).bytes();
    place(world, A, wasm);
    const [message] = world.message(call(A, 0)).messages;
    const paid = prepareProgram(wasm).entryFuel + CALLER_INSTRUCTIONS + CALLER_RESULT;
    expect(message.fuelUsed - paid).toBe(5_100 + 400 + 6 + 1_000 + 10);
  });

  it('are no frames: allowed at depth 32', () => {
    const world = worldOfOne();
    const nested = (depth: number): Script =>
      depth === 0 ? makeCall('call', id(3), []) : makeCall('call', A, [nested(depth - 1)]);
    expect(world.message(call(A, ...nested(32))).messages[0]).toMatchObject({ status: 'OK', callTotal: 32 });
    expect(world.message(call(A, ...nested(33))).messages[0]).toMatchObject({ error: 'call-depth' });
  });

  it.each([2, 4])('there is no 800000000:%i: REJECTED, after the charge of the call', (k) => {
    const world = worldOfOne();
    const [message] = world.message(call(A, ...makeCall('call', id(k), []), ...TRAP)).messages;
    expect(message).toMatchObject({ status: 'REJECTED', error: 'no code at the target', callTotal: 0 });
    expect(message.fuelUsed).toBeGreaterThan(10_000);
  });

  it('are no targets of messages', () => {
    expect(worldOfOne().message(call(id(0), 0)).messages[0]).toMatchObject({ status: 'REJECTED' });
  });
});
