import type { NodeCode } from '../errors/codes/registry.js';
import { NodeError, UsageError } from '../errors/errors.js';
import { backoff, type Clock, REAL_CLOCK } from './clock.js';
import { type PostAnswer, PostError, Poster } from './http-post.js';
import { Limiter } from './limiter.js';
import { type CredentialOptions, Credentials, type Reread } from './node-credentials.js';
import { badResponse, rpcError, shortAscii } from './node-errors.js';

export interface NodeRpcOptions extends CredentialOptions {
  /** `http://host:port` or `https://host:port`; a user and a password in it count as {@link CredentialOptions}. */
  readonly url: string;
  /** Called to read the credentials again when the node refuses them: they may have been corrected since. */
  readonly reread?: Reread;
  /** PEM of the certificate authority of an https node, if not a public one. */
  readonly ca?: string;
  /** Concurrent calls; more wait. Nodes queue at most 16, over all their clients. */
  readonly concurrency?: number;
  /** Time limit of one attempt, in milliseconds. */
  readonly timeoutMs?: number;
  /** Attempts of a call while the node is unreachable, busy or starting. */
  readonly attempts?: number;
  /** Milliseconds before the second attempt, doubled before each further one up to `maxBackoffMs`. */
  readonly backoffMs?: number;
  readonly maxBackoffMs?: number;
  readonly clock?: Clock;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Longest answer in bytes. */
  readonly maxBytes?: number;
}

export type Outcome = { readonly result: unknown } | { readonly error: NodeError };

/** Counters since the start, for status and metrics. */
export interface NodeRpcStatistics {
  /** Requests sent, each a call or a batch. */
  requests: number;
  /** Of those, further attempts after a failed one. */
  retries: number;
  /** How often the cookie file or the configured credentials were read again after a refusal. */
  cookieReads: number;
  bytesReceived: number;
}

/** What a parameter may hold. */
export type NodeParam =
  | string
  | number
  | boolean
  | null
  | readonly NodeParam[]
  | { readonly [name: string]: NodeParam };
type Params = readonly NodeParam[];

/** Most calls of one batch. */
const MAX_BATCH = 1000;
const DEFAULT_MAX_BYTES = 1 << 20;
const UNAUTHORISED = 401;
const FORBIDDEN = 403;

/**
 * JSON-RPC client of a Core-compatible node. Calls reject with a NodeError: NODE_UNREACHABLE, NODE_BUSY and
 * NODE_WARMING_UP after all attempts, NODE_UNAUTHORISED and NODE_FORBIDDEN after the credentials were read again,
 * NODE_COOKIE_UNREADABLE, NODE_RPC_ERROR, NODE_BLOCK_MISSING, NODE_BLOCK_PRUNED, NODE_BAD_RESPONSE; or with the reason
 * of their signal.
 */
export class NodeRpc {
  /** Address without user and password, for logs. */
  readonly name: string;
  readonly statistics: NodeRpcStatistics = { requests: 0, retries: 0, cookieReads: 0, bytesReceived: 0 };
  readonly #credentials: Credentials;
  readonly #poster: Poster;
  readonly #limiter: Limiter;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #attempts: number;
  readonly #backoffMs: number;
  readonly #maxBackoffMs: number;

  /** Throws UsageError USAGE_NODE_URL. Nothing is sent before the first call. */
  constructor(options: NodeRpcOptions) {
    const { url, user, password } = parseUrl(options.url);
    this.name = url.origin + (url.pathname === '/' ? '' : url.pathname);
    const { cookieFile, bearer } = options;
    const given = { user: options.user ?? user, password: options.password ?? password, bearer, cookieFile };
    this.#credentials = new Credentials(given, options.reread);
    const connections = options.concurrency ?? 4;
    this.#poster = new Poster({ url, connections, ca: options.ca });
    this.#limiter = new Limiter(connections);
    this.#clock = options.clock ?? REAL_CLOCK;
    this.#timeoutMs = options.timeoutMs ?? 60_000;
    this.#attempts = options.attempts ?? 8;
    this.#backoffMs = options.backoffMs ?? 250;
    this.#maxBackoffMs = options.maxBackoffMs ?? 10_000;
  }

  /** The result of one call. */
  call(method: string, params: Params = [], options: CallOptions = {}): Promise<unknown> {
    return this.#exchange(method, request(0, method, params), options, (answer) =>
      readResult(method, this.#parse(answer.status, answer.body.toString('utf8'))),
    );
  }

