// Two builds side by side: the same blocks must leave the same database, row for row, with the same roots and receipts.
// For a restructuring that must change nothing:
//   node scripts/compare-builds.mjs OLD_DIST NEW_DIST [--blocks FOLDER] [--chains N] [--policy cpu] [--except PATTERN]
// Blocks: the bundled chain, the raw blocks of FOLDER, and N random chains (some 180 blocks each) that the new build
// makes. Exit status 1 at the first difference.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    blocks: { type: 'string' },
    chains: { type: 'string', default: '2' },
    policy: { type: 'string', default: 'cpu' },
    except: { type: 'string' },
  },
});
if (positionals.length !== 2) throw new Error('name the old and the new build: two folders like dist/');
const builds = positionals.map((path) => resolve(path));
/** Where a build has the function that reads all rows of a database. */
const ROWS = ['testing/chains/database-rows.js', 'bench/rows.js'];
const MOST_OUTPUT = 1 << 30;

const excepted = values.except === undefined ? undefined : new RegExp(values.except);

const folder = mkdtempSync(join(tmpdir(), 'warpshrew-compare-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

function node(...args) {
  return execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: MOST_OUTPUT });
}

/** What `build` makes of the blocks of `source`. */
async function outcomeOf(build, source) {
  const db = mkdtempSync(join(folder, 'db-'));
  const receipts = `${db}.receipts`;
  const cli = join(build, 'cli.js');
  const run = JSON.parse(
    node(cli, 'replay', source, '--db', join(db, 'db'), '--policy', values.policy, '--json').trim().split('\n').at(-1),
  );
  const state = node(cli, 'dump', '--db', join(db, 'db'), '--receipts', receipts);
  const rows = ROWS.map((path) => join(build, path)).find(existsSync);
  const { allRows } = await import(pathToFileURL(rows).href);
  const found = [...(await allRows(join(db, 'db')))].filter(([name]) => excepted?.test(name) !== true).sort();
  const { height, hash, stateRoot, roots, blocks, lane } = run;
  const outcome = {
    ...{ height, hash, stateRoot, roots, blocks, lane },
    state: digest(state),
    receipts: digest(readFileSync(receipts)),
    rows: found.length,
    rowsDigest: digest(JSON.stringify(found)),
  };
  rmSync(db, { recursive: true, force: true });
  return outcome;
}

function digest(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

const sources = [join(ROOT, 'fixtures', 'regtest')];
if (values.blocks !== undefined) {
  const blocksFolder = resolve(values.blocks);
  // Each by itself: they need not follow each other.
  for (const name of readdirSync(blocksFolder)) if (name.endsWith('.bin')) sources.push(join(blocksFolder, name));
}
for (let i = 0; i < Number(values.chains); i++) {
  const chain = join(folder, `chain-${i}`);
  node(join(builds[1], 'testing/fixture/main.js'), chain, '--seed', `compare builds ${i}`);
  sources.push(chain);
}
let blocks = 0;
for (const source of sources) {
  const [before, after] = [await outcomeOf(builds[0], source), await outcomeOf(builds[1], source)];
  const differences = Object.keys(before).filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  if (differences.length > 0) {
    console.error(`${source}: the builds differ in ${differences.join(', ')}`);
    console.error(JSON.stringify({ before, after }, null, 2));
    process.exit(1);
  }
  blocks += after.blocks;
  console.log(`${source}: ${after.blocks} blocks, ${after.rows} rows, root ${after.stateRoot}: equal`);
}
console.log(`${blocks} blocks, no difference`);
