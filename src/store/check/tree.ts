import { bytesEqual, toHex } from '../../util/bytes.js';
import { namespaceCode } from '../keys.js';
import { isWithoutTree, readStored, type TreeOrigin, treeOfState } from '../tree/load-tree.js';
import { MOST_BITS } from '../tree/tree-memory.js';
import { decodeHeader, headerKey, isInPlace, isRow, parseRowKey, rowKey, type TreeHeader } from '../tree/tree-rows.js';
import { treeOrigin } from '../tree-origin.js';
import type { Namespace, StateRoots } from '../types.js';
import { type CheckRun, gaps } from './run.js';

/** All of the tree in memory: less would write. */
const LIMITS = { bytes: Number.POSITIVE_INFINITY, mostBits: MOST_BITS };

/**
 * Column `tree` against `latest`: both roots are made from the state and compared with `roots`, those of the tip; the
 * stored rows, if they count, must give the same tree, brought up to the tip as when a store is opened.
 */
export function checkTrees(run: CheckRun, roots: StateRoots | undefined): void {
  checkTree(run, 'S', roots?.standard);
  checkTree(run, 'P', roots?.lane);
  for (const range of gaps([namespaceCode('P'), namespaceCode('S')])) {
    for (const [key] of run.rocks.scan('tree', range))
      run.report('CHECK_PAGE', 'a row of no namespace in the tree', { key });
  }
}

/** A tree of one namespace. `recorded`: its root in the tip's record, hex. */
function checkTree(run: CheckRun, namespace: Namespace, recorded = '00'.repeat(32)): void {
  const origin = treeOrigin(run.rocks, namespace, run.last, recorded);
  const state = treeOfState(seen(run, origin), LIMITS);
  const root = toHex(state.root());
  if (root !== recorded) {
    run.report('CHECK_ROOT', `the root of the state is ${root}, recorded is ${recorded}`, {
      namespace,
      height: run.last,
    });
  }
  if (isWithoutTree({ ...origin, root: state.root() })) return;
  const [stored] = origin.getMany([headerKey(origin.namespace)]);
  // Without its header no row counts: rows were being written in portions, and the next opening makes the tree again.
  if (stored === undefined) return;
  const header = decodeHeader(stored);
  if (header === undefined) {
    run.report('CHECK_PAGE', 'the header of the tree cannot be read', { namespace });
    return;
  }
  if (!areRowsSound(run, namespace, origin, header)) return;
  const tree = readStored(origin, LIMITS);
  if (tree === undefined)
    run.report('CHECK_PAGE', 'undo data does not tell what changed since the rows', { namespace });
  else if (!bytesEqual(tree.root(), state.root())) {
    for (const { bits, prefix } of state.rowsUnlike(tree)) {
      const key = rowKey(origin.namespace, bits, prefix);
      run.report('CHECK_PAGE', 'a row of the tree is not that of the state', { namespace, key });
    }
  }
}

/** The same origin, whose rows and pairs are counted. */
function seen(run: CheckRun, origin: TreeOrigin): TreeOrigin {
  return {
    ...origin,
    *pairs() {
      for (const pair of origin.pairs()) {
        run.saw('tree');
        yield pair;
      }
    },
  };
}

/** Reports every row that lies where none should, or that cannot be read. */
function areRowsSound(run: CheckRun, namespace: Namespace, origin: TreeOrigin, header: TreeHeader): boolean {
  let sound = true;
  for (const [key, value] of origin.rows()) {
    run.saw('tree');
    if (bytesEqual(key, headerKey(origin.namespace))) continue;
    const place = parseRowKey(key);
    const where = { namespace, key };
    if (place === undefined || !isInPlace(header, place)) {
      run.report('CHECK_PAGE', 'a row of the tree that should not be there', where);
      sound = false;
    } else if (!isRow(value, place)) {
      run.report('CHECK_PAGE', 'a row of the tree that cannot be read', where);
      sound = false;
    }
  }
  return sound;
}
