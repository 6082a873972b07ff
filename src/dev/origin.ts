/**
 * The state of another warpshrew server at one height, read when it is first wanted. Reads are synchronous, as those of
 * a database are: this thread waits while another one asks. Nothing is ever written there.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import { EnvironmentError } from '../errors/errors.js';
import type { LaneKey } from '../lane/types.js';
import { askRpc } from '../rpc/ask-rpc.js';
import { fromBinaryString, fromHex, toHex } from '../util/bytes.js';
import { shipped } from '../util/shipped.js';
import type { ChainBase } from './dev-chain.js';
import { baseOf, isUnknownMethod, MetashrewOrigin, type ViewOrigin } from './metashrew-origin.js';

export interface OriginSetup {
  readonly url: string;
  readonly port: MessagePort;
  readonly wake: SharedArrayBuffer;
}

/** The state at one height never changes: what was read once is kept, as far as there is room. */
const CACHE_BYTES = 256 << 20;
const ENTRY_BYTES = 200;
/** Values of one request. */
const MOST_AT_ONCE = 100;

export class Origin implements ViewOrigin {
  readonly #cache = new LRUCache<LaneKey, { readonly value: Uint8Array | undefined }>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ value }, key) => ENTRY_BYTES + key.length + (value?.length ?? 0),
  });
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #wake = new SharedArrayBuffer(4);
  /** Requests that were sent, for tests and for who wonders. */
  requests = 0;

  private constructor(
    readonly url: string,
    readonly base: ChainBase,
  ) {
    const { port1, port2: port } = new MessageChannel();
    this.#port = port1;
    const setup: OriginSetup = { url, port, wake: this.#wake };
    this.#worker = new Worker(shipped('dev/origin-worker.js'), { workerData: setup, transferList: [port] });
    this.#worker.unref();
    port1.unref();
  }

  /**
   * The state after block `height`, or after the newest that the server has; of a Metashrew host its views alone.
   * Throws EnvironmentError ENV_RPC_FAILED.
   */
  static async open(url: string, height: number | undefined): Promise<Origin | MetashrewOrigin> {
    const base = await baseOf(url, height);
    try {
      // Tells a server that keeps the parallel lane's state at that height from all others.
      await askRpc(url, 'warpshrew_getvalue', ['P', '00', base.height]);
    } catch (error) {
      if (isUnknownMethod(error)) return new MetashrewOrigin(url, base);
      throw error;
    }
    return new Origin(url, base);
  }

  get(key: LaneKey): Uint8Array | undefined {
    return this.getMany([key])[0];
  }

  /** Values of keys of namespace P, in their order. Throws EnvironmentError ENV_RPC_FAILED. */
  getMany(keys: readonly LaneKey[]): (Uint8Array | undefined)[] {
    const found = new Map<LaneKey, Uint8Array | undefined>();
    const missing = new Set<LaneKey>();
    for (const key of keys) {
      const kept = this.#cache.get(key);
      if (kept === undefined) missing.add(key);
      else found.set(key, kept.value);
    }
    const wanted = [...missing];
    for (let at = 0; at < wanted.length; at += MOST_AT_ONCE) {
      const part = wanted.slice(at, at + MOST_AT_ONCE);
      for (const [i, value] of this.#fetch(part).entries()) {
        found.set(part[i], value);
        this.#cache.set(part[i], { value });
      }
    }
    return keys.map((key) => found.get(key));
  }

  /** A view of the server's own module, at most at that height. Throws EnvironmentError ENV_RPC_FAILED. */
  async view(name: string, input: Uint8Array, height: number): Promise<Uint8Array> {
    const at = Math.min(height, this.base.height);
    const answer = await askRpc(this.url, 'metashrew_view', [name, toHex(input), at]);
    if (typeof answer === 'string' && /^0x([0-9a-f]{2})*$/.test(answer)) return fromHex(answer);
    throw failed(this.url, 'its view gives no hex');
  }

  async close(): Promise<void> {
    this.#port.close();
    await this.#worker.terminate();
  }

  #fetch(keys: readonly LaneKey[]): (Uint8Array | undefined)[] {
    const calls = keys.map((key, id) => ({
      ...{ jsonrpc: '2.0', id, method: 'warpshrew_getvalue' },
      params: ['P', toHex(fromBinaryString(key)), this.base.height],
    }));
    const wake = new Int32Array(this.#wake);
    Atomics.store(wake, 0, 0);
    this.requests++;
    this.#port.postMessage(JSON.stringify(calls));
    Atomics.wait(wake, 0, 0);
    const answer = receiveMessageOnPort(this.#port)?.message as { readonly text?: string; readonly error?: string };
    if (answer.text === undefined) throw failed(this.url, answer.error ?? 'it does not answer');
    return readValues(this.url, answer.text, keys.length);
  }
}

/** The values of a batch's answers, by their ids. */
function readValues(url: string, text: string, count: number): (Uint8Array | undefined)[] {
  let answers: unknown;
  try {
    answers = JSON.parse(text);
  } catch {
    throw failed(url, 'its answer is not JSON');
  }
  if (!Array.isArray(answers) || answers.length !== count) throw failed(url, 'it answers another number of calls');
  const values = new Map<unknown, Uint8Array | undefined>();
  for (const answer of answers as ({
    readonly id?: unknown;
    readonly result?: { readonly value?: unknown };
  } | null)[]) {
    const value = answer?.result?.value;
    if (value !== null && typeof value !== 'string')
      throw failed(url, `it refuses a key: ${JSON.stringify(answer).slice(0, 200)}`);
    values.set(answer?.id, value === null ? undefined : fromHex(value));
  }
  return Array.from({ length: count }, (_, id) => values.get(id));
}

function failed(url: string, reason: string): EnvironmentError {
  return new EnvironmentError('ENV_RPC_FAILED', `the server that was forked cannot be asked: ${reason}`, {
    facts: { address: url },
    hint: 'Check that it is a warpshrew server which keeps the state of that height.',
  });
}
