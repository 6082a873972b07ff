import { EMPTY_HASH } from '../tree/tree-hash.js';
import { emptyPage, encodePage, nibble, type Page, pageKey, rangeHash, SLOTS } from '../tree/tree-page.js';

/** Called with every completed page, lower pages first. */
export type EmitPage = (key: Uint8Array, page: Uint8Array) => void;

/** Builds the pages of a state tree from its leaves in the order of their hashes, holding one page a level. */
export class PageBuilder {
  /** Pages on the path of the last leaf, by depth. */
  readonly #open: Page[] = [];
  #pending: { readonly keyHash: Uint8Array; readonly hash: Uint8Array; readonly shared: number } | undefined;
  readonly #namespace: number;
  readonly #emit: EmitPage;

  constructor(namespace: number, emit: EmitPage) {
    this.#namespace = namespace;
    this.#emit = emit;
  }

  /** `keyHash` must be greater than the previous one. */
  add(keyHash: Uint8Array, hash: Uint8Array): void {
    const shared = this.#pending === undefined ? 0 : sharedNibbles(this.#pending.keyHash, keyHash);
    this.#place(shared);
    this.#pending = { keyHash, hash, shared };
  }

  /** Root of the tree. */
  end(): Uint8Array {
    this.#place(0);
    const root = this.#open[0];
    if (root === undefined) return EMPTY_HASH;
    this.#emit(pageKey(this.#namespace, EMPTY_HASH, 0), encodePage(root));
    return rangeHash(root, 0, SLOTS);
  }

  /**
   * Puts the pending leaf where it is alone, and completes the pages outside the path of the next leaf, which shares
   * `shared` nibbles.
   */
  #place(shared: number): void {
    if (this.#pending === undefined) return;
    const { keyHash, hash } = this.#pending;
    const depth = Math.max(this.#pending.shared, shared);
    while (this.#open.length <= depth) this.#open.push(emptyPage());
    this.#open[depth][nibble(keyHash, depth)] = { kind: 'leaf', keyHash, hash };
    while (this.#open.length - 1 > shared) {
      const page = this.#open.pop();
      if (page === undefined) return;
      const at = this.#open.length;
      this.#emit(pageKey(this.#namespace, keyHash, at), encodePage(page));
      this.#open[at - 1][nibble(keyHash, at - 1)] = { kind: 'child', hash: rangeHash(page, 0, SLOTS) };
    }
  }
}

function sharedNibbles(a: Uint8Array, b: Uint8Array): number {
  let depth = 0;
  while (depth < 63 && nibble(a, depth) === nibble(b, depth)) depth++;
  return depth;
}
