/** The events of the chain, one after the other, for one reader. */
import { WarpshrewError } from '../errors/errors.js';
import type { ListAnswer } from '../listing/list.js';
import type { ListedReceipt } from '../listing/receipts.js';
import type { AlkaneId } from '../protocol/types.js';
import type { StoreReader } from '../store/reader.js';
import { bytesEqual, concatBytes, toDisplayHash, u32Bytes } from '../util/bytes.js';
import { type EventPlace, forkBelow, namesBlock, placeText } from './event-place.js';

export interface ChainEvent {
  /** Gives what comes behind it (event-place.ts). */
  readonly id: string;
  /**
   * `block`: one more block is indexed. `undone`: all blocks above `height` were undone. `receipt`: a receipt of the
   * last block names the contract.
   */
  readonly event: 'block' | 'undone' | 'receipt';
  readonly data: object;
}

export interface FeedSource {
  readonly store: StoreReader;
  /**
   * The receipts of block `height` with `hash` that name a contract, behind `after`. Throws StoreError
   * STORE_LIST_UNDONE.
   */
  receipts(height: number, hash: Uint8Array, contract: AlkaneId, after: Uint8Array | undefined): Promise<ListAnswer>;
}

/** In a place: nothing of its block is to be told. */
const ALL_RECEIPTS = 0xffffffff;
/** Blocks that a feed remembers, and that it looks up when it begins: a reorg that is deeper undoes all. */
const REMEMBERED = 1_024;
const REMEMBERED_AT_ONCE = 144;
const PREVIOUS_AT = 4;

interface Seen {
  readonly height: number;
  readonly hash: Uint8Array;
}

/** Receipts of a block, behind a place. */
interface ReceiptsOf extends Seen {
  readonly after: Uint8Array | undefined;
}

/**
 * Blocks come and go between any two reads of the store. So what is told, places included, is of the blocks that the
 * reader has been told of, whatever the store has by then; the next look finds out what became of them.
 */
export class EventFeed {
  /** Of the reader's place where nothing has been told yet. */
  readonly id: string;
  readonly #source: FeedSource;
  readonly #contract: AlkaneId | undefined;
  /** The last blocks told, the newest last: each follows the one before. */
  #seen: Seen[] = [];
  /** Height of the last block told. */
  #height: number;
  /** The last block whose receipts are being told, and behind which of them. */
  #receipts: ReceiptsOf | undefined;
  /** The place is not in the chain: this is the highest block below that is. */
  #fork: number | undefined;
  /** It goes back no further than this height. */
  readonly #lowest: number;

