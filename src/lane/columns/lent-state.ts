/** The memory of a block's state, given to the next block again: getting new memory takes longer than using it. */
import { forgetSources } from '../../util/packed-map.js';
import type { StateReader } from '../types.js';
import { BlockState } from './block-state.js';

/** What a thread keeps between two blocks, at most. */
const MOST_KEPT = 8 * 1024 * 1024;
const NOTHING: StateReader = { get: () => undefined };

let spare: BlockState | undefined;

/** A {@link BlockState} over `base`; whoever has done with it gives it back. */
export function lendState(base: StateReader, mostBytes?: number): BlockState {
  const state = spare;
  spare = undefined;
  if (state === undefined) return new BlockState(base, mostBytes);
  state.begin(base, mostBytes);
  return state;
}

/** `state` is not looked at any more. */
export function giveStateBack(state: BlockState): void {
  forgetSources();
  if (state.bytes.length > MOST_KEPT) return;
  // Nothing of the block is kept alive.
  state.begin(NOTHING);
  spare = state;
}
