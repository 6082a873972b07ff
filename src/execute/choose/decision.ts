/** How a block runs now, by what the chooser prefers and what the threads are ready for. */
import type { RehearsalLength } from '../threads/rehearsal.js';
import { ALWAYS_PARALLEL, type BlockMode, type ModeChooser } from './block-mode.js';
import type { BlockView } from './block-view.js';
import type { PoolWarmth } from './pool-warmth.js';

export interface Decision {
  readonly mode: BlockMode;
  /** What the threads should run of the block meanwhile, for nothing but to be faster next time. */
  readonly rehearsal: RehearsalLength | undefined;
  /** Whether threads rehearse while it runs, so that it takes a little longer. */
  readonly isDisturbed: boolean;
}

/**
 * `pool`: the threads, if they were started and can read the state before the block. Those that are being started would
 * only be waited for, and so would those that have run nothing like it; without `warmth` it does not matter what they
 * have run, nor whether there are any.
 */
export function decide(
  block: BlockView,
  modes: ModeChooser,
  pool: { readonly isReady: boolean } | undefined,
  warmth: PoolWarmth | undefined,
): Decision {
  const preferred = modes.choose(block);
  const isBusy = warmth?.isBusy === true;
  const isReady = warmth === undefined ? pool?.isReady !== false : pool?.isReady === true;
  const mayRun = modes === ALWAYS_PARALLEL || (isReady && warmth?.isWarmFor(block) !== false);
  if (preferred === 'sequential' || mayRun) return { mode: preferred, rehearsal: undefined, isDisturbed: isBusy };
  const rehearsal = isReady ? warmth?.wanted(block) : undefined;
  return { mode: 'sequential', rehearsal, isDisturbed: isBusy || rehearsal !== undefined };
}
