// Kills (-9) `warpshrew index` at random moments while it follows a node over JSON-RPC whose chain grows and
// reorganises; runs `db check` over a copy of what each kill left, and at the end compares every row with those of an
// index that nothing disturbed.
//   npm run build && node bench/kill.mjs [--kills 1000] [--each 100] [--from 0] [--to 185] [--seed 1]
//     [--policy sequential] [--root-every 1] [--index addresses] [--json]
// The bundled chain (of heights --from to --to), with dead branches that hold lane transactions, too
// (src/testing/chains/changing-chain.ts). --each: kills after which a new database is begun. The seed gives the chain's
// moves; when they and the kills come is up to the machine. Exit status 1 if a check found something, a tip was of no
// chain that the node had, or a row differs.
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { BlockOffsets } from '../dist/bitcoin/block-offsets.js';
import { openSource } from '../dist/bitcoin/sources.js';
import { ChangingChain } from '../dist/testing/chains/changing-chain.js';
import { allRows, differingRows } from '../dist/testing/chains/database-rows.js';
import { FakeNode } from '../dist/testing/chains/fake-node.js';
import { SimRandom } from '../dist/testing/sim/random.js';
import { toDisplayHash } from '../dist/util/bytes.js';
import { IndexRun } from './index-run.mjs';

const { values: args } = parseArgs({
  options: {
    kills: { type: 'string', default: '1000' },
    each: { type: 'string', default: '100' },
    from: { type: 'string', default: '0' },
    to: { type: 'string', default: '185' },
    seed: { type: 'string', default: '1' },
    policy: { type: 'string', default: 'sequential' },
    'root-every': { type: 'string', default: '1' },
    index: { type: 'string', default: 'none' },
    json: { type: 'boolean', default: false },
  },
});
const kills = Number(args.kills);
/** Longest time that a run lives after it opened its database: this, and longer where the machine is busy. */
const SPREAD_MS = 500;
/** The same after it began to undo blocks, for the kills that wait for that. */
const UNDOING_MS = 200;
/** Something is wrong if no reorg is followed for so long. */
const PATIENCE_MS = 120_000;
/**
 * The chain changes after so long without a block that would make it change; this, too, is longer where the machine is
 * busy.
 */
const RESTLESS_MS = 300;
/** Few, so that undo data is dropped, and blocks are undone down to the last that can be. */
const KEEP_UNDO = 30;
const first = Number(args.from);
const SETTINGS = [
  ...['--policy', args.policy, '--keep-undo', String(KEEP_UNDO), '--start-block', args.from],
  ...['--root-every', args['root-every'], '--index', args.index],
];
/** Which blocks are stored together, and have no root, depends on when the kills come. */
const ROOTS = args['root-every'] === '1';
/** Height of a new database's chain: behind the bundled chain's first, empty blocks and those that fund the rest. */
const START = 112;

