// Reads a chain from a source and verifies its blocks, without an index: a child of chain.mjs.
//   node chain-source.mjs NODE-URL [BLOCKS-FOLDER]
import { readFileSync } from 'node:fs';
import { BlockOffsets } from '../dist/bitcoin/block-offsets.js';
import { verifyBlock } from '../dist/bitcoin/verify-block.js';
import { openChainSource } from '../dist/chain/open.js';
import { lookAhead } from '../dist/pipeline/look-ahead.js';

const [url, blockFiles] = process.argv.slice(2);
// As the service reads ahead by default.
const opened = await openChainSource({ node: { url }, blockFiles, network: 'regtest', maxBytes: 64 << 20 });
const { source } = opened;
const started = performance.now();
const { height } = await source.tip();
const ms = { fetch: 0, parse: 0 };
let previousHash;
let blocks = 0;
let bytes = 0;
for await (const { item, waited } of lookAhead(source.blocks(0, height, new AbortController().signal))) {
  const { raw } = item;
  ms.fetch += waited;
  const parsing = performance.now();
  const block = BlockOffsets.read(raw);
  verifyBlock(block, { previousHash });
  ms.parse += performance.now() - parsing;
  previousHash = block.hash;
  blocks++;
  bytes += raw.length;
}
const seconds = (performance.now() - started) / 1000;
if (blocks !== height + 1) throw new Error(`the source gave ${blocks} blocks of ${height + 1}`);
const { user, system } = process.cpuUsage();
const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
await opened.close();
process.stdout.write(JSON.stringify({ blocks, bytes, seconds, cpuSeconds: (user + system) / 1e6, peakKiB, ms }));
