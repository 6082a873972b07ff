/** A client of the JSON-RPC server, for Node.js and browsers: it needs nothing but `fetch`. */
import type { Methods } from './methods.js';

export type MethodName = keyof Methods;
export type ParamsOf<M extends MethodName> = Methods[M]['params'];
export type ResultOf<M extends MethodName> = Methods[M]['result'];

export interface ClientOptions {
  /** `fetch`, or what stands for it. */
  readonly fetch?: typeof fetch;
  /** Sent with every request, for servers behind a proxy that wants them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For a whole answer to arrive, in milliseconds; 30,000 if not given. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;

/** An answer that is an error. */
export class RpcFailure extends Error {
  override readonly name = 'RpcFailure';

  constructor(
    /** Stable, e.g. `BLOCK_NOT_INDEXED` (docs/json-rpc.md); `HTTP` where the answer is none of JSON-RPC. */
    readonly code: string,
    message: string,
    /** What to do, if the server says it. */
    readonly hint: string | undefined,
    /** What else it says. */
    readonly data: Readonly<Record<string, string>>,
  ) {
    super(`${code}: ${message}`);
  }
}

interface Reply {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message?: unknown; readonly data?: Readonly<Record<string, string>> };
}

/** Calls of one server. */
export class WarpshrewClient {
  readonly #url: string;
  readonly #options: ClientOptions;
  #nextId = 1;

  /** `url`: of the server, e.g. `http://127.0.0.1:8080`. */
  constructor(url: string, options: ClientOptions = {}) {
    this.#url = url;
    this.#options = options;
  }

  /** Calls a method. Rejects with {@link RpcFailure}, or with what `fetch` throws. */
  async call<M extends MethodName>(method: M, ...params: ParamsOf<M>): Promise<ResultOf<M>> {
    return (await this.#ask(method, params)) as ResultOf<M>;
  }

  /**
   * Sends several calls in one request, 1,000 at most; resolves with the result of each, or its {@link RpcFailure}, in
   * their order.
   */
  async batch<M extends MethodName>(
    calls: readonly { readonly method: M; readonly params: ParamsOf<M> }[],
  ): Promise<(ResultOf<M> | RpcFailure)[]> {
    if (calls.length === 0) return [];
    const reply = await this.#post(calls.map((call) => ({ jsonrpc: '2.0', id: this.#nextId++, ...call })));
    // Too large a batch is answered with one error.
    if (!Array.isArray(reply)) throw failureOf(reply as Reply);
    return (reply as Reply[]).map((one) => (one.error === undefined ? (one.result as ResultOf<M>) : failureOf(one)));
  }

  /** All items of a listing, page after page; `params`: those of its first page. */
  async *items<M extends Listing>(method: M, ...params: ParamsOf<M>): AsyncGenerator<Item<M>, void, void> {
    // What is left out may be given as undefined, which JSON would make null.
    const given: unknown[] = [...params];
    while (given.length > 0 && given.at(-1) === undefined) given.pop();
    const last = given.at(-1);
    const hasOptions = typeof last === 'object' && last !== null;
    const before = hasOptions ? given.slice(0, -1) : given;
    for (let more: object = hasOptions ? last : {}; ; ) {
      const page = (await this.#ask(method, [...before, more])) as Page<Item<M>>;
      yield* page.items;
      if (page.cursor === null) return;
      more = { ...more, cursor: page.cursor };
    }
  }

  async #ask(method: MethodName, params: readonly unknown[]): Promise<unknown> {
    return resultOf((await this.#post({ jsonrpc: '2.0', id: this.#nextId++, method, params })) as Reply);
  }

  async #post(body: unknown): Promise<unknown> {
    const { fetch: send = fetch, headers, timeoutMs = TIMEOUT_MS } = this.#options;
    const answer = await send(this.#url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await answer.text();
    try {
      return JSON.parse(text);
    } catch {
      throw new RpcFailure('HTTP', `status ${answer.status}`, undefined, {});
    }
  }
}

interface Page<T> {
  readonly items: readonly T[];
  readonly cursor: string | null;
}

/** Methods that list. */
export type Listing = { [M in MethodName]: ResultOf<M> extends Page<unknown> ? M : never }[MethodName];
type Item<M extends Listing> = ResultOf<M> extends Page<infer T> ? T : never;

function resultOf(reply: Reply): unknown {
  if (reply.error !== undefined) throw failureOf(reply);
  return reply.result;
}

function failureOf({ error }: Reply): RpcFailure {
  const { code = 'UNKNOWN', hint, ...data } = error?.data ?? {};
  return new RpcFailure(code, String(error?.message ?? 'the answer is none of JSON-RPC'), hint, data);
}
