import { describe, expect, test } from 'vitest';
import { merkleRoot } from '../../src/bitcoin/hash.js';
import { parseBlock } from '../../src/bitcoin/parse-block.js';
import { parseTransaction } from '../../src/bitcoin/parse-transaction.js';
import { verifyBlock } from '../../src/bitcoin/verify-block.js';
import { fromHex } from '../../src/util/bytes.js';
import { type BlockParts, block, coinbase, commitmentOf, serialise } from './builder.js';

const plain = (n: number) => serialise({ inputs: [{ prevVout: n }] });
const segwit = serialise({ inputs: [{ witness: [fromHex('aabb')] }] });

const verify = (transactions: readonly Uint8Array[], parts?: BlockParts, previousHash?: Uint8Array): void =>
  verifyBlock(parseBlock(block(transactions, parts)), { previousHash });
const refusal = (run: () => void): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('previous hash and proof of work', () => {
  test('a block on another one is refused, without expectation it is not checked', () => {
    const previousHash = new Uint8Array(32).fill(3);
    expect(refusal(() => verify([coinbase()], { previousHash }, previousHash))).toBeUndefined();
    expect(refusal(() => verify([coinbase()], { previousHash }))).toBeUndefined();
    expect(refusal(() => verify([coinbase()], {}, previousHash))).toBe('BLOCK_WRONG_PREVIOUS_HASH');
  });

  test('a header hash over its target is refused', () => {
    expect(refusal(() => verify([coinbase()], { meetsTarget: false }))).toBe('BLOCK_BAD_PROOF_OF_WORK');
  });

  test.each([
    ['zero', 0x20000000],
    ['zero after shifting out', 0x01003456],
    ['negative', 0x20ffffff],
    ['over 256 bits', 0x217fffff],
    ['over 256 bits by far', 0xff7fffff],
    ['mainnet’s hardness, not met', 0x1701f0cc],
  ])('a target that is %s is refused', (_, bits) => {
    expect(refusal(() => verify([coinbase()], { bits }))).toBe('BLOCK_BAD_PROOF_OF_WORK');
  });
});

describe('merkle root', () => {
  test('every number of transactions up to nine is right; a changed root is refused', () => {
    for (let count = 0; count < 9; count++) {
      const transactions = [coinbase(), ...Array.from({ length: count }, (_, i) => plain(i))];
      expect(refusal(() => verify(transactions))).toBeUndefined();
      const merkleRoot = new Uint8Array(32).fill(1);
      expect(refusal(() => verify(transactions, { merkleRoot }))).toBe('BLOCK_BAD_MERKLE_ROOT');
    }
  });

  test('a list that repeats its end and so keeps its merkle root is refused (CVE-2012-2459)', () => {
    const three = [coinbase(), plain(1), plain(2)];
    const four = [...three, plain(2)];
    const rootOf = (list: Uint8Array[]) => merkleRoot(list.map((raw) => parseTransaction(raw).txid)).root;
    expect(rootOf(four)).toEqual(rootOf(three));
    expect(refusal(() => verify(three))).toBeUndefined();
    expect(refusal(() => verify(four))).toBe('BLOCK_BAD_MERKLE_ROOT');
    const six = [coinbase(), plain(1), plain(2), plain(3), plain(4), plain(5)];
    expect(refusal(() => verify([...six, plain(4), plain(5)]))).toBe('BLOCK_BAD_MERKLE_ROOT');
  });
});

describe('coinbase', () => {
  test('the first transaction, and no other, is one', () => {
    expect(refusal(() => verify([plain(1), plain(2)]))).toBe('BLOCK_BAD_COINBASE');
    expect(refusal(() => verify([coinbase(), coinbase({ script: fromHex('52ff') })]))).toBe('BLOCK_BAD_COINBASE');
  });
});

describe('witness commitment', () => {
  const good = commitmentOf([plain(1), segwit]);
  const code = 'BLOCK_BAD_WITNESS_COMMITMENT';

  test('the right one passes, witnesses without one do not', () => {
    expect(refusal(() => verify([coinbase({ commitment: good }), plain(1), segwit]))).toBeUndefined();
    expect(refusal(() => verify([coinbase(), plain(1), segwit]))).toBe(code);
  });

  test('a changed witness is refused though the merkle root holds', () => {
    const other = serialise({ inputs: [{ witness: [fromHex('aabc')] }] });
    expect(parseTransaction(other).txid).toEqual(parseTransaction(segwit).txid);
    expect(refusal(() => verify([coinbase({ commitment: good }), plain(1), other]))).toBe(code);
  });

  test('witnesses taken away are refused', () => {
    const bare = serialise({});
    expect(parseTransaction(bare).txid).toEqual(parseTransaction(segwit).txid);
    expect(refusal(() => verify([coinbase({ commitment: good }), plain(1), bare]))).toBe(code);
    const stripped = coinbase({ commitment: good, witness: undefined });
    expect(refusal(() => verify([stripped, plain(1), bare]))).toBe(code);
  });

  test('the coinbase witness must be one item of 32 bytes', () => {
    for (const witness of [[new Uint8Array(31)], [new Uint8Array(32), new Uint8Array(0)]]) {
      expect(refusal(() => verify([coinbase({ commitment: good, witness }), plain(1), segwit]))).toBe(code);
    }
  });
});
