// The state before a block, part by part: what was read as a whole answers as every single read would.
import { describe, expect, it } from 'vitest';
import { BlockBudget, entryWeight } from '../../src/execute/tasks/block-weight.js';
import { CachingReader } from '../../src/execute/tasks/caching-reader.js';
import { Walks } from '../../src/execute/tasks/walks.js';
import { balanceKey, storageKeyOfBytes } from '../../src/lane/keys.js';
import type { LaneKey, StateReader } from '../../src/lane/types.js';
import { fromBinaryString } from '../../src/util/bytes.js';

/** For which no walk takes long. */
class Untimed extends Walks {
  override ended(part: string, _ms: number, again: number): void {
    super.ended(part, 0, again);
  }
}

/** A state that counts what it is asked for. */
class CountingState implements StateReader {
  gets = 0;
  /** Rows of each walk; -1: more than it was allowed. */
  readonly walks: number[] = [];

  constructor(readonly rows: ReadonlyMap<LaneKey, Uint8Array>) {}

  get(key: LaneKey): Uint8Array | undefined {
    this.gets++;
    return this.rows.get(key);
  }

  allUnder(prefix: LaneKey, most: number, mostBytes: number): Map<LaneKey, Uint8Array> | undefined {
    const found = [...this.rows].filter(([key]) => key.startsWith(prefix));
    const bytes = found.reduce((sum, [key, value]) => sum + entryWeight(key, value), 0);
    const fits = found.length <= most && bytes <= mostBytes;
    this.walks.push(fits ? found.length : -1);
    return fits ? new Map(found) : undefined;
  }
}

const id = (tx: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 2 : i === 16 ? tx : 0));
const own = (i: number): Uint8Array => Uint8Array.of(i, i >> 8, i >> 16);
const storage = (tx: number, i: number): LaneKey => storageKeyOfBytes(id(tx), own(i));
const balance = (i: number): LaneKey => balanceKey({ block: 2n, tx: BigInt(i) }, { block: 2n, tx: 1n });

/** Keys of which `reader` says something else than the state. */
function wrong(reader: StateReader, truth: CountingState, keys: readonly LaneKey[]): LaneKey[] {
  return keys.filter((key) => {
    const [found, right] = [reader.get(key), truth.rows.get(key)];
    return (found === undefined) !== (right === undefined) || found?.join() !== right?.join();
  });
}

/** What `reader` says of keys as bytes, among others. */
const asBytes = (reader: StateReader): StateReader => ({
  get: (key) => reader.getAt?.(fromBinaryString(`..${key}.`), 2, 2 + key.length),
});

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** Contract 1 has the even keys below `keys`, contract 2 one key; there are as many balances; a sheet. */
function state(keys: number): CountingState {
  const rows = new Map<LaneKey, Uint8Array>([
    [storage(2, 7), Uint8Array.of(7)],
    [`sheet/${'s'.repeat(36)}`, Uint8Array.of(1)],
  ]);
  for (let i = 0; i < keys; i += 2) rows.set(storage(1, i), own(i)).set(balance(i), own(i));
  // A value of nothing is there all the same.
  if (keys > 0) rows.set(storage(1, 0), new Uint8Array(0));
  return new CountingState(rows);
}

