import { describe, expect, it } from 'vitest';
import { parseBlock } from '../../src/bitcoin/parse-block.js';
import { verifyBlock } from '../../src/bitcoin/verify-block.js';
import { ContractChain } from '../../src/contract-chain/contract-chain.js';
import { KnownBlocks } from '../../src/contract-chain/known-blocks.js';
import { MemoryChain, type MemoryChainOptions } from '../../src/contract-chain/memory-chain.js';
import { LaneEngine } from '../../src/execute/engine.js';
import { IN_TURN } from '../../src/lane/receipt.js';
import type { LaneKey } from '../../src/lane/types.js';
import { applyWrites } from '../../src/selftest/fuzz/fuzz.js';
import { builtPrograms, callsProgram } from '../../src/util/built-wasm.js';
import { readU128, toHex } from '../../src/util/bytes.js';

const { mint, probe } = builtPrograms();
const CAP = 3;
const EACH = 5;
const MINT = 77;
const SUPPLY = 101;

function minted() {
  const chain = new ContractChain();
  return { chain, token: chain.deploy(mint, [0, CAP, EACH]) };
}

const supplyOf = (chain: ContractChain): bigint => readU128(chain.call('2:1', [SUPPLY]).data, 0);
const errorOf = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error;
  }
  return expect.fail('nothing was thrown');
};

