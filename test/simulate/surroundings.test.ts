import { describe, expect, it, test } from 'vitest';
import { parseBlock } from '../../src/bitcoin/parse-block.js';
import { verifyBlock } from '../../src/bitcoin/verify-block.js';
import { protostonesOf } from '../../src/lane/scan.js';
import type { StateReader } from '../../src/lane/types.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { parseId } from '../../src/protocol/alkane-id.js';
import type { SimulationRequest } from '../../src/simulate/request.js';
import { simulate } from '../../src/simulate/simulate.js';
import { type Previous, plausibleBlock, plausibleTransaction } from '../../src/simulate/surroundings.js';
import { concatBytes, fromHex, readU32, u32Bytes, writeU32 } from '../../src/util/bytes.js';
import { call as callInner, i32, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';
import { ACTOR, makeCall, numbers, RETURNED } from '../lane/calls/actor.js';
import { call, World } from '../lane/world.js';

const REGTEST_BITS = 0x207fffff;
const TIME_AT = 68;
const BITS_AT = 72;
const NONCE_AT = 76;
const SECONDS = 1_700_000_000;

function previous(height: number, network = 'regtest'): Previous {
  const header = new Uint8Array(80);
  header.set(u32Bytes(SECONDS), TIME_AT);
  header.set(u32Bytes(REGTEST_BITS), BITS_AT);
  return { height, hash: new Uint8Array(32).fill(7), header, network };
}

describe('the transaction around a message that has none', () => {
  const message = call('2:1', 1, 2).slice();
  const padded = new Uint8Array(Math.ceil(message.length / 15) * 15);
  padded.set(message);

  it('has the message as its only protostone, for pointer and refund 0', () => {
    const tx = plausibleTransaction(message);
    expect(protostonesOf(tx)).toMatchObject([
      { index: 0, shadowVout: 3, protocolTag: 1n, message: padded, pointer: 0, refund: 0, edicts: [] },
    ]);
    expect(tx.inputs).toMatchObject([{ prevTxid: new Uint8Array(32), prevVout: 0 }]);
    expect(tx.outputs.map(({ value }) => value)).toEqual([546n, 0n]);
  });
});

describe('the block around it', () => {
  it.each([0, 15, 16, 126, 127, 254, 255, 32_766, 32_767, 65_535, 8_388_606, 8_388_607, 16_777_215])(
    'stands at the height after %i, and every node would take it once it has proof of work',
    (height) => {
      const of = previous(height);
      const raw = plausibleBlock(of, plausibleTransaction(call('2:1')));
      // Half of all hashes meet regtest's target.
      for (;;) {
        const block = parseBlock(raw);
        if (block.hash[31] < 0x80) break;
        writeU32(raw, NONCE_AT, readU32(raw, NONCE_AT) + 1);
      }
      const block = parseBlock(raw);
      verifyBlock(block, { previousHash: of.hash });
      expect(block.coinbaseHeight).toBe(height + 1);
      expect(block.transactions.length).toBe(2);
      expect(readU32(block.header, TIME_AT)).toBe(SECONDS + 600);
      expect(readU32(block.header, BITS_AT)).toBe(REGTEST_BITS);
    },
  );

  it.each([
    ['regtest', 148, 5_000_000_000n],
    ['regtest', 149, 2_500_000_000n],
    ['mainnet', 149, 5_000_000_000n],
    ['mainnet', 839_999, 312_500_000n],
    ['mainnet', 13_439_999, 0n],
    ['mainnet', 4_000_000_000, 0n],
  ])('has the subsidy of %s after height %i', (network, height, subsidy) => {
    const { transactions } = parseBlock(plausibleBlock(previous(height, network), plausibleTransaction(call('2:1'))));
    expect(transactions[0].outputs[0].value).toBe(subsidy);
  });
});

describe('what a contract sees of it', () => {
  const world = new World();
  const actor = world.deploy(ACTOR);
  const state: StateReader = { get: (key) => world.state.get(key) };
  const { hash, header } = previous(9);
  const identity = {
    ...{ schema: 0, rules: 2, network: 'regtest', laneStartHeight: 0, moduleHash: '' },
    dependent: 'demote' as const,
  };
  const record = { ...{ hash, header }, roots: undefined, standardError: undefined, receiptCount: 0 };
  const chain = {
    identity: () => identity,
    blockRecord: (height: number) => (height === 9 ? { height, ...record } : undefined),
  };
  const runner = new ProgramRunner();
  const run = (inputs: readonly bigint[], more: Partial<SimulationRequest> = {}) =>
    simulate(
      {
        ...{ height: 9, incoming: undefined, transaction: undefined, block: undefined },
        message: { target: parseId(actor), inputs, protostone: 0 },
        ...more,
      },
      { state, chain, runner, answerBytes: 1 << 24 },
    );

  test('the built-ins tell its header and what its coinbase pays', () => {
    const [told] = run([...makeCall('call', '800000000:3', []), ...RETURNED]).messages;
    expect(told.receipt.status).toBe('OK');
    expect(numbers(told.receipt.data)).toContain(5_000_000_000n);
    const [first] = run([...makeCall('call', '800000000:0', []), ...RETURNED]).messages;
    expect(fromHex(first.receipt.data).length).toBeGreaterThan(80);
    expect(first.receipt.data).toContain('07'.repeat(32));
  });

  test('a block that is given and cannot be read is refused where a contract asks for it, and only there', () => {
    for (const block of [new Uint8Array(0), new Uint8Array(81).fill(255), new Uint8Array(200)]) {
      expect(run([], { block }).messages[0].receipt.status).toBe('OK');
      expect(() => run(makeCall('call', '800000000:3', []), { block })).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^BLOCK_/) }),
      );
    }
  });

  test('the height is that of the next block, below the start height of the lane nothing runs', () => {
    const wasm = new WasmBuilder();
    const height = wasm.import('__height');
    // Writes 8, the height's length, where the entries of the storage map are counted, so the count is set to 0 again.
    const result = 20;
    const data = result + 20;
    wasm.data(result - 4, concatBytes(u32Bytes(28), new Uint8Array(28)));
    wasm.execute([i32(data), callInner(height), i32(data - 4), i32(0), op(OP.i32Store, 0, 2), i32(result)]);
    const id = parseId(world.deploy(wasm.bytes()));
    const message = { target: id, inputs: [], protostone: 0 };
    expect(run([], { message }).messages[0].receipt).toMatchObject({ status: 'OK', data: '0a00000000000000' });
    identity.laneStartHeight = 11;
    expect(run([], { message }).messages[0].receipt).toMatchObject({ error: 'below the lane start height' });
    identity.laneStartHeight = 10;
    expect(run([], { message }).messages[0].receipt).toMatchObject({ status: 'OK' });
    identity.laneStartHeight = 0;
  });

  test('a block that is no longer stored is a reorg', () => {
    expect(() => run([], { height: 10 })).toThrow(expect.objectContaining({ code: 'STORE_REORG_UNDER_WAY' }));
  });

  test('the place among the protostones says the shadow output, and nothing else', () => {
    for (const protostone of [0, 1, 98]) {
      const { messages } = run([], { message: { target: parseId(actor), inputs: [], protostone } });
      expect(messages).toMatchObject([{ receipt: { protostone, shadowVout: 3 + protostone, status: 'OK' } }]);
    }
  });
});
