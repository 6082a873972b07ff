import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, lastLine, ROOT, temporaryFolder } from '../helpers/cli.js';

const BLOCKS = join(ROOT, '..', 'shared', 'data', 'blocks');
const files = existsSync(BLOCKS) ? readdirSync(BLOCKS).filter((name) => name.endsWith('.bin')) : [];

describe.skipIf(files.length === 0)('real mainnet blocks', () => {
  test.each(files)(
    '%s goes through both lanes, and every run of it ends with the same root',
    async (name) => {
      const folder = temporaryFolder();
      const roots: unknown[] = [];
      for (const policy of ['sequential', 'cpu', 'cpu']) {
        const db = join(folder, String(roots.length));
        const run = await cli('replay', join(BLOCKS, name), '--db', db, '--policy', policy, '--json');
        expect(run.status, run.stderr).toBe(0);
        const summary = lastLine(run);
        expect(summary.height).toBe(Number.parseInt(name, 10));
        expect((summary.roots as { standard: string }).standard).not.toMatch(/^0+$/);
        roots.push(summary.stateRoot);
      }
      expect(new Set(roots).size).toBe(1);
    },
    120_000,
  );
});
