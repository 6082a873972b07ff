import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { historyKey, parseHistoryKey } from '../../src/store/keys.js';
import { Store } from '../../src/store/store.js';
import { verifyProof } from '../../src/store/tree/verify-proof.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { compareBytes, fromBinaryString, fromHex, toBinaryString, toHex } from '../../src/util/bytes.js';
import {
  block,
  bytes,
  generator,
  name,
  OPTIONS,
  plan,
  randomBlock,
  receipt,
  temporaryFolder,
  text,
  withStore,
} from './helpers.js';

describe('reads', () => {
  it('the newest version up to a height is read; empty values of S are versions, deletions of P are absent', () =>
    withStore((store) => {
      store.commitBlock(block(5, { a: '1', b: '' }, { x: '1', y: '1' }));
      store.commitBlock(block(6, {}, { x: null }));
      store.commitBlock(block(7, { a: '', b: '2' }, { x: '3', never: null }));
      const read = (ns: 'S' | 'P', key: string) =>
        [4, 5, 6, 7, 8].map((height) => text(store.getAt(ns, bytes(key), height)));
      expect(read('S', 'a')).toEqual([undefined, '1', '1', '', '']);
      expect(read('S', 'b')).toEqual([undefined, '', '', '2', '2']);
      expect(read('P', 'x')).toEqual([undefined, '1', undefined, '3', '3']);
      expect(read('P', 'y')).toEqual([undefined, '1', '1', '1', '1']);
      expect(read('P', 'never')).toEqual(new Array(5).fill(undefined));
      expect(read('P', 'a')).toEqual(new Array(5).fill(undefined));
      expect(text(store.getLatest('S', bytes('a')))).toBe('');
      expect(store.getMany('P', ['x', 'none', 'y'].map(bytes)).map(text)).toEqual(['3', undefined, '1']);
      expect(store.getMany('P', [])).toEqual([]);
    }));

  it('a key that is a prefix of another, or holds zero bytes, keeps its own versions', () =>
    withStore((store) => {
      const keys = ['', '00', '0000', '00ff', '0001', '00010000', 'ff', 'ffff', '61', '6100', '610001', '61ff'];
      keys.forEach((hex, height) => {
        const write = new Map([[toBinaryString(fromHex(hex)), bytes(hex)]]);
        store.commitBlock({ ...block(height), standardWrites: write, laneWrites: write });
      });
      keys.forEach((hex, written) => {
        for (let height = 0; height < keys.length; height++) {
          const expected = height >= written ? hex : undefined;
          expect(text(store.getAt('S', fromHex(hex), height))).toBe(expected);
          expect(text(store.getAt('P', fromHex(hex), height))).toBe(expected);
        }
      });
      for (let height = 0; height < keys.length; height++) {
        for (const prefix of ['', '00', '61', 'ff']) {
          const expected = keys.slice(0, height + 1).filter((hex) => hex.startsWith(prefix));
          const found = [...store.entriesAt('P', fromHex(prefix), height)].map(([key]) => toHex(key));
          expect(found).toEqual(expected.sort());
        }
      }
    }));

  it('history rows order as keys, the oldest first, and parse back to key and height', () => {
    const pair = fc.tuple(fc.uint8Array({ maxLength: 8 }), fc.nat({ max: 0xffffffff }));
    fc.assert(
      fc.property(pair, pair, ([a, ha], [b, hb]) => {
        const [ra, rb] = [historyKey('S', a, ha), historyKey('S', b, hb)];
        expect(parseHistoryKey(ra)).toEqual({ key: a, end: ha });
        const order = compareBytes(a, b) || Math.sign(ha - hb);
        expect(Math.sign(compareBytes(ra, rb))).toBe(Math.sign(order));
      }),
    );
  });

  it('block record, hash, roots, plan and receipts are found by height and txid', () =>
    withStore((store) => {
      expect(store.tip()).toBeUndefined();
      const second = receipt(9, 4, { undone: 'overflow', messages: [] });
      const commit = { ...block(9, { a: '1' }), receipts: [receipt(9, 0), second], standardError: 'abort: no' };
      const roots = store.commitBlock(commit);
      expect(store.tip()).toEqual({ height: 9, hash: commit.hash });
      expect(store.blockHash(9)).toEqual(commit.hash);
      expect(store.roots(9)).toEqual(roots);
      expect(store.plan(9)).toStrictEqual(plan(9));
      expect(store.receipt(second.txid)).toStrictEqual(second);
      expect([...store.receipts(9)]).toStrictEqual(commit.receipts);
      expect(store.receipt('00'.repeat(32))).toBeUndefined();
      expect(store.receipt('00')).toBeUndefined();
      expect(store.blockRecord(9)).toStrictEqual({
        height: 9,
        hash: commit.hash,
        header: commit.header,
        roots,
        standardError: 'abort: no',
        receiptCount: 2,
      });
      for (const height of [8, 10, -1, 0.5, Number.NaN, 2 ** 40]) expect(store.blockRecord(height)).toBeUndefined();
    }));

  it('a txid that the chain holds twice answers its newest receipt, and the older one after a rollback', () =>
    withStore((store) => {
      const txid = 'cd'.repeat(32);
      store.commitBlock({ ...block(0), receipts: [receipt(0, 0, { txid })] });
      store.commitBlock({ ...block(1), receipts: [receipt(1, 0, { txid })] });
      expect(store.receipt(txid)?.height).toBe(1);
      store.rollback(0);
      expect(store.receipt(txid)?.height).toBe(0);
    }));

  it('proofs of both namespaces hold under the roots of the tip', () =>
    withStore((store) => {
      store.commitBlock(block(0, { a: '1', b: '' }, { x: '1', y: '2' }));
      const roots = store.commitBlock(block(1, {}, { x: null }));
      const holds = (ns: 'S' | 'P', root: string, key: string, value?: string) =>
        verifyProof(
          fromHex(root),
          bytes(key),
          value === undefined ? undefined : bytes(value),
          store.prove(ns, bytes(key)),
        );
      expect(holds('S', roots.standard, 'a', '1')).toBe(true);
      expect(holds('S', roots.standard, 'b', '')).toBe(true);
      expect(holds('S', roots.standard, 'c')).toBe(true);
      expect(holds('P', roots.lane, 'x')).toBe(true);
      expect(holds('P', roots.lane, 'x', '1')).toBe(false);
      expect(holds('P', roots.lane, 'y', '2')).toBe(true);
    }));
});

