// Whether other versions of Node reach the same roots: each replays the bundled chain and random chains, block by
// block.
//   npm run build && node scripts/other-nodes.mjs [--nodes 20,22,24] [--chain fixtures/regtest] [--chains 50]
//     [--policy cpu] [--json]
// The binaries come from npm (packages node-<platform>-<arch>) into node_modules/.cache and stay there. Exits 1 if a
// root or a module that must load differs, 3 if a version cannot be had (and says which).
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = join(ROOT, 'node_modules', '.cache', 'warpshrew-other-nodes');
const WORK = mkdtempSync(join(tmpdir(), 'warpshrew-chains-'));
process.once('exit', () => rmSync(WORK, { recursive: true, force: true }));
const CHILD = fileURLToPath(new URL('other-nodes-child.mjs', import.meta.url));
const PLATFORM = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

const { values: args } = parseArgs({
  options: {
    nodes: { type: 'string', default: '20,22,24' },
    chain: { type: 'string', default: join(ROOT, 'fixtures', 'regtest') },
    chains: { type: 'string', default: '50' },
    policy: { type: 'string', default: 'sequential' },
    json: { type: 'boolean', default: false },
  },
});

/** The binary of the newest release of a major version, from the cache or from npm; undefined if neither has it. */
function nodeBinary(major) {
  const folder = join(CACHE, `${PLATFORM}-${major}`);
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const binary = join(folder, 'node_modules', PLATFORM, 'bin', name);
  if (existsSync(binary)) return binary;
  const fresh = `${folder}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  try {
    const options = [
      '--no-save',
      '--no-package-lock',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ];
    const wanted = ['install', '--prefix', fresh, ...options, `${PLATFORM}@${major}`];
    const { status } = spawnSync('npm', wanted, { stdio: ['ignore', 'ignore', 'inherit'], timeout: 120_000 });
    if (status !== 0) return undefined;
    // Another process may have been faster: then its copy is there.
    if (!existsSync(binary)) renameSync(fresh, folder);
    return existsSync(binary) ? binary : undefined;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Random chains of this program's own making, built once by the Node that runs this script. */
function makeChains(count) {
  const folders = [];
  for (let i = 0; i < count; i++) {
    const folder = join(WORK, String(i));
    const build = ['dist/testing/fixture/main.js', folder, '--seed', `other nodes ${i}`];
    const { status } = spawnSync(process.execPath, build, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) throw new Error(`chain ${i} was not built`);
    folders.push(folder);
  }
  return folders;
}

/** What scripts/other-nodes-child.mjs prints when a binary runs it. */
function runOn(binary, chains) {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, [CHILD, args.policy, ...chains], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    child.once('error', reject);
    child.once('close', (status) => {
      if (status === 0) resolve(JSON.parse(text.trim().split('\n').at(-1)));
      else reject(new Error(`${binary} ended with status ${status}`));
    });
  });
}

const binaries = args.nodes.split(',').map((major) => [major, nodeBinary(major)]);
const missing = binaries.filter(([, binary]) => binary === undefined).map(([major]) => major);
if (missing.length > 0) {
  process.stderr.write(`other-nodes: npm cannot give ${missing.map((major) => `${PLATFORM}@${major}`).join(', ')}\n`);
  process.exit(3);
}
const chains = [args.chain, ...makeChains(Number(args.chains))];
const runs = [await runOn(process.execPath, chains)];
for (const [, binary] of binaries) runs.push(await runOn(binary, chains));
const same = runs.every(
  ({ digest, unloadable }) => digest === runs[0].digest && unloadable.length === runs[0].unloadable.length,
);
if (args.json) process.stdout.write(`${JSON.stringify({ same, runs })}\n`);
else {
  for (const { node, v8, blocks, digest, seconds, unloadable } of runs) {
    const loaded = unloadable.length === 0 ? 'native modules load' : `NOT LOADED ${unloadable.join('; ')}`;
    process.stdout.write(
      `${node} (V8 ${v8}): ${chains.length} chains, ${blocks} blocks, roots ${digest}, ` +
        `${seconds.toFixed(1)} s, ${loaded}\n`,
    );
  }
  process.stdout.write(same ? 'all equal\n' : 'the roots or the modules DIFFER\n');
}
process.exitCode = same ? 0 : 1;
