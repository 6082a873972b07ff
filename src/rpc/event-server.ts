/** Events over HTTP: as a stream (Server-Sent Events), or by long poll. */
import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { WarpshrewError } from '../errors/errors.js';
import type { AnswerWriter } from './answers.js';
import type { RpcBackend } from './backend.js';
import { ChangeBell } from './change-bell.js';
import { type ChainEvent, EventFeed, type FeedSource } from './event-feed.js';
import { type EventQuery, eventQuery } from './event-query.js';
import type { FairTurns } from './fair-turns.js';
import { laneViewOf } from './lane-view-methods.js';
import { REFUSALS } from './refusal.js';

/** Streams and polls at a time, and of one client. */
const MOST_READERS = 256;
export const MOST_READERS_OF_A_CLIENT = 16;
/** Receipts that are looked for at once. */
const RECEIPTS = 100;
/** Characters of a piece of a stream, and of an answer to a poll, about. */
const PIECE = 32 << 10;
const POLL = 256 << 10;
/** How often the chain is looked at where nothing rings. */
const LOOK_MS = 1_000;
/** After so long without an event a stream gets a comment, which shows whether its reader is still there. */
const QUIET_MS = 15_000;
/** Wait for a thread that is busy. */
const BUSY_MS = 500;

export interface EventServerOptions {
  readonly backend: RpcBackend;
  /** Rings when blocks come or go. */
  readonly bell: ChangeBell | undefined;
  readonly answers: AnswerWriter;
  readonly turns: FairTurns;
}

export class EventServer {
  readonly #options: EventServerOptions;
  readonly #bell: ChangeBell;
  readonly #readers = new Map<string, number>();
  readonly #closed = new AbortController();

  constructor(options: EventServerOptions) {
    this.#options = options;
    this.#bell = options.bell ?? new ChangeBell();
    setMaxListeners(MOST_READERS, this.#closed.signal);
  }

  /** Ends all streams and polls. */
  close(): void {
    this.#closed.abort();
  }

  /**
   * Answers `GET /events` and `GET /events/poll`. Throws RpcError for what is asked wrongly, and what reading throws.
   */
  async answer(request: IncomingMessage, response: ServerResponse, client: string): Promise<void> {
    const { url = '/', headers } = request;
    const lastId = headers['last-event-id'];
    const query = eventQuery(url, Array.isArray(lastId) ? lastId[0] : lastId, this.#options.backend.store);
    if (!this.#enter(client)) {
      REFUSALS.events.send(response);
      return;
    }
    const gone = new AbortController();
    const end = (): void => gone.abort();
    response.once('close', end);
    this.#closed.signal.addEventListener('abort', end);
    try {
      const feed = new EventFeed(this.#source(client), query.contract, query.place, query.below);
      if (url.startsWith('/events/poll')) await this.#poll(response, client, feed, query, gone.signal);
      else await this.#stream(response, client, feed, gone.signal);
    } finally {
      response.off('close', end);
      this.#closed.signal.removeEventListener('abort', end);
      this.#leave(client);
    }
  }

  async #stream(response: ServerResponse, client: string, feed: EventFeed, gone: AbortSignal): Promise<void> {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      // Proxies must not collect what is to be seen at once.
      'x-accel-buffering': 'no',
    });
    const write = (text: string): Promise<void> =>
      this.#options.answers.write(response, client, { text, instead: () => text });
    await write('retry: 2000\n\n');
    let last = performance.now();
    while (!gone.aborted) {
      const events = await this.#next(client, feed, gone);
      for (const text of pieces(events)) await write(text);
      if (events.length > 0) last = performance.now();
      else if (performance.now() - last >= QUIET_MS) {
        await write(':\n\n');
        last = performance.now();
      } else await this.#bell.wait(LOOK_MS, gone);
    }
    response.end();
  }

  async #poll(
    response: ServerResponse,
    client: string,
    feed: EventFeed,
    { waitMs }: EventQuery,
    gone: AbortSignal,
  ): Promise<void> {
    const until = performance.now() + waitMs;
    const events: ChainEvent[] = [];
    let characters = 0;
    while (!gone.aborted && characters < POLL) {
      const more = await this.#next(client, feed, gone);
      events.push(...more);
      for (const event of more) characters += JSON.stringify(event).length;
      const left = until - performance.now();
      if (more.length > 0) continue;
      if (events.length > 0 || left <= 0) break;
      await this.#bell.wait(Math.min(LOOK_MS, left), gone);
    }
    const after = events.at(-1)?.id ?? feed.id;
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    const text = JSON.stringify({ events, after });
    await this.#options.answers.send(response, client, { text, instead: () => REFUSALS.events.text() });
  }

  /** The next events; none where a thread is busy, too. */
  async #next(client: string, feed: EventFeed, gone: AbortSignal): Promise<readonly ChainEvent[]> {
    await this.#options.turns.take(client);
    try {
      return await feed.next();
    } catch (error) {
      if (!(error instanceof WarpshrewError && error.code === 'VIEW_BUSY')) throw error;
      await new ChangeBell().wait(BUSY_MS, gone);
      return [];
    }
  }

  #source(client: string): FeedSource {
    const { backend } = this.#options;
    return {
      store: backend.store,
      receipts: (height, hash, contract, after) => {
        const of = { from: height, to: height, contract, status: undefined, reverse: false };
        const request = { name: 'receipts' as const, of, height, hash, limit: RECEIPTS, after };
        return laneViewOf(backend)('list', request, client);
      },
    };
  }

  #enter(client: string): boolean {
    const own = this.#readers.get(client) ?? 0;
    let all = 0;
    for (const count of this.#readers.values()) all += count;
    if (own >= MOST_READERS_OF_A_CLIENT || all >= MOST_READERS) return false;
    this.#readers.set(client, own + 1);
    return true;
  }

  #leave(client: string): void {
    const left = (this.#readers.get(client) ?? 1) - 1;
    if (left > 0) this.#readers.set(client, left);
    else this.#readers.delete(client);
  }
}

/** Events as they are sent, some together. */
function* pieces(events: readonly ChainEvent[]): Generator<string, void, void> {
  let text = '';
  for (const { id, event, data } of events) {
    text += `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    if (text.length < PIECE) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}
