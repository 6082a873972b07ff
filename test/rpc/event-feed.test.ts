import { expect, it } from 'vitest';
import { list } from '../../src/listing/list.js';
import { EventFeed, type FeedSource } from '../../src/rpc/event-feed.js';
import { placeIn } from '../../src/rpc/event-place.js';
import { Store } from '../../src/store/store.js';
import { Reader } from '../../src/testing/chains/event-reader.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { OPTIONS } from '../store/helpers.js';
import { chainOf, grow } from './event-chain.js';

const CONTRACT = { block: 2n, tx: 1n };
const READS = 150;

/** The store, in which `act` happens just before read number `at` of a block. */
function actingBefore(store: Store, at: number, act: () => void): Store {
  let reads = 0;
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const counts = name === 'blockHash' || name === 'blockRecord';
      return (...given: unknown[]): unknown => {
        if (counts && reads++ === at) act();
        return Reflect.apply(value, target, given);
      };
    },
  });
}

it('a reader who asks for each event anew misses nothing, between whichever two reads blocks are undone', async () => {
  for (let at = 0; at < READS; at++) {
    const store = Store.over(new MemoryDatabase(new Disk()), OPTIONS, 'memory');
    for (let i = 0; i < 6; i++) grow(store, 3);
    const watched = actingBefore(store, at, () => {
      store.rollback(2);
      for (let i = 0; i < 4; i++) grow(store, 2);
    });
    const receipts: FeedSource['receipts'] = async (height, hash, contract, after) => {
      const of = { from: height, to: height, contract, status: undefined, reverse: false };
      return list({ name: 'receipts', of, height, hash, limit: 1, after }, store);
    };
    const reader = new Reader();
    for (let last: string | undefined, quiet = 0; quiet < 2; ) {
      const place = last === undefined ? -1 : placeIn(last);
      const feed = new EventFeed({ store: watched, receipts }, CONTRACT, place ?? -1);
      const events = (await feed.next()) as Parameters<Reader['hear']>[0][];
      for (const event of events) reader.hear(event);
      last = events.at(-1)?.id ?? feed.id;
      quiet = events.length === 0 ? quiet + 1 : 0;
    }
    const { hashes, receipts: wanted } = chainOf(store, 0);
    expect([...reader.hashes], `read ${at}`).toEqual([...hashes]);
    expect(reader.receipts, `read ${at}`).toEqual(wanted);
  }
});
