import { bytesEqual, compareBytes } from '../../util/bytes.js';
import { historyKey, parseHistoryKey, readBeU32 } from '../keys.js';
import type { Row } from '../rocks.js';
import type { Namespace } from '../types.js';
import type { CheckRun } from './run.js';

/** Shortest history row: namespace, terminator, height. */
const MIN_HISTORY_KEY = 7;
/** Bytes of the height in a value of `latest`. */
const HEIGHT_BYTES = 4;

export interface Version {
  readonly namespace: Namespace;
  readonly key: Uint8Array;
  readonly height: number;
}

/** The version that a history row stands for; undefined if no commit writes such a row. */
export function parseVersion(row: Uint8Array): Version | undefined {
  const namespace = namespaceOf(row[0]);
  if (namespace === undefined || row.length < MIN_HISTORY_KEY) return undefined;
  const { key, height } = parseHistoryKey(row);
  return bytesEqual(historyKey(namespace, key, height), row) ? { namespace, key, height } : undefined;
}

export function namespaceOf(code: number | undefined): Namespace | undefined {
  if (code === 0x53) return 'S';
  return code === 0x50 ? 'P' : undefined;
}

/** Number of versions by height from `from` on; nothing where a height lies outside. */
export class VersionCounts {
  readonly #counts: Uint32Array;

  constructor(
    readonly from: number,
    to: number,
  ) {
    this.#counts = new Uint32Array(Math.max(0, to - from + 1));
  }

  add(height: number): void {
    if (height >= this.from && height - this.from < this.#counts.length) this.#counts[height - this.from]++;
  }

  at(height: number): number {
    return this.#counts[height - this.from] ?? 0;
  }
}

/**
 * Columns `history` and `latest`, which have the same order: every current value is the newest version of its key and
 * vice versa; versions lie between the first block and the tip; only namespace P has deletions, and only of existing
 * keys.
 */
export function checkVersions(run: CheckRun, counts: VersionCounts): void {
  const latest = new LatestRows(run);
  let newest: Version | undefined;
  let older: { version: Version; deleted: boolean } | undefined;
  for (const [row, value] of run.rocks.scan('history')) {
    run.saw('versions');
    const version = parseVersion(row);
    const deleted = value.length === 1 && value[0] === 0;
    if (version === undefined || (!deleted && value[0] !== 1)) {
      run.report('CHECK_HISTORY', 'a version that cannot be read', { key: row });
      continue;
    }
    const { namespace, key, height } = version;
    if (!run.covers(height))
      run.report('CHECK_HISTORY', 'a version of a height without a block', { height, namespace, key });
    if (deleted && namespace === 'S')
      run.report('CHECK_HISTORY', 'a deletion in namespace S', { height, namespace, key });
    counts.add(height);
    const same = newest?.namespace === namespace && bytesEqual(newest.key, key);
    if (older?.deleted && (!same || deleted)) reportEmptyDeletion(run, older.version);
    older = { version, deleted };
    if (same) continue;
    newest = version;
    latest.match(version, deleted ? undefined : value.subarray(1));
  }
  if (older?.deleted) reportEmptyDeletion(run, older.version);
  latest.end();
}

function reportEmptyDeletion(run: CheckRun, version: Version): void {
  run.report('CHECK_HISTORY', 'a deletion of a key that was not there', version);
}

/** Walks column `latest` in step with the history. */
class LatestRows {
  readonly #rows: Generator<Row, void, void>;
  #row: Row | undefined;
  readonly #run: CheckRun;

  constructor(run: CheckRun) {
    this.#run = run;

    this.#rows = run.rocks.scan('latest');
    this.#step();
  }

  /** `value`: of the newest version; undefined = deleted. Versions come in the order of their keys. */
  match({ namespace, key, height }: Version, value: Uint8Array | undefined): void {
    const run = this.#run;
    let order = this.#compare(namespace, key);
    for (; order < 0; order = this.#compare(namespace, key)) {
      this.#stray();
      this.#step();
    }
    if (order > 0 || this.#row === undefined) {
      if (value !== undefined)
        run.report('CHECK_LATEST', 'no current value of a key that has one', { height, namespace, key });
      return;
    }
    const stored = this.#row[1];
    if (value === undefined) run.report('CHECK_LATEST', 'a current value of a deleted key', { height, namespace, key });
    else if (stored.length < HEIGHT_BYTES || readBeU32(stored, 0) !== height) {
      run.report('CHECK_LATEST', 'the current value is of another height than the newest version', {
        height,
        namespace,
        key,
      });
    } else if (!bytesEqual(stored.subarray(HEIGHT_BYTES), value)) {
      run.report('CHECK_LATEST', 'the current value is not that of the newest version', { height, namespace, key });
    }
    this.#step();
  }

  /** The remaining rows have no version. */
  end(): void {
    for (; this.#row !== undefined; this.#step()) this.#stray();
  }

  #step(): void {
    const next = this.#rows.next();
    this.#row = next.done ? undefined : next.value;
    if (this.#row !== undefined) this.#run.saw('versions');
  }

  #stray(): void {
    if (this.#row === undefined) return;
    const namespace = namespaceOf(this.#row[0][0]);
    const key = namespace === undefined ? this.#row[0] : this.#row[0].subarray(1);
    this.#run.report('CHECK_LATEST', 'a current value without a version', { namespace, key });
  }

  /** Of the row before the version: below 0 if the row comes first. */
  #compare(namespace: Namespace, key: Uint8Array): number {
    if (this.#row === undefined) return 1;
    const code = namespace.charCodeAt(0);
    return this.#row[0].length === 0 ? -1 : this.#row[0][0] - code || compareBytes(this.#row[0].subarray(1), key);
  }
}
