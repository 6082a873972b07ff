import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { StoreError } from '../../src/errors/errors.js';
import { checkStore } from '../../src/store/check/check.js';
import { Store } from '../../src/store/store.js';
import { toBinaryString } from '../../src/util/bytes.js';
import { generator, headerAt, OPTIONS, plan, temporaryFolder } from './helpers.js';
import { rootOfPairs } from './tree-reference.js';

const DIST = new URL('../../dist/store/store.js', import.meta.url).href;
const KEEP_UNDO = 12;

/**
 * Commits blocks as an index does that catches up, tells their roots and kills itself. Few keys of many bytes: the
 * database then begins new logs, and writes tables, after few blocks.
 */
const CHILD = `
import { createHash } from 'node:crypto';
import { readdirSync, statSync, writeSync } from 'node:fs';
const { Store } = await import(${JSON.stringify(DIST)});
const [dir, blocks, keys, length, tables] = [process.argv[1], ...process.argv.slice(2).map(Number)];
const store = await Store.open(dir, ${JSON.stringify({ ...OPTIONS, keepUndo: KEEP_UNDO })});
const listed = () => statSync(dir + '/' + readdirSync(dir).find((name) => name.startsWith('MANIFEST'))).size;
const atFirst = listed();
const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const roots = [];
let hash = new Uint8Array(32);
for (let height = 0; height < blocks; height++) {
  const header = new Uint8Array(80).fill(height);
  header.set(hash, 4);
  hash = new Uint8Array(sha256(sha256(header)));
  const writes = () => new Map(Array.from({ length: keys }, (_, i) => {
    const key = 'key ' + (i % 3 === 0 ? i : height * keys + i);
    return [key.padEnd(length, '.'), new Uint8Array(sha256(height + key))];
  }));
  roots.push(store.commitBlock({
    height, hash, header, receipts: [], standardWrites: writes(), laneWrites: writes(),
    plan: { height, laneTxs: 0, demoted: 0, edges: 0, colours: 0, widths: [], longestChain: 0 },
  }, { moreFollow: true }).state);
}
// Tables count from when the list of files has them.
const turn = () => new Promise((next) => setTimeout(next, 10));
for (let waits = 0; tables && listed() === atFirst && waits < 6_000; waits++) await turn();
writeSync(1, JSON.stringify(roots));
process.kill(process.pid, 'SIGKILL');
setTimeout(() => undefined, 60_000);
`;

interface Image {
  readonly dir: string;
  /** State roots by height. */
  readonly roots: readonly string[];
}

/** What such a process leaves; `tables`: it waits for the first of them. */
function killed(blocks: number, keys: number, length: number, tables = false): Image {
  const dir = join(temporaryFolder(), 'db');
  const args = ['--input-type=module', '-e', CHILD, dir, ...[blocks, keys, length, tables ? 1 : 0].map(String)];
  const { stdout, stderr, signal } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (signal !== 'SIGKILL') throw new Error(`the child ended by itself: ${stderr}`);
  return { dir, roots: JSON.parse(stdout) as string[] };
}

/** A copy of a database to damage. */
function copyOf({ dir }: { readonly dir: string }): string {
  const copy = mkdtempSync(join(temporaryFolder(), 'copy-'));
  cpSync(dir, copy, { recursive: true });
  return copy;
}

const filesOf = (dir: string, ending: string): string[] =>
  readdirSync(dir)
    .filter((name) => name.endsWith(ending) && statSync(join(dir, name)).size > 0)
    .sort();

function flip(path: string, bit: number): void {
  const bytes = readFileSync(path);
  bytes[bit >> 3] ^= 1 << (bit & 7);
  writeFileSync(path, bytes);
}

/** The database stands at a whole block whose state gives its root, with the stored tree, and goes on from there. */
async function expectWhole(copy: string, { roots }: Image): Promise<number> {
  const remade: string[] = [];
  const store = await Store.open(copy, {
    ...OPTIONS,
    keepUndo: KEEP_UNDO,
    onTreeRemade: (namespace) => remade.push(namespace),
  });
  const tip = store.tip()?.height ?? -1;
  expect(tip < 0 ? undefined : store.roots(tip)?.state).toBe(roots[tip]);
  const again = headerAt(tip + 1);
  const next = { height: tip + 1, ...again, receipts: [], plan: plan(tip + 1), laneWrites: new Map() };
  const written = store.commitBlock({ ...next, standardWrites: new Map([['key 0', new Uint8Array(1)]]) });
  const pairs = [...store.entriesAt('S', new Uint8Array(0))].map(
    ([key, value]) => [toBinaryString(key), value] as const,
  );
  expect(written.standard).toBe(rootOfPairs(new Map(pairs)));
  expect(remade).toEqual([]);
  store.rollback(Math.max(store.lowestRollback(), tip - 3));
  await store.close();
  const found: string[] = [];
  await checkStore(copy, { violation: ({ code, detail }) => found.push(`${code} ${detail}`) });
  expect(found).toEqual([]);
  return tip;
}

