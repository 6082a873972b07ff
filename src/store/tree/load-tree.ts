/** Brings a stored state tree into memory, or makes it from the state where its rows do not give it. */
import { StoreError } from '../../errors/errors.js';
import { bytesEqual, toBinaryString, toHex } from '../../util/bytes.js';
import { StateTree, type TreeSource, type TreeWriter } from './state-tree.js';
import { EMPTY_HASH } from './tree-hash.js';
import { ROW_BITS, TreeMemory, type TreeWrites } from './tree-memory.js';
import { decodeHeader, headerKey, isInPlace, parseRowKey, type TreeHeader } from './tree-rows.js';

type Row = readonly [key: Uint8Array, value: Uint8Array];

/** What a tree is loaded from: the state of one namespace after the tip. */
export interface TreeOrigin extends TreeSource {
  /** Byte that begins the namespace's rows. */
  readonly namespace: number;
  /** Height of the tip, -1 in an empty store. */
  readonly tip: number;
  /** Root of the namespace in the tip's record, 32 bytes. */
  readonly root: Uint8Array;
  /** All rows of the namespace in the column `tree`. */
  rows(): Iterable<Row>;
  /** All keys and their values. */
  pairs(): Iterable<Row>;
  /** Keys that the block touched, from its undo data; undefined if there is none. */
  touched(height: number): readonly Uint8Array[] | undefined;
  values(keys: readonly Uint8Array[]): (Uint8Array | undefined)[];
  /** Height of the newest block without undo data; -1 if there is none. */
  readonly final: number;
  /**
   * All keys that blocks from height `from` on touched, found by looking through the whole state, in portions, with
   * their current values; undefined = absent. A key may come twice.
   */
  changedFrom(from: number): Iterable<readonly [key: Uint8Array, value: Uint8Array | undefined]>;
}

export interface LoadLimits {
  /** Bytes of memory beyond which rows that are stored are dropped. */
  readonly bytes: number;
  /** See {@link TreeMemory}. */
  readonly mostBits: number;
}

const PORTION_ROWS = 1_024;
const PORTION_PAIRS = 16_384;
const PORTION_BYTES = 8 << 20;

/**
 * The tree as its rows and the keys that changed since they were written give it; undefined if there are no rows, some
 * cannot be read, undo data is missing between blocks that have some, or the root is not the tip's.
 */
export function loadStored(origin: TreeOrigin, limits: LoadLimits): StateTree | undefined {
  const tree = readStored(origin, limits);
  return tree !== undefined && bytesEqual(tree.root(), origin.root) ? tree : undefined;
}

/** As {@link loadStored}, whatever its root. */
export function readStored(origin: TreeOrigin, limits: LoadLimits): StateTree | undefined {
  const [stored] = origin.getMany([headerKey(origin.namespace)]);
  const header = stored && decodeHeader(stored);
  if (header === undefined || header.cleanNext > origin.tip + 1) return undefined;
  // Were there less memory than when it was stored, the tables of as many buckets could take all of it.
  const bits = header.newBits + ROW_BITS;
  if (bits > limits.mostBits) return undefined;
  const memory = new TreeMemory({ bits, dropped: true, mostBits: limits.mostBits });
  if (!readRows(memory, origin, header, limits)) return undefined;
  const tree = new StateTree(memory, origin, origin.namespace, header);
  try {
    if (!catchUp(tree, origin, header.cleanNext)) return undefined;
    tree.update(new Map());
    return tree;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STORE_CORRUPT') return undefined;
    throw error;
  }
}

/** False if a row is not what the header says. */
function readRows(memory: TreeMemory, origin: TreeOrigin, header: TreeHeader, limits: LoadLimits): boolean {
  let loaded = 0;
  let dropped = false;
  for (const [key, value] of origin.rows()) {
    if (key.length === 2) continue;
    const place = parseRowKey(key);
    if (place === undefined || value.length === 0 || !isInPlace(header, place)) return false;
    const taken = memory.load(place.bits, place.prefix, value, true);
    if (taken === undefined) return false;
    memory.addLeaves(taken);
    if (++loaded % PORTION_ROWS !== 0 || memory.bytes <= limits.bytes) continue;
    memory.hash();
    memory.drop(0, memory.rowCount);
    dropped = true;
  }
  // What has no row is empty; where some are dropped, that shows when they are read again.
  if (!dropped) memory.settleDropped();
  memory.hash();
  return true;
}

