import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Block as Reference, Transaction as ReferenceTransaction } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_BLOCK_LENGTH } from '../../src/bitcoin/limits.js';
import { parseBlock } from '../../src/bitcoin/parse-block.js';
import { parseTransaction } from '../../src/bitcoin/parse-transaction.js';
import { verifyBlock } from '../../src/bitcoin/verify-block.js';
import { InputError } from '../../src/errors/errors.js';
import { concatBytes, fromHex, toDisplayHash, u32Bytes } from '../../src/util/bytes.js';
import { block, coinbase, serialise } from './builder.js';

const code = (text: string) => expect.objectContaining({ code: text });
const WITNESS = [fromHex('aa'), new Uint8Array(0), new Uint8Array(300)];
const segwit = serialise({
  inputs: [{ witness: WITNESS }, { prevVout: 5, script: fromHex('51') }],
  outputs: [{ value: 2_100_000_000_000_000n, script: fromHex('6a5d') }, { script: new Uint8Array(0) }],
});
const plain = serialise({});

describe('transactions', () => {
  test('inputs, outputs and witnesses come out as they went in', () => {
    const tx = parseTransaction(segwit);
    expect(tx.raw).toEqual(segwit);
    expect(tx.inputs.map(({ prevVout, witness }) => [prevVout, witness])).toEqual([
      [0, WITNESS],
      [5, []],
    ]);
    expect(tx.inputs[0].prevTxid).toEqual(new Uint8Array(32).fill(7));
    expect(tx.outputs).toEqual([
      { value: 2_100_000_000_000_000n, script: fromHex('6a5d') },
      { value: 546n, script: new Uint8Array(0) },
    ]);
  });

  test('the txid does not cover witnesses', () => {
    const bare = serialise({
      inputs: [{}, { prevVout: 5, script: fromHex('51') }],
      outputs: [{ value: 2_100_000_000_000_000n, script: fromHex('6a5d') }, { script: new Uint8Array(0) }],
    });
    expect(parseTransaction(segwit).txid).toEqual(parseTransaction(bare).txid);
  });

  test('a Buffer gives plain byte arrays too', () => {
    const tx = parseTransaction(Buffer.from(segwit));
    expect(tx.outputs[0].script.constructor).toBe(Uint8Array);
    expect(tx.raw.constructor).toBe(Uint8Array);
  });

  test('every cut is TX_TRUNCATED, every addition TX_TRAILING_BYTES', () => {
    for (const raw of [segwit, plain]) {
      for (let length = 0; length < raw.length; length++) {
        expect(() => parseTransaction(raw.subarray(0, length)), `${length}`).toThrow(InputError);
      }
      expect(() => parseTransaction(raw.subarray(0, raw.length - 1))).toThrow(code('TX_TRUNCATED'));
      expect(() => parseTransaction(concatBytes(raw, Uint8Array.of(0)))).toThrow(code('TX_TRAILING_BYTES'));
    }
  });

  test('counts and lengths beyond the data are refused before anything is built from them', () => {
    const version = u32Bytes(2);
    const eight = (hex: string) => concatBytes(version, fromHex(`ff${hex}`), new Uint8Array(100));
    expect(() => parseTransaction(eight('ffffffffffffffff'))).toThrow(code('TX_TRUNCATED'));
    expect(() => parseTransaction(concatBytes(version, fromHex('feffffffff'), new Uint8Array(100)))).toThrow(
      code('TX_TRUNCATED'),
    );
    const script = concatBytes(version, Uint8Array.of(1), new Uint8Array(36), fromHex('feffffff7f'));
    expect(() => parseTransaction(concatBytes(script, new Uint8Array(100)))).toThrow(code('TX_TRUNCATED'));
  });

  test.each(['fd0100', 'fdfc00', 'fe01000000', 'feffff0000', 'ff0100000000000000', 'ffffffffff00000000'])(
    'a count written %s, not in shortest form, is malformed',
    (count) => {
      const rest = plain.subarray(5);
      const raw = concatBytes(plain.subarray(0, 4), fromHex(count), rest);
      expect(() => parseTransaction(raw)).toThrow(code('TX_MALFORMED'));
    },
  );

  test('no inputs, no outputs, an impossible amount, an empty witness are malformed', () => {
    const bad = [
      concatBytes(u32Bytes(2), fromHex('00'), new Uint8Array(20)),
      serialise({ outputs: [] }),
      serialise({ outputs: [{ value: 2_100_000_000_000_001n }] }),
      serialise({ outputs: [{ value: (1n << 64n) - 1n }] }),
      serialise({ inputs: [{ witness: [] }] }),
    ];
    for (const raw of bad) expect(() => parseTransaction(raw)).toThrow(code('TX_MALFORMED'));
  });

  test('a transaction over the weight limit is not looked at', () => {
    expect(() => parseTransaction(new Uint8Array(4_000_001))).toThrow(code('TX_TOO_LARGE'));
  });

  test('any bytes at all give a transaction or an InputError', () => {
    fc.assert(
      fc.property(fc.nat(segwit.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }), (at, patch) => {
        const raw = segwit.slice();
        raw.set(patch.subarray(0, raw.length - at), at);
        try {
          expect(parseTransaction(raw).raw).toEqual(raw);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('blocks', () => {
  const raw = block([coinbase(), plain, segwit]);

  test('header fields and transactions with their bytes', () => {
    const parsed = parseBlock(raw);
    expect(parsed.transactions.map((tx) => tx.raw)).toEqual([coinbase(), plain, segwit]);
    expect(toDisplayHash(parsed.hash)).toBe(Reference.fromBuffer(raw).getId());
    expect(parsed.header).toEqual(raw.subarray(0, 80));
    expect(parsed.raw).toEqual(raw);
    expect(parsed.coinbaseHeight).toBe(1);
  });

  test('cut, extended and oversized blocks have their codes', () => {
    for (let length = 0; length < raw.length; length++) {
      expect(() => parseBlock(raw.subarray(0, length)), `${length}`).toThrow(code('BLOCK_TRUNCATED'));
    }
    expect(() => parseBlock(concatBytes(raw, Uint8Array.of(0)))).toThrow(code('BLOCK_TRAILING_BYTES'));
    expect(() => parseBlock(new Uint8Array(MAX_BLOCK_LENGTH + 1))).toThrow(code('BLOCK_TOO_LARGE'));
    expect(() => parseBlock(concatBytes(raw.subarray(0, 80), Uint8Array.of(0)))).toThrow(code('BLOCK_MALFORMED'));
    expect(() => parseBlock(concatBytes(raw.subarray(0, 80), fromHex('feffffffff')))).toThrow(code('BLOCK_TRUNCATED'));
  });

  test.each([
    ['00ff', 0],
    ['51ff', 1],
    ['60ff', 16],
    ['0111', 17],
    ['017f', 127],
    ['028000', 128],
    ['02ff7f', 32767],
    ['03ae d10d'.replace(' ', ''), 905646],
    ['04ffffff7f', 2147483647],
  ])('a coinbase script %s begins with height %i', (script, height) => {
    expect(parseBlock(block([coinbase({ script: fromHex(script) })])).coinbaseHeight).toBe(height);
  });

  test.each(['', '61', '4f', '0110', '0180', '01', '0200', '021100', '03ffff80', '05ffffffff00', '0281'])(
    'a coinbase script %s carries no height',
    (script) => expect(parseBlock(block([coinbase({ script: fromHex(script) })])).coinbaseHeight).toBeUndefined(),
  );

  test('a header of version 1 carries no height', () => {
    const script = fromHex('04ffff001d0104');
    const previousHash = new Uint8Array(32).fill(9);
    expect(parseBlock(block([coinbase({ script })], { version: 1, previousHash })).coinbaseHeight).toBeUndefined();
    // The first block of a chain has no other before it.
    expect(parseBlock(block([coinbase({ script })], { version: 1 })).coinbaseHeight).toBe(0);
  });
});

const mainnet = new URL('../../../shared/data/blocks/', import.meta.url);

describe.skipIf(!existsSync(mainnet))('real blocks (they are not part of the repository)', () => {
  test.each(['849236', '905646'])('block %s verifies; a sample of txids equals the library’s', (name) => {
    const parsed = parseBlock(readFileSync(new URL(`${name}.bin`, mainnet)));
    expect(parsed.coinbaseHeight).toBe(Number(name));
    // The merkle root covers every txid, the commitment every byte.
    verifyBlock(parsed);
    for (let i = 0; i < parsed.transactions.length; i += 100) {
      const { raw, txid } = parsed.transactions[i];
      expect(toDisplayHash(txid)).toBe(ReferenceTransaction.fromBuffer(raw).getId());
    }
  });
});

test('only what is about one transaction or address uses bitcoinjs-lib; blocks are indexed by offsets', () => {
  const src = fileURLToPath(new URL('../../src', import.meta.url));
  const oracle = /from '(bitcoinjs-lib|[./a-z-]*\/parse-(block|transaction)\.js)'/;
  const readers = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/^(testing|selftest|dev|wallet)\b/.test(path))
    .filter((path) => oracle.test(readFileSync(join(src, path), 'utf8')));
  expect(readers.sort()).toEqual([
    // An address that somebody asks about.
    'bitcoin/address.ts',
    'bitcoin/parse-block.ts',
    'bitcoin/parse-transaction.ts',
    'cli/decode.ts',
    'cli/encode.ts',
    // A chain of a developer's own.
    'contract-chain/memory-chain.ts',
    // The library hands both out.
    'index.ts',
    // Reads the vectors of `decode --vectors`.
    'protocol/vectors.ts',
    // One transaction that somebody asks about, in a thread of its own.
    'simulate/rerun.ts',
    'simulate/simulate.ts',
    'simulate/surroundings.ts',
  ]);
});
