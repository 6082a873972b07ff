// Makes the fixture chain, the samples, its roots, the hashes of the WASM and the counts in fixtures/README.md again,
// after a change of the rules, of a program or of the builder:
//   npm run fixtures
// Builds first. The roots are those of the sequential executor over a fresh database; the same tree gives the same
// files.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const chain = join(root, 'fixtures', 'regtest');
const run = (...args) => execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' });

run('scripts/build.mjs');
run('scripts/wasm-hashes.mjs');
process.stdout.write(run('dist/testing/fixture/main.js', chain));
run('scripts/sample-files.mjs');
const scratch = mkdtempSync(join(tmpdir(), 'warpshrew-fixtures-'));
try {
  const output = ['--db', join(scratch, 'db'), '--roots', join(chain, 'roots.txt'), '--json'];
  const { height, stateRoot, lane } = JSON.parse(
    run('dist/cli.js', 'replay', chain, '--policy', 'sequential', ...output),
  );
  const readme = join(root, 'fixtures', 'README.md');
  const text = readFileSync(readme, 'utf8')
    .replace(/from genesis to height \d+/, `from genesis to height ${height}`)
    .replace(/carry [\d,]+ transactions/, `carry ${lane.txs.toLocaleString('en-US')} transactions`);
  writeFileSync(readme, text);
  // The chain is also shipped.
  run('scripts/build.mjs');
  process.stdout.write(`height ${height}, ${lane.txs} lane transactions, root ${stateRoot}\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
