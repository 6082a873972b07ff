/** What splits have given to ordinary outputs and nobody has looked at yet (docs/lane-rules.md, section 2). */
import { formatId } from './alkane-id.js';
import type { Sheet } from './sheet.js';
import type { AlkaneId } from './types.js';

interface Shares {
  readonly id: AlkaneId;
  /** By count: the first so many ordinary outputs get this amount each. */
  readonly byCount: Map<number, bigint>;
  /** The greatest count: so many outputs have an amount of the asset for sure. */
  reach: number;
}

/**
 * A transaction may name very many splits over very many outputs. Each is noted here in one step, and the outputs get
 * their amounts together when one of them is looked at, or at the end; how many entries that makes is known before.
 */
export class PendingSplits {
  readonly #assets = new Map<string, Shares>();
  #entries = 0;

  get isEmpty(): boolean {
    return this.#assets.size === 0;
  }

  /** How many assets wait: no output will have more entries from here. */
  get assets(): number {
    return this.#assets.size;
  }

  /** How many pairs of an ordinary output and an asset wait. */
  get entries(): number {
    return this.#entries;
  }

  /** Gives `amount` of `id` to each of the first `count` ordinary outputs; nothing if either is 0. */
  add(id: AlkaneId, count: number, amount: bigint): void {
    if (count === 0 || amount === 0n) return;
    const key = formatId(id);
    let shares = this.#assets.get(key);
    if (shares === undefined) {
      shares = { id, byCount: new Map(), reach: 0 };
      this.#assets.set(key, shares);
    }
    shares.byCount.set(count, (shares.byCount.get(count) ?? 0n) + amount);
    if (count <= shares.reach) return;
    this.#entries += count - shares.reach;
    shares.reach = count;
  }

  /** Hands everything out: `sheetOf(i)` is the sheet of the i-th ordinary output. False if a sum passes u128. */
  handOut(sheetOf: (place: number) => Sheet): boolean {
    for (const { id, byCount, reach } of this.#assets.values()) {
      const counts = [...byCount.keys()].sort((a, b) => b - a);
      let share = 0n;
      let next = 0;
      for (let place = reach - 1; place >= 0; place--) {
        for (; next < counts.length && counts[next] > place; next++) share += byCount.get(counts[next]) ?? 0n;
        if (!sheetOf(place).add(id, share)) return false;
      }
    }
    this.#assets.clear();
    this.#entries = 0;
    return true;
  }
}
