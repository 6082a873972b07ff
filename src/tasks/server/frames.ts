/** Frames on a connection: a length (u32, little-endian) and so many bytes. */
import { readU32, writeU32 } from '../../util/bytes.js';

const HEAD = 4;

/** What a reader asks of its owner. */
export interface FrameOwner {
  /** Most bytes of the next frame. */
  readonly most: number;
  /** Whether there is room for a frame of so many bytes: asked before it is allocated, and again by `resume`. */
  reserve(bytes: number): boolean;
  take(frame: Uint8Array): void;
  /** The frame that begins is longer than any may be. The connection is of no more use. */
  tooLong(bytes: number): void;
}

/** Puts frames together from chunks. While there is no room for one, it keeps what was pushed last. */
export class FrameReader {
  readonly #head = new Uint8Array(HEAD);
  #headBytes = 0;
  #body: Uint8Array | undefined;
  #bodyBytes = 0;
  #left: Uint8Array | undefined;
  #isOver = false;

  constructor(private readonly owner: FrameOwner) {}

  /** Whether a frame has begun that is not whole, for want of bytes. */
  get isInside(): boolean {
    return this.#left === undefined && (this.#headBytes > 0 || this.#body !== undefined);
  }

  /** Returns false if no more may be pushed until `resume` returns true. */
  push(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length && !this.#isOver) {
      if (this.#body === undefined) {
        const taken = Math.min(HEAD - this.#headBytes, chunk.length - at);
        this.#head.set(chunk.subarray(at, at + taken), this.#headBytes);
        this.#headBytes += taken;
        at += taken;
        if (this.#headBytes === HEAD && !this.#begin()) {
          if (this.#isOver) return false;
          this.#left = chunk.slice(at);
          return false;
        }
        continue;
      }
      const taken = Math.min(this.#body.length - this.#bodyBytes, chunk.length - at);
      this.#body.set(chunk.subarray(at, at + taken), this.#bodyBytes);
      this.#bodyBytes += taken;
      at += taken;
      this.#end();
    }
    return !this.#isOver;
  }

  /** Asks for room once more; returns true if there is, and what was kept is read. */
  resume(): boolean {
    const left = this.#left;
    if (left === undefined) return true;
    if (!this.#begin()) return false;
    this.#left = undefined;
    return this.push(left);
  }

  #begin(): boolean {
    const bytes = readU32(this.#head, 0);
    if (bytes > this.owner.most) {
      this.#isOver = true;
      this.owner.tooLong(bytes);
      return false;
    }
    if (!this.owner.reserve(bytes)) return false;
    this.#headBytes = 0;
    this.#body = new Uint8Array(bytes);
    this.#bodyBytes = 0;
    this.#end();
    return true;
  }

  #end(): void {
    const body = this.#body;
    if (body === undefined || this.#bodyBytes < body.length) return;
    this.#body = undefined;
    this.owner.take(body);
  }
}

/** The length of a frame whose parts follow. */
export function frameHead(parts: readonly Uint8Array[]): Uint8Array {
  const head = new Uint8Array(HEAD);
  writeU32(
    head,
    0,
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  return head;
}
