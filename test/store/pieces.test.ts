import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Receipt } from '../../src/lane/types.js';
import { checkStore } from '../../src/store/check/check.js';
import { latestKey, META_UNFINISHED } from '../../src/store/keys.js';
import { isNew } from '../../src/store/stamp.js';
import { Store } from '../../src/store/store.js';
import type { BlockCommit, Namespace, StoreOptions } from '../../src/store/types.js';
import { touchedIn } from '../../src/store/undo-rows.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { Killed, MemoryDatabase, type WriteFate } from '../../src/testing/sim/memory-database.js';
import { fromBinaryString, fromHex, toHex } from '../../src/util/bytes.js';
import { block, bytes, collectTouched, generator, name, OPTIONS, receipt, temporaryFolder } from './helpers.js';

/** So few bytes that the large block below takes some twenty pieces. */
const PIECES: Partial<StoreOptions> = { pieceBytes: 200 };
/** The same block in some twenty parts. */
const PARTS: Partial<StoreOptions> = { partKeys: 6 };
const WHOLE: Partial<StoreOptions> = { pieceBytes: 1 << 30, partKeys: undefined };
/** How blocks are written, unless a test says it. */
let way = PIECES;
const NOTHING = new Uint8Array(0);
const BEFORE = 3;
const TREE_PORTION = 1 << 19;

/** Keys that were there, keys that were not, and deletions of both, in both namespaces. */
function writesOf(height: number, keys: number): Pick<BlockCommit, 'standardWrites' | 'laneWrites' | 'receipts'> {
  const random = generator(height);
  const key = (): string => name(`${'k'.repeat(random(4))}${random(4 * keys)}`);
  const value = (): Uint8Array => bytes(`${height} ${'v'.repeat(random(12))}`);
  return {
    standardWrites: new Map(Array.from({ length: keys }, () => [key(), value()])),
    laneWrites: new Map(Array.from({ length: keys }, () => [key(), random(4) === 0 ? undefined : value()])),
    receipts: Array.from({ length: 4 }, (_, i) => receipt(height, i)),
  };
}

const small = (height: number): BlockCommit => ({ ...block(height), ...writesOf(height, 20) });
const large = (height: number): BlockCommit => ({ ...block(height), ...writesOf(height, 60) });

interface Opened {
  readonly store: Store;
  /** Writes so far. */
  readonly writes: () => number;
  /** Bytes of the largest one. */
  readonly largest: () => number;
  readonly remade: Namespace[];
}

/** A store over `disk`; `fate(n)` is that of its write number n. */
function open(
  disk: Disk,
  fate: (write: number) => WriteFate = () => 'written',
  options: Partial<StoreOptions> = {},
): Opened {
  let count = 0;
  const remade: Namespace[] = [];
  const database = new MemoryDatabase(disk, () => fate(count++));
  const { batch } = database;
  let largest = 0;
  database.batch = () => {
    const made = batch.call(database);
    const { write } = made;
    made.write = (sync) => {
      largest = Math.max(largest, made.bytes);
      write.call(made, sync);
    };
    return made;
  };
  const all = { ...OPTIONS, ...way, onTreeRemade: (ns: Namespace) => remade.push(ns), ...options };
  return { store: Store.over(database, all, 'memory'), writes: () => count, largest: () => largest, remade };
}

/** A disk with some blocks, of which the next one is `large`. */
function begun(blocks = BEFORE): Disk {
  const disk = new Disk();
  const { store } = open(disk, undefined, WHOLE);
  for (let height = 0; height < blocks; height++) store.commitBlock(small(height));
  return disk;
}

const contentOf = (disk: Disk): Map<string, string> => open(new Disk(disk)).store.rawContent();

/** What `act` did to a copy of `disk`, and how many writes that took. */
function outcome(disk: Disk, act: (store: Store) => void): { content: Map<string, string>; writes: number } {
  const copy = new Disk(disk);
  const { store, writes } = open(copy);
  act(store);
  return { content: contentOf(copy), writes: writes() };
}

/** Everything that can be read of the state and the receipts of blocks up to `height`. */
function seen(store: Store, height: number): unknown {
  const at = (ns: Namespace, of: number | undefined) =>
    [...store.entriesAt(ns, NOTHING, of)].map(([key, value]) => [toHex(key), toHex(value)]);
  const keys = [...large(BEFORE).laneWrites.keys(), ...large(BEFORE).standardWrites.keys()].map(fromBinaryString);
  const heights = Array.from({ length: height + 1 }, (_, i) => i);
  return {
    tip: store.tip(),
    now: (['S', 'P'] as const).map((ns) => at(ns, undefined)),
    earlier: heights.map((of) => (['S', 'P'] as const).map((ns) => at(ns, of))),
    keys: heights.map((of) => (['S', 'P'] as const).map((ns) => store.getManyAt(ns, keys, of))),
    receipts: [...(large(BEFORE).receipts as readonly Receipt[])].map(({ txid }) => store.receipt(txid)),
    ofBlock: [...store.receipts(BEFORE)],
    record: store.blockRecord(BEFORE),
  };
}

