import { isAscii } from 'node:buffer';
import { withinShape } from '../util/json-shape.js';
import { requestIds } from './request-ids.js';

/** Nesting of a body: no method needs parameters deeper than a batch of requests with one array each. */
const MAX_DEPTH = 16;
/** Commas in a body: a full batch of requests with several parameters each has a tenth of this. */
const MAX_SEPARATORS = 100_000;

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** A body of JSON-RPC. */
export interface Parsed {
  readonly value: unknown;
  /** Texts of the ids of the request or of the batch's requests. */
  readonly ids: readonly (string | undefined)[];
}

/** What a body says; undefined if it is no JSON in UTF-8, or beyond the bounds of nesting and commas. */
export function parseBody(body: Buffer): Parsed | undefined {
  if (!withinShape(body, MAX_DEPTH, MAX_SEPARATORS)) return undefined;
  try {
    const text = isAscii(body) ? body.latin1Slice(0, body.length) : UTF8.decode(body);
    return { value: JSON.parse(text), ids: requestIds(text) };
  } catch {
    return undefined;
  }
}
