/** Shares that splits have given to ordinary outputs and that are not applied yet (docs/lane-rules.md, section 2). */
import { formatId } from './alkane-id.js';
import type { Sheet } from './sheet.js';
import type { AlkaneId } from './types.js';

interface Shares {
  readonly id: AlkaneId;
  /** By count n: each of the first n ordinary outputs gets this amount. */
  readonly byCount: Map<number, bigint>;
  /** The greatest count: that many outputs certainly have an amount of the asset. */
  reach: number;
}

/**
 * A transaction may have very many splits over very many outputs. Each split is recorded here in one step, and all
 * outputs get their amounts together when one of them is read, or at the end; how many entries that makes is known
 * before.
 */
export class PendingSplits {
  readonly #assets = new Map<string, Shares>();
  #entries = 0;

  get isEmpty(): boolean {
    return this.#assets.size === 0;
  }

  /** Number of pending assets: no output will get more entries from here. */
  get assets(): number {
    return this.#assets.size;
  }

  /** Number of pending pairs of an ordinary output and an asset. */
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

  /** Applies all pending shares: `sheetOf(i)` is the sheet of the i-th ordinary output. False if a sum passes u128. */
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