  /**
   * `place`: what was told before, or the height of the block before the first one to tell. `below`: blocks up to this
   * height are not told, even if they were undone; undefined: any.
   */
  constructor(source: FeedSource, contract: AlkaneId | undefined, place: EventPlace | number, below?: number) {
    this.#source = source;
    this.#contract = contract;
    const { store } = source;
    this.id = '';
    const first = (store.lists.firstHeight() ?? 0) - 1;
    const height = typeof place === 'number' ? place : place.height;
    this.#lowest = Math.max(first, below !== undefined && below <= height ? below : first);
    if (typeof place === 'number') {
      this.#height = place;
      this.#remember(place);
      this.id = this.#placeAt(place, ALL_RECEIPTS);
      return;
    }
    let fork: number;
    let hash: Uint8Array | undefined;
    do {
      fork = Math.max(this.#lowest, forkBelow(store, place) ?? first);
      hash = this.#remember(fork);
    } while (fork > this.#lowest && !namesBlock(place, fork, hash));
    this.#height = fork;
    if (fork !== place.height) {
      this.#fork = fork;
      return;
    }
    const { receipt } = place;
    this.id = this.#placeAt(fork, receipt);
    if (contract === undefined || hash === undefined || receipt === ALL_RECEIPTS) return;
    const after = receipt === undefined ? undefined : concatBytes(u32Bytes(fork), u32Bytes(receipt));
    this.#receipts = { height: fork, hash, after };
  }

  /** The events at hand that come next, some at a time; none: the reader knows all of the chain. */
  async next(): Promise<readonly ChainEvent[]> {
    const { store } = this.#source;
    if (this.#fork !== undefined) {
      const height = this.#fork;
      this.#fork = undefined;
      return [this.#undone(height)];
    }
    for (;;) {
      const last = this.#seen.at(-1);
      if (last !== undefined && !bytesEqual(store.blockHash(last.height), last.hash)) return [this.#goBack()];
      if (this.#receipts !== undefined) {
        const events = await this.#nextReceipts(this.#receipts);
        if (events.length > 0) return events;
        continue;
      }
      const record = store.blockRecord(this.#height + 1);
      if (record === undefined) return [];
      const { height, hash, header, roots, receiptCount } = record;
      const previous = header.subarray(PREVIOUS_AT, PREVIOUS_AT + 32);
      // The last block was undone, and this one came, between the two reads.
      if (last !== undefined && !bytesEqual(previous, last.hash)) continue;
      this.#height = height;
      this.#seen.push({ height, hash });
      if (this.#seen.length > REMEMBERED) this.#seen.shift();
      if (this.#contract !== undefined && receiptCount > 0) this.#receipts = { height, hash, after: undefined };
      const data = {
        height,
        hash: toDisplayHash(hash),
        previous: toDisplayHash(previous),
        stateRoot: roots === undefined ? null : `0x${roots.state}`,
        receipts: receiptCount,
      };
      return [{ id: this.#placeAt(height), event: 'block', data }];
    }
  }

  async #nextReceipts({ height, hash, after }: ReceiptsOf): Promise<readonly ChainEvent[]> {
    const { receipts } = this.#source;
    const contract = this.#contract;
    if (contract === undefined) return [];
    try {
      const { page } = await receipts(height, hash, contract, after);
      this.#receipts = page.next && { height, hash, after: page.next };
      return page.items.map((item) => {
        const data = item as ListedReceipt;
        return { id: this.#placeAt(height, data.index), event: 'receipt', data };
      });
    } catch (error) {
      // The next look finds out which blocks are gone.
      if (error instanceof WarpshrewError && error.code === 'STORE_LIST_UNDONE') return [];
      throw error;
    }
  }

  /** To the highest block told that is in the chain. */
  #goBack(): ChainEvent {
    const { store } = this.#source;
    while (this.#seen.length > 0) {
      const { height, hash } = this.#seen[this.#seen.length - 1];
      if (bytesEqual(store.blockHash(height), hash)) return this.#undone(height);
      this.#seen.pop();
    }
    // Nothing that it remembers is there any more: all blocks come once more.
    return this.#undone(this.#lowest);
  }

  #undone(fork: number): ChainEvent {
    const height = Math.max(fork, this.#lowest);
    this.#receipts = undefined;
    this.#height = height;
    if (this.#seen.at(-1)?.height !== height) this.#remember(height);
    return { id: this.#placeAt(height, ALL_RECEIPTS), event: 'undone', data: { height } };
  }

  /** Block `height` and those before it, as they are in the chain now. */
  #remember(height: number): Uint8Array | undefined {
    const { store } = this.#source;
    do {
      this.#seen = [];
      for (let at = height; at >= 0 && at > height - REMEMBERED_AT_ONCE; at--) {
        const hash = store.blockHash(at);
        if (hash === undefined) break;
        this.#seen.unshift({ height: at, hash });
      }
      // Blocks of one chain, if the last one is still in it.
    } while (height >= 0 && !bytesEqual(store.blockHash(height), this.#seen.at(-1)?.hash));
    return this.#seen.at(-1)?.hash;
  }

  /** The place of a reader who has been told all up to here. */
  #placeAt(height: number, receipt?: number): string {
    const { store } = this.#source;
    const blockHash = (at: number): Uint8Array | undefined =>
      this.#seen[at - (this.#seen[0]?.height ?? at)]?.hash ?? store.blockHash(at);
    return placeText({ blockHash }, height, receipt);
  }
}
