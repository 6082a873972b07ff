import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { type ExportOptions, exportChain } from '../../src/export/export-chain.js';
import { FORMATS, type Format } from '../../src/export/formats.js';
import type { Manifest } from '../../src/export/manifest.js';
import { TABLE_NAMES, TABLES } from '../../src/export/tables.js';
import { Store } from '../../src/store/store.js';
import { type Expected, expectedRows, type Records, sorted } from '../../src/testing/chains/expected-rows.js';
import { temporaryFolder } from '../helpers/cli.js';
import { generator, OPTIONS } from '../store/helpers.js';
import { grow } from './chain.js';

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;

/** Fields of RFC 4180; undefined for one that has no quotes and no text. */
function csvRecords(text: string): Records {
  const rows: (string | null)[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))([,\n])/g)) {
    rows.at(-1)?.push(quoted === undefined ? plain || null : quoted.replaceAll('""', '"'));
    if (end === '\n') rows.push([]);
  }
  const [head, ...rest] = rows.slice(0, -1);
  return rest.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]])));
}

async function recordsIn(path: string, format: Format): Promise<Records> {
  if (format === 'csv') return csvRecords(readFileSync(path, 'utf8'));
  const objects =
    format === 'jsonl'
      ? readFileSync(path, 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line) as Record<string, unknown>)
      : await parquetReadObjects({ file: await asyncBufferFromFile(path) });
  const textOf = (value: unknown): string | null =>
    value === null || value === undefined ? null : typeof value === 'object' ? JSON.stringify(value) : String(value);
  return objects.map((object) =>
    Object.fromEntries(Object.entries(object).map(([name, value]) => [name, textOf(value)])),
  );
}

/** All rows of the files that the manifest names; nothing else may be there. */
async function exportedRows(folder: string): Promise<Expected> {
  const { parts, format } = manifestOf(folder);
  const all: Expected = { blocks: [], receipts: [], changes: [], transfers: [] };
  for (const table of TABLE_NAMES) {
    const paths = parts.map(({ files }) => files[table].path);
    expect(
      readdirSync(join(folder, table))
        .map((name) => `${table}/${name}`)
        .sort(),
    ).toEqual([...paths].sort());
    for (const path of paths) all[table].push(...(await recordsIn(join(folder, path), format)));
  }
  expect(readdirSync(folder).sort()).toEqual([...TABLE_NAMES, 'manifest.json'].sort());
  return all;
}

async function expectExported(store: Store, folder: string, from: number, to: number): Promise<void> {
  const [found, expected] = [await exportedRows(folder), expectedRows(store, from, to)];
  for (const table of TABLE_NAMES) expect(sorted(found[table]), table).toEqual(sorted(expected[table]));
}

async function opened(seed: number, blocks: number): Promise<{ store: Store; random: (n: number) => number }> {
  const random = generator(seed);
  const store = await Store.open(temporaryFolder(), { ...OPTIONS, keepUndo: 12 });
  grow(store, Math.floor(blocks / 3), random, true);
  grow(store, blocks - Math.floor(blocks / 3), random);
  return { store, random };
}

const run = (store: Store, folder: string, over: Partial<ExportOptions> = {}) =>
  exportChain(store, { folder, blocksPerFile: 13, ...over });

