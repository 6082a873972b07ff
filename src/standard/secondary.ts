/**
 * Reads of other indexes for a module that wants them (`__secondary_get`): from the JSON-RPC of the server that has the
 * index. A module runs without a pause, so a thread of its own asks, and this one sleeps meanwhile.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { NodeError, ProgramError } from '../errors/errors.js';
import { shipped } from '../util/shipped.js';

/** How long one read waits for its answer; the thread that asks gives up before. */
const ANSWER_MS = 60_000;

/** Value of a key of the index with this name; undefined if it has none. */
export type SecondaryRead = (name: string, key: Uint8Array) => Uint8Array | undefined;

/** What the thread that asks gets at its start. */
export interface SecondarySetup {
  readonly port: MessagePort;
  /** One cell: 1 once the answer is on its way. */
  readonly answered: SharedArrayBuffer;
}

export interface SecondaryQuestion {
  readonly url: string;
  readonly key: Uint8Array;
  readonly height: number;
  /** Of the block that the index must have at this height, display order, hex. */
  readonly hash: string;
}

/** `away`: why there is no answer for now. */
export type SecondaryAnswer = { readonly value: Uint8Array | undefined } | { readonly away: string };

/** Servers by the names that modules give them. */
export type SecondaryUrls = Readonly<Record<string, string>>;

export class Secondaries {
  readonly #urls: SecondaryUrls;
  readonly #answered = new Int32Array(new SharedArrayBuffer(4));
  #port: MessagePort | undefined;
  #height = 0;
  #hash = '';

  constructor(urls: SecondaryUrls) {
    this.#urls = urls;
  }

  /** Sets the block after which the next reads see the other indexes; `hash`: display order, hex. */
  begin(height: number, hash: string): void {
    this.#height = height;
    this.#hash = hash;
  }

  /**
   * Throws ProgramError MODULE_SECONDARY for a name without a server, NodeError SECONDARY_AWAY if that does not answer,
   * or does not have the block.
   */
  readonly read: SecondaryRead = (name, key) => {
    const url = Object.hasOwn(this.#urls, name) ? this.#urls[name] : undefined;
    if (url === undefined) throw noSecondary(name);
    const [height, hash] = [this.#height, this.#hash];
    const answer = this.#ask({ url, key, height, hash });
    if ('value' in answer) return answer.value;
    throw new NodeError('SECONDARY_AWAY', `the index '${name}' cannot be read: ${answer.away}`, {
      facts: { height, url },
      hint: 'Check what --secondary names.',
    });
  };

  #ask(question: SecondaryQuestion): SecondaryAnswer {
    const port = this.#open();
    Atomics.store(this.#answered, 0, 0);
    port.postMessage(question);
    Atomics.wait(this.#answered, 0, 0, ANSWER_MS);
    const received = receiveMessageOnPort(port);
    if (received !== undefined) return received.message as SecondaryAnswer;
    // Its late answer must not be taken for the next one.
    port.close();
    this.#port = undefined;
    return { away: 'it did not answer in time' };
  }

  #open(): MessagePort {
    if (this.#port !== undefined) return this.#port;
    const { port1, port2: port } = new MessageChannel();
    const workerData: SecondarySetup = { port, answered: this.#answered.buffer };
    new Worker(shipped('standard/secondary-worker.js'), { workerData, transferList: [port] }).unref();
    port1.unref();
    this.#port = port1;
    return port1;
  }
}

/** The error of a module that reads an index which no setting names. */
export function noSecondary(name: string): ProgramError {
  const shown = JSON.stringify(name.slice(0, 64));
  return new ProgramError(
    'MODULE_SECONDARY',
    `the module reads another index, ${shown}: name the server or the folder that has it with --secondary NAME=PLACE`,
    { facts: { index: name.slice(0, 64) } },
  );
}
