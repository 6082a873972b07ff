/** Counts of values by range: what a histogram is made of, cheap to add to and small enough to go with every block. */

/** Upper bounds of what a transaction takes, in seconds: a dry run takes microseconds, a hostile call many. */
export const EXECUTION_SECONDS: readonly number[] = [
  1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
  10,
];
/** Upper bounds of counts of a block, which has some thousands of transactions at most. */
export const COUNTS: readonly number[] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

export interface Distribution {
  /** By range, which ends with its bound; the last range is what lies above all bounds. */
  readonly counts: number[];
  sum: number;
}

/** By name of what they are about; those to which nothing was added are not there. */
export type Distributions = Record<string, Distribution>;

/** Adds `value`, `times` times, to the distribution `name`, whose upper bounds are `bounds`. */
export function addValue(into: Distributions, name: string, bounds: readonly number[], value: number, times = 1): void {
  into[name] ??= { counts: new Array<number>(bounds.length + 1).fill(0), sum: 0 };
  const at = bounds.findIndex((bound) => value <= bound);
  into[name].counts[at < 0 ? bounds.length : at] += times;
  into[name].sum += value * times;
}

/** Adds each of `from` to the one with the same name and the same bounds. */
export function addDistributions(into: Distributions, from: Readonly<Distributions>): void {
  for (const [name, { counts, sum }] of Object.entries(from)) {
    into[name] ??= { counts: new Array<number>(counts.length).fill(0), sum: 0 };
    const own = into[name];
    for (let range = 0; range < counts.length; range++) own.counts[range] += counts[range];
    own.sum += sum;
  }
}