describe('a reader that is asked for key after key', () => {
  const made: readonly [string, (i: number) => LaneKey][] = [
    ["of one contract's storage", (i) => storage(1, i)],
    ['of balances', balance],
  ];
  it.each(made)('%s asks the state no more once it knows all of it, and says what the state says', (_, key) => {
    const truth = state(100);
    const reader = new CachingReader(truth);
    expect(wrong(reader, truth, range(5_000).map(key))).toEqual([]);
    expect(truth.gets).toBeLessThan(300);
    expect(truth.walks).toEqual([50]);
    expect(wrong(reader, truth, range(300).map(key))).toEqual([]);
    expect(truth.walks).toEqual([50]);
  });

  it('walks through no more rows than it has read keys, and tries again after four times as many', () => {
    const truth = state(6_000);
    const reader = new CachingReader(truth);
    const tries: number[] = [];
    for (let i = 0; i < 20_000; i++) {
      const walks = truth.walks.length;
      if (wrong(reader, truth, [storage(1, i)]).length > 0) throw new Error(`key ${i}`);
      if (truth.walks.length > walks) tries.push(i + 1);
    }
    expect(tries).toEqual([256, 1_024, 4_096]);
    expect(truth.walks).toEqual([-1, -1, 3_000]);
    expect(truth.gets).toBe(4_095);
  });

  it('keeps the parts of contracts apart, and walks through none that it reads little of', () => {
    const truth = state(100);
    const reader = new CachingReader(truth);
    for (let i = 0; i < 2_000; i++) {
      const keys = [storage(1, i), storage(3, i), ...(i < 100 ? [storage(2, i)] : [])];
      if (wrong(reader, truth, keys).length > 0) throw new Error(`keys ${i}`);
    }
    expect(truth.walks).toEqual([50, 0]);
    const other = `sheet/${'s'.repeat(36)}`;
    for (const key of [other, 'store/', 'store', 'sequence', '', 'balance', storage(1, 0).slice(0, 38)]) {
      expect(
        wrong(
          reader,
          truth,
          range(300)
            .fill(0)
            .map(() => key),
        ),
      ).toEqual([]);
    }
    expect(truth.walks).toEqual([50, 0]);
  });

  it('goes on reading key by key where the rows take more memory than it is given', () => {
    const truth = state(400);
    const reader = new CachingReader(truth, undefined, 1e9, 10_000);
    expect(
      wrong(
        reader,
        truth,
        range(3_000).map((i) => storage(1, i)),
      ),
    ).toEqual([]);
    expect(new Set(truth.walks)).toEqual(new Set([-1]));
    expect(truth.gets).toBe(3_000);
  });

  it('counts the memory of all parts together', () => {
    const truth = state(400);
    const reader = new CachingReader(truth, undefined, 1e9, 75_000);
    const read = (key: (i: number) => LaneKey) => wrong(reader, truth, range(3_000).map(key));
    expect(read((i) => storage(1, i))).toEqual([]);
    expect(truth.walks).toEqual([200]);
    expect(read(balance)).toEqual([]);
    expect(truth.walks).toEqual([200, -1, -1]);
  });

  it('forgets the parts when there are too many of them, and still says what the state says', () => {
    const truth = state(20);
    const reader = new CachingReader(truth, undefined, 10_000, 5_000);
    for (let round = 0; round < 3; round++) {
      for (let contract = 0; contract < 100; contract++) {
        expect(
          wrong(
            reader,
            truth,
            range(30).map((i) => storage(contract, i)),
          ),
        ).toEqual([]);
      }
      expect(
        wrong(
          reader,
          truth,
          range(600).map((i) => storage(1, i)),
        ),
      ).toEqual([]);
    }
  });

  it.each(made)('%s says the same of keys that it is given as bytes, with the same reads', (_, key) => {
    const truth = state(100);
    const reader = new CachingReader(truth);
    const sheet = `sheet/${'s'.repeat(36)}`;
    const keys = range(5_000).flatMap((i) => [key(i), ...(i % 500 === 0 ? [sheet, storage(2, 7), storage(9, i)] : [])]);
    expect(wrong(asBytes(reader.unkept), truth, keys)).toEqual([]);
    expect(wrong(reader.unkept, truth, keys)).toEqual([]);
    expect(truth.walks).toEqual([50]);
    expect(truth.gets).toBeLessThan(330);
    // A value of nothing is there; a key that another begins with is not.
    expect(asBytes(reader.unkept).get(storage(1, 0))?.length).toBe(0);
    for (const other of [key(0).slice(0, -1), `${key(0)}x`, key(0).slice(0, 39), `${key(0)}${'x'.repeat(100)}`]) {
      expect(asBytes(reader.unkept).get(other)).toBeUndefined();
    }
  });

  it('keeps nothing of what other threads saw where it knows all of it', () => {
    const truth = state(100);
    const reader = new CachingReader(truth);
    const seen = Array.from({ length: 5_000 }, (_, i) => [storage(1, i), truth.rows.get(storage(1, i))] as const);
    reader.learn(new Map(seen));
    expect(reader.size).toBeLessThan(300);
    expect(truth.gets).toBe(0);
    expect(
      wrong(
        reader,
        truth,
        seen.map(([key]) => key),
      ),
    ).toEqual([]);
    expect(truth.gets).toBe(0);
  });
});

describe('the budget of a piece', () => {
  it('is all for few pieces, four times its share for many, and at least 16 MiB of a whole block', () => {
    const MiB = 2 ** 20;
    const of = (pieces: number): number => new BlockBudget(256 * MiB).ofPiece(pieces) / MiB;
    expect([1, 4, 8, 32, 64, 1_000].map(of)).toEqual([256, 256, 128, 32, 16, 16]);
    expect(new BlockBudget(3_000).ofPiece(100)).toBe(3_000);
    expect(new BlockBudget(Number.POSITIVE_INFINITY).ofPiece(100)).toBe(Number.POSITIVE_INFINITY);
  });

  it('does not walk through a part again in the next blocks that had more rows than they read', () => {
    const truth = state(6_000);
    const walks = new Untimed();
    const read = (count: number): LaneKey[] => {
      const reader = new CachingReader(truth, walks);
      return wrong(
        reader,
        truth,
        range(count).map((i) => storage(1, i)),
      );
    };
    for (let block = 0; block < 10; block++) expect(read(900)).toEqual([]);
    expect(truth.walks).toEqual([-1]);
    expect(read(5_000)).toEqual([]);
    expect(truth.walks).toEqual([-1, -1, 3_000]);
  });

  it('walks through a part that it knows from the block before after about as many reads as it has rows', () => {
    const truth = new CountingState(new Map(range(40).map((i) => [storage(1, i), own(i)])));
    const walks = new Untimed();
    const readsUntilWalked = (): number => {
      const reader = new CachingReader(truth, walks);
      const before = truth.walks.length;
      let reads = 0;
      while (truth.walks.length === before) reader.get(storage(1, 100 + reads++));
      expect(truth.walks.at(-1)).toBe(40);
      return reads;
    };
    expect([readsUntilWalked(), readsUntilWalked()]).toEqual([256, 66]);
  });

  it('does not walk through a part again whose walk took longer than the reads that it spares', () => {
    const walks = new Walks();
    walks.ended('slow', 20, 20);
    walks.ended('fast', 0.1, 66);
    expect([walks.firstTry('slow', 256), walks.firstTry('fast', 256)]).toEqual([5_000, 66]);
    // Nor for ever: the rows that were in the way may be gone.
    const tries = range(70).map(() => walks.firstTry('slow', 256));
    expect(tries.slice(0, 60)).toEqual(new Array(60).fill(5_000));
    expect(tries.at(-1)).toBe(256);
  });
});
