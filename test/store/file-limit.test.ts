import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assertFileLimit, fileLimit } from '../../src/store/file-limit.js';
import { temporaryFolder } from './helpers.js';

const limits = (soft: string): string => `Limit                     Soft Limit           Hard Limit           Units
Max processes             1                    1                    processes
Max open files            ${soft}                 524288               files
Max locked memory         8388608              8388608              bytes
`;

function folderWith(tables: number): string {
  const dir = temporaryFolder();
  for (let i = 0; i < tables; i++) writeFileSync(join(dir, `${i}.sst`), '');
  writeFileSync(join(dir, '1.log'), '');
  return dir;
}

describe('the limit of open files', () => {
  it('that the tables of a database exceed, with what else is open, is refused before it is opened', () => {
    const dir = folderWith(20);
    assertFileLimit(dir, limits('276'));
    expect(() => assertFileLimit(dir, limits('275'))).toThrow(
      expect.objectContaining({
        code: 'STORE_FILE_LIMIT',
        facts: { path: dir, limit: 275, tables: 20, wanted: 296 },
        hint: expect.stringContaining('296'),
      }),
    );
  });

  it('is wanted so high that the database can double', () => {
    expect(fileLimit(folderWith(1_000), limits('1024'))).toEqual({ limit: 1024, tables: 1_000, wanted: 2_256 });
  });

  it('is no obstacle where there is none, where the system does not tell it, and before there is a database', () => {
    const dir = folderWith(20);
    for (const text of [limits('unlimited'), '', 'something else']) {
      expect(fileLimit(dir, text)).toBeUndefined();
      assertFileLimit(dir, text);
    }
    expect(fileLimit(join(dir, 'none'), limits('1024'))?.tables).toBe(0);
  });

  it('of this process suffices for a new database', () => assertFileLimit(temporaryFolder()));
});
