// Requests a second and latencies of small reads: `npm run build`, then
//   node bench/serving.mjs [--seconds 5] [--connections 32] [--rounds 2] [--wrk] [--hostile [--only PATTERN]]
// Starts `warpshrew index` over the bundled chain and, once that is at its tip, asks it from a second process over
// connections that stay open: the height, a receipt, and the view `tipheight`. Prints per method requests a second,
// latencies, and the processor time that the server takes for a request, which tells what it costs also where other
// programs keep the machine busy (`others`: cores that they took). --wrk: the same with wrk, where it is installed.
// --hostile: afterwards, an honest client that asks 200 times a second beside clients that hold bodies open, send one
// request after another without reading, flood it with views, pipeline too much, or read events without end.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { HOSTILE } from './hostile.mjs';
import { processorTime } from './processor-time.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '2' },
    hostile: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    wrk: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const connections = Number(values.connections);
const only = new RegExp(values.only);
const folder = mkdtempSync(join(tmpdir(), 'warpshrew-bench-'));

const request = (method, params) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });

async function call(url, method, params) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: request(method, params) });
  const { result, error } = await response.json();
  if (error) throw new Error(JSON.stringify(error));
  return result;
}

/** `warpshrew index` over the bundled chain, at its tip. */
async function start() {
  const args = ['index', '--fixture', 'fixtures/regtest', '--db', join(folder, 'db'), '--port', '0'];
  const child = spawn(process.execPath, ['dist/cli.js', ...args], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  await new Promise((ready, failed) => {
    child.stderr.setEncoding('utf8').on('data', (part) => {
      log += part;
      if (log.includes('"msg":"at-tip"')) ready();
    });
    child.once('exit', () => failed(new Error(log)));
  });
  const stop = () => {
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    return ended;
  };
  return { pid: child.pid, url: /"url":"([^"]+)"/.exec(log)[1], stop };
}

/** What bench/serving-load.mjs makes of it, and how busy the machine was. */
async function load(pid, asked) {
  const before = processorTime(pid);
  const child = spawn(process.execPath, [join(root, 'bench/serving-load.mjs'), JSON.stringify(asked)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const part of child.stdout.setEncoding('utf8')) text += part;
  const after = processorTime(pid);
  const got = JSON.parse(text);
  const server = after.process - before.process;
  const others = (after.machine - before.machine - server - got.cpu) / got.seconds;
  return { ...got, server, others };
}

function shown(name, got) {
  const perSecond = Math.round(got.count / got.seconds);
  const ms = (value) => (value === null ? '-' : value.toFixed(2));
  const cost = ((1e6 * got.server) / got.count).toFixed(1);
  process.stdout.write(
    `  ${name.padEnd(24)} ${String(perSecond).padStart(7)}/s  p50 ${ms(got.p50)}  p99 ${ms(got.p99)}  ` +
      `most ${ms(got.most)} ms  server ${cost} us a request, load ${((1e6 * got.cpu) / got.count).toFixed(1)} us` +
      `${got.errors > 0 ? `  ERRORS ${got.errors}` : ''}  (others ${Math.max(0, got.others).toFixed(2)} cores)\n`,
  );
}

function wrk(url, body) {
  const script = join(folder, 'post.lua');
  const text = body.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  writeFileSync(
    script,
    `wrk.method = 'POST'\nwrk.headers['content-type'] = 'application/json'\nwrk.body = '${text}'\n`,
  );
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', script, url];
  const { stdout, error } = spawnSync('wrk', args, { encoding: 'utf8' });
  if (error) throw error;
  const figure = (pattern) => pattern.exec(stdout)?.[1] ?? '-';
  const failed = /Non-2xx.*|Socket errors.*/.exec(stdout)?.[0] ?? '';
  process.stdout.write(
    `  ${'  the same with wrk'.padEnd(24)} ${figure(/Requests\/sec:\s+([\d.]+)/).padStart(9)}/s  ` +
      `p50 ${figure(/50%\s+(\S+)/)}  p99 ${figure(/99%\s+(\S+)/)} ${failed}\n`,
  );
}

try {
  const { pid, url, stop } = await start();
  const port = Number(new URL(url).port);
  const receipts = await call(url, 'warpshrew_listreceipts', [{ limit: 100 }]);
  const { txid } = receipts.items.find(({ messages }) => messages.length > 0) ?? receipts.items[0];
  const METHODS = [
    ['metashrew_height', []],
    ['warpshrew_getreceipt', [txid]],
    ['metashrew_view', ['tipheight', '0x', 'latest']],
  ];
  process.stdout.write(`${connections} connections, ${seconds} s each, load ${loadavg()[0].toFixed(1)}\n`);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [method, params] of METHODS) {
      const bodies = [request(method, params)];
      shown(method, await load(pid, { port, seconds, connections, bodies, address: '127.0.0.1' }));
      if (values.wrk && round === 0) wrk(url, bodies[0]);
    }
  }
  if (values.hostile) {
    process.stdout.write('an honest client, 200 requests a second over 4 connections, beside\n');
    const honest = {
      port,
      seconds,
      connections: 4,
      rate: 200,
      bodies: METHODS.map(([method, params]) => request(method, params)),
      address: '127.0.0.1',
    };
    shown('nobody', await load(pid, honest));
    for (const [name, attack] of Object.entries(HOSTILE)) {
      if (!only.test(name)) continue;
      const end = await attack({ port, address: '127.0.0.2' });
      shown(name, await load(pid, honest));
      await end();
    }
  }
  await stop();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
