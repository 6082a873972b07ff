import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlockOffsets } from '../../../src/bitcoin/block-offsets.js';
import { parseBlock } from '../../../src/bitcoin/parse-block.js';
import type { Block } from '../../../src/bitcoin/types.js';
import {
  isCommon,
  type LaneColumns,
  LOST,
  transactionAt,
  transactionsOf,
} from '../../../src/lane/columns/lane-columns.js';
import { scanAhead } from '../../../src/lane/columns/scan-ahead.js';
import { scanColumns } from '../../../src/lane/columns/scan-columns.js';
import { joinParts, partsOf, scanPart } from '../../../src/lane/columns/scan-parts.js';
import { sheetKey, sheetKeyAt } from '../../../src/lane/keys.js';
import { scanBlock } from '../../../src/lane/scan.js';
import { decodeCellpack } from '../../../src/protocol/cellpack.js';
import { isOrdinaryOutput } from '../../../src/protocol/edicts.js';
import { encodeCellpack, encodeProtostones, encodeRunestone } from '../../../src/protocol/encode.js';
import { mayHaveProtocol } from '../../../src/protocol/protocol-field.js';
import { decodeRunestone } from '../../../src/protocol/runestone.js';
import type { Cellpack } from '../../../src/protocol/types.js';
import { concatBytes, u128Bytes } from '../../../src/util/bytes.js';
import { block, coinbase, serialise } from '../../bitcoin/builder.js';
import { outsideTxid, randomBlock } from '../../bitcoin/random-block.js';
import { expectSame } from '../../helpers/same.js';

/** State with sheets on the outpoints of `keys`; counts nothing, keeps what was announced. */
function sheetsOn(keys: Iterable<string>) {
  const held = new Set(keys);
  return { get: (key: string) => (held.has(key) ? new Uint8Array(48) : undefined) };
}

function expectSameLane(raw: Uint8Array, keys: Iterable<string>): number {
  const state = sheetsOn(keys);
  const read = BlockOffsets.read(raw);
  const columns = scanColumns(read, state);
  const found = plain(columns);
  // As it is done ahead of the block's turn.
  const known = { has: (input: number) => state.get(sheetKeyAt(raw, read.inputs[input])) !== undefined };
  expectSame(plain(scanColumns(read, state, scanAhead(read), known)), found);
  // On several threads, each a part.
  for (const count of [1, 2, 7]) {
    const parted = BlockOffsets.read(raw);
    const ahead = joinParts(parted, partsOf(parted, count).map(scanPart));
    expect(parted.txids).toEqual(read.txids);
    expectSame(plain(scanColumns(parted, state, ahead)), found);
    expectSameMessages(scanColumns(parted, state, ahead));
  }
  expectSame(found, scanBlock(parseBlock(raw), state));
  expectSameMessages(columns);
  return found.length;
}

/** All that there is to know, without what decodes it when it is asked. */
function plain(columns: LaneColumns) {
  return transactionsOf(columns).map(({ index, tx, protostones, parents }) => ({ index, tx, protostones, parents }));
}

/** The rows of the common kind say what the decoders say; gives how many there are. */
function expectSameMessages(columns: LaneColumns): number {
  let common = 0;
  for (let row = 0; row < columns.count; row++) {
    if (!isCommon(columns, row)) continue;
    common++;
    const { tx, protostones } = transactionAt(columns, row);
    expect(protostones).toHaveLength(1);
    const [{ protocolTag, message, burn, from, edicts, pointer, refund, shadowVout }] = protostones;
    expect({ protocolTag, burn, from, edicts }).toEqual({
      protocolTag: 1n,
      burn: undefined,
      from: undefined,
      edicts: [],
    });
    const place = (vout: number | undefined) => (isOrdinaryOutput(tx.outputs[vout as number]) ? vout : LOST);
    expect([columns.pointer[row], columns.refund[row]]).toEqual([place(pointer), place(refund)]);
    const { target, inputs } = decodeCellpack(message as Uint8Array) as Cellpack;
    expect(target).toEqual({ block: 8n, tx: 8n });
    expect([2n, 4n]).toContain(inputs[0]);
    const numbers = [inputs[0], inputs[1], 0n, 0n, BigInt(shadowVout), 0n, ...inputs.slice(2)];
    const context = columns.contexts.subarray(columns.contextStart[row], columns.contextEnd[row]);
    expect(context).toEqual(concatBytes(...numbers.map(u128Bytes)));
  }
  return common;
}

