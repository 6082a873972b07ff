/** How a block runs now, by what the chooser prefers and what the threads are ready for. */
import type { RehearsalLength } from '../threads/rehearsal.js';
import type { BlockMode, ModeChooser } from './block-mode.js';
import type { BlockView } from './block-view.js';
import type { PoolWarmth } from './pool-warmth.js';

export interface Decision {
  readonly mode: BlockMode;
  /** What the threads should run of the block meanwhile, for nothing but to be faster next time. */
  readonly rehearsal: RehearsalLength | undefined;
  /** Whether it takes longer than it would later: threads rehearse meanwhile, or have not done so to the end. */
  readonly isDisturbed: boolean;
}

/**
 * `pool`: the threads, if they were started and can read the state before the block. Those that are being started would
 * only be waited for, and so would those that have run nothing like it, unless they are fast enough by now. Without
 * `warmth` it goes as `modes` chooses.
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
  if (mode === 'sequential') return { mode, rehearsal: undefined, isDisturbed: isBusy };
  if (warmth === undefined || (isReady && warmth.isWarmFor(block))) {
    return { mode, rehearsal: undefined, isDisturbed: false };
  }
  const us = isReady ? warmth.slowestUs(block) : undefined;
  if (us !== undefined && modes.paysAt(block, us)) {
    warmth.ranAnyway(block, us);
    return { mode, rehearsal: undefined, isDisturbed: true };
  }
  const rehearsal = isReady ? warmth.wanted(block) : undefined;
  return { mode: 'sequential', rehearsal, isDisturbed: isBusy || rehearsal !== undefined };
}
