import { connect, type Socket } from 'node:net';
import { type ErrorFacts, UsageError } from '../errors/errors.js';
import type { Notifier } from './changes.js';
import { backoff, type Clock, REAL_CLOCK } from './clock.js';
import { greeting, ready, subscription, ZmtpError, ZmtpReader } from './zmtp.js';

export interface ZmqOptions {
  /** `tcp://host:port`, as in `zmqpubhashblock` and `zmqpubsequence` of the node; several where they differ. */
  readonly endpoints: readonly string[];
  readonly clock?: Clock;
  /** Milliseconds for connecting and shaking hands. */
  readonly handshakeMs?: number;
  /** Called with what the user should see: a lost endpoint, once until it is back. */
  log?(message: string, facts: ErrorFacts): void;
}

/** Counters of one endpoint, for status and metrics. */
export interface ZmqStatistics {
  readonly endpoint: string;
  connected: boolean;
  /** Successful connections; `failures`: failed or lost ones. */
  connects: number;
  failures: number;
  /** Notifications of changes of the best chain. */
  notifications: number;
}

const TOPICS = ['hashblock', 'sequence'];
const HASH = 32;
const CONNECTED_BLOCK = 0x43;
const DISCONNECTED_BLOCK = 0x44;
const BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;
const KEEP_ALIVE_MS = 60_000;

/** Notifications of a node over ZMQ. Reconnects to lost endpoints until it is closed. */
export class ZmqNotifier implements Notifier {
  readonly statistics: readonly ZmqStatistics[];
  readonly #closing = new AbortController();
  readonly #running: Promise<unknown>;
  readonly #waiting = new Set<() => void>();
  #wakes = 0;
  readonly #options: ZmqOptions;

  /** Throws UsageError USAGE_ZMQ_ENDPOINT; connects in the background. */
  constructor(options: ZmqOptions) {
    this.#options = options;

    const targets = options.endpoints.map(parseEndpoint);
    this.statistics = options.endpoints.map((endpoint) => ({
      endpoint,
      connected: false,
      connects: 0,
      failures: 0,
      notifications: 0,
    }));
    this.#running = Promise.all(targets.map((target, i) => this.#keep(target, this.statistics[i])));
  }

  get connected(): boolean {
    return this.statistics.some(({ connected }) => connected);
  }

  get notifications(): number {
    return this.#wakes;
  }

  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      if (signal.aborted) return resolve();
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.add(done);
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    for (const done of this.#waiting) done();
  }

  async #keep(target: Target, statistics: ZmqStatistics): Promise<void> {
    const { signal } = this.#closing;
    const clock = this.#options.clock ?? REAL_CLOCK;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const why = await this.#connection(target, statistics);
      const lost = statistics.connected;
      statistics.connected = false;
      if (signal.aborted) return;
      // Only the first failure after a connection, or the very first, is logged.
      if (lost || statistics.failures === 0) {
        const facts = { endpoint: statistics.endpoint, why };
        this.#options.log?.('no notifications over ZMQ: polling for blocks until they are back', facts);
      }
      if (lost) attempt = 0;
      statistics.failures++;
      await clock.sleep(backoff(attempt, BACKOFF_MS, MAX_BACKOFF_MS, clock), signal);
    }
  }

  /** One connection from its beginning to its end; resolves with what ended it. */
  #connection(target: Target, statistics: ZmqStatistics): Promise<string> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      const socket: Socket = connect(target);
      let why = 'the connection was closed';
      const abort = (): void => {
        socket.destroy();
      };
      const timer = setTimeout(() => {
        why = 'the handshake took too long';
        socket.destroy();
      }, this.#options.handshakeMs ?? 10_000);
      signal.addEventListener('abort', abort, { once: true });
      const reader = new ZmtpReader({
        greeted: () => socket.write(ready()),
        ready: () => {
          clearTimeout(timer);
          for (const topic of TOPICS) socket.write(subscription(topic));
          statistics.connected = true;
          statistics.connects++;
          if (statistics.failures > 0)
            this.#options.log?.('notifications over ZMQ are back', { endpoint: statistics.endpoint });
          // Changes while the connection was down were not notified.
          this.#wake();
        },
        message: (parts) => {
          if (!isChange(parts)) return;
          statistics.notifications++;
          this.#wake();
        },
      });
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      socket.on('connect', () => socket.write(greeting()));
      socket.on('data', (bytes) => {
        try {
          reader.push(bytes);
        } catch (error) {
          if (!(error instanceof ZmtpError)) throw error;
          why = error.message;
          socket.destroy();
        }
      });
      socket.on('error', (error) => {
        why = error.message;
      });
      socket.on('close', () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        resolve(why);
      });
      if (signal.aborted) abort();
    });
  }

  #wake(): void {
    this.#wakes++;
    for (const done of this.#waiting) done();
  }
}

/** Whether a notification reports a block that joined or left the best chain. */
function isChange([topic, body]: readonly Uint8Array[]): boolean {
  if (topic === undefined || body === undefined) return false;
  const name = Buffer.from(topic).toString('latin1');
  if (name === 'hashblock') return body.length === HASH;
  return name === 'sequence' && (body[HASH] === CONNECTED_BLOCK || body[HASH] === DISCONNECTED_BLOCK);
}

interface Target {
  readonly host: string;
  readonly port: number;
}

function parseEndpoint(endpoint: string): Target {
  const match = /^tcp:\/\/(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(endpoint);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host !== undefined && port > 0 && port < 65_536) return { host, port };
  throw new UsageError('USAGE_ZMQ_ENDPOINT', 'the endpoint of notifications cannot be used', {
    facts: { endpoint },
    hint: 'Give what the node has as `zmqpubhashblock`, for example tcp://127.0.0.1:28332.',
  });
}