describe('export', () => {
  it.each(FORMATS)('writes what the states say, in %s, whatever blocks have undo data', async (format) => {
    const { store } = await opened(1, 40);
    const folder = temporaryFolder();
    const report = await run(store, folder, { format, from: 3 });
    expect(report).toMatchObject({ from: 3, to: 39, parts: 4, written: 4, undone: 0, stopped: false, format });
    await expectExported(store, folder, 3, 39);
    expect(manifestOf(folder).parts.map(({ from, to }) => [from, to])).toEqual([
      [3, 12],
      [13, 25],
      [26, 38],
      [39, 39],
    ]);
    await store.close();
  });

  it('goes on with what is there, and writes blocks again that were undone, after any reorg', async () => {
    const { store, random } = await opened(2, 30);
    const folder = temporaryFolder();
    await run(store, folder, { until: 20 });
    await expectExported(store, folder, 0, 20);
    for (let reorg = 0; reorg < 4; reorg++) {
      if (random(2) === 0) await run(store, folder);
      const tip = store.tip()?.height ?? 0;
      store.rollback(Math.max(store.lowestRollback(), tip - random(10)));
      grow(store, 1 + random(12), random);
      const { undone } = await run(store, folder);
      if (reorg % 2 === 1) await expectExported(store, folder, 0, store.tip()?.height ?? 0);
      expect(undone).toBeLessThanOrEqual(2);
    }
    // The same once more, and then less than is there: nothing is written.
    for (const until of [undefined, 4]) {
      expect(await run(store, folder, until === undefined ? {} : { until })).toMatchObject({ written: 0, undone: 0 });
    }
    await expectExported(store, folder, 0, store.tip()?.height ?? 0);
    await store.close();
  });

  it('goes on after it was cut off anywhere, with the files of an undisturbed run', async () => {
    const { store } = await opened(3, 30);
    const [folder, other] = [temporaryFolder(), temporaryFolder()];
    await run(store, other);
    for (const height of [0, 12, 13, 14, 29]) {
      const cut = run(store, folder, {
        onBlock: (at) => {
          if (at === height) throw new Error('cut off');
        },
      });
      if (manifestOf(folder).parts.length * 13 <= height) await expect(cut).rejects.toThrow('cut off');
      else await cut;
    }
    const stop = new AbortController();
    stop.abort();
    expect(await run(store, folder, { signal: stop.signal })).toMatchObject({ stopped: true });
    // As a killed process leaves it.
    const [left] = manifestOf(folder).parts;
    writeFileSync(join(folder, 'blocks', '000000026-000000026-00000000.parquet.part'), 'half');
    writeFileSync(join(folder, 'export.lock'), '2147483646');
    rmSync(join(folder, left.files.changes.path));
    writeFileSync(join(folder, 'mine.txt'), 'stays');
    expect((await run(store, folder)).stopped).toBe(false);
    expect(existsSync(join(folder, 'mine.txt'))).toBe(true);
    renameSync(join(folder, 'mine.txt'), join(temporaryFolder(), 'mine.txt'));
    await exportedRows(folder);
    expect(manifestOf(folder)).toEqual(manifestOf(other));
    await store.close();
  });

  it('refuses other settings, another chain, a busy folder, and heights that are not there', async () => {
    const { store } = await opened(4, 20);
    const other = await Store.open(temporaryFolder(), { ...OPTIONS, network: 'signet' });
    grow(other, 20, generator(4));
    const folder = temporaryFolder();
    await run(store, folder, { from: 2 });
    const refused = (code: string) => expect.objectContaining({ code });
    await expect(run(store, folder, { format: 'csv' })).rejects.toEqual(refused('USAGE_EXPORT'));
    await expect(run(store, folder, { from: 1 })).rejects.toEqual(refused('USAGE_EXPORT'));
    await expect(run(store, folder, { blocksPerFile: 8 })).rejects.toEqual(refused('USAGE_EXPORT'));
    await expect(run(other, folder)).rejects.toEqual(refused('USAGE_EXPORT'));
    await expect(run(store, folder, { until: 20 })).rejects.toEqual(refused('USAGE_HEIGHT_NOT_INDEXED'));
    await expect(run(store, folder, { until: 1 })).rejects.toEqual(refused('USAGE_RANGE'));
    writeFileSync(join(folder, 'export.lock'), String(process.ppid));
    await expect(run(store, folder)).rejects.toEqual(refused('ENV_EXPORT_BUSY'));
    rmSync(join(folder, 'export.lock'));
    for (const text of [
      '{',
      '[]',
      '{"parts":[{"files":{"blocks":{"path":"../x"}}}]}',
      JSON.stringify({ ...manifestOf(folder), from: 3 }),
    ]) {
      writeFileSync(join(folder, 'manifest.json'), text);
      await expect(run(store, folder)).rejects.toEqual(refused('EXPORT_MANIFEST'));
    }
    await store.close();
    await other.close();
  });

  it('tells what a database with less history can tell, and no less', async () => {
    const random = generator(5);
    const dir = temporaryFolder();
    const store = await Store.open(dir, { ...OPTIONS, keepUndo: 5, history: 9 });
    grow(store, 30, random);
    const folder = temporaryFolder();
    const lowest = store.lowestHistory() + 1;
    const below = run(store, folder, { from: lowest - 1 });
    await expect(below).rejects.toEqual(expect.objectContaining({ code: 'STORE_HISTORY_PRUNED' }));
    rmSync(join(folder, 'manifest.json'));
    expect(await run(store, folder)).toMatchObject({ from: lowest, to: 29 });
    await expectExported(store, folder, lowest, 29);
    await store.close();
  });
});

it('tables have no column twice, and their keys are columns', () => {
  for (const { columns, key } of Object.values(TABLES)) {
    const names = columns.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining([...key]));
  }
});