  /** The bytes of a result that is a string of hex, as nodes send blocks. Takes a third of the time of {@link call}. */
  callBytes(method: string, params: Params = [], options: CallOptions = {}): Promise<Uint8Array> {
    return this.#exchange(method, request(0, method, params), options, ({ status, body }) => {
      const cut = cutHex(body);
      const result = readResult(method, this.#parse(status, cut?.rest ?? body.toString('utf8')));
      if (typeof result !== 'string') throw badResponse('the result is not a string');
      // Only an empty result can be the one whose hex was cut out.
      return decodeHex(cut && result === '' ? cut.hex : result);
    });
  }

  /**
   * The outcomes of calls of one method, in the order of `paramsList` (at most {@link MAX_BATCH}), sent as one request.
   * A call that the node refuses is an outcome with an error; only a failure of the whole request rejects.
   */
  batch(method: string, paramsList: readonly Params[], options: CallOptions = {}): Promise<Outcome[]> {
    if (paramsList.length === 0) return Promise.resolve([]);
    if (paramsList.length > MAX_BATCH) throw new RangeError(`a batch has at most ${MAX_BATCH} calls`);
    const calls = paramsList.map((params, id) => request(id, method, params));
    return this.#exchange(method, `[${calls.join(',')}]`, options, (answer) =>
      readBatch(method, this.#parse(answer.status, answer.body.toString('utf8')), calls.length),
    );
  }

  close(): void {
    this.#poster.close();
  }

  /**
   * Sends a request until `read` accepts the answer; `read` throws a NodeError for an answer that it does not accept.
   */
  #exchange<T>(
    method: string,
    body: string,
    { signal, maxBytes = DEFAULT_MAX_BYTES }: CallOptions,
    read: (answer: PostAnswer) => T,
  ): Promise<T> {
    return this.#limiter.run(signal, async () => {
      let refused = false;
      for (let attempt = 0; ; attempt++) {
        const failure = await this.#attempt(body, refused, maxBytes, signal, read);
        if ('value' in failure) return failure.value;
        const { error } = failure;
        if (REFUSED.has(error.code) && this.#credentials.rereadable && !refused) {
          // The node may have been restarted and written another cookie, or the password may have been corrected.
          refused = true;
          this.statistics.cookieReads++;
          continue;
        }
        if (!failure.again || attempt + 1 >= this.#attempts) throw withMethod(error, method, attempt + 1);
        this.statistics.retries++;
        await this.#clock.sleep(backoff(attempt, this.#backoffMs, this.#maxBackoffMs, this.#clock), signal);
        if (signal?.aborted) throw signal.reason;
      }
    });
  }

  async #attempt<T>(
    body: string,
    freshCookie: boolean,
    maxBytes: number,
    signal: AbortSignal | undefined,
    read: (answer: PostAnswer) => T,
  ): Promise<{ readonly value: T } | { readonly error: NodeError; readonly again: boolean }> {
    try {
      const authorization = await this.#credentials.authorization(freshCookie);
      this.statistics.requests++;
      const answer = await this.#poster.post({ body, authorization, maxBytes, timeoutMs: this.#timeoutMs, signal });
      this.statistics.bytesReceived += answer.body.length;
      return { value: read(answer) };
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof PostError && error.reason === 'too-large') {
        return { error: badResponse(error.message), again: false };
      }
      if (error instanceof PostError) return { error: this.#unreachable(error), again: true };
      if (error instanceof NodeError) return { error, again: AGAIN.has(error.code) };
      throw error;
    }
  }

  /**
   * The JSON of an answer. Refusals of the HTTP server are told apart by their status, because their bodies are not
   * JSON.
   */
  #parse(status: number, text: string): unknown {
    if (status === UNAUTHORISED) {
      throw new NodeError('NODE_UNAUTHORISED', 'the node refuses the credentials', {
        facts: { node: this.name, status },
        hint: 'Correct them in the configuration file, or the cookie file: both are read again, without a restart.',
      });
    }
    if (status === FORBIDDEN) {
      throw new NodeError('NODE_FORBIDDEN', 'the node, or a proxy in front of it, refuses this machine', {
        facts: { node: this.name, status },
        hint: 'Check `rpcallowip` of the node, and the rules of the proxy.',
      });
    }
    try {
      return JSON.parse(text);
    } catch (cause) {
      const facts = { node: this.name, status, begins: shortAscii(text.slice(0, 80)) };
      if (status === 429 || status >= 500) {
        throw new NodeError('NODE_BUSY', 'the call queue of the node is full', {
          facts,
          hint: 'Raise `rpcworkqueue` of the node, or send it fewer calls at a time.',
          cause,
        });
      }
      throw badResponse('it is not JSON', facts);
    }
  }

  #unreachable(cause: PostError): NodeError {
    return new NodeError('NODE_UNREACHABLE', `the node does not answer: ${shortAscii(cause.message)}`, {
      facts: { node: this.name },
      hint: 'Check that it runs with `server=1` and listens at this address.',
      cause,
    });
  }
}

