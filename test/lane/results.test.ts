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

/** Text of `length` units below 256 that no compression makes small. */
function noise(length: number): string {
  let state = 1;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return String.fromCharCode(state >>> 24);
  }).join('');
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

  it('100 fuel per byte returned, 5,000 per entry, overwritten ones too; more than is left is OUT_OF_FUEL', () => {
    const entries: Entry[] = [
      ['k', '1'],
      ['k', '2'],
    ];
    // 20 bytes more of map are also 5 words more of the contract's data.
    const empty = create(result([])).message.fuelUsed;
    expect(create(result([], entries)).message.fuelUsed).toBe(empty + 2 * 10 * 100 + 2 * 5_000 + 5);
    // Beside the creation: 2 pages, a segment of 24 bytes, 1 instruction, a map of 4 bytes.
    const creation = empty - 10_000 - 200 - 6 - 1 - 400;
    const used = (map: number): number => creation + 10_200 + Math.ceil((20 + map) / 4) + 1 + 100 * map + 5_000;
    const most = Math.floor((3_500_000 - creation - 15_206) / 100.25);
    expect([used(most) <= 3_500_000, used(most + 1) > 3_500_000]).toEqual([true, true]);
    // A body that inflates 8 times at most would not hold a value that repeats.
    const large = (map: number) => create(result([], [['k', noise(map - 13)]])).message;
    expect(large(most)).toMatchObject({ status: 'OK', fuelUsed: used(most) });
    expect(large(most + 1)).toMatchObject({ status: 'OUT_OF_FUEL', fuelUsed: 3_500_000 });
  });

  it('500 fuel per transfer, those of nothing included, and 1 per started 8 bytes of data beside the map', () => {
    const fuel = (transfers: Transfer[], data: number): number =>
      create(result(transfers, [], new Uint8Array(data))).message.fuelUsed;
    const none = fuel([], 0);
    // 48 bytes of transfer are 12 words of the contract's data.
    expect(fuel([['2:1', 0n]], 0)).toBe(none + 500 + 12);
    expect(fuel([], 17)).toBe(none + 3 + 5);
  });
});

describe('results that do not parse', () => {
  it.each([
    ['nothing', new Uint8Array(0)],
    ['a count of transfers beyond the bytes', u128Bytes(U128_MAX)],
    ['no storage map', u128Bytes(0n)],
    ['a map cut short', result([], [['key', 'value']]).slice(0, -1)],
    ['1,025 transfers', result(new Array(1_025).fill(['2:1', 0n]))],
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
