/** Blocks for the thread that answers requests, fetched in the one that has the source of the chain. */
import type { MessagePort } from 'node:worker_threads';
import { errorOf, type Failure, failureOf, ProgramError, StoreError } from '../errors/errors.js';
import { toDisplayHash } from '../util/bytes.js';

/** Blocks that are fetched at once, and of these for one client. */
const MOST_FETCHED = 8;
const MOST_OF_CLIENT = 2;

interface Wanted {
  readonly id: number;
  readonly height: number;
  /** Wire order. */
  readonly hash: Uint8Array;
}

interface Fetched {
  readonly id: number;
  readonly outcome: { readonly raw: Uint8Array | undefined } | { readonly failure: Failure };
}

/** Gets a block by its height and hash (wire order); undefined if it is not to be had. */
export type FetchBlock = (height: number, hash: Uint8Array) => Promise<Uint8Array | undefined>;

/** Answers what the other end of `port` asks, until it is closed. */
export function serveBlocks(port: MessagePort, fetch: FetchBlock): void {
  port.on('message', ({ id, height, hash }: Wanted) => {
    void fetch(height, hash)
      .then((raw) => ({ raw }))
      .catch((error: unknown) => ({ failure: failureOf(error) }))
      .then((outcome) => port.postMessage({ id, outcome } satisfies Fetched));
  });
}

interface Question {
  readonly client: string;
  readonly done: (raw: Uint8Array | undefined) => void;
  readonly failed: (error: Error) => void;
}

/** Asks the other end of a port for blocks. */
export class BlockDesk {
  readonly #port: MessagePort;
  readonly #asked = new Map<number, Question>();
  #nextId = 0;
  #closed = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (fetched: Fetched) => this.#answer(fetched));
    port.on('close', () => this.#end());
    // Blocks that nobody will fetch do not keep the process alive.
    port.unref();
  }

  /**
   * Rejects with the error of the other end, StoreError STORE_CLOSED if that ends before it answered, ProgramError
   * VIEW_BUSY if too many blocks are being fetched.
   */
  block(height: number, hash: Uint8Array, client: string): Promise<Uint8Array | undefined> {
    if (this.#closed) return Promise.reject(closed());
    const own = [...this.#asked.values()].filter((question) => question.client === client).length;
    if (this.#asked.size >= MOST_FETCHED || own >= MOST_OF_CLIENT) return Promise.reject(busy(height, hash));
    return new Promise((done, failed) => {
      const id = this.#nextId++;
      this.#asked.set(id, { client, done, failed });
      this.#port.postMessage({ id, height, hash } satisfies Wanted);
    });
  }

  close(): void {
    this.#port.close();
  }

  #answer({ id, outcome }: Fetched): void {
    const question = this.#asked.get(id);
    this.#asked.delete(id);
    if ('failure' in outcome) question?.failed(errorOf(outcome.failure));
    else question?.done(outcome.raw);
  }

  #end(): void {
    this.#closed = true;
    for (const { failed } of this.#asked.values()) failed(closed());
    this.#asked.clear();
  }
}

function closed(): StoreError {
  return new StoreError('STORE_CLOSED', 'the store was closed before the block was fetched', { hint: 'Ask again.' });
}

function busy(height: number, hash: Uint8Array): ProgramError {
  return new ProgramError('VIEW_BUSY', 'too many blocks are being fetched for traces', {
    facts: { height, hash: toDisplayHash(hash) },
    hint: 'Ask again later.',
  });
}
