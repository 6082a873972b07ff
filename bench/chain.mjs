// A chain of full-size blocks through `warpshrew index`, read from block files and over JSON-RPC: blocks and megabytes
// per second, peak memory of the whole process, milliseconds per block and phase as the service reports them, and what
// the sources take alone.
//   npm run build && node bench/chain.mjs --templates FOLDER [--count 300] [--indexed COUNT] [--ways files,rpc]
//     [--policy cpu] [--root-every 1] [--indexer FILE] [--bare 50] [--most-mib 1536] [--out FOLDER] [--json]
// FOLDER holds raw blocks (*.bin, or as hex in *.hex). The chain's blocks hold their transactions in turn with other
// locktimes, so txids, heights, headers, merkle roots and witness commitments are new, at regtest's difficulty. The
// chain is written as a node does (blk*.dat of 128 MiB, xor.dat), and this process plays the node; the files are in the
// page cache. `other` is time of the engine in no phase; `standard` runs beside it. --indexed: number of blocks to
// index, default all. --bare: number of blocks that the module runs on alone, its state in memory; `handOver` is what
// goes to its thread and back. `cpuMsOfThreads`: processor time a block of the threads that take most, which does not
// depend on what else runs. Whole runs tell how many times the bare module's time a block takes (`timesBare`);
// `standard` has the reads of the database there. Exit status 1 if the state roots of the ways differ or one takes more
// memory than allowed. --out: leaves the block files in that folder, which must not hold any, and measures nothing
// (bench/views.mjs reads them). --indexer dist/wasm/bench/outpoints.wasm: flushes 40,000 to 58,000 pairs a block.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { writeBlockFiles } from '../dist/testing/chains/block-files.js';
import { FakeNode } from '../dist/testing/chains/fake-node.js';
import { syntheticChain, Template } from '../dist/testing/chains/synthetic-chain.js';
import { threadTimes } from './thread-times.mjs';

