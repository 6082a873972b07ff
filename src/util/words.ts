/** Bytes where they lie, taken four at a time: a loop over single ones takes three times as long. */

/** Beyond this length native code is faster by so much that it pays for the views that it needs. */
const LONG = 1024;

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The bytes that `view` shows. */
export function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Copies the bytes from `start` to `end` to `to`, from `at` on. The two parts do not overlap. */
export function copyWords(from: DataView, start: number, end: number, to: DataView, at: number): void {
  const length = end - start;
  if (length > LONG) {
    bytesOf(to).set(bytesOf(from).subarray(start, end), at);
    return;
  }
  let i = 0;
  for (; i + 16 <= length; i += 16) {
    to.setInt32(at + i, from.getInt32(start + i, true), true);
    to.setInt32(at + i + 4, from.getInt32(start + i + 4, true), true);
    to.setInt32(at + i + 8, from.getInt32(start + i + 8, true), true);
    to.setInt32(at + i + 12, from.getInt32(start + i + 12, true), true);
  }
  for (; i + 4 <= length; i += 4) to.setInt32(at + i, from.getInt32(start + i, true), true);
  for (; i < length; i++) to.setUint8(at + i, from.getUint8(start + i));
}

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = viewOf(NO_BYTES);

/** Views of some arrays that are asked for in turns. */
export class ViewsOf {
  readonly #views = new Map<Uint8Array, DataView>();
  #bytes: Uint8Array | undefined;
  #view = NO_VIEW;

  of(bytes: Uint8Array): DataView {
    if (bytes === this.#bytes) return this.#view;
    let view = this.#views.get(bytes);
    if (view === undefined) {
      view = viewOf(bytes);
      this.#views.set(bytes, view);
    }
    this.#bytes = bytes;
    this.#view = view;
    return view;
  }
}

/** The view of the array that was asked for last: making one costs as much as copying a key. */
export class LastView {
  #bytes: Uint8Array = NO_BYTES;
  #view = NO_VIEW;

  /** Keeps that array alive no longer. */
  forget(): void {
    this.#bytes = NO_BYTES;
    this.#view = NO_VIEW;
  }

  of(bytes: Uint8Array): DataView {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = viewOf(bytes);
    }
    return this.#view;
  }
}
