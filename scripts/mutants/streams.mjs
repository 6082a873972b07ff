// What leaves the index for others: its stream of blocks, the replicas made of it, and its tables.
import { inFile } from './in-file.mjs';

const CODEC = 'test/stream/codec.test.ts';
const REPLICA = 'test/stream/replica.test.ts';
const parts = inFile('src/stream/event-parts.ts', CODEC);
const start = inFile('src/stream/find-start.ts', REPLICA);
const replica = inFile('src/stream/replica.ts', REPLICA);
const spill = inFile('src/export/spill.ts', 'test/export/spill.test.ts');
const manifest = inFile('src/export/manifest.ts', 'test/export/manifest.test.ts');
const sink = inFile('src/sink/sink-feed.ts', 'test/sink/sink.test.ts');

export const STREAMS = [
  parts('parts-mixed', ' || !isSameEvent(head, chunk)', '', 'chunks of two events are put together'),
  parts(
    'parts-unbounded',
    'this.#bytes > this.#mostBytes',
    'length > this.#mostBytes',
    'an event may have any number of bytes, chunk by chunk',
  ),
  parts('parts-any-size', 'length < MIN_CHUNK_BYTES || ', '', 'an event may come in any number of small chunks'),
  start(
    'start-amid-event',
    'found.sequence - number, isTip',
    'found.sequence, isTip',
    'a replica begins in the middle of an event',
  ),
  start(
    'start-any-branch',
    'if (!bytesEqual(hash, own)) continue;',
    '',
    'a replica goes on behind a block that it has not',
  ),
  replica(
    'replica-follows-any',
    ' && bytesEqual(this.#store.blockHash(height - 1), previous)',
    '',
    'a block is stored behind one that it does not follow',
  ),
  replica('replica-undoes-other', '|| !isOurs', '', 'what ends another branch undoes blocks of the replica'),
  replica(
    'replica-lane-root',
    'roots.standard === expected.standard && roots.lane === expected.lane',
    'roots.standard === expected.standard',
    'a block of the stream may have another root of the lane',
  ),
  spill(
    'spill-before-absent',
    'before: flags & HAD_VALUE ? before : undefined,',
    'before,',
    'a key that was not there has an empty value before',
  ),
  spill(
    'spill-lane-first',
    "for (const ns of ['S', 'P'] as const)",
    "for (const ns of ['P', 'S'] as const)",
    'changes of a block alone in its file have the lane first',
  ),
  spill(
    'spill-last-block',
    'const last = Math.min(to, first + width - 1);',
    'const last = first + width - 1;',
    'blocks above the last one are told',
  ),
  manifest('manifest-any-path', ' && FILE_PATH.test(value.path)', '', 'a manifest may name files outside its folder'),
  manifest('manifest-gap', 'part.from !== next || ', '', 'the parts of a manifest may leave blocks out'),
  sink(
    'sink-fork-unseen',
    'if (place !== undefined && !this.#has(place)) {',
    'if (place !== undefined && place.height > tip.height) {',
    'tables keep the blocks of a branch that was undone',
  ),
];
