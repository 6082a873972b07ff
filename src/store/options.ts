import { UsageError } from '../errors/errors.js';
import type { Kept } from './keeping.js';
import { DEFAULT_KEEP_UNDO, type UndoOptions } from './types.js';

const MAX_LABEL_BYTES = 200;

/** Both settings, or their defaults. Throws UsageError USAGE_KEEP_UNDO, USAGE_HISTORY. */
export function checkedKept(options: UndoOptions): Kept {
  return { undo: checkedKeepUndo(options), history: checkedHistory(options) };
}

/** `full` is Infinity. Throws UsageError USAGE_HISTORY if it is not a whole number from 1 or `full`. */
function checkedHistory({ history = 'full' }: UndoOptions): number {
  if (history === 'full') return Number.POSITIVE_INFINITY;
  if (Number.isSafeInteger(history) && history >= 1) return history;
  throw new UsageError('USAGE_HISTORY', 'the number of blocks whose states are kept must be a whole number from 1', {
    facts: { history },
    hint: 'Leave it out, or say full, to keep all of them.',
  });
}

/** The setting, or the default. Throws UsageError USAGE_KEEP_UNDO if it is not a whole number from 1 or Infinity. */
function checkedKeepUndo({ keepUndo = DEFAULT_KEEP_UNDO }: UndoOptions): number {
  if (keepUndo >= 1 && (Number.isInteger(keepUndo) || keepUndo === Number.POSITIVE_INFINITY)) return keepUndo;
  throw new UsageError(
    'USAGE_KEEP_UNDO',
    'the number of blocks whose undo data is kept must be a whole number from 1',
    {
      facts: { keepUndo },
      hint: 'A store without undo data could follow no reorg; a very large number keeps all of it.',
    },
  );
}

/** A label as it is stored. Throws UsageError USAGE_LABEL. */
export function checkedLabel(label: string | undefined): Uint8Array | undefined {
  if (label === undefined) return undefined;
  const bytes = new TextEncoder().encode(label);
  if (bytes.length > 0 && bytes.length <= MAX_LABEL_BYTES && !/\p{Cc}/u.test(label)) return bytes;
  throw new UsageError('USAGE_LABEL', 'a label has 1 to 200 bytes and no control characters');
}
