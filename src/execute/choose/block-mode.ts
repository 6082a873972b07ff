/**
 * How `auto` runs a whole block: one transaction after the other, or in parallel (dry runs, plan, batches, validation)
 * on the workers alone, or with the kernel. Never what it means.
 */
import type { BlockView } from './block-view.js';
import type { KindSight } from './sequential-watch.js';

/** The ways of running a block in parallel. */
export const PARALLEL_MODES = ['workers', 'kernel'] as const;
export type ParallelMode = (typeof PARALLEL_MODES)[number];
export type BlockMode = 'sequential' | ParallelMode;

export interface ModeChooser {
  choose(block: BlockView): BlockMode;
  /** Whether `block` would be done sooner in parallel although each run of a transaction takes a thread `us` more. */
  paysAt(block: BlockView, us: number): boolean;
  /** Whether `block`, if it runs one after the other, should be watched. */
  watches(block: BlockView): boolean;
  /**
   * `block` took `ms` that way; `seen`: what a block that ran one after the other told, by kind. `disturbed`: other
   * threads were at work meanwhile, or those that ran it compiled, so that it took longer than it would.
   */
  took(block: BlockView, mode: BlockMode, ms: number, seen?: ReadonlyMap<string, KindSight>, disturbed?: boolean): void;
  /** Whether the workers may soon be needed: starting them takes longer than a block. */
  readonly wantsWorkers: boolean;
}

/** For policies and tests that want the parallel way whatever it costs, with the kernel where the policy has one. */
export const ALWAYS_PARALLEL: ModeChooser = {
  choose: () => 'kernel',
  paysAt: () => false,
  watches: () => false,
  took() {},
  wantsWorkers: true,
};
