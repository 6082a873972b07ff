import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { forkOf } from '../../src/cli/dev.js';
import { type DeployOptions, deployCommand, type SendOptions, sendCommand } from '../../src/cli/sending.js';
import { type DevOptions, DevService } from '../../src/dev/dev-service.js';
import { askRpc } from '../../src/rpc/ask-rpc.js';
import { allRows } from '../../src/testing/chains/database-rows.js';
import { bundledDatabase } from '../helpers/bundled-database.js';
import { ROOT, startCli, temporaryFolder } from '../helpers/cli.js';

const program = (name: string): string => join(ROOT, `dist/wasm/programs/${name}.wasm`);
const MINT = program('mint');
const TIP = 110;

interface Running {
  readonly service: DevService;
  /** How commands reach it. */
  readonly access: SendOptions;
  readonly ask: (method: string, ...params: unknown[]) => Promise<unknown>;
  readonly nodeAsk: (method: string, ...params: unknown[]) => Promise<unknown>;
}

async function running(options: Partial<DevOptions> = {}): Promise<Running> {
  const service = await DevService.start({
    ...{ host: '127.0.0.1', port: 0, nodePort: 0, explorer: false, now: () => 1_700_000_000, ...options },
  });
  onTestFinished(() => service.close());
  const key = join(temporaryFolder(), 'key');
  writeFileSync(key, service.node.wallet.wif);
  const { url: nodeUrl } = service.nodeServer;
  const rpc = service.server.url;
  return {
    service,
    access: { nodeUrl, key, rpc, wait: 60, json: true },
    ask: (method, ...params) => askRpc(rpc, method, params),
    nodeAsk: (method, ...params) => askNode(nodeUrl, method, params),
  };
}

/** As nodes answer: a result and an error, one of them null. */
async function askNode(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify({ id: 1, method, params }) });
  const { result, error } = (await response.json()) as { result: unknown; error: { message: string } | null };
  if (error !== null) throw new Error(error.message);
  return result;
}

interface Done {
  readonly fate: { readonly status: string; readonly target: string; readonly fuel: number };
  readonly steps: readonly { readonly txid: string }[];
}

async function deployed(file: string, inputs: readonly bigint[], access: SendOptions): Promise<Done> {
  const options: DeployOptions = { ...access, plan: join(temporaryFolder(), 'plan.json') };
  return JSON.parse((await deployCommand(file, inputs, options)).text) as Done;
}

async function sent(target: string, inputs: readonly bigint[], access: SendOptions): Promise<Done> {
  const [block, tx] = target.split(':').map(BigInt);
  return JSON.parse((await sendCommand({ block, tx }, inputs, access)).text) as Done;
}

