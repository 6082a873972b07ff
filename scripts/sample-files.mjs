// A block and a transaction of the bundled chain as files of their own, for people to try commands on:
//   node scripts/sample-files.mjs [FOLDER]     (default: fixtures/samples)
// `npm run fixtures` does it, too. Build first.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BlockOffsets } from '../dist/bitcoin/block-offsets.js';
import { openSource } from '../dist/bitcoin/sources.js';

/** A block whose deployments follow each other, so that its plan over an empty state has conflicts. */
const BLOCK = 110;
/** A swap in a pool. */
const SWAP = { height: 118, index: 5 };

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = process.argv[2] ?? join(root, 'fixtures', 'samples');

function blockAt(height) {
  for (const { raw } of openSource(join(root, 'fixtures', 'regtest')).blocks(height, height)) return raw;
  throw new Error(`the bundled chain has no block ${height}`);
}

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'block.bin'), blockAt(BLOCK));
const { raw } = BlockOffsets.read(blockAt(SWAP.height)).transaction(SWAP.index);
writeFileSync(join(folder, 'transaction.hex'), `${Buffer.from(raw).toString('hex')}\n`);
