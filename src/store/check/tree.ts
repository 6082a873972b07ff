import { bytesEqual, toHex } from '../../util/bytes.js';
import { sha256 } from '../../util/sha256.js';
import { latestKey, namespaceCode } from '../keys.js';
import { leafHash } from '../tree/tree-hash.js';
import { leafKeyKey } from '../tree/tree-page.js';
import type { Namespace, StateRoots } from '../types.js';
import { PageBuilder } from './page-builder.js';
import { type CheckRun, gaps, portions } from './run.js';

/** Values in memory at once; most are short, some are megabytes. */
const LEAVES = 100;
const PAGES = 200;
const HEIGHT_BYTES = 4;

/**
 * Column `tree` against `latest`: the leaf rows, which lie in the order of the tree, name exactly the keys that have a value; from
 * them every page and both roots are made anew and compared with what is stored and with `roots`, those of the tip.
 */
export function checkTrees(run: CheckRun, roots: StateRoots | undefined): void {
  for (const [namespace, recorded] of [
    ['S', roots?.standard],
    ['P', roots?.lane],
  ] as const) {
    checkTree(run, namespace, recorded ?? '00'.repeat(32));
  }
  const [p, s] = [namespaceCode('P'), namespaceCode('S')];
  for (const range of gaps([p, s, p | 0x20, s | 0x20])) {
    for (const [key] of run.rocks.scan('tree', range))
      run.report('CHECK_PAGE', 'a row of no namespace in the tree', { key });
  }
}

/** A tree of one namespace. `recorded`: its root in the tip's record, hex. */
function checkTree(run: CheckRun, namespace: Namespace, recorded: string): void {
  const pages = new PageComparison(run, namespace);
  const builder = new PageBuilder(namespaceCode(namespace), (key, page) => pages.add(key, page));
  const leafRows = {
    gte: Uint8Array.of(namespaceCode(namespace) | 0x20),
    lt: Uint8Array.of((namespaceCode(namespace) | 0x20) + 1),
  };
  let leaves = 0;
  for (const rows of portions(run.rocks.scan('tree', leafRows), LEAVES)) {
    const values = run.rocks.getMany(
      'latest',
      rows.map(([, key]) => latestKey(namespace, key)),
    );
    rows.forEach(([row, key], i) => {
      run.saw('tree');
      leaves++;
      const keyHash = sha256(key);
      const value = values[i];
      if (!bytesEqual(keyHash, row.subarray(1))) {
        run.report('CHECK_LEAF', 'a leaf of the tree does not lie at the hash of its key', { namespace, key });
      } else if (value === undefined) run.report('CHECK_LEAF', 'a leaf of the tree has no value', { namespace, key });
      else builder.add(keyHash, leafHash(key, sha256(value.subarray(HEIGHT_BYTES))));
    });
  }
  const root = toHex(builder.end());
  if (root !== recorded) {
    run.report('CHECK_ROOT', `the root of the state is ${root}, recorded is ${recorded}`, {
      namespace,
      height: run.last,
    });
  }
  pages.end();
  checkLeavesOf(run, namespace, leaves);
}

/** With as many leaves as values none is missing, since every leaf was found to have a value. */
function checkLeavesOf(run: CheckRun, namespace: Namespace, leaves: number): void {
  const code = namespaceCode(namespace);
  const range = { gte: Uint8Array.of(code), lt: Uint8Array.of(code + 1) };
  let values = 0;
  for (const _ of run.rocks.scan('latest', range)) values++;
  if (values === leaves) return;
  for (const rows of portions(run.rocks.scan('latest', range), LEAVES)) {
    const keys = rows.map(([row]) => row.subarray(1));
    const found = run.rocks.getMany(
      'tree',
      keys.map((key) => leafKeyKey(code, sha256(key))),
    );
    keys.forEach((key, i) => {
      if (found[i] === undefined) run.report('CHECK_LEAF', 'a value has no leaf in the tree', { namespace, key });
    });
  }
}

/** Compares the pages that should be with those that are. */
class PageComparison {
  private waiting: { key: Uint8Array; page: Uint8Array }[] = [];
  private present = 0;

  constructor(
    private readonly run: CheckRun,
    private readonly namespace: Namespace,
  ) {}

  add(key: Uint8Array, page: Uint8Array): void {
    this.waiting.push({ key, page });
    if (this.waiting.length >= PAGES) this.compare();
  }

  end(): void {
    this.compare();
    const code = namespaceCode(this.namespace);
    const range = { gte: Uint8Array.of(code), lt: Uint8Array.of(code + 1) };
    let stored = 0;
    for (const _ of this.run.rocks.scan('tree', range)) stored++;
    if (stored === this.present) return;
    for (const [key] of this.run.rocks.scan('tree', range)) {
      if (!this.hasLeaves(key)) {
        this.run.report('CHECK_PAGE', 'a page of the tree that should not be there', {
          namespace: this.namespace,
          key,
        });
      }
    }
  }

  private compare(): void {
    const stored = this.run.rocks.getMany(
      'tree',
      this.waiting.map(({ key }) => key),
    );
    this.waiting.forEach(({ key, page }, i) => {
      this.run.saw('tree');
      const where = { namespace: this.namespace, key };
      if (stored[i] === undefined) this.run.report('CHECK_PAGE', 'a page of the tree is missing', where);
      else this.present++;
      if (stored[i] !== undefined && !bytesEqual(stored[i], page)) {
        this.run.report('CHECK_PAGE', 'a page of the tree is not that of the state', where);
      }
    });
    this.waiting = [];
  }

  /** Whether a page's path is shared by as many leaves as a page needs: two, the root page one. */
  private hasLeaves(key: Uint8Array): boolean {
    const depth = key[1];
    if (key.length !== 2 + ((depth + 1) >> 1) || (depth & 1 && key[key.length - 1] & 15)) return false;
    const first = new Uint8Array(33);
    const last = new Uint8Array(33).fill(0xff);
    first[0] = last[0] = key[0] | 0x20;
    for (let at = 2; at < key.length; at++) {
      const half = at === key.length - 1 && depth & 1;
      first[at - 1] = key[at];
      last[at - 1] = half ? key[at] | 15 : key[at];
    }
    const lt = new Uint8Array([...last, 0]);
    const found = [...this.run.rocks.scan('tree', { gte: first, lt, limit: 2 })];
    return found.length >= (depth === 0 ? 1 : 2);
  }
}
