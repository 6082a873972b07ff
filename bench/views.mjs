// How long answers take while blocks are processed: `npm run build`, then
//   node bench/views.mjs [--seconds 20] [--rate 200] [--connections 4] [--policy cpu] [--blocks DIR]
//     [--view NAME] [--threads] [-- OPTION...]
// Starts `warpshrew index` and asks it over the loopback while it syncs: the bundled chain, again and again on new
// databases, or the block files in DIR (`node bench/chain.mjs --templates FOLDER --out DIR` makes full-size ones). What
// stands behind `--` goes to the service. Before that it asks a service that has nothing to do: what it says then is
// the least that the asking itself takes. Prints one line a method; `late` is how much later than planned this program
// sent a request, `load` the machine's load average, `others` the cores that other programs kept busy meanwhile
// (Linux). --threads: processor time and niceness of the service's threads.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { processorTime } from './processor-time.mjs';
import { threadTimes } from './thread-times.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '20' },
    idle: { type: 'string', default: '5' },
    connections: { type: 'string', default: '4' },
    rate: { type: 'string', default: '200' },
    policy: { type: 'string', default: 'cpu' },
    blocks: { type: 'string' },
    view: { type: 'string', default: 'tipheight' },
    threads: { type: 'boolean', default: false },
  },
});
const connections = Number(values.connections);
/** Milliseconds between two requests of one connection; one that is late is sent at once. */
const spacing = (1000 * connections) / Number(values.rate);
const METHODS = [
  ['metashrew_height', []],
  ['metashrew_view', [values.view, '0x', 'latest']],
  ['metashrew_stateroot', ['latest']],
];
const FIXTURE = ['--fixture', 'fixtures/regtest'];
const CHAIN = values.blocks ? ['--network', 'regtest', '--blocks-dir', resolve(values.blocks)] : FIXTURE;
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const folder = mkdtempSync(join(tmpdir(), 'warpshrew-bench-'));

function ask(url, method, params) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const sent = request(url, { method: 'POST', headers, agent }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve({ ms: performance.now() - started, text }));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** Latencies in milliseconds by method, and how late the requests were sent. */
function figures() {
  return { took: new Map(METHODS.map(([method]) => [method, []])), late: [], others: 0 };
}

/** `warpshrew index` on a new database, once it serves and has its first block. */
async function start(number, chain) {
  const db = join(folder, `${number}.db`);
  const args = ['index', ...chain, '--policy', values.policy, '--db', db, '--port', '0', ...positionals];
  const child = spawn(process.execPath, ['dist/cli.js', ...args], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  const service = { pid: child.pid, atTip: false, ended: false, url: '' };
  const ended = new Promise((done) => child.once('exit', done));
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (part) => {
    log += part;
    service.atTip ||= log.includes('"msg":"at-tip"');
  });
  child.once('exit', () => {
    service.ended = true;
  });
  while (!service.url) {
    if (service.ended) throw new Error(`it has ended: ${log}`);
    await new Promise((next) => setTimeout(next, 5));
    service.url = /"url":"([^"]+)"/.exec(log)?.[1] ?? '';
  }
  const height = async () => Number(JSON.parse((await ask(service.url, 'metashrew_height', [])).text).result);
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(db, { recursive: true });
  };
  while (JSON.parse((await ask(service.url, 'metashrew_stateroot', ['latest'])).text).error !== undefined) {
    await new Promise((next) => setTimeout(next, 5));
  }
  return { service, height, stop };
}

/** Asks at the rate until `over`, at most `ms` milliseconds. */
async function load(url, { took, late }, ms, over) {
  const started = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async (_, connection) => {
      for (let i = 0; ; i++) {
        const due = started + i * spacing + (connection * spacing) / connections;
        const early = due - performance.now();
        if (early > 0) await new Promise((next) => setTimeout(next, early));
        if (over() || performance.now() - started > ms) return;
        late.push(Math.max(0, performance.now() - due));
        const [method, params] = METHODS[i % METHODS.length];
        const answer = await ask(url, method, params);
        if (answer.text.includes('"error"')) throw new Error(answer.text);
        if (!over()) took.get(method).push(answer.ms);
      }
    }),
  );
  return performance.now() - started;
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

function line(name, list) {
  const sorted = list.sort((a, b) => a - b);
  const shown = [0.5, 0.9, 0.99, 0.999].map((share) => `p${share * 100} ${at(sorted, share).toFixed(2)}`);
  const count = String(sorted.length).padStart(6);
  return `  ${name.padEnd(20)} ${count}  ${shown.join('  ')}  most ${sorted.at(-1).toFixed(2)} ms\n`;
}

/** As {@link load}; adds the processor time of other programs meanwhile, in seconds, to the figures. */
async function watched(pid, url, into, ms, over) {
  if (process.platform !== 'linux') return load(url, into, ms, over);
  const [before, self] = [processorTime(pid), process.cpuUsage()];
  const took = await load(url, into, ms, over);
  const [after, { user, system }] = [processorTime(pid), process.cpuUsage(self)];
  into.others += after.machine - before.machine - (after.process - before.process) - (user + system) / 1e6;
  return took;
}

function report(title, { took, late, others }, ms) {
  const load = `${loadavg()[0].toFixed(1)}, others ${Math.max(0, others / (ms / 1000)).toFixed(2)} cores`;
  const lines = [...took, ['(late)', late]].map(([name, list]) => line(name, list));
  process.stdout.write(`${title}, load ${load}\n${lines.join('')}`);
}

try {
  const idle = figures();
  const calm = await start('idle', FIXTURE);
  while (!calm.service.atTip) await new Promise((next) => setTimeout(next, 20));
  const { pid, url } = calm.service;
  const idleMs = await watched(pid, url, idle, Number(values.idle) * 1000, () => false);
  await calm.stop();
  report(`idle: ${values.rate} requests/s over ${connections} connections`, idle, idleMs);

  const busy = figures();
  let blocks = 0;
  let ms = 0;
  for (let number = 0; ms < Number(values.seconds) * 1000; number++) {
    const { service, height, stop } = await start(number, CHAIN);
    const over = () => service.atTip || service.ended;
    ms += await watched(service.pid, service.url, busy, Number(values.seconds) * 1000 - ms, over);
    if (service.ended) throw new Error('the service has ended');
    blocks += (await height()) + 1;
    if (values.threads && ms >= Number(values.seconds) * 1000) {
      for (const { name, niceness, seconds } of threadTimes(service.pid)) {
        process.stdout.write(`  ${name.padEnd(16)} niceness ${niceness}  ${seconds.toFixed(2)} s\n`);
      }
    }
    await stop();
  }
  report(`syncing: ${blocks} blocks in ${(ms / 1000).toFixed(1)} s`, busy, ms);
} finally {
  agent.destroy();
  rmSync(folder, { recursive: true, force: true });
}
