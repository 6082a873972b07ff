/** How a block runs now, by what the chooser prefers and what the threads are ready for. */
import type { RehearsalLength } from '../threads/rehearsal.js';
import type { BlockMode, ModeChooser } from './block-mode.js';
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
 * only be waited for, and so would those that have run nothing like it. Without `warmth` it goes as `modes` chooses.
 */
export function decide(
  block: BlockView,
  modes: ModeChooser,
  pool: { readonly isReady: boolean } | undefined,
  warmth: PoolWarmth | undefined,
): Decision {
  const mode = modes.choose(block);
  const isBusy = warmth?.isBusy === true;
  const isReady = pool?.isReady === true;
  if (mode === 'sequential' || warmth === undefined || (isReady && warmth.isWarmFor(block))) {
    return { mode, rehearsal: undefined, isDisturbed: isBusy };
  }
  const rehearsal = isReady ? warmth.wanted(block) : undefined;
  return { mode: 'sequential', rehearsal, isDisturbed: isBusy || rehearsal !== undefined };
}
