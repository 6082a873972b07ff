import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EnvironmentError } from '../errors.js';
import type { RpcBackend } from './backend.js';
import { BodyReader } from './body.js';
import { type CorsRule, corsRule, setCorsHeaders } from './cors.js';
import { type Answered, answer } from './dispatch.js';
import { errorObject, RPC, RpcError } from './errors.js';
import { withinShape } from './json-shape.js';

/** Requests in one batch. */
export const MAX_BATCH = 1_000;
/** Nesting of a body: no method takes parameters deeper than a batch of requests with one array each. */
const MAX_DEPTH = 16;
/** Commas in a body: a full batch of requests with several parameters each has a tenth of it. */
const MAX_SEPARATORS = 100_000;
/** How long {@link RpcServer.close} waits for answers under way. */
const CLOSE_GRACE_MS = 5_000;
const IDLE_CHECK_MS = 20;

export interface RpcServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly backend: RpcBackend;
  /** `*`, or origins with commas; pages of this machine only if not given. */
  readonly cors?: string;
  /** Told of defects (errors that are none of the user's); standard error if not given. */
  readonly onDefect?: (error: unknown) => void;
  /** Told of every request that was answered. */
  readonly onAnswered?: Answered;
  /** What `GET` answers by path, beside or instead of `/health`. */
  readonly pages?: Readonly<Record<string, () => Page | Promise<Page>>>;
}

/** An answer to a `GET`. */
export interface Page {
  readonly status: number;
  /** Content type. */
  readonly type: string;
  readonly body: string;
}

export interface RpcServer {
  readonly host: string;
  readonly port: number;
  /** `http://host:port`. */
  readonly url: string;
  /** Takes no more connections, lets answers under way finish (5 s at most), then ends. */
  close(): Promise<void>;
}

/**
 * Serves JSON-RPC on `POST /`, a short state on `GET /health` (docs/json-rpc.md), and what `pages` holds.
 * Throws EnvironmentError ENV_PORT_IN_USE, ENV_PORT_FORBIDDEN or ENV_LISTEN_FAILED.
 */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const handler = new Handler(options);
  const server = createServer((request, response) => void handler.handle(request, response));
  await listen(server, options.host, options.port);
  const { port } = server.address() as AddressInfo;
  const shownHost = options.host.includes(':') ? `[${options.host}]` : options.host;
  return { host: options.host, port, url: `http://${shownHost}:${port}`, close: () => closeServer(server, handler) };
}

class Handler {
  closing = false;
  private readonly bodies = new BodyReader();
  private readonly cors: CorsRule;
  private readonly backend: RpcBackend;
  private readonly report: (error: unknown) => void;
  private readonly answered: Answered | undefined;
  private readonly pages: ReadonlyMap<string, () => Page | Promise<Page>>;