/**
 * Sets what the blocks after the stored state touched to its current value; false if undo data is missing in between.
 */
function catchUp(tree: StateTree, origin: TreeOrigin, from: number): boolean {
  // The oldest undo data goes first.
  if (from <= origin.final || (from <= origin.tip && origin.touched(from) === undefined)) {
    for (const writes of portionsOf(origin.changedFrom(from))) tree.add(writes);
    return true;
  }
  for (let height = from; height <= origin.tip; height++) {
    const touched = origin.touched(height);
    if (touched === undefined) return false;
    for (let at = 0; at < touched.length; at += PORTION_PAIRS) {
      const keys = touched.slice(at, at + PORTION_PAIRS);
      const values = origin.values(keys);
      tree.add(new Map(keys.map((key, i) => [toBinaryString(key), values[i]])));
    }
  }
  return true;
}

/**
 * The tree made from the state itself. With `writer` its rows take the place of those that are stored; a crash on the
 * way leaves rows without a header. Throws StoreError STORE_CORRUPT if the root is not the tip's.
 */
export function makeTree(origin: TreeOrigin, limits: LoadLimits, writer: TreeWriter | undefined): StateTree {
  if (writer !== undefined) deleteRows(origin, writer);
  const tree = treeOfState(origin, limits, writer);
  const root = tree.root();
  if (!bytesEqual(root, origin.root)) {
    throw new StoreError('STORE_CORRUPT', 'the state does not have the root that is recorded for it', {
      facts: { height: origin.tip, root: toHex(root), recorded: toHex(origin.root) },
      hint: 'Run `warpshrew db check`; restore a snapshot, or index into a new folder.',
    });
  }
  if (writer !== undefined) tree.flush(origin.tip, writer);
  return tree;
}

/** The tree of all pairs. With `writer`, what does not fit into memory is stored meanwhile. */
export function treeOfState(origin: TreeOrigin, limits: LoadLimits, writer?: TreeWriter): StateTree {
  const tree = new StateTree(new TreeMemory({ mostBits: limits.mostBits }), origin, origin.namespace, undefined);
  for (const writes of portionsOf(origin.pairs())) {
    tree.add(writes);
    if (writer !== undefined && tree.bytes > limits.bytes) tree.spill(origin.tip, writer);
  }
  tree.update(new Map());
  return tree;
}

/** The root of a tree of these pairs alone. It takes about 100 bytes of memory a pair. */
export function rootOfPairs(pairs: Iterable<Row>): Uint8Array {
  const tree = new StateTree(new TreeMemory(), { getMany: (keys) => keys.map(() => undefined) }, 0, undefined);
  for (const writes of portionsOf(pairs)) tree.add(writes);
  tree.update(new Map());
  return tree.root();
}

function deleteRows(origin: TreeOrigin, { emit, write }: TreeWriter): void {
  let waiting = 0;
  // Without its header no row counts.
  emit(headerKey(origin.namespace), undefined);
  for (const [key] of origin.rows()) {
    emit(new Uint8Array(key), undefined);
    if (++waiting % PORTION_PAIRS === 0) write();
  }
  write();
}

function* portionsOf(
  pairs: Iterable<readonly [key: Uint8Array, value: Uint8Array | undefined]>,
): Generator<TreeWrites, void, void> {
  let portion = new Map<string, Uint8Array | undefined>();
  let bytes = 0;
  for (const [key, value] of pairs) {
    portion.set(toBinaryString(key), value);
    bytes += key.length + (value?.length ?? 0);
    if (portion.size < PORTION_PAIRS && bytes < PORTION_BYTES) continue;
    yield portion;
    portion = new Map();
    bytes = 0;
  }
  if (portion.size > 0) yield portion;
}

/** Whether a namespace has neither state nor rows. */
export function isWithoutTree(origin: TreeOrigin): boolean {
  if (!bytesEqual(origin.root, EMPTY_HASH)) return false;
  for (const _ of origin.rows()) return false;
  return true;
}
