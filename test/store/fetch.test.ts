import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { fetchCommand } from '../../src/cli/fetch-snapshot.js';
import { addToCatalogue, catalogueEntry, dropLeft, isListed } from '../../src/store/snapshot/catalogue.js';
import { createSnapshot } from '../../src/store/snapshot/create.js';
import { fetchSnapshot } from '../../src/store/snapshot/fetch.js';
import type { SnapshotManifest } from '../../src/store/snapshot/format.js';
import { readPrivateKey, readPublicKey, writeKeyPair } from '../../src/store/snapshot/keys.js';
import { sourceOf } from '../../src/store/snapshot/source.js';
import { Store } from '../../src/store/store.js';
import { cli } from '../helpers/cli.js';
import { block, generator, OPTIONS, temporaryFolder } from './helpers.js';

const folder = temporaryFolder();
const file = join(folder, 'snapshot');
const key = join(folder, 'key');
const otherKey = join(folder, 'other');
let whole: Uint8Array;
let manifest: SnapshotManifest;
const wait = async (): Promise<void> => undefined;

beforeAll(async () => {
  const dir = join(folder, 'db');
  const store = await Store.open(dir, OPTIONS);
  for (let height = 0; height < 4; height++) {
    const values = Array.from({ length: 4 }, (_, i): [string, Uint8Array] => [
      `${height} ${i}`,
      randomBytes(1_500_000),
    ]);
    store.commitBlock({ ...block(height), standardWrites: new Map(values) });
  }
  await store.close();
  writeKeyPair(key);
  writeKeyPair(otherKey);
  ({ manifest } = await createSnapshot(dir, file, { key: readPrivateKey(key) }));
  whole = readFileSync(file);
  expect(manifest.chunks.length).toBeGreaterThan(8);
});

interface Served {
  readonly url: string;
  /** Ranges that were asked for, and bytes sent of them. */
  readonly asked: [from: number, end: number][];
  sent: number;
}

type Answer = (request: { from: number; end: number; number: number }, response: ServerResponse) => boolean;

