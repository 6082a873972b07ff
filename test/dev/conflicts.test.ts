import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type SendOptions, sendCommand } from '../../src/cli/sending.js';
import { type ResultOf, WarpshrewClient } from '../../src/client/client.js';
import { DevService } from '../../src/dev/dev-service.js';
import { openRpcDocument } from '../../src/rpc/openrpc/document.js';
import { VERSION } from '../../src/util/version.js';
import { ROOT, temporaryFolder } from '../helpers/cli.js';
import { fault } from '../helpers/json-schema.js';

const MINT = 77n;
const ID = { block: 2n, tx: 1n };

interface Running {
  readonly service: DevService;
  readonly client: WarpshrewClient;
  send(inputs: readonly bigint[], options?: Partial<SendOptions>): Promise<unknown>;
}

/** A chain on which `program` was created. */
async function running(program: string, inputs: readonly bigint[], wait = false): Promise<Running> {
  const options = { host: '127.0.0.1', port: 0, nodePort: 0, explorer: false, now: () => 1_700_000_000, wait };
  const service = await DevService.start(options);
  onTestFinished(() => service.close());
  const key = join(temporaryFolder(), 'key');
  writeFileSync(key, service.node.wallet.wif);
  await service.deploy(readFileSync(join(ROOT, `dist/wasm/programs/${program}.wasm`)), inputs);
  const access = { nodeUrl: service.nodeServer.url, key, rpc: service.server.url, json: true };
  return {
    service,
    client: new WarpshrewClient(service.server.url),
    send: (calldata, more = { wait: 60 }) => sendCommand(ID, calldata, { ...access, ...more }),
  };
}

async function reportOf(client: WarpshrewClient, id = '2:1'): Promise<ResultOf<'warpshrew_getconflicts'>> {
  const report = await client.call('warpshrew_getconflicts', id);
  const { methods, components } = openRpcDocument(VERSION);
  const { result } = methods.find(({ name }) => name === 'warpshrew_getconflicts') ?? { result: { schema: {} } };
  expect(fault(report, result.schema, components.schemas)).toBeUndefined();
  return report;
}

test('calls of one wallet, block after block, are compared as if they came at once', async () => {
  const { client, send, service } = await running('mint', [0n, 1_000n, 5n]);
  const none = await reportOf(client);
  expect(none).toMatchObject({ from: null, to: null, calls: 0, complete: true, methods: [] });
  const first = service.node.chain.height + 1;
  for (let calls = 0; calls < 9; calls++) await send([MINT]);
  const report = await reportOf(client);
  expect(report).toMatchObject({ from: first, to: first + 8, complete: true, leftOut: 0, demoted: 0, calls: 9 });
  expect(report.methods).toHaveLength(1);
  const [method] = report.methods;
  expect(method).toMatchObject({ target: '2:1', opcode: '77', calls: 9, conflicts: 1, undeclared: 0 });
  // A counter that each call changes by the same step.
  const minted = 'storage of 2:1: minted';
  expect(method.keys).toContainEqual({ pattern: minted, read: 1, write: 1, keys: 1 });
  expect(method.serialises).toMatchObject({ pattern: minted, predicted: true });
  expect(method.waits).toBeLessThan(0.5);
  expect(method.kernel).toMatchObject({ takes: true, reason: null });
  // The same answer once more is no new work.
  expect(await reportOf(client)).toEqual(report);
  await service.node.chain.undo(false);
  await service.node.changed();
  expect(await reportOf(client)).toMatchObject({ to: first + 7, calls: 8 });
  expect(await reportOf(client, '2:9')).toMatchObject({ from: null, calls: 0 });
});

test('what ends otherwise together, or depends on its own block, is counted and left out', async () => {
  const capped = await running('mint', [0n, 2n, 5n]);
  for (let calls = 0; calls < 2; calls++) await capped.send([MINT]);
  await capped.send([MINT], { wait: 60, force: true });
  // With all that there is minted, only the call that came too late ends as it did.
  expect(await reportOf(capped.client)).toMatchObject({ leftOut: 2, demoted: 0, calls: 1, parallel: 1 });

  const { client, send, service } = await running('mint', [0n, 1_000n, 5n], true);
  const { chain, wallet } = service.node;
  await send([MINT], {});
  const [txid] = chain.mempool;
  // Signed over an output that waits itself: as a wallet that sends twice in a block.
  const coins = [{ txid, vout: 0 }];
  await send([MINT], { spend: coins, force: true });
  chain.mine(wallet.lock.script);
  await service.node.changed();
  expect(await reportOf(client)).toMatchObject({ leftOut: 0, demoted: 1, calls: 1 });
});

test('what a call can do once stays possible: each runs over what it found', async () => {
  const { client, send } = await running('names', [0n]);
  const register = (name: string): Promise<unknown> => send([1n, BigInt(name.charCodeAt(0)), 0n, 7n, 8n, 0n]);
  for (const name of 'abc') await register(name);
  const report = await reportOf(client);
  expect(report).toMatchObject({ leftOut: 0, calls: 3, parallel: 1 });
  expect(report.methods).toMatchObject([{ opcode: '1', calls: 3, conflicts: 0, waits: 0, serialises: null }]);
  const names = report.methods[0].keys.filter(({ pattern }) => pattern.startsWith('storage of 2:1: name/'));
  expect(names.map(({ write }) => write)).toEqual(names.map(() => expect.closeTo(1 / names.length)));
  expect(names.length).toBeGreaterThan(0);
});
