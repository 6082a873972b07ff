import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openServed } from '../../src/cli/served.js';
import { type TraceOptions, traceCommand } from '../../src/cli/trace.js';
import { startRpcServer } from '../../src/rpc/server.js';
import { bundledDatabase } from '../helpers/bundled-database.js';
import { CHAIN, type CliRun, cli, lastLine, ROOT } from '../helpers/cli.js';
import { here } from '../helpers/here.js';

const HEIGHT = 114;
/** Claims a leaf that an earlier transaction of that block has claimed. */
const TXID = 'c37c9b7e9e976d972ff31760e59e1a9e928e397b6a910e51b1357d09203118c3';
const EARLIER = '2a0d50a69dd4da7e6d469514ed4730e4de2b27f346e3df26d249c4655112e36b';

function ended(run: CliRun, status: number, text: RegExp): void {
  expect(`${run.stdout}${run.stderr}`).toMatch(text);
  expect(run.status).toBe(status);
}

test('a trace of a database, with steps and without, is that of a server over it', async () => {
  const db = await bundledDatabase(HEIGHT);
  const trace = (...more: string[]): Promise<CliRun> => cli('trace', TXID, ...more);
  const traced = (options: TraceOptions, txid = TXID): Promise<CliRun> => here(() => traceCommand(txid, options));
  const plain = await trace('--db', db);
  ended(plain, 0, new RegExp(`^${TXID} {2}REVERT: abort\n(.*\n)+.*follows 1 transaction of its block\n.*${EARLIER}\n`));
  expect(plain.stdout).not.toContain('__load_storage');
  const told = await traced({ db, json: true });
  expect(lastLine(told)).toMatchObject({
    ...{ txid: TXID, height: 114, status: 'REVERT', run: null },
    waits: { after: [{ txid: EARLIER, spends: false, keyTotal: 1 }], afterTotal: 1, complete: true },
  });
  const steps = await trace('--db', db, '--steps', '--blocks', CHAIN);
  ended(
    steps,
    0,
    /__load_storage key=0x636c61696d65642f16(00)+ -> 0x01 .*\n {4}abort stops: abort {2}\(fuel \d+ - 100\)/,
  );
  const inSteps = await traced({ db, steps: true, blocks: CHAIN, json: true });
  ended(await traced({ db, steps: true }), 4, /^STORE_NO_BLOCK_BYTES: /);
  ended(await traced({ db, steps: true, blocks: join(db, 'none') }), 3, /^BLOCK_FILE_UNREADABLE: /);
  ended(await traced({ db }, EARLIER.replace('2', '3')), 4, /^STORE_NO_RECEIPT: /);

  const served = await openServed({ db, blocks: CHAIN });
  const server = await startRpcServer({ host: '127.0.0.1', port: 0, backend: served.backend });
  onTestFinished(async () => {
    await server.close();
    await served.close();
  });
  expect((await traced({ rpc: server.url })).stdout).toBe(plain.stdout);
  expect((await traced({ rpc: server.url, json: true })).stdout).toBe(told.stdout);
  expect((await traced({ rpc: server.url, steps: true })).stdout).toBe(steps.stdout);
  expect((await trace('--rpc', server.url, '--steps', '--json')).stdout).toBe(inSteps.stdout);
  const other = await traced({ rpc: server.url }, EARLIER.replace('2', '3'));
  ended(other, 5, /^ENV_RPC_FAILED: .*RECEIPT_NOT_FOUND/s);
});

test('wrong use is told, and an answer that is no trace is an error of the server', async () => {
  ended(await cli('trace', 'abc', '--db', 'x'), 2, /It must be 64 hex digits/);
  const rpc = 'http://127.0.0.1:1';
  for (const options of [{}, { db: 'x', rpc }, { rpc, blocks: 'x' }])
    ended(await here(() => traceCommand(TXID, options)), 2, /^USAGE_TRACE_FROM: /);
  const server = createServer((_, response) => response.end('{"jsonrpc":"2.0","id":1,"result":{"messages":7}}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const told = here(() => traceCommand(TXID, { rpc: `http://127.0.0.1:${port}` }));
  ended(await told, 5, /^ENV_RPC_FAILED: .* is no trace/);
});

test('the traces of docs/contracts.md are answered as written', async () => {
  const text = readFileSync(join(ROOT, 'docs', 'contracts.md'), 'utf8');
  const [, command, shown] = /^\$ warpshrew (trace .*) --db my\.db\n([^`]*)^```$/m.exec(text) ?? [];
  const db = await bundledDatabase(HEIGHT);
  const run = await cli(...command.split(' '), '--db', db);
  expect(run.stdout).toBe(shown);
  const [, lines] = /^```\n((?: {4}\S.*\n)+)```$/m.exec(text) ?? [];
  const steps = await cli(...command.split(' '), '--db', db, '--steps', '--blocks', CHAIN);
  expect(steps.stdout).toContain(lines);
});
