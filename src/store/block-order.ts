import { InternalError, StoreError } from '../errors/errors.js';
import type { BlockCommit, BlockRecord, StateRoots, Tip } from './types.js';

/** Throws StoreError STORE_NOT_NEXT unless the block follows `tip`; InternalError if it is not one at all. */
export function assertNext(tip: Pick<Tip, 'height'> | undefined, { height, hash, header }: BlockCommit): void {
  if (!Number.isInteger(height) || height < 0 || height > 0xfffffffe || (tip && height !== tip.height + 1)) {
    throw new StoreError('STORE_NOT_NEXT', 'the block does not follow the tip of the store', {
      facts: { height, ...(tip && { tip: tip.height }) },
      hint: 'Commit heights in order, or roll back first.',
    });
  }
  if (hash.length !== 32 || header.length !== 80) throw new InternalError('block hash or header of a wrong length');
}

/** As {@link assertNext}, of blocks that follow each other; gives the last of them. */
export function assertAllNext(tip: Tip | undefined, blocks: readonly BlockCommit[]): BlockCommit {
  let last: BlockCommit | undefined;
  for (const block of blocks) {
    assertNext(last ?? tip, block);
    last = block;
  }
  if (last === undefined) throw new InternalError('no blocks were given to be stored');
  return last;
}

/** Throws StoreError STORE_CORRUPT unless undoing block `height` gave the root of the block before it. */
export function assertUndone(height: number, before: BlockRecord | undefined, roots: StateRoots): void {
  if (before?.roots === undefined || before.roots.state === roots.state) return;
  throw new StoreError('STORE_CORRUPT', 'undoing a block does not give the state root before it', {
    facts: { height },
    hint: 'Replay the chain into a new folder.',
  });
}

/** The error of a rollback to height `to`, below `lowest`. */
export function rollbackTooDeep(to: number, lowest: number, tip: number): StoreError {
  return new StoreError('STORE_ROLLBACK_TOO_DEEP', 'the undo data does not reach down to that height', {
    facts: { to, lowest, tip },
    hint:
      'Restore an older snapshot or index into a new folder. A store that keeps more undo data (--keep-undo) reaches ' +
      'deeper; blocks of the initial sync have none.',
  });
}
