// The worst block of each attack, within consensus limits: time on one core, memory, bytes stored, and the same root under every policy.
//   npm run build && node bench/attacks/run.mjs [--scale 1] [--only "NAME;..."] [--policies sequential,cpu] [--timeout 1200] [--core 0] [--json]
// `--scale` is the part of a block that is filled. `x` is the longest time over that of plain loops that fill as much under the first policy,
// `x cpu` the same of processor time, which a busy machine does not stretch.
// Exits 1 if roots differ, a block did not end, or (at scale 1) one is over the bounds: 3 x, 1.5 GiB, 1 GB stored.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { genesisBlock, makeBlock } from '../../dist/testing/chains/synthetic-chain.js';
import { ATTACKS, BASELINE } from './list.mjs';
import { BLOCK_WEIGHT } from './transactions.mjs';

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));
const MOST = { times: 3, peakBytes: 1.5 * 2 ** 30, storedBytes: 1e9 };
const HEADER_BYTES = 80;

const { values: args } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    only: { type: 'string', default: Object.keys(ATTACKS).join(';') },
    policies: { type: 'string', default: 'sequential,cpu' },
    workers: { type: 'string', default: '1' },
    core: { type: 'string', default: '0' },
    timeout: { type: 'string', default: '1200' },
    json: { type: 'boolean', default: false },
  },
});
const scale = Number(args.scale);
const policies = args.policies.split(',');
const wanted = args.only.split(';');
const unknown = wanted.find((name) => !Object.hasOwn(ATTACKS, name));
if (unknown !== undefined) {
  process.stderr.write(`no attack is called ${unknown}; there are:\n${Object.keys(ATTACKS).join('\n')}\n`);
  process.exit(2);
}
/** Holds the process to one core where the system can. */
const oneCore = spawnSync('taskset', ['-c', args.core, 'true']).status === 0 ? ['taskset', '-c', args.core] : [];

/** Writes the chain of an attack; what its last block is like. */
function write(name, folder) {
  let last = genesisBlock();
  writeFileSync(join(folder, '0.bin'), last.raw);
  let block = [];
  for (const transactions of ATTACKS[name](scale)) {
    block = transactions;
    last = makeBlock(
      last.height + 1,
      last.hash,
      transactions.map(({ bytes }) => bytes),
    );
    const bare = transactions.reduce((sum, { weight }) => sum + weight, 4 * HEADER_BYTES);
    if (bare > BLOCK_WEIGHT) throw new Error(`${name}: block ${last.height} weighs ${bare}`);
    writeFileSync(join(folder, `${last.height}.bin`), last.raw);
  }
  const weight = block.reduce((sum, transaction) => sum + transaction.weight, 0);
  return { transactions: block.length, vbytes: Math.ceil(weight / 4) };
}

function measure(folder, policy) {
  const command = [...oneCore, process.execPath, CHILD, folder, policy, args.workers];
  const limits = { timeout: Number(args.timeout) * 1_000, killSignal: 'SIGKILL', encoding: 'utf8' };
  const child = spawnSync(command[0], command.slice(1), { ...limits, stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.status !== 0) return { failed: child.error?.code ?? child.signal ?? `status ${child.status}` };
  return JSON.parse(child.stdout.trim().split('\n').at(-1));
}

function attack(name) {
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-attack-'));
  try {
    mkdirSync(folder, { recursive: true });
    const block = write(name, folder);
    const runs = Object.fromEntries(policies.map((policy) => [policy, measure(folder, policy)]));
    const all = Object.values(runs);
    return {
      name,
      ...block,
      runs,
      ended: all.every(({ failed }) => failed === undefined),
      same: new Set(all.map(({ root }) => root)).size === 1,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const rows = [];
let baseline;
let baselineCpu;
for (const name of new Set([BASELINE, ...wanted])) {
  const row = attack(name);
  if (name === BASELINE) ({ seconds: baseline, cpuSeconds: baselineCpu } = row.runs[policies[0]]);
  const all = Object.values(row.runs);
  const worst = (figure) => Math.max(...all.map((run) => run[figure] ?? Number.POSITIVE_INFINITY));
  row.times = worst('seconds') / baseline;
  row.peakBytes = worst('peakBytes');
  row.storedBytes = worst('storedBytes');
  row.cpuTimes = worst('cpuSeconds') / baselineCpu;
  row.storedPerVbyte = row.storedBytes / row.vbytes;
  row.within = row.times <= MOST.times && row.peakBytes <= MOST.peakBytes && row.storedBytes <= MOST.storedBytes;
  rows.push(row);
  if (!args.json) process.stderr.write(`${line(row)}\n`);
}

function line({ name, transactions, runs, times, cpuTimes, peakBytes, storedBytes, storedPerVbyte, same, ended }) {
  const seconds = policies.map((policy) => runs[policy].seconds?.toFixed(2) ?? runs[policy].failed);
  const sizes = [`${Math.round(peakBytes / 2 ** 20)}`, (storedBytes / 1e6).toFixed(1), storedPerVbyte.toFixed(0)];
  const verdict = !ended ? 'not ended' : same ? 'same' : 'DIFFERENT';
  return `| ${[name, transactions, ...seconds, times.toFixed(2), cpuTimes.toFixed(2), ...sizes, verdict].join(' | ')} |`;
}

const titles = [
  'attack',
  'txs',
  ...policies.map((policy) => `${policy} s`),
  '×',
  '× cpu',
  'peak MiB',
  'stored MB',
  'bytes a vB',
  'roots',
];
const table = [
  `| ${titles.join(' | ')} |`,
  `| --- | ${titles
    .slice(1)
    .map(() => '---:')
    .join(' | ')} |`,
  ...rows.map(line),
];
const core = oneCore.length > 0 ? 'one core' : 'all cores';
process.stdout.write(
  args.json ? `${JSON.stringify({ scale, core, rows })}\n` : `${core}, scale ${scale}\n\n${table.join('\n')}\n`,
);
process.exitCode = rows.every(({ ended, same, within }) => ended && same && (within || scale < 1)) ? 0 : 1;
