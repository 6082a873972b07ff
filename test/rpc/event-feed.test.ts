import { expect, it } from 'vitest';
import { list } from '../../src/listing/list.js';
import { type ChainEvent, EventFeed, type FeedSource } from '../../src/rpc/event-feed.js';
import { placeIn } from '../../src/rpc/event-place.js';
import { Store } from '../../src/store/store.js';
import { Reader } from '../../src/testing/chains/event-reader.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { OPTIONS } from '../store/helpers.js';
import { chainOf, grow } from './event-chain.js';

const CONTRACT = { block: 2n, tx: 1n };
const READS = 150;
/** Many times what it takes. */
const MOST_TURNS = 500;

const receiptsOf =
  (store: Store): FeedSource['receipts'] =>
  async (height, hash, contract, after) => {
    const of = { from: height, to: height, contract, status: undefined, reverse: false };
    return list({ name: 'receipts', of, height, hash, limit: 1, after }, store);
  };

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
    const receipts = receiptsOf(store);
    const reader = new Reader();
    for (let last: string | undefined, quiet = 0, turns = 0; quiet < 2 && turns < MOST_TURNS; turns++) {
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

/** All that a feed has to tell. */
async function heard(feed: EventFeed): Promise<ChainEvent[]> {
  const events: ChainEvent[] = [];
  for (let turns = 0; turns < MOST_TURNS; turns++) {
    const more = await feed.next();
    if (more.length === 0) break;
    events.push(...more);
  }
  return events;
}

it('a reader whose feed lasts misses nothing, before whichever read of receipts blocks are undone', async () => {
  for (let at = 0; at < 20; at++) {
    const store = Store.over(new MemoryDatabase(new Disk()), OPTIONS, 'memory');
    for (let i = 0; i < 6; i++) grow(store, 3);
    let reads = 0;
    const receipts: FeedSource['receipts'] = (...of) => {
      if (reads++ === at) {
        store.rollback(2);
        for (let i = 0; i < 2; i++) grow(store, 2);
      }
      return receiptsOf(store)(...of);
    };
    const reader = new Reader();
    const events = await heard(new EventFeed({ store, receipts }, CONTRACT, -1));
    for (const event of events as Parameters<Reader['hear']>[0][]) reader.hear(event);
    const { hashes, receipts: wanted } = chainOf(store, 0);
    expect([...reader.hashes], `read ${at}`).toEqual([...hashes]);
    expect(reader.receipts, `read ${at}`).toEqual(wanted);
  }
});

it('a feed that begins at a block tells none below, however deep the chain is undone', async () => {
  const store = Store.over(new MemoryDatabase(new Disk()), OPTIONS, 'memory');
  for (let i = 0; i < 6; i++) grow(store, 1);
  const feed = new EventFeed({ store, receipts: receiptsOf(store) }, undefined, 3, 3);
  await heard(feed);
  store.rollback(1);
  for (let i = 0; i < 4; i++) grow(store, 1);
  const told = (await heard(feed)).map(({ event, data }) => `${event} ${(data as { height: number }).height}`);
  expect(told).toEqual(['undone 3', 'block 4', 'block 5']);
});
