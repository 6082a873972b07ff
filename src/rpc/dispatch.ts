import { WarpshrewError } from '../errors/errors.js';
import type { RpcBackend } from './backend.js';
import { errorObject, RpcError } from './errors.js';
import { METHODS } from './methods.js';
import { Params } from './params.js';

/** Longest method name that an error repeats. */
const SHOWN = 60;

type Json = Readonly<Record<string, unknown>>;

/**
 * Called for an answered request: its method (`unknown` if there is no such method), the milliseconds it took, whether
 * it has a result.
 */
export type Answered = (method: string, ms: number, ok: boolean) => void;

/**
 * The response to one request object, as text. `id` is the text of its id, which is returned unchanged; null if it has
 * none. `client` is the client that sent it. Never throws.
 */
export async function answer(
  request: unknown,
  id: string | undefined,
  client: string,
  backend: RpcBackend,
  report: (error: unknown) => void,
  answered?: Answered,
): Promise<string> {
  const started = performance.now();
  const isObject = typeof request === 'object' && request !== null && !Array.isArray(request);
  const fields: Json = isObject ? (request as Json) : {};
  const done = (ok: boolean): void => {
    const { method } = fields;
    const known = typeof method === 'string' && METHODS.has(method) ? method : 'unknown';
    answered?.(known, performance.now() - started, ok);
  };
  try {
    const result = await call(isObject, fields, client, backend);
    done(true);
    return respond(id, { result: result ?? null });
  } catch (error) {
    done(false);
    if (!(error instanceof RpcError) && !(error instanceof WarpshrewError && error.kind !== 'internal')) report(error);
    return respond(id, { error: errorObject(error, viewName(fields)) });
  }
}

async function call(
  isObject: boolean,
  { method, params }: Json,
  client: string,
  backend: RpcBackend,
): Promise<unknown> {
  if (!isObject || typeof method !== 'string') {
    const hint = 'Send {"jsonrpc":"2.0","id":1,"method":"metashrew_height","params":[]}.';
    throw new RpcError('RPC_INVALID_REQUEST', 'Invalid request', hint);
  }
  const known = METHODS.get(method);
  if (known === undefined) {
    const hint = 'Ask rpc.discover for all methods; docs/json-rpc.md explains them.';
    throw new RpcError('RPC_METHOD_NOT_FOUND', `Method '${method.slice(0, SHOWN)}' not found`, hint);
  }
  const isNamed = known.takesObject === true && typeof params === 'object' && params !== null && !Array.isArray(params);
  const values = isNamed ? [params] : (params ?? []);
  if (!Array.isArray(values)) {
    const hint = `Call it as ${known.usage}.`;
    throw new RpcError('RPC_WRONG_TYPE', 'Invalid params: not an array', hint);
  }
  return known.run(new Params(values, known.usage), backend, client);
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