describe('commit', () => {
  it('the first block may have any height; every other follows the tip', () =>
    withStore((store) => {
      store.commitBlock(block(100));
      for (const height of [99, 100, 102, -1, 0.5]) {
        expect(() => store.commitBlock(block(height))).toThrow(expect.objectContaining({ code: 'STORE_NOT_NEXT' }));
      }
      store.commitBlock(block(101));
      expect(store.tip()?.height).toBe(101);
    }));

  it('a refused block leaves no trace', () =>
    withStore((store) => {
      store.commitBlock(block(0, { a: '1' }));
      const before = store.rawContent();
      expect(() => store.commitBlock({ ...block(1), receipts: [receipt(7, 0)] })).toThrow();
      expect(() => store.commitBlock({ ...block(1), hash: new Uint8Array(31) })).toThrow();
      expect(store.rawContent()).toEqual(before);
    }));

  it('a block without writes carries the roots on', () =>
    withStore((store) => {
      const roots = store.commitBlock(block(0, { a: '1' }, { x: '1' }));
      expect(store.commitBlock(block(1))).toEqual(roots);
      expect(store.commitBlock(block(2, {}, { gone: null }))).toEqual(roots);
    }));

  it('roots are those of the published example, per namespace', () =>
    withStore((store) => {
      const roots = store.commitBlock(block(0, { a: '1' }, { a: '1', b: '2' }));
      expect(roots.standard).toBe('2fb906d1a4d261c72cf5fb6cacb2360e052be15051efc1713d0fe1bb3a750c1e');
      expect(roots.lane).toBe('5f68b58bfb60227585afcfd2d61ac0b4e46104e1dda67b0ed8de1177996a5d06');
    }));

  it('a reopened store continues its trees', async () => {
    const dir = temporaryFolder();
    await withStore((store) => void store.commitBlock(block(0, { a: '1', b: '2' })), dir);
    await withStore((store) => {
      expect(store.tip()?.height).toBe(0);
      const roots = store.commitBlock(block(1, { a: '3' }));
      expect(roots.standard).toBe('0a8419500481fc112d61fc647a0f227f4e33d4ef85f6aac04b32a6b880d3e1b8');
    }, dir);
  });
});

