import { WarpshrewError } from '../errors/errors.js';
import type { RpcBackend } from './backend.js';
import { errorObject, RpcError } from './errors.js';
import type { Method } from './method.js';
import { METHODS } from './methods.js';
import { Params } from './params.js';
import { StoredAnswers } from './stored-answers.js';

/** Longest method name that an error repeats. */
const SHOWN = 60;

type Json = Readonly<Record<string, unknown>>;

/** A request that is one. */
interface Call {
  readonly name: string;
  readonly method: Method;
  readonly values: readonly unknown[];
}

/**
 * Called for an answered request: its method (`unknown` if there is no such method), the milliseconds it took, whether
 * it has a result.
 */
export type Answered = (method: string, ms: number, ok: boolean) => void;

/** Answers requests from a backend. */
export class Dispatcher {
  readonly #backend: RpcBackend;
  readonly #report: (error: unknown) => void;
  readonly #answered: Answered | undefined;
  readonly #stored: StoredAnswers;

  constructor(backend: RpcBackend, report: (error: unknown) => void, answered: Answered | undefined) {
    this.#backend = backend;
    this.#report = report;
    this.#answered = answered;
    this.#stored = new StoredAnswers(() => backend.store.version);
  }

  /**
   * The response to one request object, as text; at once where the method needs no other thread. `id` is the text of
   * its id, which is returned unchanged; null if it has none. `client` is the client that sent it. Neither throws nor
   * rejects.
   */
  answer(request: unknown, id: string | undefined, client: string): string | Promise<string> {
    const started = performance.now();
    const bad = (error: unknown): string => this.#bad(request, id, started, error);
    try {
      const { name, method, values } = callOf(request);
      const question = method.isStored ? questionOf(name, values) : undefined;
      const kept = question === undefined ? undefined : this.#stored.get(question);
      if (kept !== undefined) return this.#good(name, id, started, kept);
      const result = method.run(new Params(values, method.usage), this.#backend, client);
      if (result instanceof Promise) {
        return result.then((value: unknown) => this.#good(name, id, started, JSON.stringify(value ?? null))).catch(bad);
      }
      const text = JSON.stringify(result ?? null);
      if (question !== undefined) this.#stored.put(question, text);
      return this.#good(name, id, started, text);
    } catch (error) {
      return bad(error);
    }
  }

  #good(name: string, id: string | undefined, started: number, result: string): string {
    this.#answered?.(name, performance.now() - started, true);
    return `{"jsonrpc":"2.0","id":${id ?? 'null'},"result":${result}}`;
  }

  #bad(request: unknown, id: string | undefined, started: number, error: unknown): string {
    const fields = fieldsOf(request) ?? {};
    const { method } = fields;
    const known = typeof method === 'string' && METHODS.has(method) ? method : 'unknown';
    this.#answered?.(known, performance.now() - started, false);
    const isExpected = error instanceof RpcError || (error instanceof WarpshrewError && error.kind !== 'internal');
    if (!isExpected) this.#report(error);
    return respond(id, { error: errorObject(error, viewName(fields)) });
  }
}

/** Whether a request is answered at once from what is stored, in less than a turn of this thread. */
export function isStored(request: unknown): boolean {
  const method = fieldsOf(request)?.method;
  return typeof method === 'string' && METHODS.get(method)?.isStored === true;
}

function fieldsOf(request: unknown): Json | undefined {
  return typeof request === 'object' && request !== null && !Array.isArray(request) ? (request as Json) : undefined;
}

/** What a stored answer is kept under; undefined for parameters that it would not tell from others. */
function questionOf(name: string, values: readonly unknown[]): string | undefined {
  // JSON reads 1e400 as a number that it writes as null.
  if (values.some((value) => value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY))
    return undefined;
  return `${name} ${JSON.stringify(values)}`;
}

/** Throws RpcError for what is no call of a method. */
function callOf(request: unknown): Call {
  const fields = fieldsOf(request);
  const name = fields?.method;
  if (fields === undefined || typeof name !== 'string') {
    const hint = 'Send {"jsonrpc":"2.0","id":1,"method":"metashrew_height","params":[]}.';
    throw new RpcError('RPC_INVALID_REQUEST', 'Invalid request', hint);
  }
  const method = METHODS.get(name);
  if (method === undefined) {
    const hint = 'Ask rpc.discover for all methods; docs/json-rpc.md explains them.';
    throw new RpcError('RPC_METHOD_NOT_FOUND', `Method '${name.slice(0, SHOWN)}' not found`, hint);
  }
  const { params } = fields;
  const isNamed =
    method.takesObject === true && typeof params === 'object' && params !== null && !Array.isArray(params);
  const values = isNamed ? [params] : (params ?? []);
  if (Array.isArray(values)) return { name, method, values };
  const hint = `Call it as ${method.usage}.`;
  throw new RpcError('RPC_WRONG_TYPE', 'Invalid params: not an array', hint);
}

function viewName({ method, params }: Json): string | undefined {
  if (!Array.isArray(params)) return undefined;
  const name: unknown =
    method === 'metashrew_view' ? params[0] : method === 'metashrew_preview' ? params[1] : undefined;
  return typeof name === 'string' ? name.slice(0, SHOWN) : undefined;
}

/** A response with an id given as text. */
export function respond(id: string | undefined, outcome: { result: unknown } | { error: unknown }): string {
  return `{"jsonrpc":"2.0","id":${id ?? 'null'},${JSON.stringify(outcome).slice(1)}`;
}
