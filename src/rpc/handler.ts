import type { IncomingMessage, ServerResponse } from 'node:http';
import { AnswerWriter, answersHeld, type Piece } from './answers.js';
import type { RpcBackend } from './backend.js';
import { BodyReader, discard } from './body.js';
import { clientRule, type Sent } from './client.js';
import { type CorsRule, corsRule, setCorsHeaders } from './cors.js';
import { Dispatcher, respond } from './dispatch.js';
import { errorObject, RpcError } from './errors.js';
import { EventServer } from './event-server.js';
import { FairBudget } from './fair-budget.js';
import { FairTurns } from './fair-turns.js';
import { healthRoots } from './health-roots.js';
import { type HostRule, hostRule } from './hosts.js';
import { type Parsed, parseBody } from './parse-body.js';
import { isJson } from './plain-request.js';
import { QuickConnections } from './quick-connections.js';
import { REFUSALS, Refusal } from './refusal.js';
import type { Page, RpcServerOptions } from './server-options.js';
import { type StaticFile, sendFile } from './static-files.js';

/** Requests in one batch. */
export const MAX_BATCH = 1_000;
/** Longest part of a header that a refusal reports. */
const SHOWN = 100;

/** How long a client may take for a body or an answer, and the memory for bodies and, separately, for answers. */
const DEFAULT_LIMITS = { transferTimeoutMs: 15_000, memoryBytes: 256 << 20 } as const;

/** Answers the requests of one server. */
export class Handler {
  /** What it answers without the parser of HTTP. */
  readonly quick: QuickConnections;
  #closing = false;
  readonly #events: EventServer;
  readonly #bodies: BodyReader;
  readonly #answers: AnswerWriter;
  readonly #turns = new FairTurns();
  readonly #cors: CorsRule;
  readonly #hosts: HostRule;
  readonly #clientOf: (request: Sent) => string;
  readonly #transferTimeoutMs: number;
  readonly #backend: RpcBackend;
  readonly #report: (error: unknown) => void;
  readonly #dispatcher: Dispatcher;
  readonly #refused: NonNullable<RpcServerOptions['onRefused']>;
  readonly #pages: ReadonlyMap<string, () => Page | Promise<Page>>;
  readonly #files: ReadonlyMap<string, StaticFile>;

  constructor(options: RpcServerOptions) {
    const { transferTimeoutMs, memoryBytes } = { ...DEFAULT_LIMITS, ...options.limits };
    this.#transferTimeoutMs = transferTimeoutMs;
    this.#bodies = new BodyReader(new FairBudget(memoryBytes), transferTimeoutMs);
    this.#answers = new AnswerWriter(new FairBudget(memoryBytes), transferTimeoutMs);
    const { backend, bell } = options;
    this.#events = new EventServer({ backend, bell, answers: this.#answers, turns: this.#turns });
    this.#cors = corsRule(options.cors);
    this.#hosts = hostRule(options.allowHost, options.host);
    this.#clientOf = clientRule(options.trustProxy);
    this.#backend = options.backend;
    this.#report = options.onDefect ?? ((error) => console.error(error));
    this.#dispatcher = new Dispatcher(backend, this.#report, options.onAnswered);
    this.#refused = options.onRefused ?? (() => undefined);
    this.#pages = new Map(Object.entries({ '/health': () => this.#health(), ...options.pages }));
    this.#files = options.files ?? new Map();
    this.quick = new QuickConnections({
      dispatcher: this.#dispatcher,
      turns: this.#turns,
      answers: this.#answers,
      hosts: this.#hosts,
      clientOf: this.#clientOf,
      ready: options.ready,
      refused: this.#refused,
      report: this.#report,
    });
  }

  /** From here on connections close behind their answers, and events end. */
  close(): void {
    this.#closing = true;
    this.quick.close();
    this.#events.close();
  }

