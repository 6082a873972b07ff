/** What a thread does in a rehearsal. */
import type { RowTasks } from '../tasks/row-tasks.js';
import type { Rehearsal, RehearsalLength } from './rehearsal.js';

/** Rows at a time: as many as take about that long, so that a thread is soon free when it is needed. */
const PIECE_MS = 2;
const MOST_PIECE = 32;
/** What the records of a piece may take. */
const PIECE_BYTES = 8 * 1024 * 1024;

/**
 * Runs rows of a block of `count` in turn, from `first` on: dry, and then as rows run again that see other values. It
 * applies nothing. Throws what the rows throw.
 */
export function rehearseRows(
  tasks: RowTasks,
  count: number,
  first: number,
  length: RehearsalLength,
  rehearsal: Rehearsal,
): void {
  const began = performance.now();
  let [now, piece] = [began, 1];
  for (let done = 0; done < length.rows && now - began < length.ms && !rehearsal.isStopped; ) {
    const rows = Uint32Array.from({ length: Math.min(piece, count) }, (_, i) => (first + done + i) % count);
    tasks.run({ rows, overrides: undefined }, PIECE_BYTES);
    tasks.run({ rows, overrides: noOverrides(rows.length) }, PIECE_BYTES);
    done += rows.length;
    const then = now;
    now = performance.now();
    piece = now - then < PIECE_MS ? Math.min(MOST_PIECE, 2 * piece) : Math.max(1, piece >> 1);
  }
}

/** Every one of `rows` rows sees the state before the block. */
function noOverrides(rows: number): { ends: Uint32Array; words: Uint32Array; bytes: Uint8Array } {
  return { ends: new Uint32Array(rows), words: new Uint32Array(0), bytes: new Uint8Array(0) };
}
