import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { blockKey } from '../../src/store/keys.js';
import { Rocks } from '../../src/store/rocks.js';
import { createSnapshot } from '../../src/store/snapshot/create.js';
import {
  CHUNK_BYTES,
  encodeTrailer,
  MAGIC,
  MAX_ROW_BYTES,
  possibleChunk,
  TRAILER_BYTES,
} from '../../src/store/snapshot/format.js';
import { inflateTo } from '../../src/store/snapshot/inflate.js';
import { readPrivateKey, readPublicKey, writeKeyPair } from '../../src/store/snapshot/keys.js';
import { parseManifest } from '../../src/store/snapshot/manifest.js';
import { restoreSnapshot } from '../../src/store/snapshot/restore.js';
import { Store } from '../../src/store/store.js';
import { bytesEqual, concatBytes, readU32 } from '../../src/util/bytes.js';
import { block, bytes, generator, headerAt, name, OPTIONS, randomBlock, temporaryFolder } from './helpers.js';

const folder = temporaryFolder();
const db = join(folder, 'db');
const key = join(folder, 'key');
const otherKey = join(folder, 'other');
const signed = join(folder, 'signed.snapshot');
const unsigned = join(folder, 'unsigned.snapshot');

beforeAll(async () => {
  const store = await Store.open(db, { ...OPTIONS, keepUndo: 4, label: 'the first' });
  store.recordGenesis(headerAt(0).hash);
  const random = generator(3);
  for (let height = 0; height <= 9; height++) store.commitBlock(randomBlock(height, random));
  await store.close();
  writeKeyPair(key);
  writeKeyPair(otherKey);
  await createSnapshot(db, signed, { key: readPrivateKey(key) });
  await createSnapshot(db, unsigned);
});

async function content(dir: string): Promise<Map<string, string>> {
  const store = await Store.openRecorded(dir);
  try {
    return store.rawContent();
  } finally {
    await store.close();
  }
}

/** A copy of a snapshot after `edit`, restored into a folder that must not come to be. */
async function refused(edit: (file: Uint8Array) => Uint8Array, code: string, publicKey?: string): Promise<void> {
  const work = temporaryFolder();
  const file = join(work, 'file');
  writeFileSync(file, edit(new Uint8Array(readFileSync(publicKey === undefined ? unsigned : signed))));
  const options = publicKey === undefined ? {} : { publicKey: readPublicKey(publicKey) };
  await expect(restoreSnapshot(file, join(work, 'db'), options)).rejects.toMatchObject({ code });
  expect(readdirSync(work)).toEqual(['file']);
}

interface Parts {
  readonly data: Uint8Array;
  readonly manifest: Record<string, unknown> & { chunks: Record<string, unknown>[] };
}

function parts(file: Uint8Array): Parts {
  const trailerAt = file.length - TRAILER_BYTES;
  const [manifestBytes, signatureBytes] = [readU32(file, trailerAt), readU32(file, trailerAt + 4)];
  const at = trailerAt - signatureBytes - manifestBytes;
  const text = new TextDecoder().decode(file.subarray(at, at + manifestBytes));
  return { data: file.subarray(0, at), manifest: JSON.parse(text) as Parts['manifest'] };
}

/** The unsigned snapshot with another manifest. */
function withManifest(edit: (manifest: Parts['manifest']) => unknown): (file: Uint8Array) => Uint8Array {
  return (file) => {
    const { data, manifest } = parts(file);
    const text = bytes(JSON.stringify(edit(manifest)));
    return concatBytes(data, text, encodeTrailer(text.length, 0));
  };
}

