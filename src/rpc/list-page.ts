/** What every method does that lists. */
import { KEPT_FOR_EVER, type ListingName, type Listings, type ListRequest } from '../listing/list.js';
import type { RpcBackend } from './backend.js';
import { ofKept } from './kept.js';
import { laneViewOf } from './lane-view-methods.js';
import { cursorOf, type ListOptions } from './list-options.js';

/** A page as it is answered. */
interface PageJson<N extends ListingName> {
  /** The state is that after this block. */
  readonly height: number;
  readonly items: readonly Listings[N]['item'][];
  /** Gives the next page; null: this was the last one. */
  readonly cursor: string | null;
}

interface Asked<N extends ListingName> {
  readonly name: N;
  readonly of: Listings[N]['of'];
  readonly options: ListOptions;
  isPlace(place: Uint8Array): boolean;
}

/** The page that is asked for, as it is answered. Throws RpcError, StoreError. */
export async function page<N extends ListingName>(
  { name, of, options, isPlace }: Asked<N>,
  backend: RpcBackend,
  client: string,
): Promise<PageJson<N>> {
  const about = [name, of];
  const part = options.part(backend, about, isPlace);
  const run = laneViewOf(backend);
  const request = { name, of, ...part } as ListRequest;
  const answer = (): ReturnType<typeof run<'list'>> => run('list', request, client);
  const { hash, page } = await (KEPT_FOR_EVER.has(name) ? answer() : ofKept(backend.store, part.height, answer));
  const cursor = page.next === undefined ? null : cursorOf(about, part.height, hash, page.next);
  return { height: part.height, items: page.items, cursor };
}
