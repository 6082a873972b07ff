// Submits a fixture chain block by block to a running regtest node with an empty chain; every block must be accepted.
//   node scripts/node-accepts.mjs [--chain fixtures/regtest] [--rpc http://127.0.0.1:18443] [--user u] [--password p]
// Exits 0 if the node took every block and its tip is the chain's last block, else 1.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    chain: { type: 'string', default: fileURLToPath(new URL('../fixtures/regtest', import.meta.url)) },
    rpc: { type: 'string', default: 'http://127.0.0.1:18443' },
    user: { type: 'string', default: 'u' },
    password: { type: 'string', default: 'p' },
  },
});

async function rpc(method, ...params) {
  const authorization = `Basic ${Buffer.from(`${values.user}:${values.password}`).toString('base64')}`;
  const response = await fetch(values.rpc, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '1.0', id: 1, method, params }),
  });
  if (response.status === 401) fail('the node refuses the user or the password');
  const { result, error } = await response.json();
  if (error) fail(`${method}: ${error.message}`);
  return result;
}

function fail(why) {
  process.stderr.write(`node-accepts: ${why}\n`);
  process.exit(1);
}

const index = JSON.parse(readFileSync(join(values.chain, 'chain.json'), 'utf8'));
const data = readFileSync(join(values.chain, 'blocks.dat'));
let accepted = 0;
try {
  for (const { height, hash, offset, length } of index.blocks) {
    if (height === 0) {
      // Every node has the genesis block already.
      if ((await rpc('getblockhash', 0)) !== hash) fail('the node is on another network: its genesis block differs');
      continue;
    }
    const answer = await rpc('submitblock', data.toString('hex', offset, offset + length));
    if (answer !== null) fail(`block ${height} (${hash}) is refused: ${answer}`);
    accepted++;
  }
  const last = index.blocks[index.blocks.length - 1];
  const tip = await rpc('getbestblockhash');
  const count = await rpc('getblockcount');
  if (tip !== last.hash || count !== last.height)
    fail(`the node's tip is ${count} ${tip}, expected ${last.height} ${last.hash}`);
  process.stdout.write(`accepted ${accepted} blocks; the node's tip is ${count} ${tip}\n`);
} catch (cause) {
  fail(`no answer from ${values.rpc}: ${cause instanceof Error ? (cause.cause?.message ?? cause.message) : cause}`);
}
