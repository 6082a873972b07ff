import { bytesEqual, compareBytes } from '../../util/bytes.js';
import { historyKey, namespaceCode, parseHistoryKey } from '../keys.js';
import type { Row } from '../rocks.js';
import { HEIGHT_BYTES, writtenAt } from '../rows.js';
import type { Namespace } from '../types.js';
import type { CheckRun } from './run.js';

/** Shortest history row: namespace, terminator, height. */
const MIN_HISTORY_KEY = 7;

/** A value that a key had: after block `written` until block `end`; to the tip where `end` is undefined. */
export interface Version {
  readonly namespace: Namespace;
  readonly key: Uint8Array;
  readonly written: number;
  readonly end: number | undefined;
}

/** The version that a row of `history` stands for; undefined if no commit writes such a row. */
export function endedVersion([row, value]: Row): (Version & { readonly end: number }) | undefined {
  const namespace = namespaceOf(row[0]);
  if (namespace === undefined || row.length < MIN_HISTORY_KEY || value.length < HEIGHT_BYTES) return undefined;
  const { key, end } = parseHistoryKey(row);
  if (!bytesEqual(historyKey(namespace, key, end), row)) return undefined;
  return { namespace, key, written: writtenAt(value), end };
}

/** The version that a row of `latest` stands for; undefined if no commit writes such a row. */
export function currentVersion([row, value]: Row): Version | undefined {
  const namespace = namespaceOf(row[0]);
  if (namespace === undefined || value.length < HEIGHT_BYTES) return undefined;
  return { namespace, key: row.subarray(1), written: writtenAt(value), end: undefined };
}

function namespaceOf(code: number | undefined): Namespace | undefined {
  if (code === 0x53) return 'S';
  return code === 0x50 ? 'P' : undefined;
}

/** What happened at a height, by the versions: how many keys got a value that had none, and how many lost one. */
export class VersionCounts {
  readonly #begun: Uint32Array;
  readonly #ended: Uint32Array;

  constructor(
    readonly from: number,
    to: number,
  ) {
    this.#begun = new Uint32Array(Math.max(0, to - from + 1));
    this.#ended = new Uint32Array(this.#begun.length);
  }

  /** `before`: the version of the same key before this one. */
  add({ written, end }: Version, before: Version | undefined): void {
    if (before?.end !== written && this.#covers(written)) this.#begun[written - this.from]++;
    if (end !== undefined && this.#covers(end)) this.#ended[end - this.from]++;
  }

  /** Keys without a value before that were written at `height`. */
  begun(height: number): number {
    return this.#begun[height - this.from] ?? 0;
  }

  /** Keys whose value was replaced or deleted at `height`. */
  ended(height: number): number {
    return this.#ended[height - this.from] ?? 0;
  }

  #covers(height: number): boolean {
    return height >= this.from && height - this.from < this.#begun.length;
  }
}

/**
 * Columns `history` and `latest`, which have the same order: the versions of each key follow each other, the current
 * one last, and lie between the first block and the tip; nothing in namespace S was ever deleted. `floor`: versions
 * that ended there or below may be missing, and are if it is swept.
 */
export function checkVersions(run: CheckRun, counts: VersionCounts, floor: { height: number; swept: boolean }): void {
  let before: Version | undefined;
  for (const version of allVersions(run)) {
    const after = before !== undefined && sameKey(before, version) ? before : undefined;
    if (before !== undefined && after === undefined) checkLast(run, before);
    checkVersion(run, version, after, floor);
    counts.add(version, after);
    before = version;
  }
  if (before !== undefined) checkLast(run, before);
}

function checkVersion(
  run: CheckRun,
  version: Version,
  before: Version | undefined,
  floor: { height: number; swept: boolean },
): void {
  const { namespace, written, end, key } = version;
  const code = end === undefined ? 'CHECK_LATEST' : 'CHECK_HISTORY';
  const where = { height: written, namespace, key };
  if (!run.covers(written)) run.report(code, 'a value of a height without a block', where);
  if (end !== undefined && (end <= written || !run.covers(end)))
    run.report(code, 'a value that ended where no block could end it', { ...where, height: end });
  if (end !== undefined && end <= floor.height && floor.swept)
    run.report(code, 'a value that is said to be no longer kept', { ...where, height: end });
  if (before?.end === undefined) {
    return;
  }
  if (written < before.end) run.report(code, 'a value from before the one before it ended', where);
  else if (written > before.end && namespace === 'S' && written > floor.height) {
    run.report('CHECK_HISTORY', 'a value of namespace S is missing', { ...where, height: before.end });
  }
}

/** The last version of a key in S is its current one. */
function checkLast(run: CheckRun, { namespace, key, end }: Version): void {
  if (end === undefined || namespace !== 'S') return;
  run.report('CHECK_LATEST', 'no current value of a key that has one', { height: end, namespace, key });
}

function sameKey(a: Version, b: Version): boolean {
  return a.namespace === b.namespace && bytesEqual(a.key, b.key);
}

/** All versions by namespace, key and height: of each key those of `history` first. Rows that are none are reported. */
function* allVersions(run: CheckRun): Generator<Version, void, void> {
  const ended = readable(run, 'history', endedVersion);
  const current = readable(run, 'latest', currentVersion);
  let a = ended.next();
  let b = current.next();
  while (!a.done || !b.done) {
    if (!a.done && (b.done || compare(a.value, b.value) <= 0)) {
      yield a.value;
      a = ended.next();
    } else if (!b.done) {
      yield b.value;
      b = current.next();
    }
  }
}

function* readable(
  run: CheckRun,
  column: 'history' | 'latest',
  parse: (row: Row) => Version | undefined,
): Generator<Version, void, void> {
  for (const row of run.rocks.scan(column)) {
    run.saw('versions');
    const version = parse(row);
    if (version !== undefined) yield version;
    else
      run.report(column === 'history' ? 'CHECK_HISTORY' : 'CHECK_LATEST', 'a value that cannot be read', {
        key: row[0],
      });
  }
}

function compare(a: Version, b: Version): number {
  return namespaceCode(a.namespace) - namespaceCode(b.namespace) || compareBytes(a.key, b.key);
}
