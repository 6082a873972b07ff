import type { CheckCode } from '../../errors/codes/registry.js';
import { StoreError } from '../../errors/errors.js';
import { toHex } from '../../util/bytes.js';
import type { Range, Rocks } from '../rocks.js';
import type { Namespace, Tip } from '../types.js';

export interface Violation {
  /** What it is about (docs/errors.md). */
  readonly code: CheckCode;
  readonly detail: string;
  readonly height?: number;
  readonly namespace?: Namespace;
  /** Hex: the key of the state, or the row's key in its column where it belongs to none. */
  readonly key?: string;
}

export type CheckPhase = 'meta' | 'blocks' | 'addresses' | 'versions' | 'undo' | 'tree';

export interface CheckListener {
  /** Called for each violation as it is found; nothing is collected. */
  violation(violation: Violation): void;
  /** Called for every row that a phase has seen. */
  progress?(phase: CheckPhase, rows: number): void;
}

interface Where {
  readonly height?: number;
  readonly namespace?: Namespace;
  readonly key?: Uint8Array;
}

/** One check of one database: what every phase needs, and the findings. */
export class CheckRun {
  violations = 0;
  rows = 0;
  /** Heights of the first block row and of the last; first > last while there are none. */
  first = 0;
  last = -1;
  tip: Tip | undefined;
  #phaseRows = 0;
  readonly #listener: CheckListener;

  constructor(
    readonly rocks: Rocks,
    listener: CheckListener,
  ) {
    this.#listener = listener;
  }

  report(code: CheckCode, detail: string, { height, namespace, key }: Where = {}): void {
    this.violations++;
    this.#listener.violation({
      code,
      detail,
      ...(height !== undefined && { height }),
      ...(namespace !== undefined && { namespace }),
      ...(key !== undefined && { key: toHex(key) }),
    });
  }

  /** Runs a phase; a failed read ends it and counts as a violation. */
  phase<T>(name: CheckPhase, check: () => T): T | undefined {
    this.#phaseRows = 0;
    try {
      return check();
    } catch (error) {
      this.report('CHECK_UNREADABLE', `${name}: ${reasonOf(error)}`);
      return undefined;
    }
  }

  saw(phase: CheckPhase): void {
    this.rows++;
    this.#listener.progress?.(phase, ++this.#phaseRows);
  }

  /** True for heights that have a block. */
  covers(height: number): boolean {
    return height >= this.first && height <= this.last;
  }
}

/** What RocksDB says, where it does: the file that is damaged, and where. */
function reasonOf(error: unknown): string {
  if (error instanceof StoreError && error.facts.reason !== undefined) return `${error.message}: ${error.facts.reason}`;
  return error instanceof Error ? error.message : String(error);
}

/** Ranges of the rows whose first byte is none of `known` (ascending). */
export function gaps(known: readonly number[]): Range[] {
  return [-1, ...known].map((byte, i) => {
    const gte = byte < 0 ? new Uint8Array(0) : Uint8Array.of(byte + 1);
    return i === known.length ? { gte } : { gte, lt: Uint8Array.of(known[i]) };
  });
}

/** Splits into arrays of at most `size`, holding one at a time. */
export function* portions<T>(items: Iterable<T>, size: number): Generator<T[], void, void> {
  let portion: T[] = [];
  for (const item of items) {
    portion.push(item);
    if (portion.length < size) continue;
    yield portion;
    portion = [];
  }
  if (portion.length > 0) yield portion;
}
