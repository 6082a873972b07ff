import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { parseBlock } from '../../src/bitcoin/parse-block.js';
import type { Block } from '../../src/bitcoin/types.js';
import { sheetKey, sheetKeyAt } from '../../src/lane/keys.js';
import { scanBlock } from '../../src/lane/scan.js';
import { scanColumns, scanOffsets } from '../../src/lane/scan-offsets.js';
import { mayHaveProtocol } from '../../src/protocol/protocol-field.js';
import { decodeRunestone } from '../../src/protocol/runestone.js';
import { concatBytes } from '../../src/util/bytes.js';
import { block, coinbase, serialise } from '../bitcoin/builder.js';
import { outsideTxid, randomBlock } from '../bitcoin/random-block.js';

/** State with sheets on the outpoints of `keys`; counts nothing, keeps what was announced. */
function sheetsOn(keys: Iterable<string>) {
  const held = new Set(keys);
  return { get: (key: string) => (held.has(key) ? new Uint8Array(48) : undefined) };
}

function expectSameLane(raw: Uint8Array, keys: Iterable<string>): number {
  const state = sheetsOn(keys);
  const block = BlockOffsets.read(raw);
  const found = scanOffsets(block, state);
  expect(found).toEqual(scanBlock(parseBlock(raw), state));
  // As it is done ahead of the block's turn.
  const known = { has: (input: number) => state.get(sheetKeyAt(raw, block.inputs[input])) !== undefined };
  expect(scanOffsets(block, state, scanColumns(block), known)).toEqual(found);
  return found.length;
}

const script = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));

describe('the lean scan', () => {
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
    scanOffsets(BlockOffsets.read(raw), {
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

const mainnet = new URL('../../../shared/data/blocks/', import.meta.url);

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
      const found = scanOffsets(BlockOffsets.read(raw), state);
      const expected = scanBlock(parsed, state);
      expect(found.map(({ index, parents }) => ({ index, parents }))).toEqual(
        expected.map(({ index, parents }) => ({ index, parents })),
      );
      expect(found.slice(0, 50)).toEqual(expected.slice(0, 50));
    }
  });
});
