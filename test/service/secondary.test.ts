import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { sha256d } from '../../src/bitcoin/hash.js';
import { openSource } from '../../src/bitcoin/sources.js';
import { readConfig } from '../../src/service/config.js';
import { SECONDARIES, secondaryPlaces } from '../../src/service/secondary-gate.js';
import { Store } from '../../src/store/store.js';
import { FakeNode } from '../chain/fake-node.js';
import { CHAIN, cli, startCli, temporaryFolder } from '../helpers/cli.js';
import { end, i32, if_, OP, op, store } from '../helpers/wasm-builder.js';
import { Branch } from '../node/branches.js';
import { ascii, GuestBuilder, list, number, unreachable } from '../standard/guest-builder.js';
import { block } from '../store/helpers.js';
import { moduleFile, Running } from './running.js';

const chain = [...openSource(CHAIN).blocks(0, 30)].map((block) => ({
  ...block,
  hash: sha256d(block.raw.subarray(0, 80)),
}));
/** What the built-in indexer keeps under `tip`: 4 bytes. */
const LENGTH = 4;

/**
 * A module that keeps under `k` what the index `main` has under `tip`; its view `other` gives that as it is at the
 * view's height, and `absent` the length of what it has under another key.
 */
function reader(): Uint8Array {
  const builder = new GuestBuilder({ secondary: true });
  const [name, key, none] = ['main', 'tip', 'no such key'].map((text) => builder.buffer(ascii(text)));
  const flush = builder.buffer(list('k', '????'));
  const valueAt = flush + list('k').length + 2;
  const [answer, length] = [builder.buffer(new Uint8Array(LENGTH)), builder.buffer(new Uint8Array(4))];
  const checkLength = [
    ...builder.host('__secondary_get_len', name, key),
    i32(LENGTH),
    op(OP.i32Ne),
    if_(),
    ...unreachable,
    end,
  ];
  return builder
    .start(checkLength, builder.host('__secondary_get', name, key, valueAt), builder.host('__flush', flush))
    .view('other', builder.host('__secondary_get', name, key, answer), number(answer))
    .view('absent', [i32(length), ...builder.host('__secondary_get_len', name, none), store()], number(length))
    .bytes();
}

const valueAt = async (service: Running, key: string, height: number): Promise<unknown> => {
  const { result, error } = await service.call('warpshrew_getvalue', 'S', Buffer.from(key).toString('hex'), height);
  expect(error).toBeUndefined();
  return result;
};

test('a module reads another index at each block, waits for it where it is behind or away, and in views', async () => {
  const folder = temporaryFolder();
  const node = await FakeNode.start(chain.slice(0, 11));
  const of = ['--network', 'regtest', '--node-url', node.url, '--poll-interval', '50'];
  const main = await Running.start(...of, '--db', join(folder, 'main.db'));
  const { port } = new URL(main.url);
  const module = moduleFile(folder, reader());
  const second = await Running.start(
    ...[...of, '--db', join(folder, 'second.db'), '--indexer', module],
    ...['--secondary', `main=${main.url}`, '--secondary', `unused=${main.url}`],
  );
  const same = async (from: number, to: number, on = main): Promise<void> => {
    for (let height = from; height <= to; height++) {
      expect(await valueAt(second, 'k', height)).toEqual(await valueAt(on, 'tip', height));
    }
  };
  await second.until('/ready', (page, status) => status === 200 && page.height === 10);
  await same(0, 10);
  const { value } = (await valueAt(main, 'tip', 5)) as { value: string };
  expect((await second.call('metashrew_view', 'other', '0x', 5)).result).toBe(value);
  expect((await second.call('metashrew_view', 'other', '0x', 4)).result).not.toBe(value);
  expect((await second.call('metashrew_view', 'absent', '0x')).result).toBe('0x00000000');

  main.signal('SIGTERM');
  await main.done();
  node.serve(chain);
  await second.until('/health', ({ codes }) => String(codes) === 'SECONDARY_AWAY');
  expect((await second.call('metashrew_height')).result).toBe('10');
  const again = await Running.start(...of, '--db', join(folder, 'main.db'), '--port', port);
  await second.until('/ready', (page, status) => status === 200 && page.height === 30);
  await same(11, 30, again);
  for (const service of [second, again]) {
    service.signal('SIGTERM');
    expect((await service.done()).status).toBe(0);
  }
});

test('a module reads the folder of another index, beside the process that writes it, and follows it', async () => {
  const folder = temporaryFolder();
  const node = await FakeNode.start(chain.slice(0, 11));
  const of = ['--network', 'regtest', '--node-url', node.url, '--poll-interval', '50'];
  const theirs = join(folder, 'main.db');
  const main = await Running.start(...of, '--db', theirs);
  await main.until('/ready', (page, status) => status === 200 && page.height === 10);
  const own = ['--db', join(folder, 'second.db'), '--indexer', moduleFile(folder, reader())];
  const second = await Running.start(...of, ...own, '--secondary', `main=${theirs}`);
  await second.until('/ready', (page, status) => status === 200 && page.height === 10);
  node.serve(chain.slice(0, 12));
  await second.until('/ready', (page, status) => status === 200 && page.height === 11);
  for (let height = 0; height <= 11; height++) {
    expect(await valueAt(second, 'k', height)).toEqual(await valueAt(main, 'tip', height));
  }
  const { value } = (await valueAt(main, 'tip', 11)) as { value: string };
  expect((await second.call('metashrew_view', 'other', '0x', 11)).result).toBe(value);
  // What serves views alone reads it as well.
  const serving = startCli(['serve', ...own, '--port', '0', '--secondary', `main=${theirs}`]);
  onTestFinished(() => void serving.child.kill('SIGKILL'));
  const url = await new Promise<string>((found) => {
    serving.child.stdout?.on('data', (text: string) => found(/JSON-RPC on (\S+)/.exec(text)?.[1] ?? ''));
  });
  const question = { jsonrpc: '2.0', id: 1, method: 'metashrew_view', params: ['other', '0x', 11] };
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(question),
  });
  expect(await answer.json()).toMatchObject({ result: value });
  serving.child.kill('SIGTERM');
  expect((await serving.done).status).toBe(0);
  for (const service of [second, main]) {
    service.signal('SIGTERM');
    expect((await service.done()).status).toBe(0);
  }
  expect(readdirSync(theirs).filter((name) => name.startsWith('serve-'))).toEqual([]);
});

