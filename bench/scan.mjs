// The cost of reading a block: blocks and megabytes per second of one core, compared with bitcoinjs-lib.
//   npm run build && node bench/scan.mjs FOLDER [--rounds 15] [--reference-rounds 3] [--json]
// FOLDER holds raw blocks (*.bin). Both ways run in every round, one after the other: their ratio holds on a busy
// machine. `cpu` is the processor time of the whole process, which a busy machine does not stretch as much; rates are
// of it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Block as Reference } from 'bitcoinjs-lib';
import { BlockOffsets } from '../dist/bitcoin/block-offsets.js';
import { verifyBlock } from '../dist/bitcoin/verify-block.js';
import { scanColumns } from '../dist/lane/columns/scan-columns.js';
import { locateEnvelope } from '../dist/protocol/envelope.js';
import { isRunestone } from '../dist/protocol/protocol-field.js';
import { decodeRunestone } from '../dist/protocol/runestone.js';
import { spreadOf } from '../dist/selftest/bench/spread.js';
import { findEnvelopes } from '../dist/testing/chains/envelopes.js';

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '15' },
    'reference-rounds': { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('name a folder of raw blocks');
const rounds = Number(args.rounds);
const referenceRounds = Number(args['reference-rounds']);
const NO_SHEETS = { get: () => undefined };

const blocks = readdirSync(folder)
  .filter((name) => name.endsWith('.bin'))
  .sort()
  .map((name) => readFileSync(join(folder, name)));
const bytes = blocks.reduce((sum, { length }) => sum + length, 0);

/** The phases of one block, in order; each gets what the ones before left in `at`. */
const PHASES = {
  'offsets and txids': (at) => {
    at.block = BlockOffsets.read(at.raw);
  },
  'merkle root': (at) => {
    at.root = at.block.merkleRoot();
  },
  'lane scan': (at) => scanColumns(at.block, NO_SHEETS),
  envelopes: (at) => findEnvelopes(at.block),
  'witness commitment and the other checks': (at) => verifyBlock(at.block),
  'every runestone decoded': (at) => decodeAll(at.block),
};
/** What the goal counts: parse, txids, merkle check, runestones, envelopes. */
const GOAL = ['offsets and txids', 'merkle root', 'lane scan', 'envelopes'];

const samples = Object.fromEntries(Object.keys(PHASES).map((name) => [name, []]));
const totals = { goal: [], verified: [], reference: [] };
for (let round = -3; round < rounds; round++) {
  const spent = Object.fromEntries(Object.keys(PHASES).map((name) => [name, 0]));
  for (const raw of blocks) {
    const at = { raw };
    for (const [name, run] of Object.entries(PHASES)) spent[name] += cpu(() => run(at));
  }
  const withReference = round >= 0 && round < referenceRounds;
  const reference = withReference ? cpu(() => blocks.forEach(readWithLibrary)) : undefined;
  // The first rounds compile.
  if (round < 0) continue;
  for (const [name, ms] of Object.entries(spent)) samples[name].push(ms / blocks.length);
  const goal = GOAL.reduce((sum, name) => sum + spent[name], 0) / blocks.length;
  totals.goal.push(goal);
  // The merkle root is computed again by the checks.
  totals.verified.push(
    goal + (spent['witness commitment and the other checks'] - spent['merkle root']) / blocks.length,
  );
  if (reference !== undefined) totals.reference.push(reference / blocks.length);
}

const rows = [
  ...Object.entries(samples).map(([name, ms]) => rowOf(name, ms)),
  rowOf('= goal: parse, txids, merkle root, runestones, envelopes', totals.goal),
  rowOf('= the same with all checks of a block', totals.verified),
  rowOf('bitcoinjs-lib, what the goal counts', totals.reference),
];
const ratio = spreadOf(totals.reference.map((ms, i) => ms / totals.goal[i]));
if (args.json) process.stdout.write(`${JSON.stringify({ blocks: blocks.length, bytes, rows, ratio })}\n`);
else {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const columns = Object.keys(rows[0]);
  const table = [line(columns), line(columns.map(() => '---')), ...rows.map((row) => line(Object.values(row)))];
  process.stdout.write(
    `${table.join('\n')}\nratio to bitcoinjs-lib: ${ratio.median} (${ratio.least} to ${ratio.most})\n`,
  );
}

function cpu(run) {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function rowOf(what, ms) {
  const { median, least, most } = spreadOf(ms);
  return {
    what,
    'ms per block': median,
    least,
    most,
    'blocks/s': Math.round(10_000 / median) / 10,
    'MB/s': Math.round(bytes / blocks.length / median / 100) / 10,
  };
}

function decodeAll(block) {
  const { raw, scripts, firstOutput } = block;
  let found = 0;
  for (let i = 0; i < block.count; i++) {
    for (let output = firstOutput[i]; output < firstOutput[i + 1]; output++) {
      if (!isRunestone(raw, scripts[2 * output], scripts[2 * output + 1])) continue;
      if (decodeRunestone(block.transaction(i).outputs).kind === 'runestone') found++;
      break;
    }
  }
  return found;
}

/** The same work by the library; runestones and envelopes by our decoders, which it does not have. */
function readWithLibrary(raw) {
  const block = Reference.fromBuffer(raw);
  const txids = block.transactions.map((tx) => tx.getHash());
  if (txids.length === 0 || !block.checkTxRoots()) throw new Error('a block does not hold together');
  for (const tx of block.transactions) {
    decodeRunestone(tx.outs);
    locateEnvelope({ inputs: tx.ins });
  }
}
