/**
 * Requests as nearly all programs send them: `POST /`, whole, with a small body of JSON, and headers that mean nothing
 * but what is read here. Everything else, right or wrong, is left to the parser of Node.
 */

const HEAD_END = Buffer.from('\r\n\r\n', 'latin1');
const REQUEST_LINE = 'POST / HTTP/1.1';
const MAX_HEAD = 2 << 10;
const MAX_BODY = 16 << 10;
/** Heads that are known, at most: those of one client are the same, but for the length of the body. */
const MOST_HEADS = 512;
const HEADER = /^([A-Za-z-]+): ?([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)$/;
const LENGTH = /^[1-9]\d{0,4}$/;

/** Headers that say nothing about how the request is to be read or answered. */
const MEANINGLESS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'pragma',
  'priority',
  'sec-fetch-mode',
  'user-agent',
]);

interface Head {
  readonly host: string;
  /** `X-Forwarded-For`. */
  readonly forwarded: string | undefined;
  /** Bytes of the body. */
  readonly length: number;
}

export interface PlainRequest {
  readonly host: string;
  readonly forwarded: string | undefined;
  readonly body: Buffer;
  /** What came behind it. */
  readonly rest: Buffer;
}

/** Reads them; remembers heads, which come again and again. */
export class PlainRequests {
  readonly #heads = new Map<string, Head | undefined>();

  /** The whole request that `chunk` begins with; undefined if that is none of this kind. */
  read(chunk: Buffer): PlainRequest | undefined {
    const end = chunk.indexOf(HEAD_END);
    if (end < 0 || end > MAX_HEAD) return undefined;
    const head = this.#head(chunk.latin1Slice(0, end));
    const from = end + HEAD_END.length;
    if (head === undefined || chunk.length - from < head.length) return undefined;
    const to = from + head.length;
    const { host, forwarded } = head;
    return { host, forwarded, body: chunk.subarray(from, to), rest: chunk.subarray(to) };
  }

  /** How many of them `chunk` begins with, counted as far as `most`. */
  count(chunk: Buffer, most: number): number {
    let count = 0;
    for (let at = this.read(chunk); at !== undefined && count < most; at = this.read(at.rest)) count++;
    return count;
  }

  #head(text: string): Head | undefined {
    if (this.#heads.has(text)) return this.#heads.get(text);
    if (this.#heads.size >= MOST_HEADS) this.#heads.clear();
    const head = parseHead(text);
    this.#heads.set(text, head);
    return head;
  }
}

function parseHead(text: string): Head | undefined {
  const [first, ...lines] = text.split('\r\n');
  if (first !== REQUEST_LINE) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const match = HEADER.exec(line);
    const name = match?.[1].toLowerCase();
    if (match === null || name === undefined || headers.has(name)) return undefined;
    headers.set(name, match[2]);
  }
  const take = (name: string): string | undefined => {
    const value = headers.get(name);
    headers.delete(name);
    return value;
  };
  const [host, type, length] = [take('host'), take('content-type'), take('content-length')];
  const forwarded = take('x-forwarded-for');
  if (host === undefined || length === undefined || !LENGTH.test(length) || Number(length) > MAX_BODY) return undefined;
  if (!isJson(type) || (take('connection') ?? 'keep-alive').toLowerCase() !== 'keep-alive') return undefined;
  for (const name of headers.keys()) if (!MEANINGLESS.has(name)) return undefined;
  return { host, forwarded, length: Number(length) };
}

/** Whether a value of `Content-Type` is that of JSON. */
export function isJson(value: string | undefined): boolean {
  const type = (value ?? '').split(';', 1)[0].trim().toLowerCase();
  return type === 'application/json' || type.endsWith('+json');
}
