import { Worker } from 'node:worker_threads';
import { errorOf, InternalError } from '../errors/errors.js';
import { shipped } from '../util/shipped.js';
import type { BlockRead, ReaderSetup, ReadReply, ReadRequest } from './reader-protocol.js';

/** The heap of the thread: what it hands over lies outside of it. */
const HEAP = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 };

interface Pending {
  readonly resolve: (read: BlockRead | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** A thread that reads, verifies and scans blocks while the engine's thread has other blocks to work on. */
export class BlockReader {
  #worker: Worker | undefined;
  readonly #setup: ReaderSetup;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #closed = false;

  /** `storeHandle`: of the store that the blocks go to. The thread starts with the first block. */
  constructor(storeHandle: bigint) {
    this.#setup = { storeHandle };
  }

  /**
   * Reads a block that lies in shared memory. `previousHash` (wire order): what it must build on. Undefined if it is
   * not valid. Blocks are read in the order of the calls. Rejects with InternalError if the thread fails.
   */
  async read(raw: Uint8Array, previousHash: Uint8Array): Promise<BlockRead | undefined> {
    if (this.#closed) throw closedError();
    this.#worker ??= this.#spawn();
    const worker = this.#worker;
    const id = this.#nextId++;
    return new Promise<BlockRead | undefined>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      worker.ref();
      const request: ReadRequest = { id, raw, previousHash };
      worker.postMessage(request);
    });
  }

  /** Ends the thread; what it has not read is rejected. Must be called before the store is closed. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
    this.#abandon(closedError());
  }

  #spawn(): Worker {
    const worker = new Worker(shipped('pipeline/reader-worker.js'), {
      workerData: this.#setup,
      resourceLimits: HEAP,
    });
    worker.on('message', (reply: ReadReply) => {
      const pending = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      // An idle thread does not keep the process alive.
      if (this.#pending.size === 0) worker.unref();
      if (reply.kind === 'failed') pending?.reject(errorOf(reply.failure));
      else pending?.resolve(reply.kind === 'read' ? reply.read : undefined);
    });
    worker.on('error', (cause) =>
      this.#died(worker, new InternalError('the thread that reads blocks died', { cause })),
    );
    worker.on('exit', () => this.#died(worker, new InternalError('the thread that reads blocks ended')));
    return worker;
  }

  /** The next block gets a new thread. */
  #died(worker: Worker, error: Error): void {
    if (this.#worker !== worker || this.#closed) return;
    this.#worker = undefined;
    this.#abandon(error);
  }

  #abandon(error: Error): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }
}

function closedError(): InternalError {
  return new InternalError('the reader of blocks is closed');
}
