// Runs the standard module in its own thread, so that a run that never ends can be stopped, and so that the parallel
// lane runs at the same time.
import { parentPort, workerData } from 'node:worker_threads';
import { sha256d } from '../bitcoin/hash.js';
import { failureOf, ProgramError } from '../errors/errors.js';
import { HEIGHT_BYTES, rowValue, writtenAt } from '../store/rows.js';
import { Store } from '../store/store.js';
import { toBinaryString, toDisplayHash } from '../util/bytes.js';
import { freeMemoryOf } from '../util/free-memory.js';
import type { ThreadReady } from '../views/thread.js';
import { FlushedPairs } from './flushed-pairs.js';
import type { StandardReads } from './guest.js';
import { GuestLog, LINE_BYTES } from './guest-log.js';
import { StandardModule } from './module.js';
import { makePreparation, prepare } from './preparation.js';
import { runPreview } from './preview.js';
import { RowsRead } from './rows-read.js';
import { Secondaries } from './secondary.js';
import { UnstoredWrites } from './unstored-writes.js';
import { toPlain, type WorkerLine, type WorkerReply, type WorkerRequest, type WorkerSetup } from './worker-protocol.js';

const { compiled, hash, storeHandle, log, views, secondaries } = workerData as WorkerSetup;
const others = secondaries && new Secondaries(secondaries);
const lines = new GuestLog(log === 'print' ? 0 : log, (line) => {
  const event: WorkerLine = { kind: 'log', line };
  parentPort?.postMessage(event);
});
const module = StandardModule.adopt(compiled, hash, {
  views,
  ...(others && { secondary: others.read }),
  ...(log === 'print'
    ? { log: (text: string) => process.stderr.write(text) }
    : { log: (text: string) => lines.write(text), logBytes: LINE_BYTES }),
});

/**
 * How to read at a height (`unstored`: so many blocks up to it need not be stored yet; `rows` gets what is read), and
 * what to do with a block that succeeded.
 */
interface State {
  /** Hash of the block at a height, wire order; undefined where no blocks are kept. */
  hashAt(height: number): Uint8Array | undefined;
  at(height: number, unstored: number, rows?: RowsRead): StandardReads | Pick<StandardReads, 'read'>;
  keep(height: number, pairs: FlushedPairs): void;
}

/** State of a module that runs without a store: the newest value of every key. */
function memoryState(): State {
  const values = new Map<string, Uint8Array>();
  return {
    // To read ahead from memory would only cost time.
    at: () => ({ read: (key) => values.get(toBinaryString(key)) }),
    hashAt: () => undefined,
    keep: (_height, pairs) => {
      for (const [key, value] of pairs) values.set(key, value);
    },
  };
}

async function storeState(handle: bigint): Promise<State> {
  const reader = await Store.attach(handle);
  const recent = new UnstoredWrites();
  return {
    at: (height, unstored, rows) => {
      const noted = (key: Uint8Array, row: Uint8Array | undefined): Uint8Array | undefined => {
        if (row === undefined) return undefined;
        rows?.add(key, writtenAt(row), row, HEIGHT_BYTES);
        return rowValue(row);
      };
      const stored: StandardReads = {
        read: (key) => noted(key, reader.rowAt('S', key, height)),
        readMany: (keys) => reader.rowsAt('S', keys, height).map((row, i) => noted(keys[i], row)),
      };
      if (unstored > 0) return recent.over(stored, height, unstored, rows);
      recent.clear();
      return stored;
    },
    hashAt: (height) => reader.blockHash(height),
    // The owner of the store commits.
    keep: (height, pairs) => recent.keep(height, pairs),
  };
}

const state = storeHandle === undefined ? memoryState() : await storeState(storeHandle);

/** What is left to do when the reply is sent: nobody waits for that. */
let after: () => void = nothing;
/** What is done if no other request comes for so long: whoever stores a block is busy with an earlier one then. */
let waiting: NodeJS.Timeout | undefined;
const IDLE_MS = 3;
const HEADER_BYTES = 80;
/** Of no block. */
const NO_HASH = new Uint8Array(32);

function nothing(): void {}

function answer(request: WorkerRequest): WorkerReply {
  const { id, kind, height } = request;
  if (kind !== 'block' && others !== undefined) {
    const at = request.stateHeight;
    others.begin(at, toDisplayHash(state.hashAt(at) ?? NO_HASH));
  }
  if (kind === 'view') {
    const { read } = state.at(request.stateHeight, 0);
    lines.begin(height, request.name);
    return { kind, id, ...module.runView(request.name, request.input, height, read) };
  }
  if (kind === 'preview') {
    lines.begin(height, request.name);
    return { kind: 'view', id, ...runPreview(module, request, state.at(request.stateHeight, 0)) };
  }
  lines.begin(height, undefined);
  // Other indexes are read after this very block.
  others?.begin(height, toDisplayHash(sha256d(request.raw.subarray(0, HEADER_BYTES))));
  const started = performance.now();
  const rows = storeHandle === undefined ? undefined : new RowsRead();
  const reads = state.at(height - 1, request.unstored, rows);
  const readMany = 'readMany' in reads ? reads.readMany : undefined;
  const { flushes, pairCount, error, memoryBytes } = module.runBlock(request.raw, height, reads.read, readMany);
  const ms = performance.now() - started;
  // The buffers are transferred, not copied.
  const copies = flushes.map((bytes) => bytes.slice());
  const pairs = FlushedPairs.of(copies, error ? 0 : pairCount);
  const preparation = error || storeHandle === undefined ? undefined : makePreparation(pairs.size);
  const before = error ? undefined : rows?.ofPairs(pairs);
  after = () => {
    if (error === undefined) state.keep(height, pairs);
    freeMemoryOf(memoryBytes);
    if (preparation !== undefined) waiting = setTimeout(() => prepare(preparation, pairs), IDLE_MS);
  };
  const places = pairs.places();
  return { kind, id, flushes, places, preparation, before, pairCount, ms, error: error && toPlain(error) };
}

/** What a reply holds and nobody needs here any more. */
function buffersOf(reply: WorkerReply): readonly (Uint8Array | Int32Array)[] {
  if (reply.kind === 'view') return [reply.output];
  if (reply.kind === 'failed') return [];
  const { flushes, places, before } = reply;
  return before === undefined ? [...flushes, places] : [...flushes, places, before.bytes, before.places];
}

parentPort?.on('message', (request: WorkerRequest) => {
  clearTimeout(waiting);
  let reply: WorkerReply;
  try {
    reply = answer(request);
  } catch (error) {
    const why = error instanceof ProgramError ? { error: toPlain(error) } : { fault: failureOf(error) };
    reply = { kind: 'failed', id: request.id, ...why };
  }
  const moved = buffersOf(reply)
    .filter((bytes) => bytes.length > 0)
    .map((bytes) => bytes.buffer as ArrayBuffer);
  parentPort?.postMessage(reply, moved);
  after();
  after = nothing;
});

const ready: ThreadReady = { kind: 'ready' };
parentPort?.postMessage(ready);
