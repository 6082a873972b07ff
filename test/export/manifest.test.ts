import { expect, it } from 'vitest';
import { type Manifest, type Part, readManifest, writeManifest } from '../../src/export/manifest.js';
import { TABLE_NAMES } from '../../src/export/tables.js';
import { temporaryFolder } from '../helpers/cli.js';

const FILE = '000000000-000000009-0123abcd.jsonl';

function part(from: number, to: number, path: (table: string) => string = (table) => `${table}/${FILE}`): Part {
  const file = (table: string) => ({ path: path(table), rows: 1, bytes: 2, sha256: '0'.repeat(64) });
  const files = Object.fromEntries(TABLE_NAMES.map((table) => [table, file(table)])) as Part['files'];
  return { from, to, hash: 'ab'.repeat(32), files };
}

const manifest = (...parts: Part[]): Manifest => ({
  ...{ tables: 1, format: 'jsonl', blocksPerFile: 10, from: 0 },
  chain: { schema: 6, rules: 2, network: 'regtest', laneStartHeight: 0, dependent: 'demote', moduleHash: '00' },
  parts,
});

it('a manifest comes back as it was written; one with gaps, or with files of another place, is refused', () => {
  const folder = temporaryFolder();
  const good = manifest(part(0, 9), part(10, 19));
  writeManifest(folder, good);
  expect(readManifest(folder)).toEqual(good);
  for (const parts of [
    [part(0, 9), part(11, 19)],
    [part(1, 9)],
    [part(0, 9), part(10, 9)],
    [part(0, 9, () => `../${FILE}`)],
    [part(0, 9, (table) => `${table}/../../${FILE}`)],
    [part(0, 9, (table) => `/${table}/${FILE}`)],
  ]) {
    writeManifest(folder, manifest(...parts));
    expect(() => readManifest(folder)).toThrow(expect.objectContaining({ code: 'EXPORT_MANIFEST' }));
  }
});
