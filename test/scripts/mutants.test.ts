import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'warpshrew-mutants-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function check(...options: string[]): { readonly status: number | null; readonly text: string } {
  const script = join(ROOT, 'scripts/mutants.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check', ...options], { encoding: 'utf8' });
  return { status, text: stdout + stderr };
}

it('every mutant’s text stands exactly once in its file, and docs/mutants.md lists the same mutants', () => {
  const { status, text } = check();
  expect(text).toMatch(/^\d{2,} mutants fit the sources and the table\n$/);
  expect(status).toBe(0);
});

it('a text that is gone, or stands there twice, is named with its mutant and file', () => {
  const root = join(folder, 'project');
  cpSync(join(ROOT, 'src'), join(root, 'src'), { recursive: true });
  for (const name of ['test', 'docs', 'wasm']) symlinkSync(join(ROOT, name), join(root, name));
  const source = join(root, 'src/lane/transaction.ts');
  const before = readFileSync(source, 'utf8');
  writeFileSync(source, before.replace('view.dropMessage();', ''));
  const gone = check('--root', root);
  expect(gone).toMatchObject({ status: 1 });
  expect(gone.text).toContain('failed-keeps-writes: its text stands 0 times in src/lane/transaction.ts');
  writeFileSync(source, `${before}// view.dropMessage();\n`);
  expect(check('--root', root).text).toContain('failed-keeps-writes: its text stands 2 times');
});

it('a row that is missing, says something else, was never run or belongs to no mutant is named', () => {
  const table = readFileSync(join(ROOT, 'docs/mutants.md'), 'utf8');
  const row = table.split('\n').find((line) => line.startsWith('| `failed-keeps-writes`')) as string;
  const changed = (to: string) => {
    const file = join(folder, 'mutants.md');
    writeFileSync(file, table.replace(row, to));
    return check('--docs', file).text;
  };
  expect(changed('')).toContain('failed-keeps-writes: it has no row in the table');
  expect(changed(row.replace('keeps its writes', 'does'))).toContain(
    'failed-keeps-writes: its row says something else',
  );
  expect(changed(row.replace(/\| [^|]+ \|$/, '| not run yet |'))).toContain(
    'failed-keeps-writes: the table does not say what kills it',
  );
  expect(changed(`${row}\n| \`none\` | a | b | c |`)).toContain('`none`: the table has it, the list has not');
});
