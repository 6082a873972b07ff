/** The stream that an index publishes its blocks to (`--publish`), written in a thread of its own. */
import { Worker } from 'node:worker_threads';
import { type Failure, failureOf, InternalError } from '../errors/errors.js';
import { parseStreamAddress, type StreamAddress } from '../stream/nats/address.js';
import type { Published } from '../stream/publisher.js';
import { shipped } from '../util/shipped.js';
import { within } from '../util/within.js';
import { failureFields, type Logger } from './log.js';
import type { Settings } from './options.js';

/** How long closing waits for a message that is under way. */
const CLOSE_MS = 2_000;

export interface PublishSetup {
  readonly storeHandle: bigint;
  /** Buffer of the `RollbackClock`. */
  readonly rollbacks: SharedArrayBuffer;
  readonly address: StreamAddress;
  /** Bytes that the stream keeps, if the publisher makes it. */
  readonly keptBytes: number;
}

/** What the thread tells. `idle`: nothing is left to be published; with the height of the stream's tip. */
export type PublishReport =
  | { readonly kind: 'published'; readonly published: Published }
  | { readonly kind: 'left-out'; readonly from: number; readonly to: number; readonly reason: string }
  | { readonly kind: 'idle'; readonly height: number | undefined }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** What became of the stream since the start. */
export interface PublishFigures {
  /** Its address, without user and password. */
  readonly stream: string;
  /** Of the stream's tip; undefined as long as it is not known, or there is none. */
  readonly height: number | undefined;
  readonly blocks: number;
  readonly undone: number;
  readonly leftOut: number;
  readonly failures: number;
  /** The failure after which it is tried again; undefined once that worked. */
  readonly trouble: Failure | undefined;
}

/** The publisher as the main thread sees it. It never holds back who indexes: it reads what is stored. */
export class Publishing {
  readonly #worker: Worker;
  readonly #gone: Promise<void>;
  readonly #log: Logger;
  #figures: PublishFigures;
  /** Whether it was said that the stream can be written, since it last failed. */
  #isPublishing = false;

  private constructor(setup: PublishSetup, log: Logger) {
    this.#log = log;
    this.#figures = {
      ...{ stream: setup.address.shown, height: undefined, blocks: 0, undone: 0, leftOut: 0, failures: 0 },
      trouble: undefined,
    };
    this.#worker = new Worker(shipped('service/publish-worker.js'), { workerData: setup });
    this.#worker.on('message', (report: PublishReport) => this.#hear(report));
    this.#worker.on('error', (error) => this.#hear({ kind: 'failed', failure: failureOf(error) }));
    this.#gone = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
  }

  /** Begins to publish what is stored, if the settings ask for it. */
  static open(
    { publish, publishKept }: Settings,
    store: Pick<PublishSetup, 'storeHandle' | 'rollbacks'>,
    log: Logger,
  ): Publishing | undefined {
    if (publish === undefined) return undefined;
    const address = parseStreamAddress(publish);
    if (address === undefined) throw new InternalError('the address of a stream that was checked cannot be read');
    return new Publishing({ ...store, address, keptBytes: publishKept * 2 ** 20 }, log);
  }

  get figures(): PublishFigures {
    return this.#figures;
  }

  /** Blocks came or went. */
  changed(): void {
    this.#worker.postMessage('changed');
  }

  /** Ends the thread, before the store is closed. What it had not published it publishes at the next start. */
  async close(): Promise<void> {
    this.#worker.postMessage('stop');
    if (await within(CLOSE_MS, this.#gone)) return;
    await this.#worker.terminate();
  }

  #hear(report: PublishReport): void {
    const before = this.#figures;
    switch (report.kind) {
      case 'published': {
        const { kind, height } = report.published;
        const counts = kind === 'block' ? { blocks: before.blocks + 1 } : { undone: before.undone + 1 };
        this.#figures = { ...before, ...counts, height, trouble: undefined };
        break;
      }
      case 'left-out': {
        const { from, to, reason } = report;
        this.#figures = { ...before, leftOut: before.leftOut + to - from + 1 };
        this.#log.warn({ code: 'STREAM_BLOCK_LEFT_OUT', from, to, reason }, 'blocks are not in the stream');
        return;
      }
      case 'idle':
        this.#figures = { ...before, height: report.height, trouble: undefined };
        break;
      case 'failed': {
        const { failure } = report;
        this.#figures = { ...before, failures: before.failures + 1, trouble: failure };
        this.#isPublishing = false;
        if (before.trouble?.code === failure.code) return;
        this.#log.warn(
          { ...failureFields(failure), reason: failure.message },
          'blocks are not published: trying again',
        );
        return;
      }
    }
    if (this.#isPublishing) return;
    this.#isPublishing = true;
    const { stream, height } = this.#figures;
    this.#log.info({ stream, ...(height !== undefined && { height }) }, 'publishing blocks');
  }
}
