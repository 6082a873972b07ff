import type { IncomingMessage } from 'node:http';
import type { FairBudget } from './fair-budget.js';
import { REFUSALS, type Refusal } from './refusal.js';

/** Largest body: a full block in hex is 8 MB, and previews and batches carry some. */
const MAX_BODY = 64 << 20;
/** What every connection may always send, whatever the large bodies of others take. */
const SMALL_BODY = 64 << 10;

export interface Body {
  readonly bytes: Buffer;
  /** Must be called when the body is no longer needed. */
  release(): void;
}

/**
 * Reads bodies: each within {@link MAX_BODY} and a time limit; bytes beyond {@link SMALL_BODY} count towards a budget
 * that clients share.
 */
export class BodyReader {
  readonly #budget: FairBudget;
  readonly #timeoutMs: number;

  constructor(budget: FairBudget, timeoutMs: number) {
    this.#budget = budget;
    this.#timeoutMs = timeoutMs;
  }

  /** The whole body, or why it is refused; the caller must then discard the rest. Rejects if the client disconnects. */
  read(request: IncomingMessage, client: string): Promise<Body | Refusal> {
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) return Promise.resolve(REFUSALS.bodySize);
    // A destroyed request emits no more events.
    if (request.destroyed) return Promise.reject(new Error('the client went away'));
    return new Promise((resolve, reject) => {
      const parts: Buffer[] = [];
      let size = 0;
      let held = 0;
      const release = (): void => {
        this.#budget.give(client, held);
        held = 0;
      };
      const settle = (): void => {
        clearTimeout(timer);
        request.off('data', take).off('end', whole).off('error', gone).off('close', gone);
      };
      const refuse = (refusal: Refusal): void => {
        settle();
        release();
        resolve(refusal);
      };
      const take = (part: Buffer): void => {
        size += part.length;
        const more = Math.max(0, size - SMALL_BODY - held);
        if (size > MAX_BODY) refuse(REFUSALS.bodySize);
        else if (more > 0 && !this.#budget.take(client, more)) refuse(REFUSALS.bodyMemory);
        else {
          held += more;
          parts.push(part);
        }
      };
      const whole = (): void => {
        settle();
        resolve({ bytes: Buffer.concat(parts), release });
      };
      const gone = (error?: Error): void => {
        settle();
        release();
        reject(error ?? new Error('the client went away'));
      };
      const timer = setTimeout(() => refuse(REFUSALS.bodyTime), this.#timeoutMs);
      request.on('data', take).on('end', whole).on('error', gone).on('close', gone);
    });
  }
}

/** Discards the rest of a body, so that the client reads its answer; ends the connection if that takes too long. */
export function discard(request: IncomingMessage, timeoutMs: number): void {
  if (request.complete) return;
  const late = setTimeout(() => request.socket.destroy(), timeoutMs);
  request.once('close', () => clearTimeout(late));
  request.on('error', () => undefined);
  request.resume();
}
