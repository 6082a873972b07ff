/** Median, least and most of a figure over the rounds. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** To a thousandth; zeros for no values. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (i: number): number => Math.round((sorted[i] ?? 0) * 1000) / 1000;
  return { median: at(sorted.length >> 1), least: at(0), most: at(sorted.length - 1) };
}
