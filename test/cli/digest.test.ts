import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { RockshrewRows } from '../../src/cli/rockshrew-rows.js';
import { Store } from '../../src/store/store.js';
import { fromBinaryString, fromHex, toHex, u32Bytes } from '../../src/util/bytes.js';
import { cli, temporaryFolder as folderOfTest } from '../helpers/cli.js';
import { block, generator, OPTIONS, randomBlock, temporaryFolder } from '../store/helpers.js';

const TIP = 7;
const db = join(temporaryFolder(), 'db');
/** Every key with its values by the height of their block. */
const history = new Map<string, { height: number; value: Uint8Array }[]>();
const states: [string, Uint8Array][][] = [];

beforeAll(async () => {
  const store = await Store.open(db, OPTIONS);
  const random = generator(11);
  store.commitBlock(block(0, { 'k/1': 'a', 'k/length': 'b', k: '', '': 'empty key', '5:00': 'looks like a version' }));
  for (let height = 1; height <= TIP; height++) store.commitBlock(randomBlock(height, random));
  for (let height = 0; height <= TIP; height++) {
    const before = new Map(states[height - 1] ?? []);
    states.push([]);
    for (const [key, value] of store.entriesAt('S', new Uint8Array(0), height)) {
      const name = Buffer.from(key).toString('latin1');
      states[height].push([name, value]);
      if (Buffer.compare(before.get(name) ?? Buffer.from('absent'), value) === 0) continue;
      history.set(name, [...(history.get(name) ?? []), { height, value }]);
    }
  }
  await store.close();
});

function digestOf(pairs: readonly (readonly [string, Uint8Array])[]): string {
  const hash = createHash('sha256');
  for (const [name, value] of pairs) {
    const key = fromBinaryString(name);
    hash.update(Buffer.concat([u32Bytes(key.length), u32Bytes(value.length), key, value]));
  }
  return hash.digest('hex');
}

const hex = (bytes: Uint8Array | string): string =>
  `0x${typeof bytes === 'string' ? Buffer.from(bytes, 'latin1').toString('hex') : toHex(bytes)}`.toUpperCase();

/** The listing of a database of the other host with the same history, in the order of its rows. */
function listing(form: 'text' | 'binary', label = ''): string[] {
  const rows: [string, Uint8Array | string][] = [
    ['__INTERNAL/height', u32Bytes(TIP)],
    ['/__INTERNAL/height-to-hash/3', new Uint8Array(32).fill(255)],
    ['/__INTERNAL/tip-height', u32Bytes(1)],
    ['smt:root:3', new Uint8Array(32)],
  ];
  for (const [key, versions] of history) {
    const name = label + key;
    rows.push([`${name}/length`, form === 'text' ? String(versions.length) : u32Bytes(versions.length)]);
    // One that a rollback left behind.
    const all = [...versions, { height: 0, value: fromHex('dead') }];
    for (const [i, { height, value }] of all.entries()) {
      const binary = Buffer.concat([u32Bytes(height), value]);
      rows.push([`${name}/${i}`, form === 'text' ? `${height}:${toHex(value)}` : binary]);
    }
  }
  rows.sort(([a], [b]) => (a < b ? -1 : 1));
  return rows.map(([key, value]) => `${hex(key).replace('0X', '0x')} ==> ${hex(value).replace('0X', '0x')}`);
}

describe('warpshrew digest', () => {
  it('is one hash of all keys and values after a block, or of those with a prefix', async () => {
    for (const height of [0, 3, TIP]) {
      const run = await cli('digest', '--db', db, '--height', String(height), '--json');
      expect(JSON.parse(run.stdout), run.stderr).toMatchObject({
        height,
        keys: states[height].length,
        digest: digestOf(states[height]),
      });
    }
    const some = states[TIP].filter(([key]) => key.startsWith('k'));
    const run = await cli('digest', '--db', db, '--prefix', '0x6b');
    expect(run.stdout).toContain(`${digestOf(some)}  after block ${TIP}: ${some.length} keys`);
    expect((await cli('digest', '--db', db, '--height', String(TIP + 1))).stderr).toContain('USAGE_HEIGHT_NOT_INDEXED');
    for (const args of [[], ['--db', db, '--rows', '-']]) {
      expect((await cli('digest', ...args)).stderr).toContain('USAGE_DIGEST_FROM');
    }
  });

  it.each([
    ['text', ''],
    ['binary', ''],
    ['text', 'main'],
  ] as const)('is the same of the rows of a rockshrew-mono database (%s versions, label "%s")', (form, label) => {
    const lines = listing(form, label === '' ? '' : `${label}://`);
    for (const height of [0, 3, TIP, undefined]) {
      const rows = new RockshrewRows({
        prefix: new Uint8Array(0),
        ...(height !== undefined && { height }),
        ...(label !== '' && { label }),
      });
      for (const line of ['a line of ldb', ...lines]) rows.add(line);
      expect(digestOf([...rows.pairs()]), `height ${height}`).toBe(digestOf(states[height ?? TIP]));
    }
  });

  it('reads such rows from a file, of a prefix too, and says which line is none', async () => {
    const file = join(folderOfTest(), 'rows');
    writeFileSync(file, listing('text').join('\n'));
    const run = await cli('digest', '--rows', file, '--height', '3', '--json');
    expect(JSON.parse(run.stdout), run.stderr).toMatchObject({ height: 3, digest: digestOf(states[3]) });
    const bad = new RockshrewRows({ prefix: new Uint8Array(0) });
    expect(() => bad.add('0x6B2F30 ==> 0x7A')).toThrow(expect.objectContaining({ code: 'ROWS_MALFORMED' }));
    expect(() => bad.add('0x6B2F6C656E677468 ==> 0x7A')).toThrow('a number of versions is none');
    expect((await cli('digest', '--rows', join(file, 'no'))).stderr).toContain('FILE_UNREADABLE');
  });
});