describe('a log that a crash cut off, or whose end is damaged', () => {
  let image: Image;
  beforeAll(() => {
    image = killed(30, 60, 12);
  });

  it('leaves the database at the last block that is whole in it, with the stored tree of that block', async () => {
    const [log] = filesOf(image.dir, '.log');
    const { size } = statSync(join(image.dir, log));
    const random = generator(12);
    const tips = new Set<number>();
    for (let at = 0; at < 4; at++) {
      const cut = copyOf(image);
      truncateSync(join(cut, log), at === 0 ? 0 : random(size));
      tips.add(await expectWhole(cut, image));
      const flipped = copyOf(image);
      flip(join(flipped, log), random(size * 8));
      tips.add(await expectWhole(flipped, image));
    }
    expect(tips.size).toBeGreaterThan(4);
    expect(await expectWhole(copyOf(image), image)).toBe(29);
  });
});

it('a database whose tables are ahead of a damaged log does not open, and says so', async () => {
  const image = killed(24, 500, 400, true);
  const logs = filesOf(image.dir, '.log');
  expect(logs.length).toBeGreaterThan(1);
  expect(filesOf(image.dir, '.sst').length).toBeGreaterThan(0);
  const first = join(image.dir, logs[0]);
  const refused = { code: 'STORE_OPEN_FAILED', hint: expect.stringMatching(/new folder/) };
  const { size } = statSync(first);
  for (const damage of [
    (path: string) => truncateSync(path, size - 100),
    (path: string) => flip(path, Math.floor(size / 2) * 8),
  ]) {
    const copy = copyOf(image);
    damage(join(copy, logs[0]));
    await expect(Store.open(copy, OPTIONS)).rejects.toMatchObject(refused);
    rmSync(copy, { recursive: true });
  }
  expect(await expectWhole(copyOf(image), image)).toBe(23);
});

describe('a damaged table', () => {
  const BLOCKS = 16;

  /** Everything that a reader can be told, in an order that does not depend on the state; stops at the first error. */
  async function told(dir: string, into: string[]): Promise<void> {
    const store = await Store.open(dir, { ...OPTIONS, readOnly: true });
    try {
      const tip = store.tip()?.height ?? -1;
      for (const ns of ['S', 'P'] as const) {
        for (const height of [tip, 3]) {
          for (const [key, value] of store.entriesAt(ns, new Uint8Array(0), height)) {
            into.push(`${height} ${toBinaryString(key)} ${toBinaryString(value)}`);
          }
        }
      }
      for (let height = 0; height <= tip; height++) into.push(JSON.stringify(store.blockRecord(height)?.roots));
      for (let i = 0; i < 60; i++) {
        const value = store.getAt('S', new TextEncoder().encode(`key ${i}`.padEnd(12, '.')), 5);
        into.push(`${i} ${value && toBinaryString(value)}`);
      }
      store.prove('S', new TextEncoder().encode('key 0'));
    } finally {
      await store.close();
    }
  }

  /** Commits a block on the tip, and tells the code of what that, opening or closing throws. */
  async function commit(dir: string): Promise<string> {
    const next = { ...headerAt(BLOCKS), height: BLOCKS, receipts: [], plan: plan(BLOCKS), laneWrites: new Map() };
    return codeOf(async () => {
      const store = await Store.open(dir, { ...OPTIONS, keepUndo: KEEP_UNDO });
      try {
        store.commitBlock({ ...next, standardWrites: new Map([['key 0.......', new Uint8Array(1)]]) });
      } finally {
        await store.close();
      }
    });
  }

  async function codeOf(act: () => Promise<void>): Promise<string> {
    try {
      await act();
      return 'none';
    } catch (error) {
      if (error instanceof StoreError) return error.code;
      throw error;
    }
  }

  it('gives no other answer than the true one, ends reads and commits with a code, and is let go of', async () => {
    const image = killed(BLOCKS, 60, 12);
    // Opening brings what is in the log into tables.
    await (await Store.open(image.dir, { ...OPTIONS, keepUndo: KEEP_UNDO })).close();
    const truth: string[] = [];
    await told(image.dir, truth);
    const random = generator(3);
    const codes = { reading: [] as string[], commits: [] as string[] };
    for (const table of filesOf(image.dir, '.sst')) {
      const { size } = statSync(join(image.dir, table));
      // The first bytes of a table hold rows.
      for (const bit of [80, random(size * 8)]) {
        const copy = copyOf(image);
        flip(join(copy, table), bit);
        const answers: string[] = [];
        codes.reading.push(await codeOf(() => told(copy, answers)));
        expect(answers).toEqual(truth.slice(0, answers.length));
        codes.commits.push(await commit(copy));
        // Closed, whatever failed: it can be opened again.
        if (codes.commits.at(-1) === 'STORE_READ_FAILED') expect(await commit(copy)).toBe('STORE_READ_FAILED');
        rmSync(copy, { recursive: true });
      }
    }
    const known = ['none', 'STORE_OPEN_FAILED', 'STORE_READ_FAILED'];
    for (const of of Object.values(codes)) {
      expect(of.filter((code) => !known.includes(code))).toEqual([]);
      expect(of.filter((code) => code === 'STORE_READ_FAILED').length).toBeGreaterThan(2);
    }
  });
});