describe('contracts on a chain in memory', () => {
  it('blocks are valid, build on each other, and begin with the genesis block of regtest', () => {
    const { chain, token } = minted();
    chain.call(token, [MINT]);
    chain.mine(20);
    let previous = new Uint8Array(32);
    for (let height = 0; height <= chain.height; height++) {
      const { raw, hash } = chain.chain.block(height) ?? expect.fail();
      const block = parseBlock(raw);
      verifyBlock(block, { previousHash: previous });
      expect(block.coinbaseHeight).toBe(height);
      expect(toHex(block.hash)).toBe(toHex(hash));
      previous = new Uint8Array(hash);
    }
    expect(toHex((chain.chain.block(0) ?? expect.fail()).hash)).toMatch(/8dfb0f$|06226e46/);
  });

  it('a call says how it ended, what it gave and what it used', () => {
    const { chain, token } = minted();
    const made = chain.call(token, [MINT]);
    expect(made).toMatchObject({ status: 'OK', error: undefined, id: { block: 2n, tx: 1n } });
    expect(made.transfers).toEqual([{ id: token.id, amount: BigInt(EACH) }]);
    expect(made.fuel).toBeGreaterThan(5_000);
    expect(chain.balance(token, chain.account('alice'))).toBe(BigInt(EACH));
    expect(Buffer.from(chain.call('2:1', [99]).data).toString()).toBe('mint');
    expect(readU128(chain.storage(token, 'minted') ?? expect.fail(), 0)).toBe(1n);
    for (let i = 1; i < CAP; i++) expect(chain.call(token, [MINT]).status).toBe('OK');
    expect(chain.call(token, [MINT])).toMatchObject({ status: 'REVERT', error: 'abort', transfers: [] });
    expect(chain.call('2:9', [0])).toMatchObject({ status: 'REJECTED' });
  });

  it('a deployment that is refused says why', () => {
    const chain = new ContractChain();
    expect(errorOf(() => chain.deploy(mint.subarray(0, 100)))).toMatchObject({ code: 'USAGE_DEVCHAIN_DEPLOY' });
    expect(errorOf(() => chain.deploy(mint, [12345]))).toMatchObject({
      message: expect.stringContaining('abort'),
      facts: { status: 'REVERT', inputs: '12345' },
    });
    expect(chain.has('2:1')).toBe(false);
  });

  it('assets go where the sender says, and what is not sent stays with the sender', () => {
    const { chain, token } = minted();
    const [alice, bob] = ['alice', 'bob'].map((name) => chain.account(name));
    chain.call(token, [MINT]);
    chain.call(token, [MINT]);
    // Whatever comes in goes on to the pointer.
    const sent = chain.call(token, [99], { from: alice, to: bob, send: { '2:1': 7 } });
    expect(sent.transfers).toEqual([{ id: token.id, amount: 7n }]);
    expect([chain.balance(token, alice), chain.balance(token, bob)]).toEqual([3n, 7n]);
    // All that a coin holds needs no protostone before the message.
    const all = chain.call(token, [99], { from: bob, to: alice, send: { '2:1': 7 } });
    expect(all.mined.transaction.protostones).toHaveLength(1);
    expect([chain.balance(token, alice), chain.balance(token, bob)]).toEqual([10n, 0n]);
    expect(errorOf(() => chain.call(token, [99], { send: { '2:1': 11 } }))).toMatchObject({
      code: 'USAGE_DEVCHAIN_FUNDS',
      facts: { account: 'alice', wanted: 11n, there: 10n },
    });
    expect(errorOf(() => chain.call(token, [2n ** 128n]))).toMatchObject({ code: 'USAGE_DEVCHAIN_INPUT' });
  });

  it('a transaction has several messages, and a block several transactions', () => {
    const { chain, token } = minted();
    const [first, second] = chain.transaction([
      { target: token, inputs: [MINT] },
      { target: token, inputs: [SUPPLY] },
    ]);
    expect([first.status, readU128(second.data, 0)]).toEqual(['OK', BigInt(EACH)]);
    const { block, results } = chain.block((send) => {
      for (let i = 0; i < 3; i++) send({ target: token, inputs: [MINT] });
    });
    expect(results.map(({ status }) => status)).toEqual(['OK', 'OK', 'REVERT']);
    expect(block.transactions).toHaveLength(3);
  });

  it('a message of a block cannot spend what an earlier transaction of it spends', () => {
    const { chain, token } = minted();
    chain.call(token, [MINT]);
    const twice = (): unknown =>
      chain.block((send) => {
        for (let i = 0; i < 2; i++) send({ target: token, inputs: [99], send: { '2:1': 3 } });
      });
    expect(errorOf(twice)).toMatchObject({ code: 'USAGE_DEVCHAIN_FUNDS' });
  });

  it('a reorg takes back what its blocks did', () => {
    const { chain, token } = minted();
    const before = { root: chain.chain.root(), height: chain.height };
    chain.call(token, [MINT]);
    chain.call(token, [MINT]);
    expect(toHex(chain.chain.root())).not.toBe(toHex(before.root));
    chain.rollback(2);
    expect(toHex(chain.chain.root())).toBe(toHex(before.root));
    expect(chain.balance(token, chain.account('alice'))).toBe(0n);
    chain.call(token, [MINT]);
    chain.reorg(1);
    expect(chain.height).toBe(before.height + 2);
    expect(supplyOf(chain)).toBe(0n);
    expect(errorOf(() => chain.rollback(99))).toMatchObject({ code: 'USAGE_DEVCHAIN_HEIGHT' });
  });

  it('a fork goes on by itself', () => {
    const { chain, token } = minted();
    const other = new ContractChain(chain.chain.fork());
    other.call(token, [MINT]);
    expect([chain.height + 1, supplyOf(chain)]).toEqual([other.height, 0n]);
    expect(supplyOf(other)).toBe(BigInt(EACH));
  });

  it('reads what it has not written from the state below, and takes it back with the block', () => {
    const below = minted().chain;
    const chain = new ContractChain(new MemoryChain({ base: below.chain }));
    chain.call('2:1', [MINT]);
    expect([supplyOf(chain), supplyOf(below)]).toEqual([BigInt(EACH), 0n]);
    chain.rollback(2);
    expect(supplyOf(chain)).toBe(0n);
    expect(below.chain.get('sequence')).toEqual(chain.chain.get('sequence'));
  });

  it('blocks that another chain of the same kind has run are not run again', async () => {
    const known: NonNullable<MemoryChainOptions['known']> = new KnownBlocks();
    const played = (each: number): ContractChain => {
      const chain = new ContractChain(new MemoryChain({ known }));
      chain.deploy(mint, [0, CAP, EACH]);
      chain.call('2:1', [MINT], { from: chain.account(`${each}`) });
      return chain;
    };
    const [first, same, other] = [played(1), played(1), played(2)];
    const lane = ({ chain }: ContractChain, height: number): unknown => chain.block(height)?.lane;
    expect([lane(same, 1), lane(same, 2)]).toEqual([lane(first, 1), lane(first, 2)]);
    expect(lane(same, 2)).toBe(lane(first, 2));
    expect(lane(other, 1)).toBe(lane(first, 1));
    expect(lane(other, 2)).not.toEqual(lane(first, 2));
    expect(toHex(same.chain.root())).toBe(toHex(first.chain.root()));
    // Of a block that commits to nothing, the hash does not tell the transactions.
    const writes = new Map([['store/x', Uint8Array.of(1)]]);
    for (const chain of [first, same]) {
      await chain.mineBy(async () => ({ writes: chain === first ? writes : new Map() }));
      chain.mine();
    }
    expect(lane(same, 4)).not.toBe(lane(first, 4));
  });

  it('what was run longest ago is forgotten', () => {
    const known = new KnownBlocks<number>(10);
    const hash = (i: number): Uint8Array => new Uint8Array(32).fill(i);
    for (let i = 1; i <= 25; i++) known.add(hash(i), i, 1);
    expect([1, 10, 11, 20, 21, 25].map((i) => known.get(hash(i)))).toEqual([undefined, undefined, 11, 20, 21, 25]);
  });

  it('coins that were spent come back with a reorg, and what is read of the storage belongs to the reader', () => {
    const { chain, token } = minted();
    const [alice, bob] = ['alice', 'bob'].map((name) => chain.account(name));
    chain.call(token, [MINT]);
    chain.call(token, [99], { from: alice, to: bob, send: { '2:1': 2 } });
    chain.call(token, [99], { from: bob, to: alice, send: { '2:1': 2 } });
    const held = (): bigint[] => [alice, bob].map((account) => chain.balance(token, account));
    expect(held()).toEqual([5n, 0n]);
    chain.rollback(1);
    expect(held()).toEqual([3n, 2n]);
    chain.rollback(1);
    expect(held()).toEqual([5n, 0n]);
    chain.storage(token, 'minted')?.fill(9);
    expect(readU128(chain.storage(token, 'minted') ?? expect.fail(), 0)).toBe(1n);
  });

  it('an index of the same blocks has the same state, receipts and data of calls', async () => {
    const chain = new ContractChain();
    const pool = chain.deploy(probe);
    const actor = chain.deploy(callsProgram('actor'));
    chain.block((send) => {
      for (let i = 0; i < 5; i++) send({ target: pool, inputs: [1, i % 2, 7] });
      send({ target: actor, inputs: [0] });
    });
    chain.call(pool, [99, 1]);
    const engine = new LaneEngine({ policy: 'cpu', workers: 0, laneStartHeight: 0, dependent: 'demote' });
    const state = new Map<LaneKey, Uint8Array>();
    for (let height = 1; height <= chain.height; height++) {
      const block = chain.chain.block(height) ?? expect.fail();
      const reader = { get: (key: LaneKey) => state.get(key) };
      const result = await engine.processBlock(parseBlock(block.raw), height, { reader });
      expect(result.receipts.map((receipt) => ({ ...receipt, ...IN_TURN }))).toEqual(chain.chain.receipts(block));
      applyWrites(state, result.writes);
    }
    await engine.close();
    expect([...state].sort(([a], [b]) => (a < b ? -1 : 1))).toEqual(chain.chain.entries());
  });
});
