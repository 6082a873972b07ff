/** A page of a listing: bounded in what it says, what is read for it, and how long that takes. */

/** Items of a page, at most and where nothing is said. */
export const MOST_ITEMS = 1_000;
export const DEFAULT_ITEMS = 100;

/** What one page may take. */
export interface PageLimits {
  /** Keys or receipts that are looked at, whether they are items or not. */
  readonly looks: number;
  /** Bytes that are read for these. */
  readonly bytes: number;
  /** Characters of what the items say. */
  readonly characters: number;
  readonly ms: number;
}

export const PAGE_LIMITS: PageLimits = { looks: 20_000, bytes: 16 << 20, characters: 1 << 20, ms: 500 };

/** Part of a listing. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page goes on; undefined: that was the last one. */
  readonly next: Uint8Array | undefined;
}

/** Which page is asked for: of the state after block `height`, at most so many items, behind a place. */
export interface StateWalk {
  readonly height: number;
  readonly limit: number;
  readonly after: Uint8Array | undefined;
  /** {@link PAGE_LIMITS} if not given. */
  readonly limits?: PageLimits;
}

/** Collects a page. What is looked at must be told: the page is full when any bound is reached. */
export class PageMaker<Item> {
  readonly items: Item[] = [];
  readonly #most: number;
  readonly #limits: PageLimits;
  readonly #until: number;
  #looks = 0;
  #bytes = 0;
  #characters = 0;

  constructor({ limit, limits = PAGE_LIMITS }: Pick<StateWalk, 'limit' | 'limits'>) {
    this.#most = limit;
    this.#limits = limits;
    this.#until = performance.now() + limits.ms;
  }

  /** Something was read: so many bytes. */
  saw(bytes: number): void {
    this.#looks++;
    this.#bytes += bytes;
  }

  add(item: Item): void {
    this.items.push(item);
    this.#characters += JSON.stringify(item).length;
  }

  /** Whether the page ends here; to be asked after each look, so that there is one at least. */
  get isFull(): boolean {
    const { looks, bytes, characters } = this.#limits;
    return (
      this.items.length >= this.#most ||
      this.#looks >= looks ||
      this.#bytes >= bytes ||
      this.#characters >= characters ||
      performance.now() >= this.#until
    );
  }

  /** The page; `next`: the place of the last look, undefined if there is nothing behind it. */
  page(next: Uint8Array | undefined): Page<Item> {
    return { items: this.items, next };
  }
}
