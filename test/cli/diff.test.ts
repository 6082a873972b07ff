import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { diffCommand } from '../../src/cli/diff.js';
import { startRpcServer } from '../../src/rpc/server.js';
import { Store } from '../../src/store/store.js';
import { pathOf, valueHashOf } from '../../src/store/tree/tree-hash.js';
import type { BlockCommit, StoreOptions } from '../../src/store/types.js';
import { toHex } from '../../src/util/bytes.js';
import { CHAIN, cli, temporaryFolder } from '../helpers/cli.js';
import { block, bytes, OPTIONS } from '../store/helpers.js';

const TIP = 12;
const hex = (text: string): string => `0x${toHex(bytes(text))}`;
const hash = (text: string): string => `0x${toHex(valueHashOf(bytes(text)))}`;
const held = (text: string | undefined) =>
  text === undefined ? { value: null, valueHash: null } : { value: hex(text), valueHash: hash(text) };

/** Writes of a height: the same in all databases unless a test changes them. */
function plain(height: number): BlockCommit {
  const own = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key ${height % 4} ${i}`, `${height}`]));
  return block(height, { ...own, tip: `${height}` }, { [`lane ${height % 3}`]: `${height}` });
}

async function databaseOf(
  change: (height: number) => BlockCommit | undefined,
  { last = TIP, ...options }: Partial<StoreOptions> & { last?: number } = {},
): Promise<string> {
  const dir = join(temporaryFolder(), 'db');
  const store = await Store.open(dir, { ...OPTIONS, ...options });
  for (let height = 0; height <= last; height++) store.commitBlock(change(height) ?? plain(height));
  await store.close();
  return dir;
}

/** The address of a server of a database. */
async function serve(dir: string): Promise<string> {
  const store = await Store.openRecorded(dir, { readOnly: true });
  const view = () => Promise.reject(new Error('no view is wanted'));
  const server = await startRpcServer({ host: '127.0.0.1', port: 0, backend: { store, view } });
  onTestFinished(async () => {
    await server.close();
    await store.close();
  });
  return server.url;
}

async function diff(a: string, b: string, options = {}): Promise<Record<string, unknown>> {
  const { text, exitStatus } = await diffCommand(a, b, { ...options, json: true });
  const report = JSON.parse(text) as Record<string, unknown>;
  expect(exitStatus).toBe(report.height === null ? 0 : 1);
  return report;
}

/** Block 6 writes another value; blocks 9 and 11 write keys that the other does not have. */
function changed(height: number): BlockCommit | undefined {
  const same = plain(height);
  if (height === 6) return { ...same, standardWrites: new Map([...same.standardWrites, ['key 2 7', bytes('odd')]]) };
  if (height === 9) return { ...same, standardWrites: new Map([...same.standardWrites, ['new', bytes('')]]) };
  return undefined;
}

describe('two databases', () => {
  test('that are the same', async () => {
    const [a, b] = [await databaseOf(() => undefined), await databaseOf(() => undefined, { last: 10 })];
    expect(await diff(a, b)).toMatchObject({ first: 0, last: 10, same: 10, height: null, keys: [] });
    const { text } = await diffCommand(a, b, {});
    expect(text).toBe('no difference: blocks 0 to 10 and the states after them are the same');
  });

  test('of which one has other values from a block on', async () => {
    const [a, b] = [await databaseOf(() => undefined), await databaseOf(changed)];
    const report = await diff(a, b);
    expect(report).toMatchObject({ first: 0, last: TIP, same: 5, height: 6, comparedAt: 6, differentKeys: 1 });
    const path = toHex(pathOf(bytes('key 2 7')));
    const key = { namespace: 'S', key: hex('key 2 7'), path, a: held('6'), b: held('odd') };
    expect(report.keys).toEqual([key]);
    // It is the same again once block 10 has written all of these keys; `new` is not.
    expect(await diff(a, b, { from: 7, to: 9 })).toMatchObject({ same: null, height: 7, differentKeys: 1 });
    const late = await diff(a, b, { from: 10 });
    expect(late).toMatchObject({ height: 10, keys: [{ key: hex('new'), a: held(undefined), b: held('') }] });
    const { text } = await diffCommand(a, b, {});
    expect(text.split('\n')).toEqual([
      `A  ${a}`,
      `B  ${b}`,
      'the same up to block 5',
      'block 6 is the first that differs: the state after it',
      expect.stringMatching(/^ {2}A {2}state root [0-9a-f]{64}$/),
      expect.stringMatching(/^ {2}B {2}state root [0-9a-f]{64}$/),
      `key ${hex('key 2 7')} of namespace S`,
      `  A  ${hex('6')}`,
      `  B  ${hex('odd')}`,
      '1 keys differ',
    ]);
  });

  test('of two chains', async () => {
    const fork = (height: number): BlockCommit | undefined => {
      if (height < 4) return undefined;
      const same = plain(height);
      return { ...same, hash: same.hash.map((byte) => byte ^ 1), laneWrites: new Map([['lane', bytes('fork')]]) };
    };
    const [a, b] = [await databaseOf(() => undefined), await databaseOf(fork)];
    const report = await diff(a, b);
    expect(report).toMatchObject({ same: 3, height: 4, differentKeys: 2 });
    expect(report.keys).toMatchObject([
      { namespace: 'P', key: hex('lane'), a: held(undefined), b: held('fork') },
      { namespace: 'P', key: hex('lane 1'), a: held('4'), b: held('1') },
    ]);
    expect((await diffCommand(a, b, {})).text).toContain('block 4 is the first that differs: it is another block\n');
  });

  test('stored in groups: without roots between, the states say which block it was', async () => {
    const dirs = await Promise.all(
      [() => undefined, changed].map(async (change: (height: number) => BlockCommit | undefined) => {
        const dir = join(temporaryFolder(), 'db');
        const store = await Store.open(dir, OPTIONS);
        const blocks = Array.from({ length: TIP + 1 }, (_, height) => {
          return { ...(change(height) ?? plain(height)), laneWrites: new Map(), receipts: [] };
        });
        for (const [from, to] of [
          [0, 5],
          [5, 8],
          [8, TIP + 1],
        ])
          store.commitBlocks(blocks.slice(from, to));
        await store.close();
        return dir;
      }),
    );
    const report = await diff(dirs[0], dirs[1]);
    expect(report).toMatchObject({ same: 4, height: 6, comparedAt: 6, stateRoots: { a: null, b: null } });
    expect(report.keys).toMatchObject([{ key: hex('key 2 7') }]);
  });

  test('of which one keeps few states: keys are compared at the lowest that both keep', async () => {
    const [a, b] = [await databaseOf(() => undefined), await databaseOf(changed, { keepUndo: 3, history: 3 })];
    expect(await diff(a, b)).toMatchObject({ height: 6, comparedAt: 9, differentKeys: 2 });
    expect(await diff(a, b, { to: 8 })).toMatchObject({ height: 6, comparedAt: null, differentKeys: null, keys: [] });
  });
});

describe('a server', () => {
  test('and a database: proofs find the key, its values and the height', async () => {
    const [a, b] = [await databaseOf(() => undefined), await databaseOf(changed)];
    const url = await serve(b);
    const key = { namespace: 'S', key: hex('key 2 7'), a: held('6'), b: held('odd') };
    const found = { same: 5, height: 6, comparedAt: 6, differentKeys: null };
    expect(await diff(a, url)).toMatchObject({ ...found, keys: [key] });
    expect(await diff(url, a)).toMatchObject({ ...found, keys: [{ ...key, a: key.b, b: key.a }] });
    expect(await diff(url, a, { to: 5 })).toMatchObject({ height: null });
  });

  test('and a database that lacks a key: only its path is known, and the hash of its value', async () => {
    const onlyNew = (height: number) => (height === 9 ? changed(9) : undefined);
    const [a, b] = [await databaseOf(() => undefined), await databaseOf(onlyNew)];
    const path = toHex(pathOf(bytes('new')));
    const unknown = { value: null, valueHash: hash('') };
    expect((await diff(a, await serve(b))).keys).toEqual([
      { namespace: 'S', key: null, path, a: held(undefined), b: unknown },
    ]);
    expect((await diffCommand(a, await serve(await databaseOf(onlyNew)), {})).text).toContain(
      `path ${path} of namespace S, whose key is not known here\n  A  absent\n  B  a value with the hash ${hash('')}`,
    );
  });

  test('and another server', async () => {
    const [a, b] = [await serve(await databaseOf(() => undefined)), await serve(await databaseOf(changed))];
    expect(await diff(a, b)).toMatchObject({
      same: 5,
      height: 6,
      keys: [{ key: null, path: toHex(pathOf(bytes('key 2 7'))) }],
    });
  });

  test('whose old states cannot be proved any more', async () => {
    const [a, b] = [await databaseOf(() => undefined), await databaseOf(changed, { keepUndo: 2 })];
    expect(await diff(a, await serve(b))).toMatchObject({ height: 6, comparedAt: 10, keys: [{ key: null }] });
  });
});

/** A server that answers like one of `dir`, but with what `lie` makes of its results. */
async function lyingServer(dir: string, lie: (method: string, result: Fields) => Fields): Promise<string> {
  const url = await serve(dir);
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const headers = { 'content-type': 'application/json' };
    const answer = (await (await fetch(url, { method: 'POST', headers, body })).json()) as { result?: Fields };
    const { method } = JSON.parse(body) as { method: string };
    if (typeof answer.result === 'object') answer.result = lie(method, answer.result);
    response.end(JSON.stringify(answer));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Fields = Record<string, unknown>;

test.each<[string, string, (result: Fields) => Fields]>([
  ['another height', 'warpshrew_getroots', (result) => ({ ...result, height: 1 })],
  ['no hash', 'warpshrew_getroots', (result) => ({ ...result, hash: '0x12' })],
  ['a lane root that is none', 'warpshrew_getroots', (result) => ({ ...result, laneRoot: null })],
  ['a state root of others', 'warpshrew_getroots', (result) => ({ ...result, stateRoot: result.laneRoot })],
  ['what is no proof', 'warpshrew_getproof', (result) => ({ ...result, value: '0x12' })],
  [
    'a proof that does not hold',
    'warpshrew_getproof',
    ({ siblings, ...result }) => ({ ...result, siblings: [...(siblings as string[])].reverse() }),
  ],
])('a server that tells %s is not believed', async (_, method, change) => {
  const [a, b] = [await databaseOf(() => undefined), await databaseOf(changed)];
  const url = await lyingServer(b, (asked, result) => (asked === method ? change(result) : result));
  await expect(diffCommand(a, url, {})).rejects.toMatchObject({ code: 'ENV_RPC_FAILED', facts: { address: url } });
});

test('what cannot be compared is refused', async () => {
  const a = await databaseOf(() => undefined, { last: 2 });
  expect(await cli('diff', a, a)).toMatchObject({ status: 2, stderr: expect.stringContaining('USAGE_DIFF_SIDES') });
  const bundled = join(temporaryFolder(), 'db');
  await cli('replay', CHAIN, '--db', bundled, '--policy', 'sequential', '--to', '1');
  expect(await cli('diff', a, bundled, '--from', '2')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('USAGE_RANGE'),
  });
  expect(await cli('diff', a, bundled)).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('it is another block'),
  });
  expect(await cli('diff', a, 'http://127.0.0.1:1')).toMatchObject({
    status: 5,
    stderr: expect.stringContaining('ENV_RPC_FAILED'),
  });
  expect(await cli('diff', a, join(a, 'none'))).toMatchObject({ status: 4 });
});
