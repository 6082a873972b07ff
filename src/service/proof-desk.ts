/**
 * Proofs for the thread that answers requests, made in the one that owns the store: the state tree is in its memory,
 * and between two of its steps the store is at a whole block.
 */
import type { MessagePort } from 'node:worker_threads';
import { errorOf, type Failure, failureOf, StoreError } from '../errors/errors.js';
import type { KeyProof } from '../store/proof/key-proof.js';
import type { Namespace } from '../store/types.js';

/** As `RpcBackend.prove`. */
type Prove = (namespace: Namespace, key: Uint8Array, height: number | undefined) => KeyProof;

interface Wanted {
  readonly id: number;
  readonly of: Parameters<Prove>;
}
type Made = { readonly id: number } & ({ readonly proof: KeyProof } | { readonly failure: Failure });

/** Answers what the other end of `port` asks, until it is closed. */
export function serveProofs(port: MessagePort, prove: Prove): void {
  port.on('message', ({ id, of }: Wanted) => {
    let made: Made;
    try {
      made = { id, proof: prove(...of) };
    } catch (error) {
      made = { id, failure: failureOf(error) };
    }
    port.postMessage(made);
  });
}

/** Asks the other end of a port for proofs. */
export class ProofDesk {
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, { done: (proof: KeyProof) => void; failed: (error: Error) => void }>();
  #next = 0;
  #closed = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (made: Made) => {
      const asked = this.#waiting.get(made.id);
      this.#waiting.delete(made.id);
      if ('proof' in made) asked?.done(made.proof);
      else asked?.failed(errorOf(made.failure));
    });
    port.on('close', () => {
      this.#closed = true;
      for (const { failed } of this.#waiting.values()) failed(closed());
      this.#waiting.clear();
    });
    // Proofs that nobody will make do not keep the process alive.
    port.unref();
  }

  /** Rejects with the error of the other end, or StoreError STORE_CLOSED if that ends before it answered. */
  prove(...of: Parameters<Prove>): Promise<KeyProof> {
    if (this.#closed) return Promise.reject(closed());
    const id = this.#next++;
    return new Promise((done, failed) => {
      this.#waiting.set(id, { done, failed });
      this.#port.postMessage({ id, of } satisfies Wanted);
    });
  }

  close(): void {
    this.#port.close();
  }
}

function closed(): StoreError {
  return new StoreError('STORE_CLOSED', 'the store was closed before the proof was made', { hint: 'Ask again.' });
}
