/**
 * Rows that threads run together, in shared memory: each takes some at a time from a part of its own, and helps the
 * others when that is empty. Nobody waits for a message between two rows, and all end at about the same time.
 */
import { BlockTooLarge } from './block-weight.js';

/** A thread takes so large a share of what is left of a part, but no more rows than this: the last ones are few. */
const SHARE = 8;
const MOST_ROWS = 16;

/** Words in front of the parts: bytes that may still be kept. */
const HEAD_WORDS = 1;
/** Words of a part: the next row that nobody has taken, and the end of the part. */
const PART_WORDS = 2;
const MOST_LEFT = 0x7fff_ffff;

/** Plain data; all of it lies in shared memory. */
export interface SharedRows {
  /** The rows of one part behind those of the other. */
  readonly rows: Uint32Array;
  readonly words: Int32Array;
}

/** Rows in parts: those of part i end at `ends[i]`. */
export interface RowParts {
  readonly rows: Uint32Array;
  readonly ends: readonly number[];
}

/** Puts `parts` where threads can take them; what they keep of them may take `mostBytes` together. */
export function shareRows({ rows, ends }: RowParts, mostBytes: number): SharedRows {
  const words = new Int32Array(new SharedArrayBuffer(4 * (HEAD_WORDS + PART_WORDS * ends.length)));
  words[0] = Math.min(mostBytes, MOST_LEFT);
  for (let part = 0; part < ends.length; part++) {
    words[HEAD_WORDS + PART_WORDS * part] = part === 0 ? 0 : ends[part - 1];
    words[HEAD_WORDS + PART_WORDS * part + 1] = ends[part];
  }
  const shared = new Uint32Array(new SharedArrayBuffer(4 * rows.length));
  shared.set(rows);
  return { rows: shared, words };
}

/** What one thread sees of them. */
export class RowQueue {
  readonly rows: Uint32Array;
  /** Places in `rows` of what was taken last. */
  from = 0;
  to = 0;
  readonly #words: Int32Array;
  readonly #parts: number;

  constructor({ rows, words }: SharedRows) {
    this.rows = rows;
    this.#words = words;
    this.#parts = (words.length - HEAD_WORDS) / PART_WORDS;
  }

  /** Takes some rows, of part `own` as long as it has any; false: none is left. */
  take(own: number): boolean {
    for (let i = 0; i < this.#parts; i++) if (this.#takeOf((own + i) % this.#parts)) return true;
    return false;
  }

  #takeOf(part: number): boolean {
    const words = this.#words;
    const at = HEAD_WORDS + PART_WORDS * part;
    const end = words[at + 1];
    for (;;) {
      const next = Atomics.load(words, at);
      if (next >= end) return false;
      const count = Math.min(MOST_ROWS, Math.ceil((end - next) / SHARE));
      if (Atomics.compareExchange(words, at, next, next + count) !== next) continue;
      this.from = next;
      this.to = next + count;
      return true;
    }
  }

  /** `bytes` more are kept. Throws {@link BlockTooLarge} if that is too much together with what others keep. */
  keep(bytes: number): void {
    if (Atomics.sub(this.#words, 0, bytes) < bytes) throw new BlockTooLarge();
  }

  /** Nobody takes rows any more. */
  stop(): void {
    for (let part = 0; part < this.#parts; part++) {
      const at = HEAD_WORDS + PART_WORDS * part;
      Atomics.store(this.#words, at, this.#words[at + 1]);
    }
  }
}
