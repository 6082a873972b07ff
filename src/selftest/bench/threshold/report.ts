/** What `bench threshold` found: times of batches by program, size and way, and from which size on the kernel wins. */

import { POLICIES, type Policy } from '../../../lane/policy.js';
import type { BenchRun } from '../machine.js';

const BATCH_WAYS = ['one thread', 'all threads', 'kernel'] as const;
type BatchWay = (typeof BATCH_WAYS)[number];
/** A whole block of the messages, from its bytes until it is stored, under a policy. */
type BlockWay = `block: ${Policy}`;
export type ThresholdWay = BatchWay | BlockWay;
export const blockWay = (policy: Policy): BlockWay => `block: ${policy}`;
export const WAYS: readonly ThresholdWay[] = [...BATCH_WAYS, ...POLICIES.map(blockWay)];

/** Batches, or blocks, of so many messages of a program, run one way. */
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
  readonly way: Exclude<BatchWay, 'kernel'>;
  readonly count: number | undefined;
}

/** How well blocks of so many messages were run: speeds, medians of the ratio in one round. */
export interface PolicyRatios {
  readonly program: string;
  readonly count: number;
  /** `auto` over the policy with the best median; undefined where it, or every other one, was not measured. */
  readonly auto: number | undefined;
  /** `balance` over the better one of `cpu` and `gpu`; undefined where one of the three was not measured. */
  readonly balance: number | undefined;
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

/** Of every block that was run under `auto` or `balance` and others, in the order in which they were measured. */
export function ratiosOf(points: readonly ThresholdPoint[]): PolicyRatios[] {
  const blocks = new Map<string, ThresholdPoint[]>();
  for (const point of points) {
    if (!point.way.startsWith('block: ')) continue;
    const name = `${point.program} ${point.count}`;
    blocks.set(name, [...(blocks.get(name) ?? []), point]);
  }
  return [...blocks.values()].flatMap((own) => {
    const [{ program, count }] = own;
    const others = POLICIES.filter((policy) => policy !== 'auto');
    const auto = speedOver(own, 'auto', others, 1);
    const balance = speedOver(own, 'balance', ['cpu', 'gpu'], 2);
    return auto === undefined && balance === undefined ? [] : [{ program, count, auto, balance }];
  });
}

/** Over the one of `others` with the best median; undefined if fewer than `least` of them were measured. */
function speedOver(
  points: readonly ThresholdPoint[],
  policy: Policy,
  others: readonly Policy[],
  least: number,
): number | undefined {
  const find = (one: Policy): ThresholdPoint | undefined => points.find(({ way }) => way === blockWay(one));
  const own = find(policy);
  const measured = others.map(find).filter((point) => point !== undefined);
  if (own === undefined || measured.length < least) return undefined;
  const best = measured.reduce((a, b) => (b.median < a.median ? b : a));
  const ratios = best.samples.map((ms, round) => ms / own.samples[round]).sort((a, b) => a - b);
  return rounded(ratios[ratios.length >> 1]);
}

export const CSV_HEAD = 'run,program,messages,way,median_ms,p90_ms,least_ms,most_ms,samples,warm_up_ms,sample_ms';

/** A line a point under {@link CSV_HEAD}; lists within a cell have spaces between their numbers. */
export function csvOf({ run, points }: ThresholdReport): string {
  const lines = points.map(({ program, count, way, median, p90, least, most, samples, warmUp }) =>
    [run, program, count, way, median, p90, least, most, samples.length, warmUp.join(' '), samples.join(' ')].join(','),
  );
  return `${[CSV_HEAD, ...lines].join('\n')}\n`;
}
