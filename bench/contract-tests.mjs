// What tests of contracts cost: processor time of a test, of a call of `--fuzz`, and both beside a yardstick that other
// work on the machine slows down as well.
//   npm run build && node bench/contract-tests.mjs [--tests 1000] [--calls 40000] [--rounds 3] [--json]
//   npm run build && node bench/contract-tests.mjs --kernel [--calls 20000000] [--jobs N]
// A project is made with so many small tests of the bundled `mint` (deploy, mint, look), no two alike, and as many that
// begin with the same deployment; `warpshrew test` runs them in one thread, on the sequential executor and in batches.
// `ms`: processor time of a test, without what starting takes. `sha256`: how many digests of 64 KiB the same
// processor time made just before and after it. `calls/s`: of `--fuzz`, as the command says it. The best of the rounds.
// With `--kernel`: one fuzz test that looks at each call, in the kernel, by the clock, in so many threads (one a core).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: args } = parseArgs({
  options: {
    tests: { type: 'string', default: '1000' },
    calls: { type: 'string' },
    kernel: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const tests = Number(args.tests);
const folder = mkdtempSync(join(tmpdir(), 'warpshrew-contract-tests-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
makeProject();
if (args.kernel) {
  const jobs = args.jobs === undefined ? [] : ['--jobs', args.jobs];
  const calls = args.calls ?? '20000000';
  const given = ['test', folder, '--filter', 'direct', '--fuzz', calls, ...jobs];
  const { status } = spawnSync(process.execPath, [join(root, 'dist/cli.js'), ...given], { stdio: 'inherit' });
  process.exit(status ?? 1);
}
const fuzzCalls = args.calls ?? '40000';
const rows = ['none', 'different', 'alike', 'fuzz', 'direct'].map((name) => ({ name, ...bestOf(name) }));
const idle = rows[0].cpuMs;
const figures = {
  startMs: Math.round(idle),
  testMs: perTest(rows[1]),
  alikeMs: perTest(rows[2]),
  digestsPerTest: Math.round((rows[1].cpuMs - idle) / tests / rows[1].digestMs),
  fuzzCallsPerSecond: rows[3].callsPerSecond,
  digestsPer1000Calls: Math.round(1e6 / rows[3].callsPerSecond / rows[3].digestMs),
  directCallsPerSecond: rows[4].directPerSecond,
};
if (args.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
else {
  process.stdout.write(
    `${tests} tests, in one thread: ${figures.testMs} ms of processor time each (${figures.digestsPerTest} sha256), ` +
      `${figures.alikeMs} ms where they begin alike; ${figures.startMs} ms to start\n` +
      `--fuzz: ${figures.fuzzCallsPerSecond} calls a second (${figures.digestsPer1000Calls} sha256 for 1,000); ` +
      `${figures.directCallsPerSecond} by themselves, by the clock\n`,
  );
}

function perTest({ cpuMs }) {
  return Number(((cpuMs - idle) / tests).toFixed(2));
}

function bestOf(name) {
  const runs = Array.from({ length: Number(args.rounds) }, () => runOnce(name));
  return runs.reduce((best, run) => (run.cpuMs / run.digestMs < best.cpuMs / best.digestMs ? run : best));
}

/** Processor time of the command and of a digest around it, milliseconds. */
function runOnce(name) {
  const before = digestMs();
  const script = `process.argv.splice(1, 1, ${JSON.stringify(join(root, 'dist/cli.js'))});
    process.once('exit', () => {
      const { user, system } = process.cpuUsage();
      process._rawDebug('cpu ' + (user + system) / 1000);
    });
    await import(${JSON.stringify(join(root, 'dist/cli.js'))});`;
  const main = join(folder, 'main.mjs');
  writeFileSync(main, script);
  const given = ['test', folder, '--no-kernel', '--jobs', '1', '--filter', name, '--fuzz', fuzzCalls];
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, ...given], { encoding: 'utf8' });
  const [, cpu] = /cpu ([\d.]+)/.exec(stderr) ?? [];
  if (status !== 0 || cpu === undefined) throw new Error(`the tests failed: ${stdout.slice(-2000)}${stderr}`);
  const [, perSecond] = /(\d+) a second of processor time/.exec(stdout) ?? [];
  const [, direct] = /by themselves, (\d+) a second/.exec(stdout) ?? [];
  const digest = (before + digestMs()) / 2;
  return { cpuMs: Number(cpu), digestMs: digest, callsPerSecond: Number(perSecond), directPerSecond: Number(direct) };
}

function digestMs() {
  const bytes = new Uint8Array(1 << 16);
  const started = process.cpuUsage();
  const count = 4_000;
  for (let i = 0; i < count; i++) createHash('sha256').update(bytes).digest();
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1000 / count;
}

function makeProject() {
  mkdirSync(join(folder, 'tests'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const mint = join(root, 'dist/wasm/programs/mint.wasm');
  writeFileSync(join(folder, 'warpshrew.json'), JSON.stringify({ contracts: { mint } }));
  writeFileSync(
    join(folder, 'tests/mint.test.ts'),
    `import assert from 'node:assert/strict';
import { fuzz, test } from 'warpshrew/test';
for (let i = 0; i < ${tests}; i++) {
  for (const [kind, each] of [['different', 5 + i], ['alike', 5]] as const) {
    test(kind + ' ' + i, (chain) => {
      const who = chain.account('holder ' + i);
      const token = chain.deploy('mint', [0, 3, each]);
      chain.ok(chain.call(token, [77], { from: who }));
      assert.equal(chain.balance(token, who), BigInt(each));
    });
  }
}
fuzz('fuzz', {
  setup: (chain) => chain.deploy('mint', [0, 1000, 5]),
  call: (random, token) => ({ target: token, inputs: [random.pick([77, 99, 101])] }),
  invariant: (chain, token) => assert.ok(chain.balance(token, chain.account('alice')) <= 5000n),
});
fuzz('direct', {
  setup: (chain) => chain.deploy('mint', [0, 1_000_000, 5]),
  call: (random, token) => ({ target: token, inputs: [random.pick([77, 99, 101]), random.below(1000)] }),
  invariant: (chain, token) => assert.ok(chain.balance(token, chain.account('alice')) <= 5_000_000n),
  each: (end) => {
    if (end.opcode !== 77 || end.status !== 'OK') return;
    const minted = end.stored('minted');
    if (minted === undefined || minted > 1_000_000n) throw new Error('more than the cap');
    if (end.transferred('2:1') !== 5n) throw new Error('another amount');
  },
});
`,
  );
}
