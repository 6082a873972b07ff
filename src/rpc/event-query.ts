/** What a reader of events asks for, in the query of the address. */
import type { AlkaneId } from '../protocol/types.js';
import type { StoreReader } from '../store/reader.js';
import { RpcError } from './errors.js';
import { type EventPlace, placeIn } from './event-place.js';
import { Params } from './params.js';

export interface EventQuery {
  /** Where it goes on; a number: the height of the block before the first one. */
  readonly place: EventPlace | number;
  /** Height of the block before the lowest one to tell, whatever was undone; undefined: any may come again. */
  readonly below: number | undefined;
  readonly contract: AlkaneId | undefined;
  /** How long a long poll waits. */
  readonly waitMs: number;
}

const NAMES = ['from', 'after', 'contract', 'wait'] as const;
const MOST_WAIT_MS = 60_000;
const DEFAULT_WAIT_MS = 30_000;
/** Longest query. */
const MOST_CHARACTERS = 500;

/** `lastId`: the header Last-Event-ID. Throws RpcError RPC_BAD_EVENTS, BLOCK_NOT_INDEXED. */
export function eventQuery(url: string, lastId: string | undefined, store: StoreReader): EventQuery {
  if (url.length > MOST_CHARACTERS) throw bad('the address is too long');
  const given = new URLSearchParams(url.split('?')[1] ?? '');
  for (const name of given.keys()) if (!NAMES.some((known) => known === name)) throw bad(`no ${name.slice(0, 40)}`);
  const contract = given.get('contract');
  const from = given.get('from');
  const lowest = from === null ? undefined : new Params([from], '').height(0);
  return {
    place: placeOf(lastId ?? given.get('after'), lowest, store),
    below: lowest === undefined ? undefined : lowest - 1,
    contract: contract === null ? undefined : new Params([contract], '').id(0),
    waitMs: waitOf(given.get('wait')),
  };
}

/** `from`: height of the first block to tell, where nothing was told before. */
function placeOf(after: string | null, from: number | undefined, store: StoreReader): EventQuery['place'] {
  if (after !== null) {
    const place = placeIn(after);
    if (place === undefined) throw bad('after, or Last-Event-ID, is no id of an event');
    return place;
  }
  const tip = store.tip()?.height ?? -1;
  if (from === undefined) return tip;
  if (from <= tip && store.blockHash(from) === undefined) {
    throw new RpcError('BLOCK_NOT_INDEXED', `Height ${from} is not indexed`, 'The store begins above this height.');
  }
  return from - 1;
}

function waitOf(text: string | null): number {
  if (text === null) return DEFAULT_WAIT_MS;
  if (/^\d{1,5}$/.test(text) && Number(text) <= MOST_WAIT_MS) return Number(text);
  throw bad(`wait is no number of milliseconds up to ${MOST_WAIT_MS}`);
}

function bad(what: string): RpcError {
  const hint = 'Ask /events?from=HEIGHT or /events?after=ID, with contract=BLOCK:TX for receipts.';
  return new RpcError('RPC_BAD_EVENTS', `Invalid query: ${what}`, hint);
}