describe('a snapshot', () => {
  it('gives a store with every row of the first, which goes on and back as that does', async () => {
    const target = join(temporaryFolder(), 'restored');
    const restored = await restoreSnapshot(signed, target, { publicKey: readPublicKey(`${key}.pub`) });
    expect(restored).toMatchObject({ signed: true, manifest: { tip: { height: 9 }, lowestRollback: 5 } });
    expect(await content(target)).toEqual(await content(db));
    const copy = join(temporaryFolder(), 'copy');
    cpSync(db, copy, { recursive: true });
    for (const dir of [target, copy]) {
      const store = await Store.openRecorded(dir, { keepUndo: 4 });
      expect(store.label()).toBe('the first');
      expect(store.lowestRollback()).toBe(5);
      store.rollback(6);
      const random = generator(77);
      for (let height = 7; height < 12; height++) store.commitBlock(randomBlock(height, random));
      await store.close();
    }
    expect(await content(target)).toEqual(await content(copy));
  });

  it('holds rows longer than a chunk, and more rows than one chunk has room for', async () => {
    const work = temporaryFolder();
    const [dir, file, target] = [join(work, 'db'), join(work, 'file'), join(work, 'restored')];
    const store = await Store.open(dir, OPTIONS);
    const values = new Map<string, Uint8Array>([[name('long'), new Uint8Array(5 << 20).fill(7)]]);
    for (let i = 0; i < 600; i++) values.set(name(`value ${i}`), bytes(`${i}`.padStart(9_000, '.')));
    store.commitBlock({ ...block(0), standardWrites: values });
    await store.close();
    const { manifest } = await createSnapshot(dir, file);
    expect(manifest.chunks.filter(({ column }) => column === 'latest').length).toBeGreaterThan(2);
    expect(Math.max(...manifest.chunks.map((chunk) => chunk.bytes))).toBeGreaterThan(5 << 20);
    await restoreSnapshot(file, target);
    const [first, second] = [await Store.openRecorded(dir), await Store.openRecorded(target)];
    for (const [key, value] of first.entriesAt('S', new Uint8Array(0))) {
      expect(bytesEqual(second.getLatest('S', key), value)).toBe(true);
    }
    await first.close();
    await second.close();
  });

  it('is one file with nothing beside it, the same each time', async () => {
    expect(readdirSync(folder).filter((file) => file.includes('.part'))).toEqual([]);
    const again = join(temporaryFolder(), 'again');
    await createSnapshot(db, again);
    const hash = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
    expect(hash(again)).toBe(hash(unsigned));
  });

  it('an unsigned one, or a signed one without a key to check, is restored and said to be so', async () => {
    expect((await restoreSnapshot(unsigned, join(temporaryFolder(), 'a'))).signed).toBe(false);
    expect((await restoreSnapshot(signed, join(temporaryFolder(), 'b'))).signed).toBe(true);
  });

  it('of an empty store, or over a file that is there, is not made', async () => {
    const work = temporaryFolder();
    await (await Store.open(join(work, 'db'), OPTIONS)).close();
    await expect(createSnapshot(join(work, 'db'), join(work, 'out'))).rejects.toMatchObject({ code: 'SNAPSHOT_EMPTY' });
    await expect(createSnapshot(db, unsigned)).rejects.toMatchObject({ code: 'SNAPSHOT_FILE_EXISTS' });
    await expect(createSnapshot(db, join(work, 'no', 'out'))).rejects.toMatchObject({ code: 'ENV_UNWRITABLE' });
    await expect(createSnapshot(join(work, 'none'), join(work, 'out'))).rejects.toMatchObject({
      code: 'STORE_MISSING',
    });
    expect(readdirSync(work)).toEqual(['db']);
  });
});