/** A copy of `disk` after `act` on a store that dies at write number `at`; undefined if it got that far. */
function killed(disk: Disk, at: number, fate: WriteFate, act: (store: Store) => void): Disk | undefined {
  const copy = new Disk(disk);
  try {
    act(open(copy, (write) => (write === at ? fate : 'written')).store);
    return undefined;
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    return copy;
  }
}

const isUndo = (row: string): boolean => row.startsWith('undo');
const withoutUndo = (content: ReadonlyMap<string, string>) => new Map([...content].filter(([row]) => !isUndo(row)));

/** What the undo records name, however many rows they take. */
function undoOf(content: ReadonlyMap<string, string>): Record<string, unknown> {
  const rows: Record<string, string[]> = {};
  for (const [row, value] of content) {
    const height = row.slice(0, 13);
    if (isUndo(row)) rows[height] = [...(rows[height] ?? []), value];
  }
  return Object.fromEntries(
    Object.entries(rows).map(([row, values]) => [row, collectTouched(touchedIn(0, values.map(fromHex)))]),
  );
}

const commit = (store: Store): void => void store.commitBlock(large(BEFORE));
const rollback = (store: Store): void => store.rollback(BEFORE - 1);

describe.each([
  ['of too many rows, in pieces', PIECES],
  ['of many keys, in parts', PARTS],
  ['in parts, of which some are pieces', { ...PIECES, ...PARTS }],
])('a block %s', (_, options) => {
  beforeAll(() => {
    way = options;
  });
  afterAll(() => {
    way = PIECES;
  });

  it('leaves the rows and the root of one batch', () => {
    const disk = begun();
    const { content, writes } = outcome(disk, commit);
    expect(writes).toBeGreaterThan(10);
    const whole = open(disk, undefined, WHOLE);
    const before = whole.writes();
    commit(whole.store);
    expect(whole.writes() - before).toBe(1);
    expect(withoutUndo(content)).toEqual(withoutUndo(whole.store.rawContent()));
    expect(undoOf(content)).toEqual(undoOf(whole.store.rawContent()));
  });

  it('is not seen before its last piece, whatever is read', () => {
    const disk = begun();
    const reader = open(disk).store;
    const before = seen(reader, BEFORE - 1);
    let looks = 0;
    const { store } = open(disk, () => {
      if (reader.tip()?.height === BEFORE) return 'written';
      expect(seen(reader, BEFORE - 1)).toEqual(before);
      looks++;
      return 'written';
    });
    commit(store);
    expect(looks).toBeGreaterThan(8);
    expect(seen(reader, BEFORE)).toEqual(seen(open(disk).store, BEFORE));
  });

  it.each([BEFORE, 0])('after a crash at any write is there whole or not at all (%i blocks before)', (blocks) => {
    const disk = begun(blocks);
    const before = contentOf(disk);
    const act = (store: Store) => store.commitBlock(large(blocks));
    const { content: after, writes } = outcome(disk, act);
    let whole = 0;
    for (let at = 0; at < writes; at++) {
      for (const fate of ['killed-before', 'killed-after'] as const) {
        const left = killed(disk, at, fate, act) ?? expect.fail('it did not get that far');
        const { store, remade } = open(left);
        const isWhole = store.tip()?.height === blocks;
        expect(store.rawContent()).toEqual(isWhole ? after : before);
        if (isWhole) whole++;
        else act(store);
        expect(store.rawContent()).toEqual(after);
        store.commitBlock(small(blocks + 1));
        expect(remade).toEqual([]);
      }
    }
    // The last piece, and what is written of the trees after it.
    expect(whole).toBeGreaterThan(0);
  });

  it('that a crash left is taken back by openings that crash themselves, too', () => {
    const disk = begun();
    const before = contentOf(disk);
    const { writes } = outcome(disk, commit);
    const left = killed(disk, Math.floor(writes / 2), 'killed-after', commit) ?? expect.fail('it did not get that far');
    let crashes = 0;
    while (crashes < 1_000) {
      try {
        // Every opening takes back some of it.
        expect(open(left, () => (crashes % 2 === 0 ? 'killed-before' : 'killed-after')).store.rawContent()).toEqual(
          before,
        );
        break;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        crashes++;
      }
    }
    expect(crashes).toBeGreaterThan(1);
  });

  it('on a full disk is taken back when the store is opened again', () => {
    const disk = begun();
    const before = contentOf(disk);
    const { store } = open(disk, (write) => (write < 8 ? 'written' : 'refused'));
    const failed = expect.objectContaining({ code: 'STORE_WRITE_FAILED' });
    expect(() => commit(store)).toThrow(failed);
    expect(store.tip()?.height).toBe(BEFORE - 1);
    expect(() => commit(store)).toThrow(failed);
    expect(open(disk).store.rawContent()).toEqual(before);
  });

  it('is taken back at once if it cannot be finished', () => {
    const disk = begun();
    const reader = open(disk).store;
    const [, last] = [...reader.entriesAt('P', NOTHING)].at(-1) ?? expect.fail('nothing to damage');
    const key = [...reader.entriesAt('P', NOTHING)].map(([of]) => of).at(-1) ?? last;
    // Loaded, so that the trees tell of a row that is gone.
    const { store, writes } = open(disk);
    store.commitBlock(small(BEFORE));
    const database = new MemoryDatabase(disk);
    const damage = database.batch();
    damage.del('latest', latestKey('P', key));
    damage.write();
    const before = store.rawContent();
    const done = writes();
    const next = { ...large(BEFORE + 1), laneWrites: new Map([[String.fromCharCode(...key), bytes('new')]]) };
    expect(() => store.commitBlock(next)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
    expect(writes() - done).toBeGreaterThan(5);
    expect(store.rawContent()).toEqual(before);
    expect(database.get('meta', META_UNFINISHED)).toBeUndefined();
  });
});

it('a block in pieces that makes a small tree a large one leaves it stored, or a crash has it made again', () => {
  const pieceBytes = 1 << 18;
  const disk = begun();
  const standardWrites = new Map(Array.from({ length: 16_500 }, (_, i) => [name(`new ${i}`), bytes(`${i}`)]));
  const act = (store: Store) => store.commitBlock({ ...block(BEFORE), standardWrites });
  const counted = open(new Disk(disk), undefined, { pieceBytes });
  const roots = act(counted.store);
  let madeAgain = 0;
  // The last ones are those of the trees: without a header, rows, the header.
  for (const back of [3, 0]) {
    const left = new Disk(disk);
    const at = counted.writes() - back;
    const { store } = open(left, (write) => (write === at ? 'killed-before' : 'written'), { pieceBytes });
    if (back === 0) act(store);
    else expect(() => act(store)).toThrow(Killed);
    const again = open(left, undefined, { pieceBytes });
    if (again.store.tip()?.height !== BEFORE) act(again.store);
    expect(again.store.roots(BEFORE)).toEqual(roots);
    again.store.commitBlock(small(BEFORE + 1));
    if (back === 0) expect(again.remade).toEqual([]);
    madeAgain += again.remade.length;
  }
  expect(madeAgain).toBeGreaterThan(0);
});

it.each([undefined, 2_048])('no write of a block of too many rows is large (parts of %s keys)', (partKeys) => {
  const pieceBytes = 1 << 16;
  const { store, largest } = open(begun(), undefined, { pieceBytes, partKeys });
  const standardWrites = new Map(Array.from({ length: 16_500 }, (_, i) => [name(`new ${i}`), bytes(`${i}`)]));
  store.commitBlock({ ...block(BEFORE), standardWrites });
  // The trees have portions of their own.
  expect(largest()).toBeLessThan(TREE_PORTION + pieceBytes);
});

describe('undoing a block of too many rows', () => {
  const stored = (blocks = BEFORE): Disk => {
    const disk = begun(blocks);
    open(disk).store.commitBlock(large(blocks));
    return disk;
  };

  it('leaves the rows from before it', () => {
    const { content, writes } = outcome(stored(), rollback);
    expect(content).toEqual(contentOf(begun()));
    expect(writes).toBeGreaterThan(6);
  });

  it('of the only block leaves none', () => {
    const disk = stored(0);
    open(disk).store.rollback(-1);
    expect(isNew(new MemoryDatabase(disk))).toBe(true);
  });

  it.each([BEFORE, 0])('after a crash at any write leaves it whole or gone (%i blocks before)', (blocks) => {
    const disk = stored(blocks);
    const after = contentOf(disk);
    const before = contentOf(begun(blocks));
    const act = (store: Store) => store.rollback(blocks - 1);
    const { writes } = outcome(disk, act);
    const ends = new Set<boolean>();
    for (let at = 0; at < writes; at++) {
      for (const fate of ['killed-before', 'killed-after'] as const) {
        const left = killed(disk, at, fate, act) ?? expect.fail('it did not get that far');
        const { store } = open(left);
        const isWhole = store.tip()?.height === blocks;
        ends.add(isWhole);
        expect(store.rawContent()).toEqual(isWhole ? after : before);
        act(store);
        expect(store.rawContent()).toEqual(before);
        store.commitBlock(large(blocks));
        expect(store.rawContent()).toEqual(after);
      }
    }
    expect(ends).toEqual(new Set([true, false]));
  });
});

it('a database whose blocks were written and undone in pieces checks', async () => {
  const dir = `${temporaryFolder()}/db`;
  const store = await Store.open(dir, { ...OPTIONS, ...PIECES });
  for (let height = 0; height < 6; height++) store.commitBlock(height % 2 === 0 ? small(height) : large(height));
  store.rollback(2);
  for (let height = 3; height < 5; height++) store.commitBlock(large(height));
  const { state } = store.roots(4) ?? {};
  await store.close();
  const found: string[] = [];
  const { stateRoot } = await checkStore(dir, { violation: ({ detail }) => found.push(detail) });
  expect(found).toEqual([]);
  expect(stateRoot).toBe(state);
});