const script = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));

describe('the scan into columns', () => {
  test('finds in random blocks what scanBlock finds', () => {
    let found = 0;
    const sheets = fc.array(fc.tuple(fc.nat(6), fc.nat(3)), { maxLength: 6 });
    fc.assert(
      fc.property(randomBlock(), sheets, (raw, outside) => {
        found += expectSameLane(
          raw,
          outside.map(([txid, vout]) => sheetKey(outsideTxid(txid), vout)),
        );
      }),
      { numRuns: 300 },
    );
    expect(found).toBeGreaterThan(300);
  });

  test('a block that names later transactions, or holds one twice, is seen alike', () => {
    const outside = sheetKey(outsideTxid(1), 0);
    const spend = serialise({ inputs: [{ prevTxid: outsideTxid(1) }] });
    const { txid } = parseBlock(block([coinbase(), spend])).transactions[1];
    const child = serialise({ inputs: [{ prevTxid: txid }] });
    for (const order of [
      [child, spend],
      [spend, child],
      [spend, spend, child],
      [child, spend, child],
    ]) {
      const raw = block([coinbase(), ...order]);
      expect(expectSameLane(raw, [outside])).toBeGreaterThan(0);
      expectSameLane(raw, [sheetKey(txid, 0)]);
    }
  });

  test('looks up outpoints outside the block only, and announces what it looks up', () => {
    const raw = block([coinbase(), serialise({ inputs: [{ prevTxid: outsideTxid(1) }] })]);
    const asked: string[] = [];
    let announced: readonly string[] = [];
    scanColumns(BlockOffsets.read(raw), {
      get: (key) => {
        asked.push(key);
        return undefined;
      },
      prefetch: (keys) => {
        announced = keys;
      },
    });
    expect(asked).toEqual(announced);
    expect(asked).toContain(sheetKey(outsideTxid(1), 0));
  });
});

const number = fc.oneof(
  fc.bigInt(0n, 300n),
  fc.bigInt(0n, (1n << 128n) - 1n),
  fc.constantFrom(0n, 127n, 128n, (1n << 63n) - 1n, 1n << 63n, 1n << 64n, 1n << 126n, (1n << 128n) - 1n),
);
const rarely = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 15, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
const edict = fc.record({ id: fc.record({ block: number, tx: number }), amount: number, output: number });

/** A runestone of the common kind, or one that differs from it in a place or two. */
const nearlyCommon = fc
  .record({
    prefix: fc.constantFrom(8n, 8n, 8n, 8n, 8n, 7n, (1n << 64n) | 8n),
    block: fc.constantFrom(2n, 2n, 2n, 4n, 4n, 1n, 3n, 5n, (1n << 64n) | 2n),
    tx: number,
    inputs: fc.array(number, { maxLength: 12 }),
    pointer: fc.constantFrom(0, 0, 0, 0, 2, 2, 2, 1, 3, 4294967296, undefined),
    refund: fc.constantFrom(0, 0, 0, 0, 2, 2, 2, 1, 3, 4294967296, undefined),
    protocolTag: rarely(fc.constantFrom(0n, 2n)),
    burn: rarely(number),
    from: rarely(number),
    edicts: rarely(fc.array(edict, { minLength: 1, maxLength: 2 })),
    rawFields: rarely(fc.array(fc.tuple(fc.constantFrom(0n, 81n, 91n, 93n, 97n), number), { maxLength: 2 })),
    length: rarely(fc.bigInt(0n, 40n)),
    second: rarely(fc.boolean()),
    runePointer: rarely(fc.nat(3)),
    runeFields: rarely(fc.array(fc.tuple(fc.constantFrom(1n, 20n, 22n, 16383n, 127n), number), { maxLength: 2 })),
    spoil: rarely(fc.tuple(fc.nat(), fc.nat(255))),
  })
  .map(({ prefix, block: of, tx, inputs, second, runePointer, runeFields, edicts, spoil, ...protostone }) => {
    const message = encodeCellpack({ block: prefix, tx: 8n }, [of, tx, ...inputs]);
    const stone = { ...protostone, message, ...(edicts && { edicts }) };
    const whole = encodeRunestone({
      protostones: second === undefined ? [stone] : [stone, stone],
      pointer: runePointer,
      rawFields: runeFields,
    }).slice();
    if (spoil !== undefined) whole[2 + (spoil[0] % (whole.length - 2))] = spoil[1];
    return whole;
  });

