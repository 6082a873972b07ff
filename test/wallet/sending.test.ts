import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Psbt } from 'bitcoinjs-lib';
import { expect, onTestFinished, test } from 'vitest';
import { type DeployOptions, deployCommand, type SendOptions, sendCommand } from '../../src/cli/sending.js';
import { describeTransaction } from '../../src/protocol/describe.js';
import { toDisplayHash } from '../../src/util/bytes.js';
import { testWif } from '../../src/wallet/wif.js';
import { cli, ROOT, startCli, temporaryFolder } from '../helpers/cli.js';
import { devNode, type RunningNode } from './dev-node.js';

const MINT = join(ROOT, 'dist/wasm/programs/mint.wasm');
const CONTRACT = { block: 2n, tx: 1n };

interface Sent {
  readonly sent: boolean;
  readonly resumed: boolean;
  readonly steps: readonly { name: string; txid: string; hex: string; psbt: string; vsize: number; fee: string }[];
}

function keyFile(folder: string, text: string): string {
  const path = join(folder, 'key');
  writeFileSync(path, text);
  return path;
}

interface Place {
  readonly node: RunningNode;
  readonly folder: string;
  /** What a command needs to use this node with the key that has its coins. */
  readonly own: Pick<SendOptions, 'nodeUrl' | 'key'> & { readonly json: true };
}

async function place(options?: Parameters<typeof devNode>[0]): Promise<Place> {
  const node = await devNode(options);
  const folder = temporaryFolder();
  return { node, folder, own: { nodeUrl: node.url, key: keyFile(folder, `${node.wallet.wif}\n`), json: true } };
}

async function deployed({ folder }: Place, options: DeployOptions): Promise<Sent> {
  const { text, exitStatus } = await deployCommand(MINT, [0n, 10n, 5n], {
    plan: join(folder, 'plan.json'),
    ...options,
  });
  expect(exitStatus).toBe(0);
  return JSON.parse(text) as Sent;
}

const refusal = (code: string, facts: object = {}): object => ({ code, facts: expect.objectContaining(facts) });

test.each([['wpkh'], ['tr'], ['the wallet of the node']])(
  'deploy commits to a program and reveals it, paid by %s',
  async (kind) => {
    const at = await place();
    const { node, own, folder } = at;
    if (kind === 'tr') {
      const taproot = keyFile(folder, `tr(${node.wallet.wif})`);
      const asked = sendCommand(CONTRACT, [77n], { ...own, key: taproot });
      await expect(asked).rejects.toMatchObject({ code: 'WALLET_NO_FUNDS' });
      const { facts } = (await asked.catch((error: unknown) => error)) as { facts: { address: string } };
      await rpc(node, 'sendtoaddress', facts.address, 0.5);
      node.chain.mine(node.wallet.lock.script);
    }
    const pays = kind.startsWith('the') ? { key: undefined, wallet: 'any' } : {};
    const { steps, sent } = await deployed(at, { ...own, ...pays, feeRate: 3_000n });
    expect(sent).toBe(true);
    expect(node.chain.mempool).toEqual(steps.map(({ txid }) => txid));
    const { transactions } = node.chain.mine(node.wallet.lock.script);
    const { witness, protostones } = describeTransaction(transactions[2]);
    expect(witness).toMatchObject({ input: 0, gunzip: readFileSync(MINT).toString('hex') });
    expect(protostones).toMatchObject([{ pointer: 0, refund: 0, cellpack: { target: '8:8' } }]);
    expect(protostones?.[0].cellpack?.inputs.slice(0, 5)).toEqual(['1', '0', '0', '10', '5']);
    // What was asked for, and at most a signature of one byte less than a key can give.
    for (const { vsize, fee } of steps) expect(Math.abs(Number(fee) - vsize * 3)).toBeLessThanOrEqual(3 * 2);
  },
);

