import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sendCommand } from '../../src/cli/sending.js';
import { RecordingChain } from '../../src/harness/recording-chain.js';
import { TestChain } from '../../src/harness/test-chain.js';
import { builtPrograms } from '../../src/util/built-wasm.js';
import { concatBytes } from '../../src/util/bytes.js';
import { temporaryFolder } from '../helpers/cli.js';
import { wat } from '../helpers/wat.js';
import { devNode } from '../wallet/dev-node.js';

const BODY = '(memory (export "memory") 1)';
const RETURNS = '(func (export "__execute") (result i32) i32.const 0)';
const made = (body: string): Uint8Array =>
  wat(`(module ${BODY} (func (export "__execute") (result i32) ${body} i32.const 32))`);

function chain(): TestChain {
  return new TestChain(new RecordingChain(), new Map([['mint', builtPrograms().mint]]));
}

/** What is shown of an error. */
function shown(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return textOf(error);
  }
  return expect.fail('nothing was thrown');
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) throw error;
  return 'explain' in error && typeof error.explain === 'function' ? error.explain() : error.message;
}

/** A module padded with a custom section of zeros. */
function padded(wasm: Uint8Array, bytes: number): Uint8Array {
  const size = [(bytes & 0x7f) | 0x80, ((bytes >> 7) & 0x7f) | 0x80, ((bytes >> 14) & 0x7f) | 0x80, bytes >> 21];
  return concatBytes(wasm, Uint8Array.of(0, ...size), new Uint8Array(bytes));
}

describe('a typical mistake is told with its place and what to do', () => {
  it.each([
    ['no __execute', wat(`(module ${BODY})`), /WASM_EXPORT.*\n(.*\n)* {2}hint: /],
    ['a float', wat(`(module ${BODY} ${RETURNS} (func (drop (f64.const 1))))`), /WASM_FLOAT.*\n(.*\n)* {2}hint: /],
    [
      'a module that is too large',
      padded(wat(`(module ${BODY} ${RETURNS})`), 3 << 20),
      /3145\d\d\d(.*\n)*.* {2}hint: /,
    ],
    [
      'a wrong import',
      wat(`(module (import "env" "no" (func)) ${BODY} ${RETURNS})`),
      /WASM_IMPORT.*\n(.*\n)* {2}hint: /,
    ],
  ])('%s, when it is deployed', (_, wasm, what) => {
    expect(shown(() => chain().deploy(wasm))).toMatch(what);
  });

  it.each([
    ['out of fuel', made('(loop (br 0))'), /OUT_OF_FUEL(.*\n)*.*fuel: 3500000/],
    ['a trap', made('unreachable'), /not created: .*\n(.*\n)*.*status: TRAP/],
  ])('%s, in the first call', (_, wasm, what) => {
    const text = shown(() => chain().deploy(wasm));
    expect(text).toMatch(what);
    expect(text).toContain('hint: The module is admitted: its first call ended so');
  });

  it('out of fuel and traps of later calls, a revert with its message, and inputs that no contract takes', () => {
    const world = chain();
    const mint = world.deploy('mint', [0, 3, 5]);
    const reverted = shown(() => world.ok(world.call(mint, [0, 1, 1])));
    expect(reverted).toMatch(/the message to 2:1 ended REVERT, not OK\n {2}reason {2}abort/);
    const nobody = shown(() => world.ok(world.call('2:99', [0])));
    expect(nobody).toMatch(/ended REJECTED, not OK\n {2}reason .*\n.*\n {2}hint {4}the host refused it/);
    expect(shown(() => world.call(mint, [-1]))).toMatch(/USAGE_DEVCHAIN_INPUT.*\n {2}input: -1\n {2}hint: /);
    expect(shown(() => world.call('mint', [0]))).toMatch(/USAGE_BAD_ID.*\n {2}text: mint\n {2}hint: /);
    expect(shown(() => world.deploy('nimt'))).toMatch(/USAGE_TEST_CONTRACT.*\n(.*\n)* {2}hint: /);
    expect(shown(() => world.call(mint, [77], { send: { '2:1': 1 } }))).toMatch(/USAGE_DEVCHAIN_FUNDS(.*\n)*.*hint: /);
  });
});

/** Of the number 1, for mainnet. */
const MAINNET_KEY = 'KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn';
const MAINNET_ADDRESS = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4';

it.each([
  [
    'the key of another network',
    { key: MAINNET_KEY },
    /^USAGE_KEY: .*it is of mainnet, and the node is on regtest\n {2}hint: Write one private key/,
  ],
  [
    'an address of another network',
    { key: '11'.repeat(32), to: MAINNET_ADDRESS },
    /^USAGE_ADDRESS: .*\n(.*\n)* {2}to: bc1q.*\n(.*\n)* {2}hint: Give an address of regtest\.$/,
  ],
  [
    'no funds',
    { key: '11'.repeat(32) },
    /^WALLET_NO_FUNDS: (.*\n)* {2}available: 0\n(.*\n)* {2}hint: Send at least \d+ satoshi .*generatetoaddress/,
  ],
])('%s, when a message is sent, is told with its place and what to do', async (_, { key, ...options }, what) => {
  const { url: nodeUrl } = await devNode();
  const file = join(temporaryFolder(), 'key');
  writeFileSync(file, key);
  const sent = sendCommand({ block: 2n, tx: 1n }, [77n], { nodeUrl, key: file, feeRate: 2_000n, ...options });
  const text = await sent.then(() => expect.fail('it was sent'), textOf);
  expect(text).toMatch(what);
});
