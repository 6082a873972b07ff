import { expect, test } from 'vitest';
import { sha256d } from '../../src/bitcoin/hash.js';
import { parseBlock } from '../../src/bitcoin/parse-block.js';
import { parseTransaction } from '../../src/bitcoin/parse-transaction.js';
import { expandTarget, meetsTarget, verifyBlock } from '../../src/bitcoin/verify-block.js';
import { concatBytes, fromHex } from '../../src/util/bytes.js';
import { block, commitmentOf, serialise } from './builder.js';

test('the txid of a segwit transaction with a single input is the hash of it without its witness', () => {
  const bare = serialise({ inputs: [{ prevVout: 3 }] });
  const segwit = serialise({ inputs: [{ prevVout: 3, witness: [fromHex('aabb')] }] });
  expect(parseTransaction(segwit).txid).toEqual(sha256d(bare));
});

test('a header hash of exactly the target meets it, one above it does not', () => {
  const bits = 0x1d00ffff;
  const target = expandTarget(bits) as bigint;
  const hashOf = (value: bigint) => fromHex(value.toString(16).padStart(64, '0')).reverse();
  expect(meetsTarget(hashOf(target), bits)).toBe(true);
  expect(meetsTarget(hashOf(target - 1n), bits)).toBe(true);
  expect(meetsTarget(hashOf(target + 1n), bits)).toBe(false);
});

test('of several witness commitments of a coinbase the last one counts', () => {
  const segwit = serialise({ inputs: [{ witness: [fromHex('aabb')] }] });
  const good = concatBytes(fromHex('6a24aa21a9ed'), commitmentOf([segwit]));
  const bad = concatBytes(fromHex('6a24aa21a9ed'), new Uint8Array(32));
  const verified = (...scripts: Uint8Array[]) => {
    const coinbase = serialise({
      inputs: [
        {
          prevTxid: new Uint8Array(32),
          prevVout: 0xffffffff,
          script: fromHex('5100'),
          witness: [new Uint8Array(32)],
        },
      ],
      outputs: scripts.map((script) => ({ value: 0n, script })),
    });
    return () => verifyBlock(parseBlock(block([coinbase, segwit])));
  };
  expect(verified(bad, good)).not.toThrow();
  expect(verified(good, bad)).toThrow(expect.objectContaining({ code: 'BLOCK_BAD_WITNESS_COMMITMENT' }));
});