  constructor(options: RpcServerOptions) {
    this.cors = corsRule(options.cors);
    this.backend = options.backend;
    this.report = options.onDefect ?? ((error) => console.error(error));
    this.answered = options.onAnswered;
    this.pages = new Map(Object.entries({ '/health': () => this.health(), ...options.pages }));
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (this.closing) response.setHeader('connection', 'close');
      setCorsHeaders(this.cors, request, response);
      await this.route(request, response);
    } catch (error) {
      // The client went away in the middle of its request: nobody is left to answer.
      if (!request.complete || response.destroyed) {
        response.destroy();
        return;
      }
      this.report(error);
      if (response.headersSent) response.destroy();
      else plain(response, 500, 'Internal error');
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0];
    const page = this.pages.get(path);
    const allowed = path === '/' ? 'POST' : page !== undefined ? 'GET' : undefined;
    if (allowed === undefined) return refuse(request, response, 404, 'Not found: JSON-RPC is POST /');
    if (request.method === 'OPTIONS') {
      response.writeHead(204, { allow: `${allowed}, OPTIONS` }).end();
      return;
    }
    if (request.method !== allowed) {
      response.setHeader('allow', `${allowed}, OPTIONS`);
      return refuse(request, response, 405, `Method not allowed: use ${allowed}`);
    }
    if (page === undefined) return this.post(request, response);
    const { status, type, body } = await page();
    response.writeHead(status, { 'content-type': type }).end(body);
  }

  private health(): Page {
    const tip = this.backend.store.tip();
    const stateRoot = tip && this.backend.store.roots(tip.height)?.state;
    const body = JSON.stringify({ status: 'ok', height: tip?.height ?? null, stateRoot: stateRoot ?? null });
    return { status: 200, type: 'application/json', body };
  }

  private async post(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const type = (request.headers['content-type'] ?? '').split(';', 1)[0].trim().toLowerCase();
    if (type !== 'application/json' && !type.endsWith('+json')) {
      return refuse(request, response, 400, 'Expected the header Content-Type: application/json');
    }
    const read = await this.bodies.read(request);
    if (read === 413) return refuse(request, response, 413, 'The body is larger than 64 MiB');
    if (read === 503) return refuse(request, response, 503, 'Too many large requests at once: try again');
    try {
      const parsed = parse(read.body);
      if (parsed === undefined) return plain(response, 400, 'The body is not JSON, or nested too deeply');
      await this.answerAll(parsed.value, response);
    } finally {
      read.release();
    }
  }

  private answer(request: unknown): Promise<string> {
    return answer(request, this.backend, this.report, this.answered);
  }

  private async answerAll(value: unknown, response: ServerResponse): Promise<void> {
    if (!Array.isArray(value)) return json(response, await this.answer(value));
    if (value.length === 0 || value.length > MAX_BATCH) {
      const hint = `Send 1 to ${MAX_BATCH} requests at once.`;
      const message = `Invalid request: a batch of ${value.length}`;
      const error = errorObject(new RpcError(RPC.invalidRequest, 'RPC_BATCH_SIZE', message, hint));
      return json(response, JSON.stringify({ jsonrpc: '2.0', id: null, error }));
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    for (const [i, request] of value.entries()) {
      const text = await this.answer(request);
      if (response.destroyed) return;
      // Where the client reads slowly, wait: answers must not pile up.
      if (!response.write((i === 0 ? '[' : ',') + text)) await drained(response);
      // Other connections get their turn between the requests of a long batch.
      await new Promise((next) => setImmediate(next));
    }
    response.end(']');
  }
}

function parse(body: Uint8Array): { value: unknown } | undefined {
  if (!withinShape(body, MAX_DEPTH, MAX_SEPARATORS)) return undefined;
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) };
  } catch {
    return undefined;
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((done) => {
    const next = (): void => {
      response.off('drain', next);
      response.off('close', next);
      done();
    };
    response.on('drain', next);
    response.on('close', next);
  });
}

function json(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(text);
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

/** Answers before the body was read; the rest of it is thrown away as it comes. */
function refuse(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  plain(response, status, text);
  request.resume();
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((done, failed) => {
    const refused = (error: NodeJS.ErrnoException): void => failed(listenError(error, host, port));
    server.once('error', refused);
    server.listen(port, host, () => {
      server.off('error', refused);
      done();
    });
  });
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): EnvironmentError {
  const facts = { host, port };
  if (error.code === 'EADDRINUSE') {
    const hint = 'Stop the other program, or choose another port with --port.';
    return new EnvironmentError('ENV_PORT_IN_USE', 'the port is in use', { facts, hint, cause: error });
  }
  if (error.code === 'EACCES') {
    const hint = 'Choose a port of 1024 or above with --port.';
    return new EnvironmentError('ENV_PORT_FORBIDDEN', 'this user may not use the port', { facts, hint, cause: error });
  }
  const hint = 'Check --host: it must be an address of this machine.';
  const reason = error.message;
  return new EnvironmentError('ENV_LISTEN_FAILED', 'the server cannot listen', {
    facts: { ...facts, reason },
    hint,
    cause: error,
  });
}

async function closeServer(server: Server, handler: Handler): Promise<void> {
  handler.closing = true;
  const closed = new Promise<void>((done) => server.close(() => done()));
  // Connections that were busy become idle one by one; each is ended then.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const late = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  server.closeIdleConnections();
  await closed;
  clearInterval(idle);
  clearTimeout(late);
}
