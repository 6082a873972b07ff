/** What `bench threshold` found: times of batches by program, size and way, and from which size on the kernel wins. */

import type { BenchRun } from '../machine.js';

export const WAYS = ['one thread', 'all threads', 'kernel'] as const;
export type ThresholdWay = (typeof WAYS)[number];

/** Batches of so many messages of a program, run one way. */
export interface ThresholdPoint {
  readonly program: string;
  readonly count: number;
  readonly way: ThresholdWay;
  /** Milliseconds of each batch, those that only warm up apart. */
  readonly warmUp: readonly number[];
  readonly samples: readonly number[];
  readonly median: number;
  readonly p90: number;
  readonly least: number;
  readonly most: number;
}

/** From `count` messages on, as far as was measured, the kernel takes less than `way`; undefined: at no size. */
export interface Crossing {
  readonly program: string;
  readonly way: Exclude<ThresholdWay, 'kernel'>;
  readonly count: number | undefined;
}

export interface ThresholdReport extends BenchRun {
  readonly format: 'warpshrew-threshold-1';
  readonly points: readonly ThresholdPoint[];
  readonly crossings: readonly Crossing[];
  /** Results of the kernel that are not those of V8. */
  readonly differences: number;
}

/** Milliseconds to a thousandth. */
const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000;

/** The figures of some batches, at least one of which is no warm-up. */
export function pointOf(
  name: { readonly program: string; readonly count: number; readonly way: ThresholdWay },
  warmUp: readonly number[],
  samples: readonly number[],
): ThresholdPoint {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number => rounded(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
  return {
    ...name,
    warmUp: warmUp.map(rounded),
    samples: samples.map(rounded),
    median: at(0.5),
    p90: at(0.9),
    least: at(0),
    most: at(1),
  };
}

/** By program that the kernel has run, and way of the CPU, in the order in which they were measured. */
export function crossingsOf(points: readonly ThresholdPoint[]): Crossing[] {
  const programs = new Set(points.filter(({ way }) => way === 'kernel').map(({ program }) => program));
  return [...programs].flatMap((program) =>
    (['one thread', 'all threads'] as const).map((way) => {
      const own = points.filter((point) => point.program === program);
      const medians = (of: ThresholdWay): Map<number, number> =>
        new Map(own.filter((point) => point.way === of).map(({ count, median }) => [count, median]));
      const [cpu, kernel] = [medians(way), medians('kernel')];
      const sizes = [...kernel.keys()].filter((count) => cpu.has(count)).sort((a, b) => b - a);
      let from: number | undefined;
      for (const count of sizes) {
        if ((kernel.get(count) ?? Infinity) >= (cpu.get(count) ?? 0)) break;
        from = count;
      }
      return { program, way, count: from };
    }),
  );
}

export const CSV_HEAD = 'run,program,messages,way,median_ms,p90_ms,least_ms,most_ms,samples,warm_up_ms,sample_ms';

/** A line a point under {@link CSV_HEAD}; lists within a cell have spaces between their numbers. */
export function csvOf({ run, points }: ThresholdReport): string {
  const lines = points.map(({ program, count, way, median, p90, least, most, samples, warmUp }) =>
    [run, program, count, way, median, p90, least, most, samples.length, warmUp.join(' '), samples.join(' ')].join(','),
  );
  return `${[CSV_HEAD, ...lines].join('\n')}\n`;
}