describe('restoring', () => {
  it('is refused where something is already, and what is there stays', async () => {
    const work = temporaryFolder();
    mkdirSync(join(work, 'db'));
    writeFileSync(join(work, 'db', 'mine'), 'x');
    await expect(restoreSnapshot(unsigned, join(work, 'db'))).rejects.toMatchObject({ code: 'SNAPSHOT_TARGET_EXISTS' });
    expect(readFileSync(join(work, 'db', 'mine'), 'utf8')).toBe('x');
    mkdirSync(join(work, 'new.restoring'));
    await expect(restoreSnapshot(unsigned, join(work, 'new'))).rejects.toMatchObject({
      code: 'SNAPSHOT_TARGET_EXISTS',
    });
    expect(existsSync(join(work, 'new.restoring'))).toBe(true);
    mkdirSync(join(work, 'empty'));
    await restoreSnapshot(unsigned, join(work, 'empty'));
    expect(existsSync(join(work, 'empty', 'CURRENT'))).toBe(true);
  });

  it('has no folder of the name until all is verified', async () => {
    const work = temporaryFolder();
    const target = join(work, 'db');
    const seen: string[][] = [];
    await restoreSnapshot(unsigned, target, { progress: () => seen.push(readdirSync(work)) });
    expect(new Set(seen.flat())).toEqual(new Set(['db.restoring']));
    expect(readdirSync(work)).toEqual(['db']);
  });

  it('where a key is given, an unsigned file, one of another key or with a changed manifest is refused', async () => {
    const work = temporaryFolder();
    const publicKey = readPublicKey(`${key}.pub`);
    const restored = restoreSnapshot(unsigned, join(work, 'db'), { publicKey });
    await expect(restored).rejects.toMatchObject({ code: 'SNAPSHOT_UNSIGNED' });
    await refused((file) => file, 'SNAPSHOT_BAD_SIGNATURE', `${otherKey}.pub`);
    await refused(
      (file) => {
        const { data } = parts(file);
        file[data.length + 20] ^= 1;
        return file;
      },
      'SNAPSHOT_BAD_SIGNATURE',
      `${key}.pub`,
    );
    expect(readdirSync(work)).toEqual([]);
  });

  it('a file cut off anywhere is refused', async () => {
    const { length } = readFileSync(unsigned);
    for (const left of [0, 5, MAGIC.length, MAGIC.length + 100, length >> 1, length - 1]) {
      const code =
        left < MAGIC.length || left > MAGIC.length + TRAILER_BYTES ? 'SNAPSHOT_TRUNCATED' : expect.any(String);
      await refused((file) => file.subarray(0, left), code as string);
    }
    const { data } = parts(new Uint8Array(readFileSync(unsigned)));
    await refused(
      (file) => concatBytes(file.subarray(0, data.length - 9), file.subarray(data.length)),
      'SNAPSHOT_TRUNCATED',
    );
  });

  it('a changed byte of any chunk is refused, with or without a signature', async () => {
    const { data } = parts(new Uint8Array(readFileSync(signed)));
    for (const at of [MAGIC.length, data.length >> 1, data.length - 1]) {
      const edit = (file: Uint8Array) => {
        file[at] ^= 1;
        return file;
      };
      await refused(edit, 'SNAPSHOT_HASH');
      await refused(edit, 'SNAPSHOT_HASH', `${key}.pub`);
    }
  });

  it.each<[string, (file: Uint8Array) => Uint8Array]>([
    ['another beginning', (file) => file.fill(0, 0, 3)],
    ['a manifest longer than the file', (file) => file.fill(0xff, file.length - 16, file.length - 13)],
    ['a signature of a wrong length', (file) => file.fill(1, file.length - 12, file.length - 11)],
    ['a manifest that is not JSON', (file) => file.fill(0x20, file.length - 20, file.length - 16)],
    ['a list for a manifest', withManifest(() => [])],
    ['another format', withManifest((m) => ({ ...m, format: 1 }))],
    ['a chunk of a state tree', withManifest((m) => ({ ...m, chunks: [{ ...m.chunks[0], column: 'tree' }] }))],
    ['no tip', withManifest(({ tip: _, ...m }) => m)],
    ['a height that is none', withManifest((m) => ({ ...m, tip: { height: -1, hash: '00'.repeat(32) } }))],
    ['no chunks', withManifest((m) => ({ ...m, chunks: [] }))],
    ['chunks out of order', withManifest((m) => ({ ...m, chunks: [...m.chunks].reverse() }))],
    ['a chunk of no column', withManifest((m) => ({ ...m, chunks: [{ ...m.chunks[0], column: 'x' }] }))],
    [
      'a chunk of a terabyte',
      withManifest((m) => ({ ...m, chunks: [{ ...m.chunks[0], bytes: 2 ** 40 }, ...m.chunks.slice(1)] })),
    ],
    [
      'a chunk that is longer than it says',
      withManifest((m) => ({ ...m, chunks: [{ ...m.chunks[0], bytes: 100 }, ...m.chunks.slice(1)] })),
    ],
    ['an identity without a network', withManifest((m) => ({ ...m, identity: {} }))],
  ])('%s is refused', (_, edit) => refused(edit, 'SNAPSHOT_MALFORMED'));

  /** The unsigned snapshot with a chunk of what `raw` deflates to before the others, which says these lengths. */
  const withChunk =
    (stored: Uint8Array, entry: { readonly rows: number; readonly bytes: number; readonly stored?: number }) =>
    (file: Uint8Array): Uint8Array => {
      const { data, manifest } = parts(file);
      const sha256 = createHash('sha256').update(stored).digest('hex');
      const chunk = { column: 'latest', sha256, stored: stored.length, ...entry };
      const rows = { ...(manifest.rows as Record<string, number>) };
      rows.latest += entry.rows;
      const text = bytes(JSON.stringify({ ...manifest, rows, chunks: [chunk, ...manifest.chunks] }));
      return concatBytes(MAGIC, stored, data.subarray(MAGIC.length), text, encodeTrailer(text.length, 0));
    };

  it.each([
    ['two rows of more than a chunk', { rows: 2, bytes: CHUNK_BYTES + 1 }],
    ['a row of more than a row', { rows: 1, bytes: MAX_ROW_BYTES + 1 }],
    ['two gigabytes', { rows: 1, bytes: 2 ** 31 }],
    ['more rows than bytes', { rows: 1_000, bytes: 7_999 }],
    ['no row', { rows: 0, bytes: 100 }],
  ])('a chunk that says %s is refused before anything of it is inflated', async (_, entry) => {
    // The data of the chunk is none: inflating it would say so in other words.
    const file = withChunk(new Uint8Array(1 << 20).fill(9), entry);
    await refused(file, 'SNAPSHOT_MALFORMED');
    expect(() =>
      parseManifest(bytes(JSON.stringify(parts(file(new Uint8Array(readFileSync(unsigned)))).manifest))),
    ).toThrow('a chunk says lengths that none can have');
  });

  it('a chunk that says more than its stored bytes can inflate to, or less than they hold, is none', () => {
    expect(possibleChunk({ rows: 1, bytes: 1_032_000, stored: 1_000 })).toBe(true);
    expect(possibleChunk({ rows: 1, bytes: 1_032_001, stored: 1_000 })).toBe(false);
    for (const length of [8, 100, 70_000, 1 << 20]) {
      const stored = deflateSync(createHash('shake256', { outputLength: length }).digest(), { level: 1 }).length;
      expect(possibleChunk({ rows: 1, bytes: length, stored })).toBe(true);
      expect(possibleChunk({ rows: 1, bytes: length, stored: 2 * stored + 100 })).toBe(false);
    }
  });

  it('a chunk that inflates to more than it says is stopped there', async () => {
    const bomb = deflateSync(new Uint8Array(64 << 20));
    await refused(withChunk(bomb, { rows: 1, bytes: 5 << 20 }), 'SNAPSHOT_MALFORMED');
    expect(await inflateTo(bomb, 5 << 20)).toBeUndefined();
    expect(await inflateTo(bomb, (64 << 20) + 1)).toBeUndefined();
    expect((await inflateTo(bomb, 64 << 20))?.length).toBe(64 << 20);
    expect(await inflateTo(bomb.subarray(0, 1_000), 5 << 20)).toBeUndefined();
    expect(await inflateTo(deflateSync(new Uint8Array(0)), 0)).toEqual(new Uint8Array(0));
  });

  it('a manifest that describes another store is refused after all', async () => {
    await refused(
      withManifest((m) => ({ ...m, stateRoot: '00'.repeat(32) })),
      'SNAPSHOT_UNSOUND',
    );
    await refused(
      withManifest((m) => ({ ...m, genesis: null })),
      'SNAPSHOT_UNSOUND',
    );
  });

  it('a whole file of a damaged store is refused', async () => {
    const work = temporaryFolder();
    const dir = join(work, 'bad');
    cpSync(db, dir, { recursive: true });
    const rocks = await Rocks.open(dir, false);
    const batch = rocks.batch();
    batch.del('blocks', blockKey(4));
    batch.write();
    await rocks.close();
    await createSnapshot(dir, join(work, 'snapshot'));
    const restored = restoreSnapshot(join(work, 'snapshot'), join(work, 'db'));
    await expect(restored).rejects.toMatchObject({ code: 'SNAPSHOT_UNSOUND' });
    expect(readdirSync(work).sort()).toEqual(['bad', 'snapshot']);
  });
});

describe('keys', () => {
  it('a pair is made once, the private half for its owner alone', () => {
    expect(statSync(key).mode & 0o77).toBe(0);
    expect(() => writeKeyPair(key)).toThrow(expect.objectContaining({ code: 'ENV_UNWRITABLE' }));
  });

  it('files that hold no key of the kind are refused', () => {
    const file = join(folder, 'text');
    writeFileSync(file, 'no key');
    const bad = expect.objectContaining({ code: 'SNAPSHOT_BAD_KEY' });
    for (const path of [file, `${key}.pub`]) expect(() => readPrivateKey(path)).toThrow(bad);
    for (const path of [file, key]) expect(() => readPublicKey(path)).toThrow(bad);
    expect(() => readPublicKey(join(folder, 'none'))).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
  });
});
