// Replay of a synthetic chain of full-size blocks: blocks and megabytes per second, peak memory, milliseconds per phase.
//   npm run build && node bench/chain.mjs TEMPLATES [--count 300] [--out FOLDER] [--format folder|blk] [--build-only] [--indexer FILE] [--json]
// TEMPLATES holds raw blocks (*.bin), whose transactions the chain's blocks hold in turn with other locktimes: fresh txids, heights,
// headers, merkle roots and witness commitments, regtest's difficulty. --out keeps the chain (a folder that is left out is made and
// removed); --format blk writes it as a node does, blk00000.dat and on, and is not replayed here.
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { syntheticChain, Template } from '../dist/bench/synthetic-chain.js';
import { replay } from '../dist/replay/replay.js';

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '300' },
    out: { type: 'string' },
    format: { type: 'string', default: 'folder' },
    'build-only': { type: 'boolean', default: false },
    indexer: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const [templates] = positionals;
if (templates === undefined) throw new Error('name a folder of raw blocks');
if (args.format !== 'folder' && args.format !== 'blk') throw new Error('--format is folder or blk');
/** Of regtest, before each block of a node's file. */
const MAGIC = Buffer.from('fabfb5da', 'hex');
const FILE_BYTES = 128 * 1024 * 1024;

const work = mkdtempSync(join(tmpdir(), 'warpshrew-chain-'));
try {
  const out = args.out ?? join(work, 'chain');
  mkdirSync(out, { recursive: true });
  const built = build(out);
  const replayed = args['build-only'] || args.format === 'blk' ? undefined : await measure(out, built.bytes);
  const figures = { ...built, ...replayed };
  const lines = Object.entries(figures).map(
    ([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : value}`,
  );
  process.stdout.write(args.json ? `${JSON.stringify(figures)}\n` : `${lines.join('\n')}\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function build(out) {
  const started = performance.now();
  const names = readdirSync(templates)
    .filter((name) => name.endsWith('.bin'))
    .sort();
  const list = names.map((name) => new Template(readFileSync(join(templates, name))));
  let bytes = 0;
  let blocks = 0;
  let file = 0;
  let filled = 0;
  for (const { height, raw } of syntheticChain(list, Number(args.count))) {
    bytes += raw.length;
    blocks++;
    if (args.format === 'folder') {
      writeFileSync(join(out, `${String(height).padStart(6, '0')}.bin`), raw);
      continue;
    }
    const length = Buffer.alloc(4);
    length.writeUInt32LE(raw.length);
    if (filled > 0 && filled + raw.length + 8 > FILE_BYTES) {
      file++;
      filled = 0;
    }
    appendFileSync(join(out, `blk${String(file).padStart(5, '0')}.dat`), Buffer.concat([MAGIC, length, raw]));
    filled += raw.length + 8;
  }
  return { blocks, bytes, buildSeconds: seconds(started) };
}

async function measure(path, bytes) {
  const started = performance.now();
  const before = process.cpuUsage();
  const summary = await replay({
    path,
    dbDir: join(work, 'db'),
    policy: 'auto',
    ...(args.indexer && { indexer: new Uint8Array(readFileSync(args.indexer)) }),
  });
  const took = seconds(started);
  const { user, system } = process.cpuUsage(before);
  const { maxRSS } = process.resourceUsage();
  return {
    replaySeconds: took,
    cpuSeconds: Math.round((user + system) / 1e4) / 100,
    'blocks/s': round(summary.blocks / took),
    'MB/s': round(bytes / 1e6 / took),
    peakMemoryMiB: Math.round(maxRSS / 1024),
    msPerBlock: Object.fromEntries(
      Object.entries(summary.ms).map(([phase, ms]) => [phase, round(ms / summary.blocks)]),
    ),
    stateRoot: summary.stateRoot,
  };
}

function seconds(since) {
  return round((performance.now() - since) / 1000);
}

function round(value) {
  return Math.round(value * 100) / 100;
}
