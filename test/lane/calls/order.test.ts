// The order of a call, its checks and its prices (docs/lane-rules.md, section 9).
import { describe, expect, it } from 'vitest';
import { prepareProgram } from '../../../src/program/prepare.js';
import type { CallKind } from '../../../src/program/types.js';
import { concatBytes, EMPTY_BYTES, u32Bytes, u128Bytes } from '../../../src/util/bytes.js';
import { call, envelope, PROBE, World } from '../world.js';
import {
  CALLER_INSTRUCTIONS,
  CALLER_RESULT,
  caller,
  type HandMade,
  NO_CHECKPOINT,
  NO_PARCEL,
  numberBytes,
  place,
  quiet,
  storageMap,
} from './by-hand.js';

const KINDS: readonly CallKind[] = ['call', 'delegatecall', 'staticcall'];
/** The contract that is called, deployed first. */
const TARGET = numberBytes(2, 1);

/** Calls as `made` says, a quiet contract if nothing else. */
function run(made: Partial<HandMade>, spec = {}) {
  const world = new World();
  world.deploy(quiet().bytes());
  const wasm = caller({ cellpack: TARGET, ...made }).bytes();
  // Its creation runs it: what is wrong with its call would undo it.
  place(world, '4:1', wasm);
  const outcome = world.message(call('4:1', 0), spec);
  const [message] = outcome.messages;
  const paid = prepareProgram(wasm).entryFuel + CALLER_INSTRUCTIONS;
  const below = message.calls.reduce((sum, { fuelUsed }) => sum + fuelUsed, 0);
  return { message, outcome, world, own: message.fuelUsed - paid - below };
}

/** What the call cost its caller. */
function price(made: Partial<HandMade>, spec = {}): number {
  const { message, own } = run(made, spec);
  expect(message.status).toBe('OK');
  return own - CALLER_RESULT;
}

describe('buffers of a call', () => {
  it.each(KINDS)('%s: a bad one is a REVERT that costs nothing, and nothing is done', (kind) => {
    for (const bad of [{ cellpack: 3 }, { parcel: -1 }, { checkpoint: 2 ** 17 + 1 }]) {
      const { message, outcome, own } = run({ kind, ...bad });
      expect(message).toMatchObject({ status: 'REVERT', error: 'bad-pointer', callTotal: 0 });
      expect(own).toBe(0);
      expect(outcome.writes.size).toBe(0);
    }
  });

  const over = concatBytes(u32Bytes(4_097), new Uint8Array(8 * 4_097));
  it.each<[string, Partial<HandMade>]>([
    ['a call with 0 bytes of cellpack', { cellpack: EMPTY_BYTES }],
    ['a cellpack of one number and 15 bytes', { cellpack: TARGET.subarray(0, 31) }],
    ['a parcel without its 16 count bytes', { parcel: new Uint8Array(15) }],
    ['a parcel with fewer triples than it says', { parcel: concatBytes(numberBytes(2), new Uint8Array(95)) }],
    ['a parcel of 1,025 triples', { parcel: concatBytes(numberBytes(1_025), new Uint8Array(1_025 * 48)) }],
    ['a parcel of more than 2^32', { parcel: numberBytes(2n ** 32n) }],
    ['a checkpoint of 3 bytes', { checkpoint: new Uint8Array(3) }],
    ['a checkpoint with fewer entries than it says', { checkpoint: u32Bytes(1) }],
    ['a checkpoint with a key of 1,025 bytes', { checkpoint: storageMap([new Uint8Array(1_025), EMPTY_BYTES]) }],
    ['a checkpoint of 4,097 entries', { checkpoint: over }],
  ])('%s: REVERT, and nothing is paid', (_, made) => {
    const { message, own } = run(made);
    expect(message).toMatchObject({ status: 'REVERT', error: 'malformed-call', callTotal: 0 });
    expect(own).toBe(0);
  });

  it('a rest of cellpack, parcel or checkpoint is dropped', () => {
    const rest = Uint8Array.of(1, 2, 3);
    const more = { cellpack: concatBytes(TARGET, u128Bytes(7n), rest), parcel: concatBytes(NO_PARCEL, rest) };
    const { message } = run({ ...more, checkpoint: concatBytes(NO_CHECKPOINT, rest) });
    expect(message).toMatchObject({ status: 'OK', calls: [{ opcode: '7', parcel: 0 }] });
    expect(run({ cellpack: concatBytes(TARGET, rest) }).message.calls[0].opcode).toBeUndefined();
  });
});

