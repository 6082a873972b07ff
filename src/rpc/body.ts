import type { IncomingMessage } from 'node:http';

/** Largest body: a full block in hex is 8 MB, and previews and batches carry some. */
export const MAX_BODY = 64 << 20;
/** Bodies held at once over all connections. */
const MAX_BUFFERED = 256 << 20;

/** Reads bodies within a bound for each and one for all. */
export class BodyReader {
  private buffered = 0;

  /** The whole body, or the HTTP status that refuses it. `release` must be called once the body is done with. */
  async read(request: IncomingMessage): Promise<{ body: Uint8Array; release: () => void } | 413 | 503> {
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) return 413;
    const parts: Buffer[] = [];
    let size = 0;
    const release = (): void => {
      this.buffered -= size;
      size = 0;
    };
    try {
      // The stream must outlive a refusal, or the connection would end before the client reads the answer.
      for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        size += part.length;
        this.buffered += part.length;
        const refused = size > MAX_BODY ? 413 : this.buffered > MAX_BUFFERED ? 503 : undefined;
        if (refused !== undefined) {
          release();
          return refused;
        }
        parts.push(part);
      }
    } catch (error) {
      release();
      throw error;
    }
    return { body: Buffer.concat(parts), release };
  }
}