describe('rollback', () => {
  it('restores every row of the database as it was at that height, from any depth', () =>
    withStore((store) => {
      const random = generator(20_240_801);
      const snapshots: Map<string, string>[] = [store.rawContent()];
      // Index in `snapshots` = height + 1; the chain starts at height 0.
      for (let step = 0; step < 150; step++) {
        const next = snapshots.length - 1;
        if (next > 0 && random(4) === 0) {
          const to = next - 1 - random(Math.min(next, 6)) - 1;
          store.rollback(to);
          snapshots.length = to + 2;
          expect(store.rawContent()).toEqual(snapshots[to + 1]);
        } else {
          store.commitBlock(randomBlock(next, random));
          snapshots.push(store.rawContent());
        }
      }
      store.rollback(-1);
      expect(store.rawContent()).toEqual(snapshots[0]);
      expect(store.tip()).toBeUndefined();
    }));

  it('nothing of a dead branch stays: two stores with one live chain have the same rows', () =>
    withStore(async (store) => {
      const random = generator(5);
      for (let height = 0; height < 10; height++) store.commitBlock(randomBlock(height, random));
      const common = generator(99);
      store.rollback(-1);
      for (let height = 3; height < 8; height++) store.commitBlock(randomBlock(height, common));
      const again = generator(99);
      await withStore((fresh) => {
        for (let height = 3; height < 8; height++) fresh.commitBlock(randomBlock(height, again));
        expect(store.rawContent()).toEqual(fresh.rawContent());
      });
    }));

  it('to the tip or above does nothing', () =>
    withStore((store) => {
      store.commitBlock(block(3, { a: '1' }));
      const before = store.rawContent();
      store.rollback(3);
      store.rollback(50);
      expect(store.rawContent()).toEqual(before);
    }));
});

describe('threads', () => {
  it('a worker reads through the handle, ends without closing, and the owner closes after it', () =>
    withStore(async (store) => {
      store.commitBlock(block(0, { a: 'first' }));
      const dist = new URL('../../dist/store/store.js', import.meta.url).href;
      const code = `
        const { parentPort, workerData } = require('node:worker_threads');
        import(workerData.dist).then(async ({ Store }) => {
          const reader = await Store.attach(workerData.handle);
          const key = new TextEncoder().encode('a');
          let reads = 0;
          for (let last = ''; last !== 'last' && reads < 5_000_000; reads++) {
            last = new TextDecoder().decode(reader.getLatest('S', key));
            if (reads === 100) parentPort.postMessage('reading');
          }
          parentPort.postMessage({ reads, tip: reader.tip().height });
        });`;
      const worker = new Worker(code, { eval: true, workerData: { dist, handle: store.handle } });
      const result = await new Promise<{ reads: number; tip: number }>((done, failed) => {
        worker.on('error', failed);
        worker.on('message', (message: 'reading' | { reads: number; tip: number }) => {
          if (message !== 'reading') return done(message);
          for (let height = 1; height < 20; height++) store.commitBlock(block(height, { a: `${height}` }));
          store.commitBlock(block(20, { a: 'last' }));
        });
      });
      await new Promise((done) => worker.once('exit', done));
      expect(result.tip).toBe(20);
      expect(result.reads).toBeGreaterThan(100);
    }));

  it('closing an attached reader leaves the owner open', () =>
    withStore(async (store) => {
      const reader = await Store.attach(store.handle);
      await (reader as Store).close();
      store.commitBlock(block(0));
      expect(() => reader.tip()).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }));
      expect(store.tip()?.height).toBe(0);
    }));

  it('an iteration sees the state of its beginning while blocks are committed', () =>
    withStore((store) => {
      const many = Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`k${String(i).padStart(4, '0')}`, 'x']));
      store.commitBlock(block(0, many));
      const entries = store.entriesAt('S', bytes('k'));
      entries.next();
      store.commitBlock(block(1, Object.fromEntries(Object.keys(many).map((k) => [k, 'y']))));
      expect([...entries].map(([, value]) => text(value))).toEqual(new Array(1499).fill('x'));
      expect([...store.entriesAt('S', bytes('k'), 0)].every(([, value]) => text(value) === 'x')).toBe(true);
      expect(fromBinaryString(name('k'))).toEqual(bytes('k'));
    }));
});

