// Writes snapshots of the store while the engine's thread goes on: only for the beginning of one that thread waits.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { EnvironmentError, failureOf } from '../errors/errors.js';
import type { StoreReader } from '../store/reader.js';
import { addToCatalogue, catalogueEntry, dropLeft, isListed, snapshotName } from '../store/snapshot/catalogue.js';
import { type BegunSnapshot, beginSnapshot, writeSnapshot } from '../store/snapshot/create.js';
import { readPrivateKey } from '../store/snapshot/keys.js';
import { Store } from '../store/store.js';
import { BEGUN, GIVEN_UP, type SnapshotOrder, type SnapshotReport, type SnapshotSetup, WAITING } from './snapshots.js';

const { storeHandle, folder, kept, keyFile } = workerData as SnapshotSetup;
let stopping = false;

/** Ends a snapshot that is under way. */
class Stopped extends Error {}

function tell(report: SnapshotReport): void {
  parentPort?.postMessage(report);
}

/** Begins a snapshot of the state that the engine's thread waits in; undefined if that has waited too long. */
function begin(store: StoreReader, cell: Int32Array): BegunSnapshot | undefined {
  const begun = beginSnapshot(store, folder);
  if (Atomics.compareExchange(cell, 0, WAITING, BEGUN) === WAITING) {
    Atomics.notify(cell, 0);
    return begun;
  }
  letGo(begun);
  return undefined;
}

function letGo({ rows }: BegunSnapshot): void {
  for (const { rows: of } of Object.values(rows)) of.return();
}

async function make(store: StoreReader, cell: Int32Array): Promise<void> {
  const started = performance.now();
  const key = keyFile === undefined ? undefined : readPrivateKey(keyFile);
  const begun = begin(store, cell);
  if (begun === undefined) {
    throw new EnvironmentError('ENV_UNWRITABLE', 'a snapshot did not begin in time: the disk is busy', {
      facts: { path: folder },
    });
  }
  const file = snapshotName(begun.described);
  const path = join(folder, file);
  if (existsSync(path)) {
    // The same block again: it was undone and came back.
    if (isListed(folder, file)) return letGo(begun);
    // Written, but a crash kept it from the list.
    rmSync(path);
  }
  const { manifest, bytes } = await writeSnapshot(begun, path, {
    ...(key && { key }),
    progress: () => {
      if (stopping) throw new Stopped();
    },
  });
  addToCatalogue(folder, catalogueEntry(manifest, bytes), kept);
  tell({ kind: 'made', height: manifest.tip.height, file, bytes, ms: performance.now() - started });
}

/** Makes the folder, and deletes what a snapshot that was cut off left. */
function prepare(): void {
  try {
    mkdirSync(folder, { recursive: true });
    dropLeft(folder);
  } catch (cause) {
    throw new EnvironmentError('ENV_UNWRITABLE', 'the folder for snapshots cannot be used', {
      facts: { path: folder },
      cause,
    });
  }
}

const attached = Store.attach(storeHandle);
let prepared = false;
parentPort?.on('message', async (order: SnapshotOrder | { readonly stop: true }) => {
  if ('stop' in order) {
    stopping = true;
    return;
  }
  const cell = new Int32Array(order.cell);
  try {
    if (!prepared) prepare();
    prepared = true;
    await make(await attached, cell);
  } catch (error) {
    // The engine need not wait any longer.
    Atomics.compareExchange(cell, 0, WAITING, GIVEN_UP);
    Atomics.notify(cell, 0);
    if (!(error instanceof Stopped)) tell({ kind: 'failed', failure: failureOf(error) });
  } finally {
    tell({ kind: 'idle' });
  }
});
tell({ kind: 'idle' });