const bundled = fileURLToPath(new URL('../fixtures/regtest', import.meta.url));
const trunk = Array.from(openSource(bundled).blocks(0, Number(args.to)), ({ height, raw }) => {
  return { height, raw, hash: BlockOffsets.read(raw).hash };
});
const ofTrunk = new Set(trunk.map(({ hash }) => toDisplayHash(hash)));
const root = readFileSync(join(bundled, 'roots.txt'), 'utf8').split('\n')[trunk.length - 1].split(' ')[1];
const random = new SimRandom(`kills ${args.seed}`);
const folder = mkdtempSync(join(tmpdir(), 'warpshrew-kill-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const node = await FakeNode.start(trunk);
const checks = new Worker(new URL('kill-check.mjs', import.meta.url));
const sum = {
  violations: 0,
  strayTips: 0,
  differingRows: 0,
  /** Runs that undid blocks or had begun to. */
  undoing: 0,
  /** Reorgs whose blocks were all undone by one run. */
  reorgs: 0,
  blocksUndone: 0,
  deepestReorg: 0,
  blocksIndexed: 0,
  deadBlocks: 0,
  /** Kills that left a tip which was of the node's best chain no longer. */
  betweenBranches: 0,
};
/** Kills by what the run was doing. */
const killedWhile = {};
const tips = new Set();
const started = performance.now();
/** Milliseconds that a run needed last to open its database. */
let opening = 500;

const freshDir = join(folder, 'fresh');
await indexed(freshDir);
const fresh = await allRows(freshDir, ROOTS);
const { stateRoot } = await judged(freshDir, 'the undisturbed index');
if (first === 0 && stateRoot !== root)
  throw new Error(`the undisturbed index has the state root ${stateRoot}, not ${root}`);
let killed = 0;
let databases = 0;
while (killed < kills) {
  const db = join(folder, `db-${databases}`);
  const chain = new ChangingChain({
    seed: `${args.seed} ${databases++}`,
    trunk,
    start: START,
    first,
    keepUndo: KEEP_UNDO,
  });
  let checking;
  for (const end = Math.min(kills, killed + Number(args.each)); killed < end; killed++) {
    await life(db, chain, killed);
    const best = chain.best;
    await checking;
    checking = copyJudged(db, chain, best, killed);
    if (!args.json && killed % 20 === 19) process.stderr.write(`${killed + 1} kills, ${JSON.stringify(sum)}\n`);
  }
  await checking;
  node.serve(trunk);
  await indexed(db);
  const differing = differingRows(await allRows(db, ROOTS), fresh);
  sum.differingRows += differing.length;
  for (const name of differing.slice(0, 20)) complain(`database ${databases}: the row ${name} differs`);
  await judged(db, `database ${databases} at the end`);
  rmSync(db, { recursive: true });
}
await checks.terminate();
await node.stop();
const seconds = (performance.now() - started) / 1000;
const same = sum.differingRows === 0;
const report = { kills, databases, tips: tips.size, killedWhile, ...sum, same, stateRoot, seconds };
process.stdout.write(args.json ? `${JSON.stringify(report)}\n` : `${text(report)}\n`);
process.exitCode = sum.violations === 0 && sum.strayTips === 0 && same ? 0 : 1;

/** A run of the index from its start to its death, while the chain changes. */
async function life(db, chain, number) {
  node.serve(chain.best);
  const run = new IndexRun(node.url, db, SETTINGS);
  let timer;
  let due = chain.best.length - 1;
  const move = (reorg = false) => {
    chain.move(reorg);
    node.serve(chain.best);
    due = chain.best.length - 1 - random.below(3);
    clearTimeout(timer);
    timer = setTimeout(move, RESTLESS_MS + opening);
  };
  // The chain changes once the index has come to the last blocks of what is new.
  run.onBlock = ({ height, hash }) => {
    const block = chain.best[height];
    if (height >= due && block !== undefined && toDisplayHash(block.hash) === hash) move();
  };
  if (number % 16 === 7) await Promise.race([sleep(random.below(Math.ceil(opening))), run.opened]);
  else {
    opening = await run.opened;
    if (number % 4 === 3) {
      move(true);
      await within(PATIENCE_MS, run.undoing);
      await sleep(random.below(UNDOING_MS));
    } else {
      timer = setTimeout(move, RESTLESS_MS + opening);
      await sleep(random.below(Math.ceil(SPREAD_MS + opening)));
    }
  }
  clearTimeout(timer);
  run.onBlock = () => undefined;
  const { phase } = run;
  await run.kill();
  // What each request was is of no use here.
  node.requests.length = 0;
  killedWhile[phase] = (killedWhile[phase] ?? 0) + 1;
  if (run.hasUndone) sum.undoing++;
  sum.reorgs += run.reorgs.length;
  for (const { depth } of run.reorgs) {
    sum.blocksUndone += depth;
    sum.deepestReorg = Math.max(sum.deepestReorg, depth);
  }
  sum.blocksIndexed += run.blocks.length;
  sum.deadBlocks += run.blocks.filter(({ hash }) => !ofTrunk.has(hash)).length;
}

/**
 * Judges a copy, so that the next run finds the database as the kill left it, not as a check has opened and closed it.
 */
async function copyJudged(db, chain, best, number) {
  if (!existsSync(db)) return;
  const copy = join(folder, `copy-${number}`);
  cpSync(db, copy, { recursive: true });
  const { tip } = await judged(copy, `kill ${number}`);
  rmSync(copy, { recursive: true });
  tips.add(tip?.hash);
  if (tip === undefined) return;
  if (chain.heightOf(tip.hash) !== tip.height) {
    sum.strayTips++;
    complain(`kill ${number}: block ${tip.height} ${tip.hash} was never of the node's chain`);
  }
  const now = best[tip.height];
  if (now === undefined || toDisplayHash(now.hash) !== tip.hash) sum.betweenBranches++;
}

async function judged(dir, name) {
  const answer = once(checks, 'message');
  checks.postMessage(dir);
  const [result] = await answer;
  sum.violations += result.violations;
  for (const violation of result.told) complain(`${name}: ${JSON.stringify(violation)}`);
  return result;
}

/** Runs the index over the whole surviving chain. */
async function indexed(db) {
  const more = [...SETTINGS, '--exit-at', String(trunk.length)];
  await new IndexRun(node.url, db, more).ends();
}

async function within(ms, promise) {
  const late = new AbortController();
  const limit = sleep(ms, undefined, { signal: late.signal }).then(() => {
    throw new Error(`no reorg was followed within ${ms} ms`);
  });
  try {
    await Promise.race([promise, limit]);
  } finally {
    limit.catch(() => undefined);
    late.abort();
  }
}

function complain(line) {
  process.stderr.write(`${line}\n`);
}

function text({ violations, strayTips, same, differingRows, seconds }) {
  const kinds = Object.entries(killedWhile).map(([phase, count]) => `${count} ${phase}`);
  const rows = same
    ? 'every row as in the undisturbed index'
    : `${differingRows} rows DIFFER from the undisturbed index`;
  return [
    `${kills} kills at ${tips.size} different tips (${kinds.join(', ')}; ${sum.betweenBranches} between two branches)`,
    `${sum.reorgs} reorgs of up to ${sum.deepestReorg} blocks, ${sum.blocksUndone} blocks undone, ` +
      `${sum.blocksIndexed} indexed, ${sum.deadBlocks} of them of dead branches`,
    `${violations} violations, ${strayTips} stray tips, ${rows}, state root ${stateRoot}, ${seconds.toFixed(0)} s`,
  ].join('\n');
}