  /** Answers one request; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A request that waited for its turn may have lost its connection: its response was never begun, so it does not
    // show that.
    if (response.destroyed || request.socket.destroyed) return;
    try {
      if (this.#closing) response.setHeader('connection', 'close');
      if (!this.#hosts(request.headers.host)) {
        this.#refuse(request, response, REFUSALS.host, { host: String(request.headers.host).slice(0, SHOWN) });
        return;
      }
      setCorsHeaders(this.#cors, request, response);
      await this.#route(request, response);
    } catch (error) {
      // The client disconnected during its request: there is nobody to answer.
      if (!request.complete || response.destroyed || request.socket.destroyed) {
        response.destroy();
        return;
      }
      this.#report(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end('Internal error\n');
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0];
    const page = this.#pages.get(path);
    const isEvents = path === '/events' || path === '/events/poll';
    const file = this.#files.get(path);
    const reads = page !== undefined || file !== undefined || isEvents;
    const methods = [...(reads ? ['GET'] : []), ...(path === '/' ? ['POST'] : [])];
    if (methods.length === 0) return this.#refuse(request, response, REFUSALS.path);
    if (request.method === 'OPTIONS') {
      response.writeHead(204, { allow: [...methods, 'OPTIONS'].join(', ') }).end();
      return;
    }
    if (!methods.includes(request.method ?? '')) {
      response.setHeader('allow', [...methods, 'OPTIONS'].join(', '));
      return this.#refuse(request, response, REFUSALS.method);
    }
    if (isEvents) return this.#answerEvents(request, response);
    if (request.method === 'POST') return this.#post(request, response);
    await this.#turns.take(this.#clientOf(request));
    if (file !== undefined) return sendFile(request, response, this.#answers, file);
    if (page === undefined) return;
    const { status, type, body } = await page();
    response.writeHead(status, { 'content-type': type });
    await this.#answers.end(response, body);
  }

  async #answerEvents(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const client = this.#clientOf(request);
    await this.#turns.take(client);
    try {
      await this.#events.answer(request, response, client);
    } catch (error) {
      if (!(error instanceof RpcError) || response.headersSent) throw error;
      response.writeHead(400, { 'content-type': 'application/json' });
      await this.#answers.end(response, respond(undefined, { error: errorObject(error) }));
    }
  }

  #health(): Page {
    const tip = this.#backend.store.tip();
    const roots = healthRoots(tip && this.#backend.store.roots(tip.height));
    const body = JSON.stringify({ status: 'ok', height: tip?.height ?? null, ...roots });
    return { status: 200, type: 'application/json', body };
  }

  async #post(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isJson(request.headers['content-type'])) {
      return this.#refuse(request, response, REFUSALS.contentType);
    }
    const client = this.#clientOf(request);
    const read = await this.#bodies.read(request, client);
    if (read instanceof Refusal) return this.#refuse(request, response, read, { client });
    try {
      // Parsing a large body takes a while: others get their turn first.
      await this.#turns.take(client);
      const parsed = parseBody(read.bytes);
      if (parsed === undefined) return this.#refuse(request, response, REFUSALS.notJson);
      await this.#answerAll(parsed, client, response);
    } finally {
      read.release();
    }
  }

  async #answer(request: unknown, id: string | undefined, client: string): Promise<Piece> {
    const text = await this.#dispatcher.answer(request, id, client);
    return { text, instead: () => answersHeld(id) };
  }

  async #answerAll({ value, ids }: Parsed, client: string, response: ServerResponse): Promise<void> {
    if (!Array.isArray(value)) {
      const piece = await this.#answer(value, ids[0], client);
      return this.#answers.send(json(response), client, piece);
    }
    if (value.length === 0 || value.length > MAX_BATCH) {
      const hint = `Send 1 to ${MAX_BATCH} requests at once.`;
      const message = `Invalid request: a batch of ${value.length}`;
      const error = errorObject(new RpcError('RPC_BATCH_SIZE', message, hint));
      return this.#answers.end(json(response), respond(undefined, { error }));
    }
    for (const [i, request] of value.entries()) {
      // Other clients get a turn between the requests of a batch; the first request uses the turn taken for the body.
      if (i > 0) await this.#turns.take(client);
      const { text, instead } = await this.#answer(request, ids[i], client);
      if (response.destroyed) return;
      const before = i === 0 ? '[' : ',';
      // Wait if the client reads slowly: answers must not pile up.
      if (i === 0) json(response);
      await this.#answers.write(response, client, { text: before + text, instead: () => before + instead() });
    }
    await this.#answers.end(response, ']');
  }

  /** Answers before the whole body was read, and discards the rest as it arrives. */
  #refuse(
    request: IncomingMessage,
    response: ServerResponse,
    refusal: Refusal,
    facts: Readonly<Record<string, string>> = {},
  ): void {
    this.#refused(refusal.code, facts);
    refusal.send(response);
    discard(request, this.#transferTimeoutMs);
  }
}

function json(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-type': 'application/json' });
}
