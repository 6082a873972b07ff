/** Where the state tree of a namespace comes from in the database. */
import { fromHex } from '../util/bytes.js';
import type { Database, Range } from './database.js';
import { finalHeight } from './final.js';
import { afterPrefix, latestKey, namespaceCode, parseHistoryKey } from './keys.js';
import { HEIGHT_BYTES, writtenAt } from './rows.js';
import { isWithoutTree, loadStored, type TreeOrigin } from './tree/load-tree.js';
import { EMPTY_HASH } from './tree/tree-hash.js';
import { MOST_BITS } from './tree/tree-memory.js';
import { treeRange } from './tree/tree-rows.js';
import type { Namespace, StateRoots } from './types.js';
import { touchedIn, undoRows } from './undo-rows.js';

/** What the tree of a namespace is loaded from. `tip`: -1 in an empty store; `recorded`: its root there, hex. */
export function treeOrigin(rocks: Database, ns: Namespace, tip: number, recorded: string | undefined): TreeOrigin {
  const namespace = namespaceCode(ns);
  const gte = Uint8Array.of(namespace);
  const range = { gte, lt: afterPrefix(gte) };
  return {
    namespace,
    tip,
    root: recorded === undefined ? EMPTY_HASH : fromHex(recorded),
    getMany: (keys) => rocks.getMany('tree', keys),
    rows: () => rocks.scan('tree', treeRange(namespace)),
    *pairs() {
      for (const [key, value] of rocks.scan('latest', range)) yield [key.subarray(1), value.subarray(HEIGHT_BYTES)];
    },
    final: finalHeight(rocks) ?? -1,
    *changedFrom(from) {
      for (const [key, value] of rocks.scan('latest', range)) {
        if (writtenAt(value) >= from) yield [key.subarray(1), value.subarray(HEIGHT_BYTES)];
      }
      if (ns === 'P') yield* deletedFrom(rocks, range, from);
    },
    touched: (height) => {
      const undo = undoRows(rocks, height);
      if (undo === undefined) return undefined;
      const keys: Uint8Array[] = [];
      for (const touched of touchedIn(height, undo)) if (touched.ns === ns) keys.push(touched.key);
      return keys;
    },
    values: (keys) => {
      const rows = rocks.getMany(
        'latest',
        keys.map((key) => latestKey(ns, key)),
      );
      return rows.map((row) => row?.subarray(HEIGHT_BYTES));
    },
  };
}

/** Keys of P that blocks from height `from` on deleted and none gave a value again: their history tells of them. */
function* deletedFrom(
  rocks: Database,
  range: Range,
  from: number,
): Generator<readonly [key: Uint8Array, value: undefined], void, void> {
  for (const [row] of rocks.scan('history', range)) {
    const { key, end } = parseHistoryKey(row);
    if (end >= from && rocks.get('latest', latestKey('P', key)) === undefined) yield [key, undefined];
  }
}

/** Whether the stored rows of both trees give their roots after `tip`, -1 in an empty store. */
export function treesAreStored(rocks: Database, tip: number, roots: StateRoots | undefined): boolean {
  const limits = { bytes: Number.POSITIVE_INFINITY, mostBits: MOST_BITS };
  return (['S', 'P'] as const).every((ns) => {
    const origin = treeOrigin(rocks, ns, tip, ns === 'S' ? roots?.standard : roots?.lane);
    return isWithoutTree(origin) || loadStored(origin, limits) !== undefined;
  });
}
