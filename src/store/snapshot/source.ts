/** Files that are read in parts: of this machine, or of a server over HTTP. */
import { closeSync, createReadStream, fstatSync, openSync } from 'node:fs';
import { EnvironmentError, InputError } from '../../errors/errors.js';
import { concatBytes } from '../../util/bytes.js';

/** A server that sends nothing for so long is asked again. */
const SILENT_MS = 30_000;

/** A file of which parts can be had. */
export interface PartSource {
  readonly name: string;
  /** Bytes of the whole. */
  size(): Promise<number>;
  /**
   * The bytes from `from` on, up to `end`, in pieces. Ends early, or throws {@link Interrupted}, if the connection is
   * lost: the rest can be asked for again.
   */
  read(from: number, end: number): AsyncIterable<Uint8Array>;
}

/** A connection was lost, or never made. */
export class Interrupted extends Error {}

export function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/** Throws InputError FILE_UNREADABLE when it is read. */
export function sourceOf(place: string): PartSource {
  return isAddress(place) ? new HttpSource(place) : new FileSource(place);
}

class FileSource implements PartSource {
  constructor(readonly name: string) {}

  async size(): Promise<number> {
    try {
      const fd = openSync(this.name, 'r');
      try {
        const stat = fstatSync(fd);
        if (stat.isFile()) return stat.size;
      } finally {
        closeSync(fd);
      }
    } catch (cause) {
      throw this.#unreadable(cause);
    }
    throw this.#unreadable(undefined);
  }

  async *read(from: number, end: number): AsyncGenerator<Uint8Array, void, void> {
    if (from >= end) return;
    try {
      yield* createReadStream(this.name, { start: from, end: end - 1 });
    } catch (cause) {
      throw this.#unreadable(cause);
    }
  }

  #unreadable(cause: unknown): InputError {
    return new InputError('FILE_UNREADABLE', 'the file cannot be read', { facts: { path: this.name }, cause });
  }
}

class HttpSource implements PartSource {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(readonly name: string) {
    const { url, headers } = requestTo(name);
    this.#url = url;
    this.#headers = headers;
  }

  async size(): Promise<number> {
    const { response, stop } = await this.#ask(0, 1);
    stop();
    return totalOf(response) ?? this.#noParts();
  }

  async *read(from: number, end: number): AsyncGenerator<Uint8Array, void, void> {
    if (from >= end) return;
    const { response, alive, stop } = await this.#ask(from, end);
    try {
      const wanted = `bytes ${from}-${end - 1}/`;
      if (!response.headers.get('content-range')?.startsWith(wanted)) this.#noParts();
      let left = end - from;
      const reader = response.body?.getReader();
      for (;;) {
        const part = (await reader?.read())?.value;
        if (part === undefined) return;
        alive();
        if (part.length > left) throw fetchFailed(this.name, 'it sent more than it was asked for');
        left -= part.length;
        yield part;
      }
    } catch (error) {
      if (error instanceof EnvironmentError) throw error;
      throw new Interrupted(reasonOf(error), { cause: error });
    } finally {
      stop();
    }
  }

  /** Asks for a part; the request is given up when nothing comes for {@link SILENT_MS}. */
  async #ask(from: number, end: number): Promise<{ response: Response; alive: () => void; stop: () => void }> {
    const control = new AbortController();
    const silent = setTimeout(() => control.abort(new Error('nothing came for a while')), SILENT_MS);
    const stop = (): void => {
      clearTimeout(silent);
      control.abort();
    };
    let response: Response;
    try {
      const headers = { ...this.#headers, range: `bytes=${from}-${end - 1}` };
      response = await fetch(this.#url, { headers, signal: control.signal });
    } catch (error) {
      stop();
      throw new Interrupted(reasonOf(error), { cause: error });
    }
    const { status } = response;
    if (status === 206) return { response, alive: () => silent.refresh(), stop };
    stop();
    if (status === 200) return this.#noParts();
    // Servers that are busy or restarting are asked again.
    if (status >= 500 || status === 429) throw new Interrupted(`HTTP ${status}`);
    throw fetchFailed(this.name, `HTTP ${status}`);
  }

  #noParts(): never {
    throw new EnvironmentError('FETCH_NO_PARTS', 'the server does not answer with parts of a file', {
      facts: { address: this.name },
      hint: 'Get the whole file with another program: `snapshot restore` verifies it.',
    });
  }
}

function totalOf(response: Response): number | undefined {
  const total = /^bytes 0-0\/(\d{1,15})$/.exec(response.headers.get('content-range') ?? '')?.[1];
  return total === undefined ? undefined : Number(total);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

export function fetchFailed(address: string, reason: string, cause?: unknown): EnvironmentError {
  return new EnvironmentError('FETCH_FAILED', 'the file cannot be fetched', {
    facts: { address, reason },
    hint: 'Check the address and the server; the same command goes on where this one ended.',
    cause,
  });
}

/** The text of a small file on a server. Throws EnvironmentError FETCH_FAILED. */
export async function fetchText(address: string, mostBytes: number): Promise<string> {
  const { url, headers } = requestTo(address);
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(SILENT_MS) });
    if (response.status !== 200) throw fetchFailed(address, `HTTP ${response.status}`);
    const parts: Uint8Array[] = [];
    let size = 0;
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
      size += part.value.length;
      if (size > mostBytes) throw fetchFailed(address, `it is longer than ${mostBytes} bytes`);
      parts.push(part.value);
    }
    return new TextDecoder().decode(concatBytes(...parts));
  } catch (error) {
    if (error instanceof EnvironmentError) throw error;
    throw fetchFailed(address, reasonOf(error), error);
  }
}

/** Users in addresses go into a header: `fetch` takes none. */
function requestTo(address: string): { url: URL; headers: Record<string, string> } {
  if (!URL.canParse(address)) throw fetchFailed(address, 'it is no http or https URL');
  const url = new URL(address);
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  const { username, password } = url;
  if (username !== '' || password !== '') {
    const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    headers.authorization = `Basic ${Buffer.from(user).toString('base64')}`;
    url.username = '';
    url.password = '';
  }
  return { url, headers };
}
