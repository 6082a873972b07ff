// Kills (-9) a process that commits and rolls back blocks, at random moments; checks the whole database after each
// kill, and at the end compares every row with those of a run that nothing disturbed.
//   npm run build && node bench/kill-store.mjs [--kills 1000] [--seed 1] [--small | --wide] [--index addresses]
//     [--full] [--json]
// The bundled chain through both lanes, with dead branches of synthetic blocks; --small: synthetic blocks alone, which
// start faster; --wide: such of some thousand receipts and keys, written by as many threads as on 16 cores.
// --full: instead of being killed, each process may write no file beyond a random size, so that a write fails, half
// done, as on a full disk; it must end with an error that says so. Exit status 1 if a check found something, a row
// differs, or a process ended otherwise.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkStore } from '../dist/store/check/check.js';
import { allRows, differingRows } from '../dist/testing/chains/database-rows.js';
import { SimRandom } from '../dist/testing/sim/random.js';
import { deepStackCommand } from '../scripts/deep-stack.mjs';

const { values: args } = parseArgs({
  options: {
    kills: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    small: { type: 'boolean', default: false },
    wide: { type: 'boolean', default: false },
    index: { type: 'string', default: 'none' },
    full: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const kills = Number(args.kills);
const mode = args.wide ? 'wide' : args.small ? 'small' : 'fixture';
/** Longest time that a child lives after its first step. */
const SPREAD_MS = args.small ? 150 : 1_500;
/** Largest file of a process whose disk is full, in KiB. Below 36 the database does not even open. */
const SMALLEST_KIB = 24;
const LARGEST_KIB = { small: 160, wide: 12_000, fixture: 600 }[mode];
/** As in the child. */
const KEEP_UNDO = 20;
const FULL = ['STORE_WRITE_FAILED', 'STORE_OPEN_FAILED'];
const CHILD = fileURLToPath(new URL('kill-store-child.mjs', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'warpshrew-kill-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const [disturbed, undisturbed] = [join(folder, 'disturbed'), join(folder, 'undisturbed')];
const started = performance.now();
const violations = [];
const tips = new Set();
const ends = {};
for (let run = 0; run < kills; run++) {
  const end = await (args.full ? filled : killed)(Number(args.seed) + run);
  ends[end] = (ends[end] ?? 0) + 1;
  if (args.full && !existsSync(join(disturbed, 'CURRENT'))) continue;
  const { heights } = await checkStore(disturbed, {
    violation: (violation) => violations.length < 100 && violations.push({ run, ...violation }),
  });
  tips.add(heights?.tip ?? -1);
  if (!args.json && run % 50 === 49)
    process.stderr.write(`${run + 1} kills, ${violations.length} violations, tip ${heights?.tip}\n`);
}
await finished(disturbed);
await finished(undisturbed);
const { stateRoot, heights } = await checkStore(undisturbed, { violation: () => undefined });
const [own, fresh] = [keptRows(await allRows(disturbed)), keptRows(await allRows(undisturbed))];
const differing = differingRows(own, fresh);
const same = differing.length === 0;
const seconds = (performance.now() - started) / 1000;
const report = { kills, mode, ends, violations: violations.length, tips: tips.size, same, stateRoot, seconds };
for (const violation of violations) process.stderr.write(`${JSON.stringify(violation)}\n`);
for (const row of differing.slice(0, 20)) process.stderr.write(`differs: ${row}\n`);
process.stdout.write(args.json ? `${JSON.stringify(report)}\n` : `${text(report)}\n`);
process.exitCode = violations.length === 0 && same ? 0 : 1;

/** Without undo data that is to go: a block that is written in pieces leaves that to the next one. */
function keptRows(rows) {
  const isKept = (name) =>
    !name.startsWith('undo ') || Number.parseInt(name.slice(5, 13), 16) > heights.tip - KEEP_UNDO;
  return new Map([...rows].filter(([name]) => isKept(name)));
}

/** Starts a child and kills it some time after its first step. */
function killed(seed) {
  return new Promise((resolve, reject) => {
    const child = start([disturbed, mode, args.index, String(seed)]);
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), Math.random() * SPREAD_MS));
    child.once('error', reject);
    child.once('close', (status, signal) => {
      if (signal === 'SIGKILL') resolve();
      else reject(new Error(`the child of seed ${seed} ended by itself: ${status ?? signal}`));
    });
  });
}

/** Runs a child until its disk is full; gives the code of its error. */
function filled(seed) {
  const random = new SimRandom(`full ${seed}`);
  const kib = SMALLEST_KIB + random.below(LARGEST_KIB - SMALLEST_KIB);
  return new Promise((resolve, reject) => {
    const child = start([disturbed, mode, args.index, String(seed)], `ulimit -f ${kib}; `);
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    child.once('error', reject);
    child.once('close', (status, signal) => {
      const [, code] = /^failed (\w+)$/m.exec(said) ?? [];
      if (FULL.includes(code)) resolve(code);
      else reject(new Error(`the child of seed ${seed} with ${kib} KiB ended with ${code ?? status ?? signal}`));
    });
  });
}

function finished(dir) {
  return new Promise((resolve, reject) => {
    const child = start([dir, mode, args.index, '0', 'finish']);
    child.stdout.resume();
    child.once('error', reject);
    child.once('close', (status) =>
      status === 0 ? resolve() : reject(new Error(`the last run ended with ${status}`)),
    );
  });
}

/** `limits`: commands of the shell that go before. Their units of a file's size are those of bash. */
function start(more, limits = '') {
  const [, [option, script, ...rest]] = deepStackCommand([CHILD, ...more]);
  return spawn('bash', [option, `${limits}${script}`, ...rest], { stdio: ['pipe', 'pipe', 'inherit'] });
}

function text({ violations, tips, same, stateRoot, seconds }) {
  const rows = same ? 'every row as in the undisturbed run' : 'rows DIFFER from the undisturbed run';
  const found = `${violations} violations, ${rows}, state root ${stateRoot}`;
  const what = `${kills} ${args.full ? 'full disks' : 'kills'} (${mode})`;
  return `${what} at ${tips} different tips: ${found}, ${seconds.toFixed(0)} s`;
}
