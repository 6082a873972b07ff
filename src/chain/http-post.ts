import * as http from 'node:http';
import * as https from 'node:https';

/** Nothing came of a request; `reason` says why. */
export type PostFailure = 'connection' | 'timeout' | 'too-large';

export class PostError extends Error {
  constructor(
    readonly reason: PostFailure,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

export interface PostRequest {
  readonly body: string;
  readonly authorization: string | undefined;
  /** Longest answer; the connection is dropped as soon as more comes. */
  readonly maxBytes: number;
  /** From the first byte sent to the last one received. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

export interface PostAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export interface PosterOptions {
  readonly url: URL;
  /** Connections kept. */
  readonly connections: number;
  /** PEM of the authority that signed the server's certificate, if no public one did. */
  readonly ca?: string;
}

/** Posts JSON to one address over connections that are kept. */
export class Poster {
  readonly #agent: http.Agent;
  readonly #request: typeof http.request;
  readonly #options: PosterOptions;

  constructor(options: PosterOptions) {
    this.#options = options;

    const kept = { keepAlive: true, maxSockets: options.connections };
    const secure = options.url.protocol === 'https:';
    this.#agent = secure ? new https.Agent({ ...kept, ca: options.ca }) : new http.Agent(kept);
    this.#request = secure ? https.request : http.request;
  }

  /** The whole answer, whatever its status. Rejects with a PostError, or with the signal's reason if it is aborted. */
  post({ body, authorization, maxBytes, timeoutMs, signal }: PostRequest): Promise<PostAnswer> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const headers: http.OutgoingHttpHeaders = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      };
      if (authorization !== undefined) headers.authorization = authorization;
      const request = this.#request(this.#options.url, { method: 'POST', agent: this.#agent, headers });
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        act();
      };
      const fail = (error: unknown): void => {
        settle(() => reject(error));
        request.destroy();
      };
      const lost = (cause: Error): void => fail(new PostError('connection', cause.message, cause));
      const aborted = (): void => fail(signal?.reason);
      const timer = setTimeout(() => fail(new PostError('timeout', `no answer in ${timeoutMs} ms`)), timeoutMs);
      signal?.addEventListener('abort', aborted, { once: true });
      request.on('error', lost);
      request.on('response', (response) => {
        const parts: Buffer[] = [];
        let size = 0;
        response.on('error', lost);
        response.on('data', (part: Buffer) => {
          size += part.length;
          if (size > maxBytes) fail(new PostError('too-large', `the answer is longer than ${maxBytes} bytes`));
          else parts.push(part);
        });
        response.on('close', () => {
          if (!response.complete) lost(new Error('the connection ended within the answer'));
        });
        response.on('end', () =>
          settle(() => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts, size) })),
        );
      });
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
