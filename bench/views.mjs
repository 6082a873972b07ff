// How long answers take while blocks are processed: `npm run build`, then `node bench/views.mjs [--requests N] [--connections N]
// [--rate N] [--policy NAME]`. Starts `warpshrew index` on the bundled chain, again and again on new databases until enough was asked, and
// asks it over the loopback meanwhile; counts only what was answered before the chain was indexed. Prints one line a method.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '5000' },
    connections: { type: 'string', default: '4' },
    rate: { type: 'string', default: '200' },
    policy: { type: 'string', default: 'cpu' },
  },
});
const wanted = Number(values.requests);
const connections = Number(values.connections);
/** Milliseconds between two requests of one connection; one that is late is sent at once. */
const spacing = (1000 * connections) / Number(values.rate);
const METHODS = [
  ['metashrew_height', []],
  ['metashrew_view', ['tipheight', '0x', 'latest']],
  ['metashrew_stateroot', ['latest']],
];
const took = new Map(METHODS.map(([method]) => [method, []]));
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

/** One sync of the chain under load; adds its latencies and gives blocks and milliseconds. */
async function sync(number) {
  const db = join(folder, `${number}.db`);
  const args = ['index', '--fixture', 'fixtures/regtest', '--policy', values.policy, '--db', db, '--port', '0'];
  const child = spawn(process.execPath, ['dist/cli.js', ...args], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let atTip = false;
  const url = await new Promise((resolve) => {
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (part) => {
      text += part;
      const serving = /"url":"([^"]+)"/.exec(text);
      if (serving) resolve(serving[1]);
      atTip ||= text.includes('"msg":"at-tip"');
    });
  });
  const started = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let i = 0; !atTip; i++) {
        const early = started + i * spacing - performance.now();
        if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
        const [method, params] = METHODS[i % METHODS.length];
        const { ms, text } = await ask(url, method, params);
        if (text.includes('"error"')) throw new Error(text);
        if (!atTip) took.get(method).push(ms);
      }
    }),
  );
  const ms = performance.now() - started;
  const { text } = await ask(url, 'metashrew_height', []);
  child.kill('SIGTERM');
  await ended;
  rmSync(db, { recursive: true });
  return { blocks: Number(JSON.parse(text).result) + 1, ms };
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
try {
  let blocks = 0;
  let ms = 0;
  for (let number = 0; [...took.values()].reduce((sum, list) => sum + list.length, 0) < wanted; number++) {
    const run = await sync(number);
    blocks += run.blocks;
    ms += run.ms;
  }
  process.stdout.write(
    `${blocks} blocks in ${(ms / 1000).toFixed(1)} s, ${values.rate} requests/s over ${connections} connections\n`,
  );
  for (const [method, list] of took) {
    const sorted = list.sort((a, b) => a - b);
    const shown = [0.5, 0.9, 0.99, 0.999].map((share) => `p${share * 100} ${at(sorted, share).toFixed(2)} ms`);
    process.stdout.write(
      `${method.padEnd(20)} ${sorted.length} answers  ${shown.join('  ')}  most ${sorted.at(-1).toFixed(2)} ms\n`,
    );
  }
} finally {
  agent.destroy();
  rmSync(folder, { recursive: true, force: true });
}
