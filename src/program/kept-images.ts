/** Programs laid out in a region of the interpreter's memory: those that run, and others as long as there is room. */

/** Where one program lies: `start` to `end`, bytes. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

export interface KeptImage<T> extends Place {
  readonly hash: string;
  /** What is known of it. */
  readonly image: T;
  /** Frames that run it now. */
  users: number;
}

/** Room that begins at `start`, before the image at `index`. */
interface Gap {
  readonly start: number;
  readonly index: number;
}

/**
 * Each has the first gap that is large enough. If there is none, neighbours that nobody uses go from a random place on:
 * programs that are used in turns would never be found again if those went that were used longest ago.
 */
export class KeptImages<T> {
  /** In the order of their places. */
  #images: KeptImage<T>[] = [];
  readonly #byHash = new Map<string, KeptImage<T>>();
  /** State of the generator that says what goes; never 0. */
  #random = 0x9e3779b9;

  /** `onForget` hears of every one that goes, while it still lies where it lay. */
  constructor(
    readonly start: number,
    readonly end: number,
    readonly onForget?: (image: KeptImage<T>) => void,
  ) {}

  get size(): number {
    return this.#byHash.size;
  }

  get(hash: string): KeptImage<T> | undefined {
    return this.#byHash.get(hash);
  }

  /**
   * Gives a program that has none a place of `bytes` bytes, where `layOut` writes it; undefined if those that run now
   * leave no such place.
   */
  make(hash: string, bytes: number, layOut: (place: Place) => T): KeptImage<T> | undefined {
    if (bytes > this.end - this.start) return undefined;
    const gap = this.#gap(bytes) ?? this.#cleared(bytes);
    if (gap === undefined) return undefined;
    const place = { start: gap.start, end: gap.start + bytes };
    const kept = { ...place, hash, image: layOut(place), users: 0 };
    this.#images.splice(gap.index, 0, kept);
    this.#byHash.set(hash, kept);
    return kept;
  }

  #gap(bytes: number): Gap | undefined {
    for (let index = 0; index <= this.#images.length; index++) {
      const start = this.#endBefore(index);
      if (this.#startOf(index) - start >= bytes) return { start, index };
    }
    return undefined;
  }

  /** A gap where neighbours lay that nobody uses; they are forgotten. */
  #cleared(bytes: number): Gap | undefined {
    const count = this.#images.length;
    const first = this.#nextRandom() % Math.max(1, count);
    for (let tried = 0; tried < count; tried++) {
      const index = (first + tried) % count;
      const start = this.#endBefore(index);
      let end = index;
      while (end < count && this.#images[end].users === 0 && this.#startOf(end) - start < bytes) end++;
      if (this.#startOf(end) - start < bytes) continue;
      for (const image of this.#images.splice(index, end - index)) this.#forget(image);
      return { start, index };
    }
    return undefined;
  }

  /** Forgets all that nobody uses. */
  clear(): void {
    const gone = this.#images.filter(({ users }) => users === 0);
    this.#images = this.#images.filter(({ users }) => users > 0);
    for (const image of gone) this.#forget(image);
  }

  #forget(image: KeptImage<T>): void {
    this.#byHash.delete(image.hash);
    this.onForget?.(image);
  }

  /** Where the gap before the image at `index` begins. */
  #endBefore(index: number): number {
    return index === 0 ? this.start : this.#images[index - 1].end;
  }

  /** Where it ends. */
  #startOf(index: number): number {
    return index === this.#images.length ? this.end : this.#images[index].start;
  }

  #nextRandom(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return x >>> 0;
  }
}
