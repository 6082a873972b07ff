/** The thread that writes the tables of `--sink` (docs/data-out.md). */
import { Worker } from 'node:worker_threads';
import { failureOf } from '../errors/errors.js';
import { NEW_SINK, type SinkStatus } from '../sink/sink-status.js';
import { shipped } from '../util/shipped.js';
import { within } from '../util/within.js';
import type { Settings } from './options.js';

/** How long closing waits for a transaction to end: it is taken back otherwise. */
const CLOSE_MS = 8_000;
/** Before a thread that was lost is replaced. */
const RESTART_MS = 5_000;

export interface SinkSetup {
  readonly storeHandle: bigint;
  /** Folder of the database: temporary files lie in it. */
  readonly db: string;
  readonly url: string;
  readonly schema: string;
  /** Buffer of the `RollbackClock`. */
  readonly rollbacks: SharedArrayBuffer;
  readonly niceness: number;
}

export type SinkOrder = 'changed' | 'stop';

export class SinkThread {
  #worker: Worker;
  #gone: Promise<void>;
  #last: SinkStatus = NEW_SINK;
  #closing = false;
  readonly #setup: SinkSetup;
  readonly #onStatus: (status: SinkStatus) => void;

  constructor(setup: SinkSetup, onStatus: (status: SinkStatus) => void) {
    this.#setup = setup;
    this.#onStatus = onStatus;
    [this.#worker, this.#gone] = this.#start();
  }

  #start(): [Worker, Promise<void>] {
    const worker = new Worker(shipped('service/sink-worker.js'), { workerData: this.#setup });
    worker.on('message', (status: SinkStatus) => {
      this.#last = status;
      this.#onStatus(status);
    });
    worker.on('error', (error) => this.#lost(error));
    return [worker, new Promise((resolve) => worker.once('exit', () => resolve()))];
  }

  /** Its thread ended by a defect, which the status says until another one writes: what it began is taken back. */
  #lost(error: Error): void {
    const failures = { ...this.#last.failures, INTERNAL: (this.#last.failures.INTERNAL ?? 0) + 1 };
    this.#last = { ...this.#last, phase: 'connecting', trouble: failureOf(error), failures };
    this.#onStatus(this.#last);
    setTimeout(() => {
      if (!this.#closing) [this.#worker, this.#gone] = this.#start();
    }, RESTART_MS).unref();
  }

  /** The chain has changed. */
  ring(): void {
    this.#worker.postMessage('changed' satisfies SinkOrder);
  }

  /** Before the store is closed. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#worker.postMessage('stop' satisfies SinkOrder);
    if (await within(CLOSE_MS, this.#gone)) return;
    await this.#worker.terminate();
  }
}

/** The thread that the settings ask for; undefined if they ask for none. */
export function openSink(
  { sink: url, sinkSchema: schema, db, indexNiceness: niceness }: Settings,
  storeHandle: bigint,
  rollbacks: SharedArrayBuffer,
  onStatus: (status: SinkStatus) => void,
): SinkThread | undefined {
  if (url === undefined) return undefined;
  onStatus(NEW_SINK);
  return new SinkThread({ storeHandle, db, url, schema, rollbacks, niceness }, onStatus);
}