describe('the price of a call', () => {
  /** 100 and 5,000, 100 per byte of an empty checkpoint, 48 bytes of cellpack and parcel. */
  const LEAST = 100 + 5_000 + 400 + 6;

  it.each(KINDS)('%s: one sum', (kind) => {
    expect(price({ kind })).toBe(LEAST);
  });

  it('1 per started 8 bytes of cellpack and parcel together, dropped ones too', () => {
    expect(price({ cellpack: concatBytes(TARGET, new Uint8Array(1)) })).toBe(LEAST + 1);
    expect(
      price({ cellpack: concatBytes(TARGET, new Uint8Array(4)), parcel: concatBytes(NO_PARCEL, new Uint8Array(4)) }),
    ).toBe(LEAST + 1);
    expect(price({ cellpack: concatBytes(TARGET, new Uint8Array(800)) })).toBe(LEAST + 100);
  });

  it('500 per triple of the parcel, those of nothing included', () => {
    const parcel = concatBytes(numberBytes(2), numberBytes(9, 9, 0), numberBytes(9, 8, 0));
    expect(price({ parcel })).toBe(LEAST + 2 * 500 + 12);
  });

  it('100 per byte of the checkpoint as given, 5,000 per entry as declared', () => {
    const key = Uint8Array.of(1);
    const checkpoint = storageMap([key, Uint8Array.of(2)], [key, EMPTY_BYTES]);
    expect(price({ checkpoint })).toBe(LEAST + 2 * 5_000 + 100 * (10 + 9));
    expect(price({ checkpoint: concatBytes(NO_CHECKPOINT, new Uint8Array(9)) })).toBe(LEAST + 900);
  });

  it('100,000 more for a creation, also where it is refused', () => {
    expect(price({ cellpack: numberBytes(5, 1) })).toBe(LEAST + 100_000);
    expect(price({ cellpack: numberBytes(1, 0) }, { witnesses: [envelope(PROBE)] })).toBe(LEAST + 100_000);
    const refused = run({ cellpack: numberBytes(5, 9) });
    expect(refused.message).toMatchObject({ status: 'REJECTED', error: 'no code to clone' });
    expect(refused.own).toBe(LEAST + 100_000);
    // 1:x with x over 0 is no creation.
    expect(run({ cellpack: numberBytes(1, 5) }).own).toBe(LEAST);
  });

  it('more than there is: OUT_OF_FUEL, before anything is done', () => {
    const { message, outcome } = run({ checkpoint: storageMap([Uint8Array.of(1), new Uint8Array(40_000)]) });
    expect(message).toMatchObject({ status: 'OUT_OF_FUEL', fuelUsed: 3_500_000, callTotal: 0 });
    expect([...outcome.writes.keys(), ...outcome.reads.keys()].filter((key) => key.startsWith('store/'))).toEqual([]);
  });

  it('the last argument is ignored', () => {
    const world = new World();
    world.deploy(quiet().bytes());
    const builder = caller({ cellpack: TARGET });
    const [body] = builder.functions;
    const code = body.code.map((instruction) =>
      instruction.value === 0n ? { ...instruction, value: -1n } : instruction,
    );
    builder.functions = [{ ...body, code }];
    const id = world.deploy(builder.bytes());
    expect(world.message(call(id, 0)).messages[0].status).toBe('OK');
  });
});
