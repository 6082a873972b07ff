/** Snapshots of the database that the engine's thread has made while it goes on (docs/operations.md). */
import { Worker } from 'node:worker_threads';
import { type Failure, failureOf } from '../errors/errors.js';
import { shipped } from '../util/shipped.js';
import { within } from '../util/within.js';
import type { Settings } from './options.js';

/** States of the cell that both threads share: the engine waits while it is {@link WAITING}. */
export const WAITING = 0;
export const BEGUN = 1;
export const GIVEN_UP = 2;

/** How long the engine's thread waits for a snapshot to begin: it takes milliseconds, unless the disk is stuck. */
const BEGIN_MS = 5_000;
/** How long closing waits for a chunk that is being compressed. */
const CLOSE_MS = 10_000;

export interface SnapshotSetup {
  readonly storeHandle: bigint;
  readonly folder: string;
  /** Newest snapshots that stay. */
  readonly kept: number;
  readonly keyFile: string | undefined;
}

export interface SnapshotOrder {
  readonly cell: SharedArrayBuffer;
}

/** What the thread that writes tells. `idle`: it takes the next order. */
export type SnapshotReport = SnapshotOutcome | { readonly kind: 'idle' };

export type SnapshotOutcome =
  | {
      readonly kind: 'made';
      readonly height: number;
      readonly file: string;
      readonly bytes: number;
      readonly ms: number;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

interface SnapshotsOptions extends SnapshotSetup {
  readonly interval: number;
  readonly onReport: (report: SnapshotOutcome) => void;
}

/** Orders a snapshot at each multiple of the interval, one at a time: where one is under way, that height has none. */
export class Snapshots {
  readonly #worker: Worker;
  readonly #options: SnapshotsOptions;
  readonly #gone: Promise<void>;
  /** Resolves when the thread takes its first order, or ended before: until then no block gets a snapshot. */
  readonly ready: Promise<void>;
  #idle = false;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
    const { storeHandle, folder, kept, keyFile } = options;
    const workerData: SnapshotSetup = { storeHandle, folder, kept, keyFile };
    this.#worker = new Worker(shipped('service/snapshot-worker.js'), { workerData });
    this.#worker.unref();
    let begun = (): void => undefined;
    const idle = new Promise<void>((resolve) => {
      begun = resolve;
    });
    this.#worker.on('message', (report: SnapshotReport) => {
      if (report.kind === 'idle') {
        this.#idle = true;
        begun();
      } else this.#options.onReport(report);
    });
    this.#worker.on('error', (error) => {
      this.#idle = false;
      this.#options.onReport({ kind: 'failed', failure: failureOf(error) });
    });
    this.#gone = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    this.ready = Promise.race([idle, this.#gone]);
  }

  /**
   * To be called in the thread that writes the store, after a block that is stored with its roots; it waits until the
   * snapshot has begun. `behind`: blocks of the best chain above it. Far below the tip none is made: it would be old
   * before it is complete.
   */
  after(height: number, behind: number): void {
    const { interval } = this.#options;
    if (height % interval !== 0 || behind > interval || !this.#idle) return;
    this.#idle = false;
    const cell = new SharedArrayBuffer(4);
    this.#worker.postMessage({ cell } satisfies SnapshotOrder);
    const state = new Int32Array(cell);
    if (Atomics.wait(state, 0, WAITING, BEGIN_MS) === 'timed-out') {
      Atomics.compareExchange(state, 0, WAITING, GIVEN_UP);
    }
  }

  /** Drops a snapshot that is under way. Before the store is closed. */
  async close(): Promise<void> {
    this.#worker.postMessage({ stop: true });
    const until = performance.now() + CLOSE_MS;
    while (!this.#idle && performance.now() < until) {
      if (await within(10, this.#gone)) return;
    }
    await this.#worker.terminate();
  }
}

/** What makes the snapshots that the settings ask for, when it takes orders; undefined if they ask for none. */
export async function openSnapshots(
  settings: Settings,
  storeHandle: bigint,
  onReport: SnapshotsOptions['onReport'],
): Promise<Snapshots | undefined> {
  const { snapshotDirectory: folder, snapshotInterval: interval, snapshotsKept: kept, snapshotKey: keyFile } = settings;
  if (folder === undefined) return undefined;
  const snapshots = new Snapshots({ storeHandle, folder, interval, kept, keyFile, onReport });
  // The first blocks may come faster than a thread starts.
  await snapshots.ready;
  return snapshots;
}
