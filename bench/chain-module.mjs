// Runs the standard module alone on a chain's first blocks, its state in memory: a child of chain.mjs.
//   node chain-module.mjs NODE-URL COUNT [INDEXER]
import { readFileSync } from 'node:fs';
import { openChainSource } from '../dist/chain/open.js';
import { lookAhead } from '../dist/pipeline/look-ahead.js';
import { StandardIndexer } from '../dist/standard/standard-indexer.js';
import { defaultIndexer } from '../dist/util/built-wasm.js';

const [url, count, file] = process.argv.slice(2);
const moduleBytes = file === undefined ? defaultIndexer() : new Uint8Array(readFileSync(file));
const opened = await openChainSource({ node: { url }, network: 'regtest', maxBytes: 64 << 20 });
const standard = new StandardIndexer({ moduleBytes });
const { source } = opened;
const { height: tip } = await source.tip();
const last = Math.min(Number(count), tip);
const started = performance.now();
const ms = { fetch: 0, standard: 0, handOver: 0 };
const runs = [];
let bytes = 0;
for await (const { item, waited } of lookAhead(source.blocks(0, last, new AbortController().signal))) {
  const { raw, height } = item;
  const called = performance.now();
  const run = await standard.runBlock(raw, height);
  if (run.error !== undefined) throw run.error;
  ms.fetch += waited;
  ms.standard += run.ms;
  ms.handOver += performance.now() - called - run.ms;
  runs.push(run.ms);
  bytes += raw.length;
}
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage();
const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
await standard.close();
await opened.close();
const medianMs = runs.sort((a, b) => a - b)[runs.length >> 1];
process.stdout.write(
  JSON.stringify({ blocks: last + 1, bytes, seconds, cpuSeconds: (user + system) / 1e6, peakKiB, ms, medianMs }),
);
