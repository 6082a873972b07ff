// Reads and verifies blocks ahead of the engine's thread, scans them as far as that can be done without the state, and
// looks up which of the outpoints that they spend have a sheet.
import { parentPort, workerData } from 'node:worker_threads';
import { BlockOffsets } from '../bitcoin/block-offsets.js';
import { verifyBlock } from '../bitcoin/verify-block.js';
import { failureOf, InputError } from '../errors/errors.js';
import { buffersOfScan, outsideInputs, scanAhead } from '../lane/columns/scan-ahead.js';
import { sheetKeyBytesAt } from '../lane/keys.js';
import { Store } from '../store/store.js';
import type { BlockRead, ReaderSetup, ReadReply, ReadRequest } from './reader-protocol.js';

/** Sheets that are looked up at a time. */
const PIECE = 1_024;

const port = parentPort;
if (port === null) throw new Error('reader-worker.js runs in a worker thread only');
const store = await Store.attach((workerData as ReaderSetup).storeHandle);

port.on('message', (request: ReadRequest) => {
  const { id } = request;
  try {
    const read = readBlock(request);
    const reply: ReadReply = { kind: 'read', id, read };
    port.postMessage(reply, buffersOf(read));
  } catch (error) {
    const reply: ReadReply =
      error instanceof InputError ? { kind: 'refused', id } : { kind: 'failed', id, failure: failureOf(error) };
    port.postMessage(reply);
  }
});

/** Throws InputError BLOCK_* for a block that is not valid. */
function readBlock({ raw, previousHash }: ReadRequest): BlockRead {
  const started = performance.now();
  const block = BlockOffsets.read(raw);
  verifyBlock(block, { previousHash });
  const scan = scanAhead(block);
  const held = heldBy(block, scan.parentOf);
  return { columns: block.columns, scan, held, ms: performance.now() - started };
}

function heldBy(block: BlockOffsets, parentOf: Int32Array): Uint8Array {
  const held = new Uint8Array(block.inputs.length);
  const inputs = [...outsideInputs(block, parentOf, () => false)];
  for (let from = 0; from < inputs.length; from += PIECE) {
    const piece = inputs.slice(from, from + PIECE);
    const values = store.getMany(
      'P',
      piece.map((input) => sheetKeyBytesAt(block.raw, block.inputs[input])),
    );
    values.forEach((value, i) => {
      if (value !== undefined) held[piece[i]] = 1;
    });
  }
  return held;
}

/** What is handed over; the block itself is shared. */
function buffersOf({ columns, scan, held }: BlockRead): ArrayBuffer[] {
  const { starts, witnesses, segwit, firstInput, firstOutput, inputs, scripts, txids } = columns;
  const lists = [starts, witnesses, segwit, firstInput, firstOutput, inputs, scripts, txids, held];
  return [...lists.map(({ buffer }) => buffer as ArrayBuffer), ...buffersOfScan(scan)];
}