const { values: args } = parseArgs({
  options: {
    templates: { type: 'string' },
    count: { type: 'string', default: '300' },
    indexed: { type: 'string' },
    ways: { type: 'string', default: 'files,rpc' },
    policy: { type: 'string', default: 'cpu' },
    'root-every': { type: 'string', default: '1' },
    indexer: { type: 'string' },
    bare: { type: 'string', default: '50' },
    'most-mib': { type: 'string', default: '1536' },
    out: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
if (args.templates === undefined) throw new Error('name a folder of raw blocks with --templates');
const WAYS = ['files', 'rpc'];
const ways = args.ways.split(',');
if (!ways.every((way) => WAYS.includes(way))) throw new Error(`--ways are ${WAYS.join(' and ')}`);
const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const MODULE = fileURLToPath(new URL('chain-module.mjs', import.meta.url));
const SOURCE = fileURLToPath(new URL('chain-source.mjs', import.meta.url));
/** Linux counts the time of processes in hundredths of a second. */
const TICKS = 100;
/** Phases of the engine's thread do not overlap; these are other threads', or parts of other phases. */
const BESIDE = ['standard', 'ahead', 'tree', 'check'];

if (args.out !== undefined) {
  mkdirSync(args.out, { recursive: true });
  const { blocks, files } = writeBlockFiles(args.out, syntheticChain(templates(args.templates), Number(args.count)));
  process.stdout.write(`${blocks.length} blocks in ${files} files\n`);
  process.exit(0);
}
const work = mkdtempSync(join(tmpdir(), 'warpshrew-chain-'));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
const folder = join(work, 'blocks');
mkdirSync(folder);
const building = performance.now();
const chain = writeBlockFiles(folder, syntheticChain(templates(args.templates), Number(args.count)));
const buildSeconds = (performance.now() - building) / 1000;
const node = await FakeNode.start(chain.blocks);
const { bytes, files } = chain;
const rows = [];
/** Milliseconds of the bare module per block. */
let bareMs;
show(`${chain.blocks.length} blocks, ${round(bytes / 1e6)} MB in ${files} files, built in ${round(buildSeconds)} s`);
try {
  for (const way of ways) {
    const place = way === 'files' ? [folder] : [];
    const before = process.cpuUsage();
    const { stdout } = await promisify(execFile)(process.execPath, [SOURCE, node.url, ...place]);
    tell(row(`${way}, source alone`, JSON.parse(stdout), before));
  }
  tell(await bare());
  if (args.indexed !== undefined) node.serve(chain.blocks.slice(0, Number(args.indexed) + 1));
  for (const way of ways) {
    const before = process.cpuUsage();
    tell(row(`${way}, indexed`, await index(way), before));
  }
} finally {
  await node.stop();
}
const roots = new Set(rows.flatMap(({ stateRoot }) => stateRoot ?? []));
const mostMemory = Math.max(...rows.map(({ peakMiB }) => peakMiB));
const report = { blocks: chain.blocks.length, bytes, files, buildSeconds: round(buildSeconds), rows };
if (args.json) process.stdout.write(`${JSON.stringify(report)}\n`);
if (roots.size > 1) process.stderr.write(`the state roots differ: ${[...roots].join(', ')}\n`);
if (mostMemory > Number(args['most-mib'])) process.stderr.write(`${mostMemory} MiB are more than allowed\n`);
process.exitCode = roots.size > 1 || mostMemory > Number(args['most-mib']) ? 1 : 0;

function templates(from) {
  const list = readdirSync(from)
    .sort()
    .flatMap((name) => {
      const path = join(from, name);
      if (name.endsWith('.bin')) return [new Template(readFileSync(path))];
      if (name.endsWith('.hex')) return [new Template(Buffer.from(readFileSync(path, 'utf8').trim(), 'hex'))];
      return [];
    });
  if (list.length === 0) throw new Error(`no *.bin and no *.hex in ${from}`);
  return list;
}

/** The row of the module alone. */
async function bare() {
  const before = process.cpuUsage();
  const module = args.indexer === undefined ? [] : [args.indexer];
  const { stdout } = await promisify(execFile)(process.execPath, [MODULE, node.url, args.bare, ...module]);
  const run = JSON.parse(stdout);
  bareMs = run.ms.standard / run.blocks;
  return { ...row('module alone', run, before), medianMs: round(run.medianMs) };
}

/** Runs the service until it has reached the tip, and asks it and the system what it took. */
async function index(way) {
  const options = {
    network: 'regtest',
    'node-url': node.url,
    ...(way === 'files' && { 'blocks-dir': folder }),
    ...(args.indexer && { indexer: args.indexer }),
    db: join(work, `${way}.db`),
    port: '0',
    policy: args.policy,
    'root-every': args['root-every'],
  };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const spawned = performance.now();
  const child = spawn(process.execPath, [CLI, 'index', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit');
  const lines = [];
  const at = {};
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line);
    const { msg, ...fields } = line.startsWith('{') ? JSON.parse(line) : {};
    at[msg] ??= { ms: performance.now(), fields };
    if (msg === 'at-tip') break;
  }
  if (at['at-tip'] === undefined) throw new Error(`the service ended:\n${lines.join('\n')}`);
  const { url } = at['serving JSON-RPC'].fields;
  const status = await (await fetch(`${url}/status`)).json();
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]);
  const times = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const threads = threadTimes(child.pid);
  child.kill('SIGTERM');
  child.stderr.resume();
  const [exit] = await ended;
  process.off('exit', kill);
  if (exit !== 0) throw new Error(`the service ended with ${exit}`);
  if (status.tip.height !== node.blocks.length - 1) throw new Error(`the service stands at ${status.tip.height}`);
  const phases = [...metrics.matchAll(/^warpshrew_phase_seconds_total\{phase="(\w+)"\} (\S+)$/gm)];
  return {
    blocks: status.sinceStart.blocks,
    bytes: status.sinceStart.bytes,
    startSeconds: (at['database open'].ms - spawned) / 1000,
    seconds: (at['at-tip'].ms - at['database open'].ms) / 1000,
    cpuSeconds: (Number(times[11]) + Number(times[12])) / TICKS,
    threads,
    peakKiB,
    ms: Object.fromEntries(phases.map(([, phase, seconds]) => [phase, Number(seconds) * 1000])),
    stateRoot: status.tip.roots.state,
  };
}

/** Keeps a row, and shows it at once: the whole takes minutes. */
function tell(row) {
  rows.push(row);
  const { way, msPerBlock, ...figures } = row;
  const list = (of) => Object.entries(of).map(([name, value]) => `  ${name}: ${value}`);
  show(
    ['', way, ...list(figures), '  milliseconds per block:', ...list(msPerBlock).map((line) => `  ${line}`)].join('\n'),
  );
}

function show(text) {
  if (!args.json) process.stdout.write(`${text}\n`);
}

function row(way, run, nodeBefore) {
  const { blocks, bytes, startSeconds, seconds, cpuSeconds, threads, peakKiB, ms, stateRoot } = run;
  const { user, system } = process.cpuUsage(nodeBefore);
  const perBlock = Object.fromEntries(Object.entries(ms).map(([phase, took]) => [phase, round(took / blocks)]));
  // Alone, the module is waited for.
  const beside = stateRoot === undefined ? [] : BESIDE;
  const own = Object.entries(perBlock).reduce((sum, [phase, took]) => sum + (beside.includes(phase) ? 0 : took), 0);
  return {
    way,
    blocks,
    blocksPerSecond: round(blocks / seconds),
    megabytesPerSecond: round(bytes / 1e6 / seconds),
    seconds: round(seconds),
    ...(startSeconds !== undefined && { startSeconds: round(startSeconds) }),
    cpuSeconds: round(cpuSeconds),
    nodeCpuSeconds: round((user + system) / 1e6),
    ...(threads !== undefined && {
      cpuMsOfThreads: threads
        .slice(0, 5)
        .map((of) => perBlockOf(of, blocks))
        .join(', '),
    }),
    peakMiB: Math.round(peakKiB / 1024),
    msPerBlock: { ...perBlock, other: round((1000 * seconds) / blocks - own) },
    ...(stateRoot !== undefined && { stateRoot, timesBare: round((1000 * seconds) / blocks / bareMs) }),
  };
}

/** Its processor time a block: what it would take on a core of its own. */
function perBlockOf({ name, seconds }, blocks) {
  return `${name} ${round((1000 * seconds) / blocks)}`;
}

function round(value) {
  return Math.round(value * 100) / 100;
}