/** Errors that other credentials may resolve. */
const REFUSED: ReadonlySet<NodeCode> = new Set(['NODE_UNAUTHORISED', 'NODE_FORBIDDEN']);

/** Errors that another attempt may resolve. An answer that is not JSON was often cut off. */
const AGAIN: ReadonlySet<NodeCode> = new Set([
  'NODE_BUSY',
  'NODE_WARMING_UP',
  'NODE_COOKIE_UNREADABLE',
  'NODE_BAD_RESPONSE',
]);

function parseUrl(text: string): { url: URL; user?: string; password?: string } {
  const bad = (why: string): UsageError =>
    new UsageError('USAGE_NODE_URL', `the node's address cannot be used: ${why}`, {
      hint: 'For example http://127.0.0.1:8332, with user and password or the cookie file as options of their own.',
    });
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // Show neither the text nor the cause: they may contain a password.
    throw bad('it is not a URL');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw bad('it begins with neither http:// nor https://');
  if (url.hostname === '') throw bad('it names no host');
  let user: string | undefined;
  let password: string | undefined;
  try {
    if (url.username !== '') user = decodeURIComponent(url.username);
    if (url.password !== '') password = decodeURIComponent(url.password);
  } catch {
    throw bad('its user or password is not percent-encoded');
  }
  url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  return { url, user, password };
}

function request(id: number, method: string, params: Params): string {
  return JSON.stringify({ jsonrpc: '1.0', id, method, params });
}

function withMethod(error: NodeError, method: string, attempts: number): NodeError {
  const { code, message, facts, hint, cause } = error;
  return new NodeError(code, message, { facts: { ...facts, method, attempts }, hint, cause });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readOutcome(method: string, value: unknown): Outcome {
  if (!isRecord(value)) throw badResponse('it is not an object');
  const { error, result } = value;
  if (isRecord(error)) return { error: rpcError(method, error) };
  if (error !== undefined && error !== null) throw badResponse('its error is not an object');
  if (result === undefined) throw badResponse('it has neither a result nor an error');
  return { result };
}

/** The result of one call. Throws the node's error. */
function readResult(method: string, value: unknown): unknown {
  const outcome = readOutcome(method, value);
  if ('error' in outcome) throw outcome.error;
  return outcome.result;
}

const RESULT = '"result":"';

/**
 * Takes the text out of a `"result":"…"` before the JSON is parsed: it is most of the answer, and needs no JSON
 * decoding.
 */
function cutHex(body: Buffer): { readonly hex: string; readonly rest: string } | undefined {
  const start = body.indexOf(RESULT) + RESULT.length;
  const end = start < RESULT.length ? -1 : body.indexOf('"', start);
  if (end < 0) return undefined;
  const rest = body.toString('utf8', 0, start) + body.toString('utf8', end);
  return { hex: body.toString('latin1', start, end), rest };
}

function decodeHex(hex: string): Uint8Array {
  const bytes = Buffer.from(hex, 'hex');
  // Decoding ends at the first character that is not a hex digit.
  if (bytes.length * 2 !== hex.length) throw badResponse('the result is not hex', { length: hex.length });
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Answers of a batch may come in any order, each once. While a node starts, one error may stand for all. */
function readBatch(method: string, value: unknown, count: number): Outcome[] {
  if (!Array.isArray(value)) {
    const outcome = readOutcome(method, value);
    throw 'error' in outcome ? outcome.error : badResponse('a batch is not answered by a list');
  }
  if (value.length !== count)
    throw badResponse('a batch has another number of answers', { expected: count, got: value.length });
  const outcomes = new Map<number, Outcome>();
  for (const entry of value) {
    const id: unknown = isRecord(entry) ? entry.id : undefined;
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= count || outcomes.has(id)) {
      throw badResponse('an answer of a batch has an id that was not requested');
    }
    const outcome = readOutcome(method, entry);
    if ('error' in outcome && outcome.error.code === 'NODE_WARMING_UP') throw outcome.error;
    outcomes.set(id, outcome);
  }
  return Array.from({ length: count }, (_, id) => outcomes.get(id) ?? { error: badResponse('an answer is missing') });
}
