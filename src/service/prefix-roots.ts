/** Roots over the keys with a prefix that the operator named (`--prefixroot`), kept as they were made. */
import type { StoreReader } from '../store/reader.js';
import { fromHex, toHex } from '../util/bytes.js';

/** Roots that are kept; they have 64 characters. */
const MOST_KEPT = 10_000;

/** `NAME:0xHEX`, several separated by commas; the prefix has 1 to 1,024 bytes. */
export const PREFIX_ROOTS =
  /^[\w.-]{1,64}:0x(?:[0-9a-fA-F]{2}){1,1024}(?:,[\w.-]{1,64}:0x(?:[0-9a-fA-F]{2}){1,1024})*$/;

export class PrefixRoots {
  readonly #prefixes: ReadonlyMap<string, Uint8Array>;
  readonly #store: Pick<StoreReader, 'blockHash'>;
  readonly #make: (prefix: Uint8Array, height: number, client: string) => Promise<string>;
  readonly #kept = new Map<string, string>();

  /** `setting`: as {@link PREFIX_ROOTS} says. `make`: the root after a block, as hex. */
  constructor(
    setting: string | undefined,
    store: Pick<StoreReader, 'blockHash'>,
    make: (prefix: Uint8Array, height: number, client: string) => Promise<string>,
  ) {
    const pairs = (setting ?? '').split(',').filter((part) => part !== '');
    this.#prefixes = new Map(
      pairs.map((pair) => {
        const colon = pair.indexOf(':');
        return [pair.slice(0, colon), fromHex(pair.slice(colon + 1))];
      }),
    );
    this.#store = store;
    this.#make = make;
  }

  /** The root (hex) after block `height`; undefined if no prefix has that name. Rejects with what `make` throws. */
  async of(name: string, height: number, client: string): Promise<string | undefined> {
    const prefix = this.#prefixes.get(name);
    if (prefix === undefined) return undefined;
    const hash = this.#store.blockHash(height);
    const of = `${name} ${height} ${hash === undefined ? '' : toHex(hash)}`;
    const kept = this.#kept.get(of);
    if (kept !== undefined) return kept;
    const root = await this.#make(prefix, height, client);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(of, root);
    return root;
  }
}
