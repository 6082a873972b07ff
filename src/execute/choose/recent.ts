/** Measurements of recent blocks, of which the median counts: a single block that was disturbed changes nothing. */

const MOST_KEPT = 7;
/** Below so many values the least counts: the first runs compile code and fill caches. */
const ENOUGH = 3;

/** The last few values of a figure, each with a weight above 0: how far it can be trusted. */
export class Recent {
  readonly #values: number[] = [];
  readonly #weights: number[] = [];

  /** `value`: what was remembered of earlier ones. */
  constructor(value?: number) {
    if (value !== undefined) this.add(value);
  }

  add(value: number, weight = 1): void {
    this.#values.push(value);
    this.#weights.push(weight);
    if (this.#values.length <= MOST_KEPT) return;
    this.#values.shift();
    this.#weights.shift();
  }

  get count(): number {
    return this.#values.length;
  }

  /** Where the weights below and above are equal; undefined if there is no value. */
  get median(): number | undefined {
    const order = [...this.#values.keys()].sort((a, b) => this.#values[a] - this.#values[b]);
    const half = this.#weights.reduce((sum, weight) => sum + weight, 0) / 2;
    let below = 0;
    for (const i of order) {
      below += this.#weights[i];
      if (below >= half) return this.#values[i];
    }
    return undefined;
  }

  /** The median of enough values, the least of few. */
  get cost(): number | undefined {
    return this.count < ENOUGH && this.count > 0 ? Math.min(...this.#values) : this.median;
  }

  /** Makes every value so many times as large. */
  scale(factor: number): void {
    for (let i = 0; i < this.#values.length; i++) this.#values[i] *= factor;
  }
}