describe('synced writes', () => {
  /** A store whose batches tell whether they were synced. */
  function recorded(): { store: Store; synced: boolean[]; clock: { now: number } } {
    const database = new MemoryDatabase(new Disk());
    const synced: boolean[] = [];
    const batch = database.batch.bind(database);
    database.batch = () => {
      const made = batch();
      return Object.create(made, {
        write: {
          value: (sync = true) => {
            synced.push(sync);
            made.write(sync);
          },
        },
      });
    };
    // On a busy machine time would pass between two blocks.
    const clock = { now: 0 };
    const spy = vi.spyOn(performance, 'now').mockImplementation(() => clock.now);
    onTestFinished(() => spy.mockRestore());
    const store = Store.over(database, { ...OPTIONS, pieceBytes: 1 << 30 }, 'memory');
    synced.length = 0;
    return { store, synced, clock };
  }

  it('a block that others follow waits for them, the last one and every rollback do not', () => {
    const { store, synced } = recorded();
    store.commitBlock(block(0), { moreFollow: true });
    store.commitBlock(block(1), { moreFollow: true });
    store.commitBlock(block(2));
    store.commitBlock(block(3), { moreFollow: true });
    store.rollback(2);
    expect(synced).toEqual([false, false, true, false, true]);
  });

  it('many bytes are not left waiting', () => {
    const { store, synced } = recorded();
    const big = new Map([[name('big'), new Uint8Array(20 << 20)]]);
    for (let height = 0; height < 4; height++) {
      store.commitBlock({ ...block(height), standardWrites: big }, { moreFollow: true });
    }
    // Each block but the first also moves the value before to the history.
    expect(synced.slice(0, 4)).toEqual([false, false, true, false]);
    // What else is written lets the log go (log-release.ts).
    expect(synced.slice(4)).toEqual([false, false, false]);
  });

  it('nothing is left waiting for more than a second', () => {
    const { store, synced, clock } = recorded();
    for (let height = 0; height < 5; height++) {
      store.commitBlock(block(height), { moreFollow: true });
      clock.now += 400;
    }
    expect(synced).toEqual([false, false, false, true, false]);
  });

  it('closing syncs what waits, and only then', async () => {
    const first = recorded();
    first.store.commitBlock(block(0), { moreFollow: true });
    await first.store.close();
    expect(first.synced).toEqual([false, true]);
    const second = recorded();
    second.store.commitBlock(block(0));
    await second.store.close();
    expect(second.synced).toEqual([true]);
  });

  it('a root that is refused leaves nothing behind', () =>
    withStore((store) => {
      store.commitBlock(block(0, { a: '1' }));
      const check = (): void => {
        throw new Error('another root');
      };
      expect(() => store.commitBlock(block(1, { a: '2' }), { check })).toThrow('another root');
      expect(store.tip()?.height).toBe(0);
      expect(text(store.getLatest('S', bytes('a')))).toBe('1');
      store.commitBlock(block(1, { a: '3' }));
    }));
});