test('a dry run shows everything and sends nothing', async () => {
  const at = await place();
  const { steps, sent } = await deployed(at, { ...at.own, dryRun: true });
  expect({ sent, mempool: at.node.chain.mempool }).toEqual({ sent: false, mempool: [] });
  expect(existsSync(join(at.folder, 'plan.json'))).toBe(false);
  for (const { psbt } of steps) expect(Psbt.fromBase64(psbt).inputCount).toBe(1);
  const { text } = await sendCommand(CONTRACT, [77n], { ...at.own, json: undefined, dryRun: true });
  expect(text).toMatch(/^message {2}[0-9a-f]{64} {2}\d+ vB, fee \d+ satoshi\n(.|\n)*Nothing was sent\.$/);
});

test('killed between commit and reveal, the same command goes on with what it had signed', async () => {
  const found: { pid?: number } = {};
  const at = await place({
    instant: true,
    changed: async () => {
      if (found.pid !== undefined) process.kill(found.pid, 'SIGKILL');
      found.pid = undefined;
    },
  });
  const { node, own, folder } = at;
  const plan = join(folder, 'plan.json');
  const args = ['deploy', MINT, '0', '10', '5', '--node-url', node.url, '--key', own.key ?? '', '--plan', plan];
  const first = startCli(args);
  found.pid = first.child.pid;
  expect((await first.done).status).toBeUndefined();
  expect(statSync(plan).mode & 0o777).toBe(0o600);
  const kept = JSON.parse(readFileSync(plan, 'utf8')) as Sent;
  const [commit, reveal] = kept.steps.map(({ txid }) => node.chain.transaction(txid)?.height);
  expect({ sent: kept.sent, commit, reveal }).toEqual({ sent: false, commit: 4, reveal: undefined });
  const second = await cli(...args);
  expect(second).toMatchObject({ status: 0, stdout: expect.stringContaining('as the plan file said') });
  expect(node.chain.transaction(kept.steps[1].txid)?.height).toBe(5);
  expect(await cli(...args)).toMatchObject({ status: 3, stderr: expect.stringMatching(/^PLAN_DONE: /) });
  const other = deployCommand(MINT, [1n], { ...own, plan });
  await expect(other).rejects.toMatchObject(refusal('PLAN_OTHER', { sent: true }));
  writeFileSync(plan, '{"format":1,"what":"deploy"}');
  await expect(deployCommand(MINT, [1n], { ...own, plan })).rejects.toMatchObject(refusal('PLAN_UNREADABLE'));
});

test('send spends the coins that are named, gives a part of their assets, and mines its transaction', async () => {
  const { node, own } = await place();
  const spend = [{ txid: await rpc(node, 'sendtoaddress', node.wallet.address, 0.00000546), vout: 0 }];
  node.chain.mine(node.wallet.lock.script);
  const options = { ...own, spend, give: [{ id: CONTRACT, amount: 7n }], mine: true };
  const { steps } = JSON.parse((await sendCommand(CONTRACT, [1n], options)).text) as Sent;
  const { height, transactions } = node.chain.block(node.chain.height) ?? { transactions: [] };
  expect({ height, txids: transactions.slice(1).map(({ txid }) => toDisplayHash(txid)) }).toEqual({
    ...{ height: 5, txids: steps.map(({ txid }) => txid) },
  });
  const [, message] = transactions;
  expect(toDisplayHash(message.inputs[0].prevTxid)).toBe(spend[0].txid);
  // The first protostone hands 7 to the second one and keeps the rest on output 0.
  expect(describeTransaction(message)).toMatchObject({
    outputs: 3,
    protostones: [
      { pointer: 0, message: '', edicts: [{ id: '2:1', amount: '7', output: '5' }] },
      { shadow_vout: 5, cellpack: { target: '8:8' } },
    ],
  });
});

async function rpc(node: RunningNode, method: string, ...params: unknown[]): Promise<string> {
  const response = await fetch(node.url, { method: 'POST', body: JSON.stringify({ id: 1, method, params }) });
  const { result, error } = (await response.json()) as { result: string; error: { message: string } | null };
  if (error !== null) throw new Error(error.message);
  return result;
}

