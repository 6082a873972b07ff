import { EMPTY_HASH } from '../tree/tree-hash.js';
import { emptyPage, encodePage, nibble, type Page, pageKey, rangeHash, SLOTS } from '../tree/tree-page.js';

/** Called with every page as it is complete, pages below before those above. */
export type EmitPage = (key: Uint8Array, page: Uint8Array) => void;

/** Builds the pages of a state tree from its leaves in the order of their hashes, holding one page a level. */
export class PageBuilder {
  /** Pages on the path of the last leaf, by depth. */
  private readonly open: Page[] = [];
  private pending: { readonly keyHash: Uint8Array; readonly hash: Uint8Array; readonly shared: number } | undefined;

  constructor(
    private readonly namespace: number,
    private readonly emit: EmitPage,
  ) {}

  /** `keyHash` must be above the one before. */
  add(keyHash: Uint8Array, hash: Uint8Array): void {
    const shared = this.pending === undefined ? 0 : sharedNibbles(this.pending.keyHash, keyHash);
    this.place(shared);
    this.pending = { keyHash, hash, shared };
  }

  /** Root of the tree. */
  end(): Uint8Array {
    this.place(0);
    const root = this.open[0];
    if (root === undefined) return EMPTY_HASH;
    this.emit(pageKey(this.namespace, EMPTY_HASH, 0), encodePage(root));
    return rangeHash(root, 0, SLOTS);
  }

  /** Puts the pending leaf where it is alone, and completes the pages that the next, sharing `shared` nibbles, does not lie in. */
  private place(shared: number): void {
    if (this.pending === undefined) return;
    const { keyHash, hash } = this.pending;
    const depth = Math.max(this.pending.shared, shared);
    while (this.open.length <= depth) this.open.push(emptyPage());
    this.open[depth][nibble(keyHash, depth)] = { kind: 'leaf', keyHash, hash };
    while (this.open.length - 1 > shared) {
      const page = this.open.pop();
      if (page === undefined) return;
      const at = this.open.length;
      this.emit(pageKey(this.namespace, keyHash, at), encodePage(page));
      this.open[at - 1][nibble(keyHash, at - 1)] = { kind: 'child', hash: rangeHash(page, 0, SLOTS) };
    }
  }
}

function sharedNibbles(a: Uint8Array, b: Uint8Array): number {
  let depth = 0;
  while (depth < 63 && nibble(a, depth) === nibble(b, depth)) depth++;
  return depth;
}
