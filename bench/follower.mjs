// Kills (-9) an index that publishes its blocks, the NATS server and a replica, one after the other, while the chain of
// the node reorganises; compares at the end every row of the replica with that of the index.
//   npm run build && node bench/follower.mjs [--reorgs 50] [--from 0] [--to 185] [--seed 1] [--server nats-server]
//     [--json]
// The bundled chain (of heights --from to --to), with dead branches that hold lane transactions, too
// (src/testing/chains/changing-chain.ts). Exit status 1 if a row differs, 3 if there is no NATS server.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BlockOffsets } from '../dist/bitcoin/block-offsets.js';
import { openSource } from '../dist/bitcoin/sources.js';
import { ChangingChain } from '../dist/testing/chains/changing-chain.js';
import { allRows } from '../dist/testing/chains/database-rows.js';
import { FakeNode } from '../dist/testing/chains/fake-node.js';
import { SimRandom } from '../dist/testing/sim/random.js';
import { toDisplayHash } from '../dist/util/bytes.js';

const { values: args } = parseArgs({
  options: {
    reorgs: { type: 'string', default: '50' },
    from: { type: 'string', default: '0' },
    to: { type: 'string', default: '185' },
    seed: { type: 'string', default: '1' },
    server: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
/** Height of the chain at first: behind the bundled chain's empty blocks and those that fund the rest. */
const START = 112;
/** No reorg is deeper. */
const DEEPEST = 30;
/** So much undo data is kept that the stream begins at the first block. */
const KEEP_UNDO = '1000';
/** A kill comes after so many milliseconds at most. */
const SPREAD_MS = 600;

const server = args.server ?? installed();
if (server === undefined) {
  process.stderr.write('no nats-server is installed: name one with --server\n');
  process.exit(3);
}
const first = Number(args.from);
const bundled = fileURLToPath(new URL('../fixtures/regtest', import.meta.url));
const trunk = Array.from(openSource(bundled).blocks(0, Number(args.to)), ({ height, raw }) => {
  return { height, raw, hash: BlockOffsets.read(raw).hash };
});
const random = new SimRandom(`follower ${args.seed}`);
const folder = mkdtempSync(join(tmpdir(), 'warpshrew-follower-'));
const running = new Set();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
const node = await FakeNode.start(trunk);
const chain = new ChangingChain({ seed: args.seed, trunk, start: START, first, keepUndo: DEEPEST });
const natsPort = await freePort();
const stream = `nats://127.0.0.1:${natsPort}/drill`;
const common = [
  '--port',
  '0',
  '--index-niceness',
  '0',
  '--keep-undo',
  KEEP_UNDO,
  '--log-level',
  'info',
  '--no-explorer',
];
const own = ['--network', 'regtest', '--node-url', node.url, '--auth', 'u:p', '--poll-interval', '50'];
const lane = ['--policy', 'sequential', '--start-block', args.from, '--publish', stream];
const indexDb = join(folder, 'index');
const replicaDb = join(folder, 'replica');
const commands = {
  index: [process.execPath, [CLI, 'index', '--db', indexDb, ...own, ...lane, ...common], 'serving JSON-RPC'],
  replica: [process.execPath, [CLI, 'follow-stream', stream, '--db', replicaDb, ...common], 'serving JSON-RPC'],
  server: [server, ['-js', '-a', '127.0.0.1', '-p', String(natsPort), '-sd', join(folder, 'nats')], 'Server is ready'],
};
const sum = { reorgsOfIndex: 0, reorgsOfReplica: 0, blocksUndone: 0, deepestReorg: 0 };
const kills = { index: 0, replica: 0, server: 0 };
const started = performance.now();
node.serve(chain.best);
const parts = { server: run('server') };
await parts.server.ready;
parts.index = run('index');
parts.replica = run('replica');
await Promise.all([parts.index.ready, parts.replica.ready]);
await bothAtTip();
const victims = ['index', 'replica', 'server'];
for (let reorg = 0; reorg < Number(args.reorgs); reorg++) {
  chain.move(true);
  node.serve(chain.best);
  node.requests.length = 0;
  const name = victims[reorg % (victims.length + 1)];
  if (name !== undefined) {
    await sleep(random.below(SPREAD_MS));
    await parts[name].kill();
    kills[name]++;
    parts[name] = run(name);
    await parts[name].ready;
  }
  // So that the next one is a reorg for both.
  await bothAtTip();
  if (!args.json && reorg % 10 === 9)
    process.stderr.write(`${reorg + 1} reorgs, ${JSON.stringify({ kills, ...sum })}\n`);
}
chain.end();
node.serve(chain.best);
const tip = await bothAtTip();
await Promise.all([parts.index.ends(), parts.replica.ends()]);
await parts.server.kill();
await node.stop();
const [index, replica] = [await allRows(indexDb), await allRows(replicaDb)];
const names = new Set([...index.keys(), ...replica.keys()]);
const differing = [...names].filter((name) => index.get(name) !== replica.get(name));
for (const name of differing.slice(0, 20)) process.stderr.write(`the row ${name} differs\n`);
const seconds = Math.round((performance.now() - started) / 1000);
const same = differing.length === 0;
const report = {
  reorgs: Number(args.reorgs),
  kills,
  ...sum,
  height: tip,
  rows: index.size,
  differing: differing.length,
};
process.stdout.write(args.json ? `${JSON.stringify({ ...report, same, seconds })}\n` : `${text()}\n`);
process.exitCode = same ? 0 : 1;

function text() {
  const killed = Object.entries(kills).map(([name, count]) => `${name} ${count}`);
  return [
    `${args.reorgs} reorgs of up to ${sum.deepestReorg} blocks; the index undid ${sum.blocksUndone} blocks in ` +
      `${sum.reorgsOfIndex} reorgs, the replica followed in ${sum.reorgsOfReplica}`,
    `killed: ${killed.join(', ')}`,
    `height ${tip}: ${differing.length} of ${index.size} rows differ, ${seconds} s`,
  ].join('\n');
}

/** A process, observed through its log. */
function run(name) {
  const [program, argv, readyLine] = commands[name];
  const child = spawn(program, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  running.add(child);
  let log = '';
  let rest = '';
  const self = { url: undefined };
  const exited = once(child, 'exit').then(([status]) => {
    running.delete(child);
    return status;
  });
  self.ready = new Promise((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (said) => {
      log = (log + said).slice(-10_000);
      const lines = (rest + said).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith('{')) hear(name, self, JSON.parse(line));
        if (line.includes(readyLine)) resolve();
      }
    });
    exited.then((status) => reject(new Error(`${name} ended with ${status}:\n${log}`)));
  });
  self.ready.catch(() => undefined);
  self.kill = async () => {
    child.kill('SIGKILL');
    if ((await exited) !== null) throw new Error(`${name} ended by itself:\n${log}`);
  };
  self.ends = async () => {
    child.kill('SIGTERM');
    const status = await exited;
    if (status !== 0) throw new Error(`${name} ended with ${status}:\n${log}`);
  };
  self.log = () => log;
  return self;
}

function hear(name, self, { msg, url, depth, level }) {
  if (level === 'error' || level === 'fatal') throw new Error(`${name} failed:\n${self.log()}`);
  if (msg === 'serving JSON-RPC') self.url = url;
  if (msg !== 'reorg: blocks undone') return;
  if (name === 'replica') {
    sum.reorgsOfReplica++;
    return;
  }
  sum.reorgsOfIndex++;
  sum.blocksUndone += depth;
  sum.deepestReorg = Math.max(sum.deepestReorg, depth);
}

/** Waits until index and replica have the node's chain; gives its height. */
async function bothAtTip() {
  const { height, hash } = chain.best[chain.best.length - 1];
  const wanted = toDisplayHash(hash);
  for (const name of ['index', 'replica']) {
    for (;;) {
      const { tip } = await (await fetch(`${parts[name].url}/status`)).json();
      if (tip?.hash === wanted) break;
      await sleep(50);
    }
  }
  return height;
}

function installed() {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin'];
  return folders.map((path) => join(path, 'nats-server')).find((path) => existsSync(path));
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