describe('messages of the common kind', () => {
  test('are read as the decoders read them, and nothing else is taken for one', () => {
    let common = 0;
    let other = 0;
    fc.assert(
      fc.property(fc.array(nearlyCommon, { minLength: 1, maxLength: 6 }), (stones) => {
        const transactions = stones.map((stone, i) =>
          serialise({
            inputs: [{ prevTxid: outsideTxid(1), prevVout: i }],
            outputs: [{}, { script: stone }, { script: script('51') }],
          }),
        );
        const raw = block([coinbase(), ...transactions]);
        expectSameLane(raw, []);
        const columns = scanColumns(BlockOffsets.read(raw), sheetsOn([]));
        const found = expectSameMessages(columns);
        common += found;
        other += stones.length - found;
      }),
      { numRuns: 400 },
    );
    expect(common).toBeGreaterThan(100);
    expect(other).toBeGreaterThan(100);
  });

  test('an integer of 19 bytes is read up to 128 bits, and not beyond', () => {
    const integer = (value: bigint, beyond: number) =>
      Uint8Array.from({ length: 19 }, (_, i) => Number((value >> BigInt(7 * i)) & 0x7fn) | (i < 18 ? 0x80 : beyond));
    const message = encodeCellpack({ block: 8n, tx: 8n }, [2n, 1n, 5n]);
    const values = encodeProtostones([{ pointer: 0, refund: 0, message }]);
    const stone = (beyond: number) => {
      const payload = concatBytes(...values.flatMap((value) => [script('ff7f'), integer(value, beyond)]));
      return concatBytes(script('6a5d4c'), Uint8Array.of(payload.length), payload);
    };
    const raw = block([coinbase(), ...[0, 4].map((beyond) => serialise({ outputs: [{}, { script: stone(beyond) }] }))]);
    expect(expectSameLane(raw, [])).toBe(1);
  });

  test('integers of every length, written in more bytes than they need, and cut off', () => {
    const stones: Uint8Array[] = [];
    for (let length = 1; length <= 20; length++) {
      for (const group of [0x7f, 0x01, 0x40, 0]) {
        const integer = Uint8Array.from({ length }, (_, i) =>
          i < length - 1 ? 0x80 | group : length === 19 ? group & 3 : group,
        );
        for (const bytes of [integer, integer.subarray(0, -1), concatBytes(integer, Uint8Array.of(5))]) {
          // It ends where a chunk of 15 bytes does: no zeros follow it.
          const more = new Uint8Array((26 - (bytes.length % 15)) % 15).fill(3);
          const message = concatBytes(Uint8Array.of(8, 8, 2, 1), more, bytes);
          stones.push(encodeRunestone({ protostones: [{ pointer: 0, refund: 0, message }] }));
        }
      }
    }
    const raw = block([coinbase(), ...stones.map((stone) => serialise({ outputs: [{}, { script: stone }] }))]);
    expectSameLane(raw, []);
    const common = expectSameMessages(scanColumns(BlockOffsets.read(raw), sheetsOn([])));
    expect(common).toBeGreaterThan(150);
    expect(common).toBeLessThan(stones.length);
  });

  test('longer ones than there is room for are left to the decoders', () => {
    const stone = (inputs: number) =>
      encodeRunestone({
        protostones: [
          {
            pointer: 0,
            refund: 0,
            message: encodeCellpack({ block: 8n, tx: 8n }, [2n, 1n, ...new Array<bigint>(inputs).fill(1n)]),
          },
        ],
      });
    // The last chunk is padded with zeros, which are inputs as well.
    const sizes = [5, 2_000, 2_030, 2_060, 4_000, 20_000];
    const raw = block([coinbase(), ...sizes.map((size) => serialise({ outputs: [{}, { script: stone(size) }] }))]);
    expectSameLane(raw, []);
    const columns = scanColumns(BlockOffsets.read(raw), sheetsOn([]));
    expect(sizes.map((_, row) => isCommon(columns, row))).toEqual([true, true, true, false, false, false]);
  });
});

