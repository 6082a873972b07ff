/**
 * Proofs for the thread that answers requests, made in the one that owns the store: the state tree is in its memory,
 * and between two of its steps the store is at a whole block.
 */
import type { MessagePort } from 'node:worker_threads';
import { errorOf, type Failure, failureOf, StoreError } from '../errors/errors.js';
import type { KeyProof } from '../store/proof/key-proof.js';
import type { Namespace } from '../store/types.js';

/** Of the time of the store's thread proofs get one part in so many, plus one. */
const REST = 4;

type Wanted = readonly [namespace: Namespace, key: Uint8Array, height: number | undefined];

interface Made {
  readonly outcome: { readonly proof: KeyProof } | { readonly failure: Failure };
  /** Milliseconds that it took. */
  readonly ms: number;
}

/** Answers what the other end of `port` asks, until it is closed. */
export function serveProofs(port: MessagePort, prove: (...wanted: Wanted) => KeyProof): void {
  port.on('message', (wanted: Wanted) => {
    const started = performance.now();
    const outcome = outcomeOf(() => prove(...wanted));
    port.postMessage({ outcome, ms: performance.now() - started } satisfies Made);
  });
}

function outcomeOf(prove: () => KeyProof): Made['outcome'] {
  try {
    return { proof: prove() };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

interface Question {
  readonly wanted: Wanted;
  readonly done: (proof: KeyProof) => void;
  readonly failed: (error: Error) => void;
}

/**
 * Asks the other end of a port for proofs, one at a time: clients take turns, and after a proof that took long the
 * other thread has time for its own work.
 */
export class ProofDesk {
  readonly #port: MessagePort;
  /** What waits, by client, in the order of the clients' turns. */
  readonly #waiting = new Map<string, Question[]>();
  #asked: Question | undefined;
  #resting: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (made: Made) => this.#answer(made));
    port.on('close', () => this.#end());
    // Proofs that nobody will make do not keep the process alive.
    port.unref();
  }

  /** Rejects with the error of the other end, or StoreError STORE_CLOSED if that ends before it answered. */
  prove(client: string, ...wanted: Wanted): Promise<KeyProof> {
    if (this.#closed) return Promise.reject(closed());
    return new Promise((done, failed) => {
      const question = { wanted, done, failed };
      const own = this.#waiting.get(client);
      if (own === undefined) this.#waiting.set(client, [question]);
      else own.push(question);
      this.#ask();
    });
  }

  close(): void {
    this.#port.close();
  }

  #ask(): void {
    const [first] = this.#waiting;
    if (first === undefined || this.#asked !== undefined || this.#resting !== undefined || this.#closed) return;
    const [client, own] = first;
    this.#asked = own.shift();
    // The client moves to the end of the queue.
    this.#waiting.delete(client);
    if (own.length > 0) this.#waiting.set(client, own);
    this.#port.postMessage(this.#asked?.wanted);
  }

  #answer({ outcome, ms }: Made): void {
    const asked = this.#asked;
    this.#asked = undefined;
    if ('proof' in outcome) asked?.done(outcome.proof);
    else asked?.failed(errorOf(outcome.failure));
    if (ms < 1) this.#ask();
    else this.#rest(ms * REST);
  }

  #rest(ms: number): void {
    this.#resting = setTimeout(() => {
      this.#resting = undefined;
      this.#ask();
    }, ms);
    this.#resting.unref();
  }

  #end(): void {
    this.#closed = true;
    this.#asked?.failed(closed());
    for (const own of this.#waiting.values()) for (const { failed } of own) failed(closed());
    this.#waiting.clear();
  }
}

function closed(): StoreError {
  return new StoreError('STORE_CLOSED', 'the store was closed before the proof was made', { hint: 'Ask again.' });
}
