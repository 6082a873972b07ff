import { createHash } from 'node:crypto';
import { META_FINAL, readBeU32 } from '../../store/keys.js';
import { withoutRoots } from '../../store/records.js';
import { COLUMNS, Rocks } from '../../store/rocks.js';
import { bytesEqual, toHex } from '../../util/bytes.js';

/** First byte of the key of a block's record. */
const RECORD = 0x62;

/**
 * Every row of a database that is not open anywhere: `column key` in hex, and the SHA-256 of its value. Without the
 * state trees, whose rows tell when they were written; the roots in the blocks stand for them. Without what tells of
 * final blocks: which ones are depends on when they were indexed. `roots`: whether those count, which blocks have or
 * not as they happened to be stored together.
 */
export async function allRows(dir: string, roots = true): Promise<ReadonlyMap<string, string>> {
  const rocks = await Rocks.open(dir, false);
  const rows = new Map<string, string>();
  try {
    for (const column of COLUMNS.filter((name) => name !== 'tree')) {
      for (const [key, value] of rocks.scan(column)) {
        if (column === 'meta' && bytesEqual(key, META_FINAL)) continue;
        const isRecord = column === 'blocks' && key[0] === RECORD;
        const counts = isRecord && !roots ? withoutRoots(value) : value;
        rows.set(`${column} ${toHex(key)}`, createHash('sha256').update(counts).digest('hex'));
      }
    }
  } finally {
    await rocks.close();
  }
  return rows;
}

/**
 * Names of the rows that only `own` has, that only `fresh` has, or that differ, where `fresh` is an index of the same
 * chain that never rolled back. Undo data may be missing in `own` below its lowest: a higher branch made it drop them.
 */
export function differingRows(own: ReadonlyMap<string, string>, fresh: ReadonlyMap<string, string>): string[] {
  const heights = [...own.keys()].flatMap((name) => undoHeight(name) ?? []);
  const lowest = heights.reduce((least, height) => Math.min(least, height), Number.POSITIVE_INFINITY);
  const dropped = (name: string): boolean => !own.has(name) && (undoHeight(name) ?? lowest) < lowest;
  return [...new Set([...own.keys(), ...fresh.keys()])].filter(
    (name) => own.get(name) !== fresh.get(name) && !dropped(name),
  );
}

function undoHeight(name: string): number | undefined {
  return name.startsWith('undo ') ? readBeU32(Buffer.from(name.slice(5), 'hex'), 0) : undefined;
}
