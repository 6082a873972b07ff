// What a message's result does, with contracts that return fixed bytes (docs/lane-rules.md, sections 4 and 5).
import { describe, expect, it } from 'vitest';
import { RECEIPT_DATA_BYTES } from '../../src/lane/receipt.js';
import { parseId } from '../../src/protocol/alkane-id.js';
import { concatBytes, U128_MAX, u32Bytes, u128Bytes } from '../../src/util/bytes.js';
import { i32, WasmBuilder } from '../helpers/wasm-builder.js';
import { call, envelope, makeTx, World } from './world.js';

type Transfer = readonly [id: string, amount: bigint];
type Entry = readonly [key: string, value: string];

function result(transfers: readonly Transfer[], entries: readonly Entry[] = [], data = new Uint8Array(0)): Uint8Array {
  const field = (text: string) => concatBytes(u32Bytes(text.length), Buffer.from(text, 'latin1'));
  return concatBytes(
    u128Bytes(BigInt(transfers.length)),
    ...transfers.flatMap(([id, amount]) => {
      const { block, tx } = parseId(id);
      return [u128Bytes(block), u128Bytes(tx), u128Bytes(amount)];
    }),
    u32Bytes(entries.length),
    ...entries.flatMap(([key, value]) => [field(key), field(value)]),
    data,
  );
}

/** A contract whose every call returns `bytes`. */
function fixed(bytes: Uint8Array): Uint8Array {
  const builder = new WasmBuilder();
  builder.memory = { minPages: 2, maxPages: undefined };
  return builder
    .data(8, concatBytes(u32Bytes(bytes.length), bytes))
    .execute([i32(12)])
    .bytes();
}

/** Creates such a contract as 2:1 in a transaction that brings `assets`. */
function create(bytes: Uint8Array, assets: Record<string, bigint> = {}) {
  const world = new World();
  const spend = Object.keys(assets).length > 0 ? [world.give(assets)] : undefined;
  const message = { pointer: 0, refund: 1, message: call('1:0', 0) };
  const tx = makeTx({ spend, witnesses: [envelope(fixed(bytes))], protostones: [message] });
  const [outcome] = world.run(tx);
  return { world, tx, message: outcome.messages[0] };
}

describe('transfers', () => {
  it('of a parcel within itself over u128: the message fails', () => {
    const { world, message } = create(
      result([
        ['2:1', U128_MAX],
        ['2:1', 1n],
      ]),
    );
    expect(message).toMatchObject({ status: 'REJECTED', error: 'sum over u128 of a parcel' });
    expect(world.state.size).toBe(0);
  });

  it('amounts of one id add up', () => {
    const { world, tx } = create(
      result([
        ['2:1', 3n],
        ['2:9', 1n],
        ['2:1', 4n],
        ['2:9', 2n],
      ]),
      { '2:9': 5n },
    );
    expect(world.sheet(tx)).toEqual({ '2:1': 7n, '2:9': 3n });
    expect(world.balance('2:9', '2:1')).toBe(2n);
  });

  it('are taken one after the other: the second finds what the first left', () => {
    const transfers: Transfer[] = [
      ['2:9', 3n],
      ['2:9', 3n],
    ];
    const { world, tx, message } = create(result(transfers), { '2:9': 5n });
    expect(message).toMatchObject({ status: 'REJECTED', error: 'transfer beyond the balance' });
    expect(world.sheet(tx, 1)).toEqual({ '2:9': 5n });
  });
});

describe('storage map', () => {
  it('last of equal keys wins, unsorted is accepted, a key may be empty, an empty value removes', () => {
    const { world } = create(
      result(
        [],
        [
          ['z', '1'],
          ['a', '2'],
          ['z', '3'],
          ['', '4'],
          ['gone', '5'],
          ['gone', ''],
        ],
      ),
    );
    const text = (key: string) =>
      world.storage('2:1', key) && Buffer.from(world.storage('2:1', key) as Uint8Array).toString();
    expect([text('z'), text('a'), text(''), text('gone')]).toEqual(['3', '2', '4', undefined]);
  });

  it('40 fuel per byte as returned, entries that lose included; more than is left is OUT_OF_FUEL', () => {
    const entries: Entry[] = [
      ['k', '1'],
      ['k', '2'],
    ];
    expect(create(result([], entries)).message.fuelUsed).toBe(create(result([])).message.fuelUsed + 2 * 10 * 40);
    // The call itself costs 1: a map of 87,499 bytes is the largest that can be paid. Called, not created: the
    // creation's own transaction is large and has more fuel.
    const large = (length: number) => {
      const { world, message } = create(result([], [['k', 'x'.repeat(length - 13)]]));
      return world.message(call(message.target as string, 0)).messages[0];
    };
    expect(large(87_499)).toMatchObject({ status: 'OK', fuelUsed: 3_499_961 });
    expect(large(87_500)).toMatchObject({ status: 'OUT_OF_FUEL', fuelUsed: 3_500_000 });
  });
});

describe('results that do not parse', () => {
  it.each([
    ['nothing', new Uint8Array(0)],
    ['a count of transfers beyond the bytes', u128Bytes(U128_MAX)],
    ['no storage map', u128Bytes(0n)],
    ['a map cut short', result([], [['key', 'value']]).slice(0, -1)],
    ['4,097 entries', result([], new Array(4_097).fill(['k', '']))],
    ['a key of 1,025 bytes', result([], [['k'.repeat(1_025), '']])],
  ])('%s: REJECTED', (_, bytes) => {
    const { world, message } = create(bytes);
    expect(message).toMatchObject({ status: 'REJECTED', error: 'malformed result' });
    expect(world.state.size).toBe(0);
  });

  it('a key of 1,024 bytes is accepted', () => {
    expect(create(result([], [['k'.repeat(1_024), 'v']])).message.status).toBe('OK');
  });
});

describe('data', () => {
  it('a receipt keeps the first 4,096 bytes', () => {
    expect(create(result([], [], new Uint8Array(5_000).fill(7))).message.data).toBe('07'.repeat(RECEIPT_DATA_BYTES));
  });
});
