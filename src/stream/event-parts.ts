/** Puts the chunks of events together. */
import { bytesEqual } from '../util/bytes.js';
import { MAX_BODY_BYTES } from './body.js';
import { badMessage, type Chunk, type EventHead, MIN_CHUNK_BYTES } from './chunk.js';

/** A whole event. */
export interface StreamEvent extends EventHead {
  readonly body: Uint8Array;
}

/**
 * Takes chunks in the order of the stream. A publisher that ended in the middle of an event begins the next one without
 * the rest: what was there is dropped then.
 */
export class EventParts {
  #head: EventHead | undefined;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  /** Nothing has been given yet: the first event of a stream may have lost its beginning. */
  #isNew = true;
  readonly #mostBytes: number;

  /** `mostBytes`: of the data of one event. */
  constructor(mostBytes = MAX_BODY_BYTES) {
    this.#mostBytes = mostBytes;
  }

  /** The event that `chunk` ends. Throws StreamError STREAM_BAD_MESSAGE. */
  add(chunk: Chunk): StreamEvent | undefined {
    if (chunk.number === 0) this.#begin(chunk);
    else if (this.#isNew) return undefined;
    this.#isNew = false;
    const head = this.#head;
    if (head === undefined || chunk.number !== this.#parts.length || !isSameEvent(head, chunk)) {
      throw badMessage('it does not follow the one before');
    }
    const { length } = chunk.data;
    // Small ones would be too many: each takes memory of its own.
    if (!chunk.last && (length < MIN_CHUNK_BYTES || length !== (this.#parts[0]?.length ?? length))) {
      throw badMessage('its data has the wrong size');
    }
    this.#bytes += length;
    if (this.#bytes > this.#mostBytes) throw badMessage(`its event has more than ${this.#mostBytes} bytes`);
    this.#parts.push(chunk.data);
    if (!chunk.last) return undefined;
    const body = joined(this.#parts, this.#bytes);
    this.#parts = [];
    this.#head = undefined;
    return { ...head, body };
  }

  #begin({ kind, height, hash, previous, identity }: Chunk): void {
    this.#head = { kind, height, hash, previous, identity };
    this.#parts = [];
    this.#bytes = 0;
  }
}

function isSameEvent(a: EventHead, b: EventHead): boolean {
  const isSame = a.kind === b.kind && a.height === b.height && bytesEqual(a.hash, b.hash);
  return isSame && bytesEqual(a.previous, b.previous);
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
