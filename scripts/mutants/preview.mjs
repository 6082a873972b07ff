// Views on the state after a block that is not stored.
import { inFile } from './in-file.mjs';

const TEST = 'test/standard/preview.test.ts';
const preview = inFile('src/standard/preview.ts', TEST);
const module = inFile('src/standard/module.ts', TEST);
const guest = inFile('src/standard/guest.ts', TEST);
const rpc = inFile('src/rpc/params.ts', 'test/rpc/preview.test.ts');

export const PREVIEW = [
  preview('preview-own-writes-unseen', 'pairs.find(key) ?? ', '', 'the view of a preview does not see the block'),
  preview(
    'preview-state-unseen',
    'pairs.find(key) ?? reads.read(key)',
    'pairs.find(key)',
    'the view of a preview sees nothing but the block',
  ),
  preview('preview-view-late', '  module.checkView(name);\n', '', 'a block runs for a view that does not exist'),
  module(
    'preview-failure-kept',
    'if (error === undefined) return { pairs',
    'if (flushes.length >= 0) return { pairs',
    'what a failed block flushed is shown',
  ),
  module(
    'preview-writes-unbounded',
    'const heldBytes = this.#viewMemory * PREVIEW_SHARE;',
    'const heldBytes = Number.POSITIVE_INFINITY;',
    'the writes of a preview have no limit',
  ),
  guest(
    'preview-pairs-free',
    'this.#flushedBytes + this.pairCount * PREVIEW_PAIR_BYTES',
    'this.#flushedBytes',
    'many short pairs of a preview count as their bytes only',
  ),
  rpc(
    'preview-height-wraps',
    'if (height !== MAX_HEIGHT) return height;',
    'if (height !== undefined) return height;',
    'a block after the last height is previewed at height 0',
  ),
];
