import { Transaction } from 'bitcoinjs-lib';
import { encodeEnvelope, gzipStored } from '../../src/protocol/encode.js';
import { writeFixture } from '../../src/testing/fixture/write-fixture.js';
import { KeyRing } from '../../src/testing/regtest/keys.js';
import { id, call as message, runestoneOf, type Stone } from '../../src/testing/regtest/messages.js';
import { RegtestChain } from '../../src/testing/regtest/regtest-chain.js';
import { toDisplayHash } from '../../src/util/bytes.js';
import type { SignedTransaction } from '../../src/wallet/coins.js';
import { call, end, get, i32, i64, if_, load, loop, OP, op, set, WasmBuilder } from '../helpers/wasm-builder.js';

/** The block whose every transaction uses up its fuel. */
export const SLOW_HEIGHT = 2;
/** Where the contract has its height, and its empty result. */
const HEIGHT_AT = 1024;
const RESULT_AT = 2048;

/** `i64.or` and `i64.rem_u`. */
const OR = 0x84;
const REM_U = 0x82;

/** A contract that is made in block 1 and divides for ever in block 2: little fuel for much time. */
function endlessContract(): Uint8Array {
  const wasm = new WasmBuilder();
  const height = wasm.import('__height');
  const divide = [i64(-15n), get(0), i64(1n), op(OR), op(REM_U), set(0)];
  const isSlow = [i32(HEIGHT_AT), call(height), i32(HEIGHT_AT), load(), i32(SLOW_HEIGHT), op(OP.i32Eq)];
  return wasm
    .execute(
      [...[...isSlow, if_(), loop()], ...new Array(8).fill(divide).flat(), ...[op(OP.br, 0), end, end, i32(RESULT_AT)]],
      ['i64'],
    )
    .data(RESULT_AT - 4, Uint8Array.of(24, 0, 0, 0))
    .bytes();
}

/** A transaction with these protostones; nobody who indexes looks at its signatures. */
function carrying(stone: Stone, number: number, witness: Uint8Array[]): SignedTransaction {
  const transaction = new Transaction();
  transaction.version = 2;
  transaction.addInput(new Uint8Array(32).fill(7), number, 0xfffffffd);
  transaction.addOutput(Uint8Array.of(0x51), 600n);
  transaction.addOutput(runestoneOf([stone]), 0n);
  if (witness.length > 0) transaction.setWitness(0, witness);
  const txid = Uint8Array.from(transaction.getHash());
  return { transaction, txid, raw: Uint8Array.from(transaction.toBuffer()), fee: 0n, coins: [] };
}

/**
 * Writes a fixture chain of blocks 0 to 2: block 1 makes a contract, block 2 calls it `calls` times, each call to the
 * end of its fuel. Gives the txids of block 2 in display order.
 */
export function writeSlowChain(dir: string, calls: number): string[] {
  const lock = new KeyRing('slow').lock('p2wpkh');
  const chain = new RegtestChain();
  const envelope = encodeEnvelope(gzipStored(endlessContract()));
  chain.mine(lock, { transactions: [carrying(message(id(3, 9), []), 0, [envelope, Uint8Array.of(0x51)])] });
  const slow = Array.from({ length: calls }, (_, i) => carrying(message(id(4, 9), []), i + 1, []));
  chain.mine(lock, { transactions: slow });
  writeFixture(dir, { seed: 'slow', firstHeight: 0, blocks: chain.blocks });
  return slow.map(({ txid }) => toDisplayHash(txid));
}