/** Serves `bytes`; `answer` may answer in its place. */
async function serve(bytes: () => Uint8Array, answer: Answer = () => false): Promise<Served> {
  const served: Served = { url: '', asked: [], sent: 0 };
  const server = createServer((request: IncomingMessage, response) => {
    const [, from, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const asked = { from: Number(from), end: Number(last) + 1, number: served.asked.length };
    served.asked.push([asked.from, asked.end]);
    if (answer(asked, response)) return;
    sendPart(bytes(), asked, response);
    served.sent += asked.end - asked.from;
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(served, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.snapshot` });
}

function sendPart(
  bytes: Uint8Array,
  { from, end }: { from: number; end: number },
  response: ServerResponse,
  most = end - from,
) {
  const headers = { 'content-range': `bytes ${from}-${end - 1}/${bytes.length}`, 'content-length': end - from };
  response.writeHead(206, headers);
  if (most === end - from) response.end(bytes.subarray(from, end));
  else response.write(bytes.subarray(from, from + most), () => response.destroy());
}

const target = (): string => join(temporaryFolder(), 'fetched');
const same = (path: string): boolean => Buffer.compare(readFileSync(path), whole) === 0;

describe('a snapshot on a server', () => {
  test('is fetched whole; what is verified first is known before the rest is asked for', async () => {
    const { url, asked } = await serve(() => whole);
    const out = target();
    let before = -1;
    const fetched = await fetchSnapshot(sourceOf(url), out, {
      publicKey: readPublicKey(`${key}.pub`),
      stateRoot: manifest.stateRoot,
      onManifest: (told, size, there) => {
        before = asked.length;
        expect([told.tip, size, there]).toEqual([manifest.tip, whole.length, 0]);
      },
    });
    expect(fetched).toMatchObject({ signed: true, bytes: whole.length, manifest });
    expect(before).toBe(4);
    expect(asked).toHaveLength(5);
    expect(same(out)).toBe(true);
    expect(existsSync(`${out}.part`)).toBe(false);
  });

  test('is fetched over connections that break at random places, no chunk twice', async () => {
    const random = generator(7);
    let number = 0;
    const served = await serve(
      () => whole,
      (asked, response) => {
        // Every second request of the chunks breaks.
        if (asked.end - asked.from < 1_000_000 || number++ % 2 === 1) return false;
        const most = 4_500_000 + random(3_000_000);
        if (most >= asked.end - asked.from) return false;
        served.sent += most;
        sendPart(whole, asked, response, most);
        return true;
      },
    );
    const out = target();
    await fetchSnapshot(sourceOf(served.url), out, { wait });
    expect(same(out)).toBe(true);
    const starts = served.asked.map(([from]) => from);
    expect(new Set(starts.slice(4)).size).toBe(starts.length - 4);
    expect(number).toBeGreaterThan(1);
  });

  test('goes on where an earlier fetch ended, and cuts off what was damaged meanwhile', async () => {
    const out = target();
    const half = manifest.chunks.slice(0, 4).reduce((sum, { stored }) => sum + stored, 21);
    writeFileSync(`${out}.part`, whole.subarray(0, half + 1_000));
    const resumed = await serve(() => whole);
    let there = 0;
    const fetched = await fetchSnapshot(sourceOf(resumed.url), out, { onManifest: (_, __, has) => (there = has) });
    expect(there).toBe(half);
    expect(fetched.fetched).toBe(whole.length - half);
    expect(resumed.asked.at(-1)?.[0]).toBe(half);
    expect(same(out)).toBe(true);

    const again = target();
    const damaged = Uint8Array.from(whole);
    damaged[half - 10] ^= 1;
    writeFileSync(`${again}.part`, damaged);
    const { asked, url } = await serve(() => whole);
    await fetchSnapshot(sourceOf(url), again);
    expect(asked.at(-1)?.[0]).toBe(half - manifest.chunks[3].stored);
    expect(same(again)).toBe(true);
    // Anything else of that name.
    const odd = target();
    writeFileSync(`${odd}.part`, 'odd');
    await fetchSnapshot(sourceOf(url), odd);
    expect(same(odd)).toBe(true);
  });

  test('that is altered is refused at the chunk, and what came before it stays', async () => {
    const altered = Uint8Array.from(whole);
    const [first, second] = manifest.chunks;
    altered[21 + first.stored + second.stored - 1] ^= 1;
    const { url } = await serve(() => altered);
    const out = target();
    await expect(fetchSnapshot(sourceOf(url), out, { wait })).rejects.toMatchObject({ code: 'SNAPSHOT_HASH' });
    expect(existsSync(out)).toBe(false);
    expect(statSync(`${out}.part`).size).toBe(21 + first.stored);
  });

  test.each([
    ['SNAPSHOT_BAD_SIGNATURE', { publicKey: () => readPublicKey(`${otherKey}.pub`) }],
    ['SNAPSHOT_OTHER_ROOT', { stateRoot: '00'.repeat(32) }],
  ])(
    'that is not the one that is wanted is refused before it is fetched: %s',
    async (code, {
      publicKey,
      ...more
    }: {
      publicKey?: () => ReturnType<typeof readPublicKey>;
      stateRoot?: string;
    }) => {
      const { url, asked } = await serve(() => whole);
      const out = target();
      const options = { ...more, publicKey: publicKey?.() };
      await expect(fetchSnapshot(sourceOf(url), out, options)).rejects.toMatchObject({ code });
      expect(asked).toHaveLength(4);
      expect(existsSync(`${out}.part`)).toBe(false);
    },
  );

  test.each<[string, string, Answer | (() => Uint8Array)]>([
    ['knows no parts', 'FETCH_NO_PARTS', (_, response) => !!response.writeHead(200).end(whole)],
    [
      'answers with other parts',
      'FETCH_NO_PARTS',
      ({ from, end, number }, response) => {
        if (number > 0) sendPart(whole, { from: from + 1, end: end + 1 }, response);
        return number > 0;
      },
    ],
    ['has no such file', 'FETCH_FAILED', (_, response) => !!response.writeHead(404).end()],
    ['never answers to the end', 'FETCH_FAILED', (_, response) => !!response.destroy()],
    ['is always busy', 'FETCH_FAILED', (_, response) => !!response.writeHead(503).end()],
  ])('a server that %s', async (_, code, answer) => {
    const { url, asked } = await serve(() => whole, answer as Answer);
    await expect(fetchSnapshot(sourceOf(url), target(), { wait })).rejects.toMatchObject({ code });
    expect(asked.length).toBeLessThanOrEqual(7);
  });

  test.each([
    ['SNAPSHOT_TRUNCATED', () => whole.subarray(0, 20)],
    ['SNAPSHOT_TRUNCATED', () => whole.subarray(0, whole.length - 1)],
    ['SNAPSHOT_MALFORMED', () => new Uint8Array(1_000)],
  ])('what is no snapshot: %s', async (code, bytes) => {
    const { url } = await serve(bytes);
    await expect(fetchSnapshot(sourceOf(url), target(), { wait })).rejects.toMatchObject({ code });
  });

  test('an existing file is not written over, and a folder that is missing is told', async () => {
    const out = target();
    writeFileSync(out, 'mine');
    await expect(fetchSnapshot(sourceOf(file), out)).rejects.toMatchObject({ code: 'SNAPSHOT_FILE_EXISTS' });
    const nowhere = join(out, 'below', 'a file');
    await expect(fetchSnapshot(sourceOf(file), nowhere)).rejects.toMatchObject({ code: 'ENV_UNWRITABLE' });
    await expect(fetchSnapshot(sourceOf(join(folder, 'none')), target())).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
  });
});

test('the command takes the newest of a folder, of this machine or on a server, and restores it', async () => {
  const listed = join(temporaryFolder(), 'snapshots');
  mkdirSync(listed);
  const entry = catalogueEntry(manifest, whole.length);
  writeFileSync(join(listed, entry.file), whole);
  addToCatalogue(listed, { ...entry, height: 1, file: '000000001-0123456789abcdef.snapshot' }, 3);
  addToCatalogue(listed, entry, 3);
  const server = createServer((request, response) => {
    const path = join(listed, new URL(request.url ?? '', 'http://x').pathname.replace('/dir/', ''));
    const [, from, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (request.headers.authorization !== `Basic ${Buffer.from('me:p@ss').toString('base64')}`)
      response.writeHead(401).end();
    else if (!existsSync(path)) response.writeHead(404).end();
    else if (from === undefined) response.end(readFileSync(path));
    else sendPart(readFileSync(path), { from: Number(from), end: Number(last) + 1 }, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}/dir/`;
  for (const from of [listed, `http://me:p%40ss@${address}`, join(listed, entry.file)]) {
    const out = target();
    const run = await cli('snapshot', 'fetch', from, '--out', out, '--public-key', `${key}.pub`, '--db', `${out}.db`);
    expect(run.status, run.stderr).toBe(0);
    expect(run.stdout).toContain(`state root ${manifest.stateRoot}, ${whole.length} bytes (`);
    expect(run.stdout).toContain('signature verified');
    expect(run.stderr).toMatch(/height 3, 2\d\.\d MiB$/m);
    expect(same(out)).toBe(true);
    const restored = await Store.openRecorded(`${out}.db`, { readOnly: true });
    expect(restored.roots(3)?.state).toBe(manifest.stateRoot);
    await restored.close();
  }
  for (const options of [{ height: 2 }, { stateRoot: new Uint8Array(32) }]) {
    await expect(fetchCommand(listed, { out: target(), ...options })).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_LISTED',
    });
  }
  await expect(fetchCommand(`http://${address}`, { out: target() })).rejects.toMatchObject({
    code: 'FETCH_FAILED',
    facts: { reason: 'HTTP 401' },
  });
  await expect(fetchCommand('http://', { out: target() })).rejects.toMatchObject({ code: 'FETCH_FAILED' });
});

test('snapshots that a crash kept from their list go at the next start, and no other file', () => {
  const folder = temporaryFolder();
  const name = (height: number): string => `${String(height).padStart(9, '0')}-${'ab'.repeat(8)}.snapshot`;
  const other = ['mine.snapshot', 'notes.part'];
  for (const file of [name(1), name(2), `${name(3)}.part`, ...other]) writeFileSync(join(folder, file), 'x');
  // Without a list nobody knows whose they are.
  dropLeft(folder);
  expect(readdirSync(folder).sort()).toEqual([name(1), name(2), ...other]);
  const hash = '00'.repeat(32);
  const entry = { bytes: 1, height: 1, hash, stateRoot: hash, network: 'regtest', moduleHash: hash };
  addToCatalogue(folder, { ...entry, file: name(1) }, 3);
  expect([isListed(folder, name(1)), isListed(folder, name(2))]).toEqual([true, false]);
  dropLeft(folder);
  expect(readdirSync(folder).sort()).toEqual([name(1), 'index.json', ...other]);
});
