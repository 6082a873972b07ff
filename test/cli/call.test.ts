import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { alkaneId, assets, u128 } from '../../src/cli/arguments.js';
import { type CallOptions, callCommand } from '../../src/cli/call.js';
import { toHex } from '../../src/util/bytes.js';
import { bundledDatabase } from '../helpers/bundled-database.js';
import { type CliRun, cli, lastLine, ROOT, startCli, temporaryFolder } from '../helpers/cli.js';
import { here } from '../helpers/here.js';
import { envelope, makeTx, PROBE } from '../lane/world.js';

const TIP = 110;
const HEAD = 'OK \\(on the state after block 110\\)\n {2}fuel {6}\\d+ of 3500000\n';
const CLAIMED = new RegExp(`^${HEAD} {2}contract {2}2:1\n {2}data {6}0x636c61696d "claim"\n$`);

function ended(run: CliRun, status: number, text: RegExp): void {
  expect(`${run.stdout}${run.stderr}`).toMatch(text);
  expect(run.status).toBe(status);
}

test('a call shows what the message would do, on a database and on a server alike', async () => {
  const db = await bundledDatabase(TIP);
  const onDb = (target: string, input: bigint, at?: number): Promise<CliRun> =>
    here(() => callCommand(alkaneId(target), [input], { db, height: at }));
  const named = await cli('call', '2:1', '99', '--db', db);
  ended(named, 0, CLAIMED);
  ended(
    await onDb('5:1', 99n),
    0,
    /^OK .*\n(.*\n)* {2}created {3}2:\d+, a clone of 2:1\n {2}sequence {2}\d+ -> \d+\n$/,
  );
  ended(await onDb('2:1', 12345n), 1, /^REVERT: abort \(on the state after block 110\)/);
  ended(await onDb('2:1', 99n, 3), 1, /^REJECTED: no code at the target \(on the state after block 3\)/);
  ended(await onDb('2:1', 99n, 111), 2, /^USAGE_HEIGHT_NOT_INDEXED: /);
  const given = ['--incoming', '2:1:5', '--incoming', '2:1:6', '--incoming', '9:9:7'];
  ended(await cli('call', '2:1', '0', ...given, '--db', db), 1, /^REVERT/);

  const { child } = startCli(['serve', '--db', db, '--port', '0']);
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = await new Promise<string>((resolve) => {
    child.stdout?.on('data', (text: string) => {
      const found = /http:\S+/.exec(text);
      if (found) resolve(found[0]);
    });
  });
  const onServer = await cli('call', '2:1', '99', '--rpc', url);
  expect(onServer).toEqual(named);
  const json = await cli('call', '2:1', '99', '--rpc', url, '--json', '--height', '109', '--incoming', '7:7:3');
  expect(lastLine(json)).toMatchObject({
    ...{ height: 109, status: 'OK', messages: [{ data: '636c61696d', transfers: [{ id: '7:7', amount: '3' }] }] },
  });
  const above = await here(() => callCommand(alkaneId('2:1'), [], { rpc: url, height: 111 }));
  ended(above, 5, /^ENV_RPC_FAILED: (.|\n)*BLOCK_NOT_INDEXED/);
});

test('the transaction around a call, raw or as hex, brings its envelope', async () => {
  const db = await bundledDatabase(TIP);
  const file = join(temporaryFolder(), 'tx');
  const { raw } = makeTx({ witnesses: [envelope(PROBE)], protostones: [] });
  const call = (transaction?: string): Promise<CliRun> =>
    here(() => callCommand(alkaneId('1:0'), [4n, 7n], { db, transaction, json: transaction !== undefined }));
  const create = () => call(file);
  ended(await call(), 1, /^REJECTED: no envelope/);
  writeFileSync(file, raw);
  const created = await cli('call', '1:0', '4', '7', '--db', db, '--transaction', file, '--json');
  expect(lastLine(created)).toMatchObject({ status: 'OK', created: [{ codeBytes: PROBE.length }] });
  writeFileSync(file, `0x${toHex(raw).replace(/(.{64})/g, '$1\n')}\n`);
  expect(await create()).toEqual(created);
  writeFileSync(file, toHex(raw).slice(1));
  ended(await create(), 3, /^TX_BAD_HEX: /);
  writeFileSync(file, 'nothing');
  ended(await create(), 3, /^TX_/);
  ended(await call(`${file}.none`), 3, /^FILE_UNREADABLE: /);
});

test('what is no call is refused', async () => {
  const call = (options: CallOptions): Promise<CliRun> => here(() => callCommand(alkaneId('2:1'), [], options));
  ended(await call({}), 2, /^USAGE_CALL_FROM: /);
  ended(await call({ db: 'a', rpc: 'http://b' }), 2, /^USAGE_CALL_FROM: /);
  ended(await call({ db: join(temporaryFolder(), 'none') }), 4, /^STORE_MISSING: /);
  ended(await cli('call', '2'), 2, /It must be block:tx/);
  ended(await cli('call', '2:1', '1', 'x'), 2, /It must be a decimal number/);
  expect(() => u128((1n << 128n).toString())).toThrow(/It must be a decimal number/);
  const most = ((1n << 128n) - 1n).toString();
  ended(await cli('call', '2:1', '--incoming', `2:1:${most}`, '--incoming', '2:1:1'), 2, /over 2\^128 - 1/);
  for (const wrong of ['2:1', '5', '2:1:', ':2:1', '2:1:-1']) expect(() => assets(wrong), wrong).toThrow(/must be/);
});

test('an answer that is no simulation is an error of the server', async () => {
  const server = createServer((_, response) => response.end('{"jsonrpc":"2.0","id":1,"result":{"messages":7}}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const call = here(() => callCommand(alkaneId('2:1'), [], { rpc: `http://127.0.0.1:${port}` }));
  ended(await call, 5, /^ENV_RPC_FAILED: .* is no simulation/);
});

test('the call of docs/contracts.md is answered as written', async () => {
  const text = readFileSync(join(ROOT, 'docs', 'contracts.md'), 'utf8');
  const [, command, shown] = /^\$ warpshrew (call .*) --db my\.db\n([^`]*)^```$/m.exec(text) ?? [];
  const db = await bundledDatabase();
  const run = await cli(...command.split(' '), '--db', db);
  expect(run.stdout).toBe(shown);
});
