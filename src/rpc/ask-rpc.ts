import { type PostAnswer, Poster } from '../chain/http-post.js';
import { EnvironmentError, type ErrorFacts } from '../errors/errors.js';

/** A value and its hex, twice over. */
const MAX_ANSWER = 256 << 20;
const TIMEOUT_MS = 60_000;
/** Longest part of an answer that an error repeats. */
const SHOWN = 200;

/**
 * The result of one JSON-RPC call. Throws EnvironmentError ENV_RPC_FAILED, with what the server said: `serverCode` is
 * the code of its error, `from` the lowest height for which it would not have answered so, where it named them.
 */
export async function askRpc(address: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw failed(address, 'it is no http or https URL');
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const { status, body: answer } = await post(url, body);
  let json: unknown;
  try {
    json = JSON.parse(answer.toString('utf8'));
  } catch {
    throw failed(address, `its answer (HTTP ${status}) is not JSON`);
  }
  if (typeof json === 'object' && json !== null) {
    if ('error' in json) {
      throw failed(address, `it answered ${JSON.stringify(json.error).slice(0, SHOWN)}`, undefined, toldBy(json.error));
    }
    if ('result' in json) return json.result;
  }
  throw failed(address, `its answer (HTTP ${status}) is no JSON-RPC`);
}

async function post(url: URL, body: string): Promise<PostAnswer> {
  const poster = new Poster({ url, connections: 1 });
  try {
    return await poster.post({
      body,
      authorization: undefined,
      maxBytes: MAX_ANSWER,
      timeoutMs: TIMEOUT_MS,
      signal: undefined,
    });
  } catch (error) {
    throw failed(url.href, error instanceof Error ? error.message : String(error), error);
  } finally {
    poster.close();
  }
}

/** What an error object of this program's servers tells beside its text. */
function toldBy(error: unknown): ErrorFacts {
  const data: unknown = typeof error === 'object' && error !== null && 'data' in error ? error.data : undefined;
  if (typeof data !== 'object' || data === null) return {};
  const code = 'code' in data && typeof data.code === 'string' ? data.code.slice(0, SHOWN) : undefined;
  const from = 'from' in data && typeof data.from === 'string' && /^\d{1,9}$/.test(data.from) ? data.from : undefined;
  return { ...(code !== undefined && { serverCode: code }), ...(from !== undefined && { from: Number(from) }) };
}

function failed(address: string, reason: string, cause?: unknown, told: ErrorFacts = {}): EnvironmentError {
  return new EnvironmentError('ENV_RPC_FAILED', 'the JSON-RPC server gave no result', {
    facts: { address, reason, ...told },
    hint: 'Check the address, and that `warpshrew index` or `serve` runs there.',
    cause,
  });
}