test('a contract is deployed, called and queried without a node; a message that would fail is not sent', async () => {
  const { access, ask, nodeAsk, service } = await running();
  const { fate } = await deployed(MINT, [0n, 2n, 5n], access);
  expect(fate).toMatchObject({ status: 'OK', target: '2:1' });
  const { steps } = await sent('2:1', [77n], access);
  expect(await ask('warpshrew_getsheet', `${steps[0].txid}:0`)).toEqual({ '2:1': '5' });
  expect(await ask('warpshrew_simulate', { target: '2:1', inputs: [103] })).toMatchObject({
    messages: [{ data: '01'.padEnd(32, '0') }],
  });
  await sent('2:1', [77n], access);
  const full = sent('2:1', [77n], access);
  await expect(full).rejects.toMatchObject({ code: 'SEND_WOULD_FAIL', facts: { contract: '2:1' } });
  await expect(sent('2:9', [77n], access)).rejects.toThrow(/REJECTED: no code at the target/);
  // Its own standard module ran as well, and the faucet pays at once.
  const height = service.node.chain.height;
  expect(await ask('metashrew_view', 'tipheight', '')).toBe(`0x${Buffer.from([height, 0, 0, 0]).toString('hex')}`);
  const txid = await nodeAsk('sendtoaddress', 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', 1.5);
  expect(await nodeAsk('getrawtransaction', txid, 1)).toMatchObject({ confirmations: 1, vout: [{ value: 1.5 }, {}] });
  expect(await nodeAsk('getblockcount')).toBe(height + 1);
  await expect(nodeAsk('sendrawtransaction', '00')).rejects.toThrow(/TX decode failed/);
  const status: unknown = await (await fetch(`${service.server.url}/status`)).json();
  expect(status).toMatchObject({ network: 'regtest', tip: { height: height + 1 } });
  await expect(nodeAsk('nothing')).rejects.toThrow(/Method not found/);
});

test('a reorg by invalidateblock undoes what the blocks did', async () => {
  const { access, ask, nodeAsk, service } = await running();
  await deployed(MINT, [0n, 9n, 5n], access);
  const before = await ask('metashrew_stateroot');
  await sent('2:1', [77n], access);
  expect(await ask('metashrew_stateroot')).not.toBe(before);
  await nodeAsk('invalidateblock', await nodeAsk('getbestblockhash'));
  expect(await ask('metashrew_stateroot')).toBe(before);
  // The transaction waits for another block.
  expect(await nodeAsk('getrawmempool')).toHaveLength(1);
  await nodeAsk('generatetoaddress', 1, service.node.wallet.address);
  expect(await ask('warpshrew_simulate', { target: '2:1', inputs: [103] })).toMatchObject({
    messages: [{ data: '01'.padEnd(32, '0') }],
  });
});

test('a program that is replaced in place has always been there: what called it runs again', async () => {
  const { service, access, ask } = await running();
  const txid = await service.deploy(readFileSync(program('probe')), [0n]);
  const { steps } = await sent('2:1', [99n], { ...access, force: true });
  const statusOf = async (of: string): Promise<unknown> =>
    ((await ask('warpshrew_getreceipt', of)) as { status: string }).status;
  expect(await statusOf(steps[0].txid)).toBe('REVERT');
  await service.replace(txid, readFileSync(program('names')));
  expect(await statusOf(steps[0].txid)).toBe('OK');
  expect(await ask('warpshrew_getreceipt', steps[0].txid)).toMatchObject({ messages: [{ data: '6e616d6573' }] });
  await expect(service.replace(txid, Uint8Array.of(1))).rejects.toMatchObject({ kind: 'input' });
  expect(await statusOf(steps[0].txid)).toBe('OK');
});

test('a fork gives the answers of the original, goes on by itself, and writes nothing there', async () => {
  const db = await bundledDatabase(TIP);
  const before = await allRows(db);
  // In a process of its own: who reads through waits for it.
  const { child, done } = startCli(['serve', '--db', db, '--port', '0', '--no-explorer']);
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = await new Promise<string>((resolve) => {
    child.stdout?.on('data', (text: string) => {
      const found = /http:\S+/.exec(text);
      if (found) resolve(found[0]);
    });
  });
  const at = { url, height: TIP };
  const { access, ask, service, nodeAsk } = await running({ fork: at });
  const { origin } = service.index;
  expect(await ask('metashrew_height')).toBe(String(TIP + 10));

  // Every contract of the original, with opcodes that some of them have: data, status, fuel, what would change.
  const { items } = (await askRpc(url, 'warpshrew_listcontracts', [{ limit: 50 }])) as {
    items: { id: string }[];
  };
  expect(items.length).toBeGreaterThan(3);
  let succeeded = 0;
  for (const { id } of items) {
    for (const opcode of [4, 99, 100]) {
      const request = { target: id, inputs: [opcode, 1, 2] };
      const own = (await ask('warpshrew_simulate', request)) as Record<string, unknown>;
      const theirs = (await askRpc(url, 'warpshrew_simulate', [{ ...request, height: TIP }])) as typeof own;
      expect({ ...own, height: 0 }, `${id} ${opcode}`).toEqual({ ...theirs, height: 0 });
      if (own.status === 'OK') succeeded++;
    }
  }
  expect(succeeded).toBeGreaterThan(5);
  const view = ['metashrew_view', 'tipheight', ''] as const;
  expect(await ask(...view)).toBe(await askRpc(url, view[0], [...view.slice(1), TIP]));
  // Each value is asked for once.
  const requests = origin?.requests ?? 0;
  for (const { id } of items) await ask('warpshrew_simulate', { target: id, inputs: [99] });
  expect(origin?.requests).toBe(requests);

  // It goes on: a new contract gets the next number, its calls and those of the original's change the fork alone.
  const { fate } = await deployed(MINT, [0n, 3n, 5n], access);
  const known = new Set(items.map(({ id }) => id));
  expect(fate.status).toBe('OK');
  expect(known.has(fate.target)).toBe(false);
  const { steps } = await sent(fate.target, [77n], access);
  expect(await ask('warpshrew_getsheet', `${steps[0].txid}:0`)).toEqual({ [fate.target]: '5' });
  const theirs = items.map(({ id }) => id).filter((id) => id !== fate.target);
  const changed: string[] = [];
  for (const id of theirs) {
    const done = await sent(id, [4n, 7n], { ...access, force: true });
    if (done.fate.status === 'OK') changed.push(id);
  }
  expect(changed.length).toBeGreaterThan(0);
  // Back to the fork's first block: nothing of it is left, and the original's values are there again.
  const first = await nodeAsk('getblockhash', TIP + 11);
  await nodeAsk('invalidateblock', first);
  for (const id of changed) {
    const request = { target: id, inputs: [4, 7] };
    const own = (await ask('warpshrew_simulate', request)) as Record<string, unknown>;
    const their = (await askRpc(url, 'warpshrew_simulate', [{ ...request, height: TIP }])) as typeof own;
    expect({ ...own, height: 0 }).toEqual({ ...their, height: 0 });
  }
  child.kill('SIGTERM');
  await done;
  expect(await allRows(db)).toEqual(before);
});

test('what is forked must be a server that has the height', async () => {
  expect(forkOf('http://127.0.0.1:8080@12')).toEqual({ url: 'http://127.0.0.1:8080', height: 12 });
  expect(forkOf('https://u:p@host/x')).toEqual({ url: 'https://u:p@host/x', height: undefined });
  expect(() => forkOf('nats://host@1')).toThrow(expect.objectContaining({ code: 'USAGE_FORK' }));
  const away = running({ fork: { url: 'http://127.0.0.1:1', height: 3 } });
  await expect(away).rejects.toMatchObject({ code: 'ENV_RPC_FAILED' });
});

/** A running `warpshrew dev` that has deployed `file`. */
async function devDeploying(file: string, environment: Readonly<Record<string, string>> = {}) {
  const args = ['dev', '--port', '0', '--node-port', '0', '--no-explorer', '--deploy', file, '0'];
  const { child } = startCli(args, environment);
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout?.on('data', (text: string) => {
    said += text;
  });
  const says = (what: RegExp): Promise<void> => expect.poll(() => said).toMatch(what);
  await says(/^contract {2}2:1 {2}\(.*, OK\)$/m);
  const [, url] = /^index +(\S+)/m.exec(said) ?? [];
  return { child, url, says };
}

test('warpshrew dev deploys a program, and puts what its file becomes into its place', async () => {
  const file = join(temporaryFolder(), 'program.wasm');
  writeFileSync(file, readFileSync(program('probe')));
  const { url, says } = await devDeploying(file);
  const named = async (): Promise<unknown> => askRpc(url, 'warpshrew_simulate', [{ target: '2:1', inputs: [99] }]);
  expect(await named()).toMatchObject({ status: 'REVERT' });
  writeFileSync(file, readFileSync(program('names')));
  await says(/^reloaded /m);
  expect(await named()).toMatchObject({ status: 'OK' });
  writeFileSync(file, 'no program');
  await says(/^not reloaded: WASM_/m);
  expect(await named()).toMatchObject({ status: 'OK' });
});

test('warpshrew dev compiles the contract that is edited, and leaves nothing behind at a signal', async () => {
  const folder = temporaryFolder();
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const answers = (number: number): string => `import { addU64, finishEmpty } from 'warpshrew/sdk';
export function __execute(): usize {
  addU64(${number});
  return finishEmpty();
}
`;
  const file = join(folder, 'answer.ts');
  writeFileSync(file, answers(7));
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  const { child, url, says } = await devDeploying(file, { TMPDIR: temporary });
  const call = async (): Promise<unknown> => askRpc(url, 'warpshrew_simulate', [{ target: '2:1', inputs: [0] }]);
  expect(await call()).toMatchObject({ messages: [{ data: '0700000000000000' }] });
  writeFileSync(file, answers(8));
  await says(/^reloaded /m);
  expect(await call()).toMatchObject({ messages: [{ data: '0800000000000000' }] });
  writeFileSync(file, 'export function __execute(): usize { return nothing; }');
  await says(/^not reloaded: CONTRACT_COMPILE(.|\n)*answer\.ts/m);
  expect(readdirSync(temporary)).not.toEqual([]);
  child.kill('SIGTERM');
  const [status] = (await once(child, 'exit')) as [number | null];
  expect([status, readdirSync(temporary)]).toEqual([0, []]);
});
