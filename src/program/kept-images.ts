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
  lastUse: number;
}

/** The first gap that is large enough; what nobody uses goes if there is none, what was used longest ago first. */
export class KeptImages<T> {
  /** In the order of their places. */
  #images: KeptImage<T>[] = [];
  readonly #byHash = new Map<string, KeptImage<T>>();
  #uses = 0;

  constructor(
    readonly start: number,
    readonly end: number,
  ) {}

  get size(): number {
    return this.#byHash.size;
  }

  get(hash: string): KeptImage<T> | undefined {
    const found = this.#byHash.get(hash);
    if (found !== undefined) found.lastUse = ++this.#uses;
    return found;
  }

  /**
   * Gives a program that has none a place of `bytes` bytes, where `layOut` writes it; undefined if those that run now
   * leave no such place.
   */
  make(hash: string, bytes: number, layOut: (place: Place) => T): KeptImage<T> | undefined {
    if (bytes > this.end - this.start) return undefined;
    for (;;) {
      const gap = this.#gap(bytes);
      if (gap !== undefined) {
        const place = { start: gap.start, end: gap.start + bytes };
        const kept = { ...place, hash, image: layOut(place), users: 0, lastUse: ++this.#uses };
        this.#images.splice(gap.index, 0, kept);
        this.#byHash.set(hash, kept);
        return kept;
      }
      const oldest = this.#oldestUnused();
      if (oldest === undefined) return undefined;
      this.#forget(oldest);
    }
  }

  #forget(image: KeptImage<T>): void {
    this.#images = this.#images.filter((kept) => kept !== image);
    this.#byHash.delete(image.hash);
  }

  #gap(bytes: number): { readonly start: number; readonly index: number } | undefined {
    let start = this.start;
    for (const [index, image] of this.#images.entries()) {
      if (image.start - start >= bytes) return { start, index };
      start = image.end;
    }
    return this.end - start >= bytes ? { start, index: this.#images.length } : undefined;
  }

  #oldestUnused(): KeptImage<T> | undefined {
    let oldest: KeptImage<T> | undefined;
    for (const image of this.#images) {
      if (image.users === 0 && (oldest === undefined || image.lastUse < oldest.lastUse)) oldest = image;
    }
    return oldest;
  }
}
