import { COLUMNS, type ColumnName, type Range, type Row } from '../../store/database.js';
import { bytesEqual, compareBytes, toBinaryString } from '../../util/bytes.js';

/**
 * One put, or a deletion where `value` is undefined. `name` is the key as a binary string, whose order is that of the
 * bytes.
 */
export interface Change {
  readonly column: ColumnName;
  readonly name: string;
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** Differences that are none. */
interface Allowed {
  /** Keys below it may be missing here. */
  readonly gone?: Uint8Array | undefined;
  /** Which values are taken for equal. */
  readonly same?: ((value: Uint8Array, expected: Uint8Array) => boolean) | undefined;
  /** A key that may be here, with any value. */
  readonly own?: Uint8Array | undefined;
}

interface Column {
  readonly rows: Map<string, Row>;
  /** Sorted names, computed on demand. */
  sorted: string[] | undefined;
}

/** Maximum batches lost when the disk does not keep what it was asked to sync. */
const LOSABLE = 4;

/** Rows that outlive the process that wrote them. */
export class Disk {
  readonly #columns: Record<ColumnName, Column>;
  /** What undoes the last batches, newest last. */
  #journal: (readonly Change[])[] = [];

  constructor(from?: Disk) {
    const entries = COLUMNS.map((name): [ColumnName, Column] => {
      const column = from === undefined ? undefined : from.#columns[name];
      return [name, { rows: new Map(column?.rows), sorted: column?.sorted?.slice() }];
    });
    this.#columns = Object.fromEntries(entries) as Record<ColumnName, Column>;
  }

  get(column: ColumnName, key: Uint8Array): Uint8Array | undefined {
    return this.#columns[column].rows.get(toBinaryString(key))?.[1];
  }

  /** The current rows of a range. */
  *scan(name: ColumnName, { gte, lt, reverse = false, limit = -1 }: Range = {}): Generator<Row, void, void> {
    const { rows } = this.#columns[name];
    const sorted = this.#sorted(name);
    const from = gte === undefined ? 0 : lowerBound(sorted, toBinaryString(gte));
    const to = lt === undefined ? sorted.length : lowerBound(sorted, toBinaryString(lt));
    const count = Math.min(limit < 0 ? Number.POSITIVE_INFINITY : limit, Math.max(0, to - from));
    const found: Row[] = [];
    for (let i = 0; i < count; i++) {
      const row = rows.get(sorted[reverse ? to - 1 - i : from + i]);
      if (row !== undefined) found.push(row);
    }
    yield* found;
  }

  /** All of `changes`, at once. */
  apply(changes: readonly Change[]): void {
    const inverse = changes.map(({ column, name, key }): Change => {
      return { column, name, key, value: this.#columns[column].rows.get(name)?.[1] };
    });
    this.#put(changes);
    // Undone in the order of writing backwards, as a batch may write a key twice: the first inverse is the older.
    this.#journal.push(inverse.reverse());
    if (this.#journal.length > LOSABLE) this.#journal.shift();
  }

  /** Loses the newest batches, like a disk that acknowledged writes it did not keep. Returns how many. */
  lose(batches: number): number {
    let lost = 0;
    for (; lost < batches; lost++) {
      const inverse = this.#journal.pop();
      if (inverse === undefined) break;
      this.#put(inverse);
    }
    return lost;
  }

  /**
   * The first difference to `other` in a column, as text; undefined if both hold the same rows but for what is allowed.
   */
  difference(other: Disk, name: ColumnName, { gone, same = bytesEqual, own }: Allowed = {}): string | undefined {
    const mine = this.#columns[name].rows;
    const theirs = other.#columns[name].rows;
    for (const [key, [bytes, value]] of mine) {
      const expected = theirs.get(key)?.[1];
      if (bytesEqual(bytes, own)) continue;
      if (expected === undefined) return `${name} ${Buffer.from(bytes).toString('hex')} should not be there`;
      if (!same(value, expected)) return `${name} ${Buffer.from(bytes).toString('hex')} has another value`;
    }
    for (const [key, [bytes]] of theirs) {
      if (!mine.has(key) && (gone === undefined || compareBytes(bytes, gone) >= 0))
        return `${name} ${Buffer.from(bytes).toString('hex')} is missing`;
    }
    return undefined;
  }

  #put(changes: readonly Change[]): void {
    for (const { column, name, key, value } of changes) {
      const { rows, sorted } = this.#columns[column];
      const had = rows.has(name);
      if (value === undefined) rows.delete(name);
      else rows.set(name, [key, value]);
      if (sorted === undefined || had === (value !== undefined)) continue;
      if (had) sorted.splice(lowerBound(sorted, name), 1);
      else sorted.splice(lowerBound(sorted, name), 0, name);
    }
  }

  #sorted(name: ColumnName): string[] {
    const column = this.#columns[name];
    column.sorted ??= [...column.rows.keys()].sort();
    return column.sorted;
  }
}

function lowerBound(sorted: readonly string[], name: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
