/**
 * How `auto` runs a whole block: in parallel (dry runs, plan, batches on workers or in the kernel, validation), or one
 * transaction after the other. Never what it means.
 */
import type { BlockView } from './block-view.js';
import type { KindSight } from './sequential-watch.js';

export type BlockMode = 'parallel' | 'sequential';

export interface ModeChooser {
  choose(block: BlockView): BlockMode;
  /** Whether `block`, if it runs one after the other, should be watched. */
  watches(block: BlockView): boolean;
  /** `block` took `ms` that way; `seen`: what a block that ran one after the other told, by kind. */
  took(block: BlockView, mode: BlockMode, ms: number, seen?: ReadonlyMap<string, KindSight>): void;
  /** Whether the workers may soon be needed: starting them takes longer than a block. */
  readonly wantsWorkers: boolean;
}

/** For policies and tests that want the parallel way whatever it costs. */
export const ALWAYS_PARALLEL: ModeChooser = {
  choose: () => 'parallel',
  watches: () => false,
  took() {},
  wantsWorkers: true,
};