test('a coin that somebody else spends meanwhile is not spent twice', async () => {
  const at = await place();
  const plan = join(at.folder, 'plan.json');
  await deployed(at, { ...at.own, plan });
  // As if nothing of it had come to the node.
  const text = readFileSync(plan, 'utf8').replace('"sent": true', '"sent": false');
  const other = await place();
  await rpc(other.node, 'sendtoaddress', other.node.wallet.address, 149.9);
  other.node.chain.mine(other.node.wallet.lock.script);
  writeFileSync(plan, text);
  const again = deployCommand(MINT, [0n, 10n, 5n], { ...at.own, nodeUrl: other.node.url, plan });
  await expect(again).rejects.toMatchObject(refusal('SEND_COINS_SPENT'));
});

test.each<[string, (at: Place) => Partial<DeployOptions>, object]>([
  ['neither key nor wallet', () => ({ key: undefined }), refusal('USAGE_WALLET')],
  ['both', () => ({ wallet: 'w' }), refusal('USAGE_WALLET')],
  ['no key', ({ folder }) => ({ key: keyFile(folder, 'what?') }), refusal('USAGE_KEY')],
  [
    'a key with a wrong letter',
    ({ folder, node }) => ({ key: keyFile(folder, `${node.wallet.wif.slice(0, -1)}1`) }),
    refusal('USAGE_KEY'),
  ],
  ['a key out of range', ({ folder }) => ({ key: keyFile(folder, 'f'.repeat(64)) }), refusal('USAGE_KEY')],
  [
    'a key of mainnet',
    ({ folder }) => ({ key: keyFile(folder, 'KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn') }),
    refusal('USAGE_KEY'),
  ],
  [
    'a key without coins',
    ({ folder }) => ({ key: keyFile(folder, testWif(new Uint8Array(32).fill(7))) }),
    refusal('WALLET_NO_FUNDS', { network: 'regtest', available: 0n }),
  ],
  [
    'an address of another network',
    () => ({ to: 'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx' }),
    refusal('USAGE_ADDRESS', { network: 'regtest' }),
  ],
  ['a coin that is not there', () => ({ spend: [{ txid: 'ab'.repeat(32), vout: 0 }] }), refusal('USAGE_COIN')],
  [
    'another network',
    () => ({ network: 'signet' }),
    refusal('CHAIN_WRONG_NETWORK', { network: 'regtest', wanted: 'signet' }),
  ],
  ['too small a fee', () => ({ feeRate: 50n }), refusal('SEND_REFUSED')],
  ['a node that does not run', () => ({ nodeUrl: 'http://127.0.0.1:1' }), refusal('NODE_UNREACHABLE')],
  ['a wait without an index', () => ({ wait: 1 }), refusal('USAGE_WAIT')],
  ['a login without a password', () => ({ auth: 'me' }), refusal('USAGE_AUTH')],
])('%s is refused, and the error says what to do', async (_, options, expected) => {
  const at = await place();
  const run = deployCommand(MINT, [0n], { plan: join(at.folder, 'plan.json'), ...at.own, ...options(at) });
  await expect(run).rejects.toMatchObject(expected);
  await expect(run).rejects.toMatchObject({ hint: expect.stringMatching(/\.$/) });
  expect(at.node.chain.mempool).toEqual([]);
});

test('mainnet is refused unless it is meant, and a fee must be known there', async () => {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => {
      body += part.toString();
    });
    request.on('end', () => {
      const { method } = JSON.parse(body) as { method: string };
      response.end(
        JSON.stringify({ id: 0, error: null, result: method === 'getblockchaininfo' ? { chain: 'main' } : {} }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const nodeUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const key = keyFile(temporaryFolder(), '11'.repeat(32));
  await expect(sendCommand(CONTRACT, [1n], { nodeUrl, key })).rejects.toMatchObject(refusal('USAGE_MAINNET'));
  const meant = sendCommand(CONTRACT, [1n], { nodeUrl, key, yesMainnet: true });
  await expect(meant).rejects.toMatchObject(refusal('USAGE_FEE_RATE', { network: 'mainnet' }));
});

test('a program that the lane does not take is refused before anything is asked', async () => {
  const file = join(temporaryFolder(), 'bad.wasm');
  writeFileSync(file, Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  await expect(deployCommand(file, [], { nodeUrl: 'http://127.0.0.1:1' })).rejects.toMatchObject({
    kind: 'input',
    code: 'WASM_EXPORT',
  });
});
