import { existsSync, readFileSync } from 'node:fs';
import { Transaction as ReferenceTransaction } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashWitnesses, merkleRootOf } from '../../src/bitcoin/block-hash.js';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { merkleRoot, sha256d } from '../../src/bitcoin/hash.js';
import { MAX_BLOCK_LENGTH } from '../../src/bitcoin/limits.js';
import { parseBlock } from '../../src/bitcoin/parse-block.js';
import { TxidTable } from '../../src/bitcoin/txid-table.js';
import { verifyBlock } from '../../src/bitcoin/verify-block.js';
import { InputError } from '../../src/errors/errors.js';
import { concatBytes } from '../../src/util/bytes.js';
import { expectSame } from '../helpers/same.js';
import { block, coinbase, commitmentOf, serialise } from './builder.js';
import { randomBlock } from './random-block.js';

/** What came of it: the code of an error, or the value. */
function attempt<T>(use: () => T): T | string {
  try {
    return use();
  } catch (error) {
    if (error instanceof InputError) return error.explain();
    throw error;
  }
}

/** Everything that the parsed form of a block says. */
function expectAlike(raw: Uint8Array): void {
  const parsed = attempt(() => parseBlock(raw));
  const read = attempt(() => BlockOffsets.read(raw));
  if (typeof parsed === 'string' || typeof read === 'string') {
    expect(read).toBe(parsed);
    return;
  }
  const { transactions, hash, previousHash, header, coinbaseHeight } = parsed;
  expect(read).toMatchObject({
    hash,
    previousHash,
    header,
    coinbaseHeight,
    count: transactions.length,
  });
  expectSame(read.raw, parsed.raw);
  expectSame(
    transactions.map((_, index) => read.transaction(index)),
    transactions,
  );
  const check = (of: typeof parsed | typeof read) => attempt(() => verifyBlock(of, { previousHash }));
  expect(check(read)).toBe(check(parsed));
}

describe('a block as offsets', () => {
  test('says of random blocks what the parsed block says, and the library says their txids', () => {
    fc.assert(
      fc.property(randomBlock(), (raw) => {
        expectAlike(raw);
        const offsets = BlockOffsets.read(raw);
        for (let i = 0; i < offsets.count; i++) {
          const reference = ReferenceTransaction.fromBuffer(offsets.transaction(i).raw);
          expect(offsets.txid(i)).toEqual(new Uint8Array(reference.getHash()));
        }
      }),
      { numRuns: 150 },
    );
  });

  test('refuses what the parser refuses, for the same reason', () => {
    const flip = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(randomBlock(), fc.array(flip, { minLength: 1, maxLength: 3 }), fc.nat(), (raw, flips, cut) => {
        const spoilt = raw.slice();
        for (const [at, bits] of flips) spoilt[80 + (at % (raw.length - 80))] ^= bits;
        expectAlike(spoilt);
        expectAlike(raw.subarray(0, cut % raw.length));
        expectAlike(concatBytes(raw, spoilt.subarray(0, 1)));
      }),
      { numRuns: 150 },
    );
    expectAlike(new Uint8Array(MAX_BLOCK_LENGTH + 1));
  });

  test('keeps shared memory and copies other memory', () => {
    const raw = block([coinbase()]);
    const read = BlockOffsets.read(raw);
    expect(read.raw.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(BlockOffsets.read(read.raw).raw.buffer).toBe(read.raw.buffer);
  });

  test('a witness commitment is held against every byte', () => {
    const spend = serialise({ inputs: [{ witness: [new Uint8Array(200).fill(3)] }] });
    const raw = block([coinbase({ commitment: commitmentOf([spend]) }), spend]);
    expect(() => verifyBlock(BlockOffsets.read(raw))).not.toThrow();
    for (let at = raw.length - 204; at < raw.length - 4; at += 17) {
      const spoilt = raw.slice();
      spoilt[at] ^= 1;
      expect(() => verifyBlock(BlockOffsets.read(spoilt))).toThrow(
        expect.objectContaining({ code: 'BLOCK_BAD_WITNESS_COMMITMENT' }),
      );
    }
  });
});

describe('hashing by fours', () => {
  test('messages of every length up to three blocks have their double hash', () => {
    const raws = Array.from({ length: 200 }, (_, length) =>
      serialise({ inputs: [{ script: new Uint8Array(length).fill(length), witness: [new Uint8Array(length % 7)] }] }),
    );
    const offsets = BlockOffsets.read(block([coinbase(), ...raws, serialise({})]));
    const wtxids = hashWitnesses(offsets, offsets.txids);
    for (let i = 0; i < offsets.count; i++) {
      const { raw } = offsets.transaction(i);
      expectSame(wtxids.slice(i * 32, i * 32 + 32), sha256d(raw));
    }
    expectAlike(offsets.raw);
  });

  test('merkle roots of 1 to 70 hashes, repeated ones told', () => {
    for (let count = 1; count <= 70; count++) {
      const hashes = Array.from({ length: count }, (_, i) => sha256d(Uint8Array.of(i)));
      expectSame(merkleRootOf(concatBytes(...hashes)), merkleRoot(hashes));
      for (const again of [count - 1, count >> 1]) {
        const repeated = [...hashes, ...hashes.slice(again)];
        expectSame(merkleRootOf(concatBytes(...repeated)), merkleRoot(repeated));
      }
    }
  });
});

test('a table of txids finds the first of equal ones, and nothing else', () => {
  const hash = (i: number) => sha256d(Uint8Array.of(i, i >> 8));
  const txids = concatBytes(...Array.from({ length: 999 }, (_, i) => hash(i % 500)));
  const table = new TxidTable(txids);
  for (let i = 0; i < 500; i++) expect(table.find(txids, (i + (i < 499 ? 500 : 0)) * 32)).toBe(i);
  for (let i = 500; i < 600; i++) expect(table.find(hash(i), 0)).toBe(-1);
  expect(new TxidTable(new Uint8Array(0)).find(hash(1), 0)).toBe(-1);
});

const mainnet = new URL('../../../shared/data/blocks/', import.meta.url);

describe.skipIf(!existsSync(mainnet))('real blocks (they are not part of the repository)', () => {
  test.each(['849236', '905646'])('block %s', (name) => {
    const raw = readFileSync(new URL(`${name}.bin`, mainnet));
    const offsets = BlockOffsets.read(raw);
    verifyBlock(offsets);
    expect(offsets.coinbaseHeight).toBe(Number(name));
    const { transactions } = parseBlock(raw);
    transactions.forEach((tx, index) => {
      expect(Buffer.compare(offsets.txid(index), tx.txid)).toBe(0);
      if (index % 50 === 0) expectSame(offsets.transaction(index), tx);
    });
  });
});