describe('whether a runestone may have a protocol field', () => {
  const decoded = (of: Uint8Array) => {
    const artifact = decodeRunestone([{ script: of }, { script: new Uint8Array(0) }]);
    return artifact.kind === 'runestone' && artifact.protocol !== undefined;
  };
  const may = (of: Uint8Array) =>
    mayHaveProtocol(concatBytes(Uint8Array.of(9), of, Uint8Array.of(9)), 1, of.length + 1);

  test.each([
    ['6a5d04ff7f0101', true, 'a field'],
    ['6a5d02ff7f020101', true, 'a tag and its value in two pushes'],
    ['6a5d01ff017f0101', true, 'a tag in two pushes'],
    ['6a5d05ffff800001', true, 'a tag longer than its shortest form'],
    ['6a5d4c03ff7f01', true, 'a long push'],
    ['6a5d0401ff7f01', false, 'the number as a value'],
    ['6a5d0400ff7f01', false, 'the number in an edict'],
    ['6a5d03ff7f', false, 'a push past the end'],
    ['6a5d51', false, 'another opcode'],
    ['6a5d', false, 'nothing'],
  ])('%s: %s, %s', (hex, expected) => {
    expect(may(script(hex))).toBe(expected);
    if (!expected) expect(decoded(script(hex))).toBe(false);
  });

  test('never says no where decoding finds one', () => {
    const part = fc.constantFrom('ff7f', 'ffff00', 'ffff8000', '00', '8000', '01', '14', '16', 'ffffffffffff7f');
    const pushes = fc.array(fc.array(part, { maxLength: 5 }), { maxLength: 4 });
    let found = 0;
    fc.assert(
      fc.property(pushes, fc.nat(3), (lists, cut) => {
        const data = lists.map((parts) => script(parts.join('')));
        const whole = concatBytes(script('6a5d'), ...data.map((push) => concatBytes(Uint8Array.of(push.length), push)));
        for (const of of [whole, whole.subarray(0, Math.max(2, whole.length - cut))]) {
          if (!decoded(of)) continue;
          found++;
          expect(may(of)).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
    expect(found).toBeGreaterThan(20);
  });
});

const mainnet = new URL('../../../../shared/data/blocks/', import.meta.url);

describe.skipIf(!existsSync(mainnet))('real blocks (they are not part of the repository)', () => {
  test.each(['849236', '905646'])('block %s', (name) => {
    const raw = readFileSync(new URL(`${name}.bin`, mainnet));
    const parsed: Block = parseBlock(raw);
    // Sheets on some of the outpoints that it spends.
    const keys = parsed.transactions
      .filter((_, index) => index % 97 === 5)
      .map(({ inputs: [{ prevTxid, prevVout }] }) => sheetKey(prevTxid, prevVout));
    for (const sheets of [[], keys]) {
      const state = sheetsOn(sheets);
      const found = plain(scanColumns(BlockOffsets.read(raw), state));
      const expected = scanBlock(parsed, state);
      expect(found.map(({ index, parents }) => ({ index, parents }))).toEqual(
        expected.map(({ index, parents }) => ({ index, parents })),
      );
      expectSame(found.slice(0, 50), expected.slice(0, 50));
    }
  });
});
