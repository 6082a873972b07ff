/** Frames: runs of contracts of which one calls the next (lane rules 9). */
import { STACK_SLOTS } from './counters.js';
import { LIMITS } from './limits.js';

/** Calls below the message's own frame, at most. */
export const MAX_DEPTH = 32;
/** Pages that the memories of all frames under way may have together. */
export const LIVE_PAGES = 2_048;

/** What one run may take. */
export interface Frame {
  /** 0: the message's own. */
  readonly depth: number;
  /** Slots of the stack budget that are left to it. */
  readonly slots: number;
  /** Pages that the frames around it leave to its memory. */
  readonly pages: number;
}

/** The frame of a message. */
export const MESSAGE_FRAME: Frame = { depth: 0, slots: STACK_SLOTS, pages: LIVE_PAGES };

/** Whether nothing around it takes from what one memory can have. */
export function hasAllPages({ pages }: Frame): boolean {
  return pages >= LIMITS.memoryPages;
}
