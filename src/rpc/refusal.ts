import type { ServerResponse } from 'node:http';
import { httpStatus, type RpcCode } from '../errors/codes/registry.js';
import { respond } from './dispatch.js';
import { errorObject, RpcError } from './errors.js';

/** A request that is refused before its JSON is read, with an HTTP status and an error of JSON-RPC. */
export class Refusal {
  constructor(
    readonly code: RpcCode,
    readonly message: string,
    readonly hint: string,
  ) {}

  /** The answer as text, with id null. */
  text(): string {
    const error = errorObject(new RpcError(this.code, this.message, this.hint));
    return respond(undefined, { error });
  }

  send(response: ServerResponse): void {
    response.writeHead(httpStatus(this.code), { 'content-type': 'application/json' }).end(this.text());
  }
}

/** Every refusal of the server. */
export const REFUSALS = {
  contentType: new Refusal('RPC_CONTENT_TYPE', 'Expected JSON', 'Send the header Content-Type: application/json.'),
  notJson: new Refusal(
    'RPC_BAD_JSON',
    'The body is not JSON, or nested too deeply',
    'Send JSON in UTF-8, nested 16 deep at most, with 100,000 commas at most.',
  ),
  host: new Refusal(
    'RPC_HOST_REFUSED',
    'The server does not answer to this Host',
    'Ask it by its address, or let the operator allow the name (--allow-host).',
  ),
  path: new Refusal('RPC_NOT_FOUND', 'Nothing is served at this path', 'JSON-RPC is POST /.'),
  method: new Refusal('RPC_HTTP_METHOD', 'Another HTTP method is needed', 'The header Allow names it.'),
  bodyTime: new Refusal(
    'RPC_BODY_TIMEOUT',
    'The body did not arrive in time',
    'Send it faster, or let the operator allow more time (--transfer-timeout).',
  ),
  bodySize: new Refusal('RPC_BODY_TOO_LARGE', 'The body is larger than 64 MiB', 'Split the batch.'),
  bodyMemory: new Refusal(
    'RPC_BODIES_HELD',
    'Too many large bodies at once',
    'Try again later; bodies of up to 64 KiB are always taken.',
  ),
  events: new Refusal(
    'RPC_EVENTS_HELD',
    'Too many readers of events, or too many of this client',
    'Read what several need once: a client may have 16 streams and polls at a time.',
  ),
} as const;
