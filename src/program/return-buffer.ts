/** Where the return data of a call of another contract lies. */

/** What is kept for the next message. */
const KEPT_BYTES = 32 * 1024 * 1024;
const STEP = 4_096;
const NOTHING = new Uint8Array(0);

/**
 * One buffer for all frames of a thread. A frame has the return data of its last call only, and cannot read it before a
 * call that it makes has ended: so what the frames inside of it wrote over was not needed any more. A new buffer for
 * every call would have to be cleared, mapped by the system and collected, and nested frames would each hold one.
 */
export class ReturnBuffer {
  #bytes: Uint8Array = NOTHING;

  /** `parts` one behind the other: good until the next call of any frame of this thread ends. */
  join(...parts: readonly Uint8Array[]): Uint8Array {
    let length = 0;
    for (const part of parts) length += part.length;
    if (this.#bytes.length < length) this.#bytes = new Uint8Array(Math.ceil(length / STEP) * STEP);
    let at = 0;
    for (const part of parts) {
      this.#bytes.set(part, at);
      at += part.length;
    }
    return this.#bytes.subarray(0, length);
  }

  /** A message has ended. */
  trim(): void {
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = NOTHING;
  }

  /** Bytes that it takes. */
  get length(): number {
    return this.#bytes.length;
  }
}