test('a folder that cannot be read as an index is refused before anything else is opened', async () => {
  const folder = temporaryFolder();
  const foreign = join(folder, 'foreign');
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'CURRENT'), 'MANIFEST-000001\n');
  const identity = { network: 'regtest', moduleHash: '00'.repeat(32) };
  const [empty, held] = [join(folder, 'empty'), join(folder, 'held')];
  await (await Store.open(empty, identity)).close();
  // In use, with files that no link can share.
  const writer = await Store.open(held, identity);
  onTestFinished(() => writer.close());
  writer.commitBlock(block(0));
  mkdirSync(join(held, 'a.sst'));
  const own = ['--fixture', CHAIN, '--db', join(folder, 'a.db'), '--port', '0', '--policy', 'cpu'];
  const places = { [foreign]: 'STORE_FOREIGN', [join(folder, 'none')]: 'STORE_MISSING' };
  for (const [place, code] of Object.entries({ ...places, [empty]: 'STORE_EMPTY', [held]: 'STORE_LOCKED' })) {
    const before = existsSync(place) && readdirSync(place).filter((name) => name !== 'LOG');
    const run = await cli('index', ...own, '--secondary', `main=${place}`);
    expect(run.stderr).toContain(`"code":"${code}"`);
    expect(run.status).toBe(4);
    expect(existsSync(place) && readdirSync(place).filter((name) => name !== 'LOG')).toEqual(before);
  }
  expect(readdirSync(folder).sort()).toEqual(['empty', 'foreign', 'held']);
});

test('a reorg of both is followed by both, whoever sees it first', async () => {
  const folder = temporaryFolder();
  const begin = Branch.begin();
  const base = begin.tipHeight;
  const one = begin.fork(base);
  one.grow(4, 1);
  const other = begin.fork(base);
  other.grow(6, 2);
  const node = await FakeNode.start(one.blocks());
  const ahead = await FakeNode.start(one.blocks());
  const of = (served: FakeNode): string[] => [
    ...['--network', 'regtest', '--node-url', served.url, '--poll-interval', '50'],
  ];
  const main = await Running.start(...of(node), '--db', join(folder, 'main.db'));
  const second = await Running.start(
    ...[...of(ahead), '--db', join(folder, 'second.db'), '--indexer', moduleFile(folder, reader())],
    ...['--secondary', `main=${main.url}`],
  );
  await second.until('/ready', (page, status) => status === 200 && page.height === base + 4);
  // Its own node has the other branch, and the index that it reads has not.
  ahead.serve(other.blocks());
  await second.until('/health', ({ codes }) => String(codes) === 'SECONDARY_AWAY');
  expect((await second.call('metashrew_height')).result).toBe(String(base + 4));
  node.serve(other.blocks());
  await second.until('/ready', (page, status) => status === 200 && page.height === base + 6);
  for (let height = base - 1; height <= base + 6; height++) {
    expect(await valueAt(second, 'k', height)).toEqual(await valueAt(main, 'tip', height));
  }
  for (const service of [second, main]) {
    service.signal('SIGTERM');
    expect((await service.done()).status).toBe(0);
  }
});

test('without the setting, indexing ends with an error that names it', async () => {
  const folder = temporaryFolder();
  const module = moduleFile(folder, reader());
  const args = ['--fixture', CHAIN, '--db', join(folder, 'a.db'), '--indexer', module, '--exit-on-failure'];
  const run = await cli('index', ...args, '--port', '0', '--policy', 'cpu');
  expect(run.status).toBe(3);
  expect(run.stderr).toContain('"code":"MODULE_SECONDARY"');
  expect(run.stderr).toContain('name the server or the folder that has it with --secondary NAME=PLACE');
});

describe('--secondary', () => {
  it.each([
    'main=http://127.0.0.1:8080',
    'a=http://h:1,b.c-d=https://h/x',
    'main=/var/lib/my db',
    'a=main.db,b=http://h:1',
  ])('takes %s', (text) => {
    expect(SECONDARIES.test(text)).toBe(true);
  });
  it.each(['', 'main', 'main=', '=http://h', 'main=nats://h', 'main= /var/lib/db', 'a=http://h,b'])(
    'refuses %j',
    (text) => {
      expect(SECONDARIES.test(text)).toBe(false);
    },
  );
  it('is not the folder that is indexed', () => {
    const flags = { fixture: CHAIN, db: '/var/lib/db', secondary: 'main=/var/lib/x/../db' };
    const { problems } = readConfig({ flags, environment: {} });
    expect(problems).toEqual([{ origin: '--secondary', reason: '/var/lib/x/../db is the folder of --db' }]);
  });
  it('names servers and folders', () => {
    expect(secondaryPlaces(undefined)).toBeUndefined();
    expect(secondaryPlaces('a=http://h:1/?x=y,b=../b.db')).toEqual({ a: 'http://h:1/?x=y', b: '../b.db' });
  });
});
