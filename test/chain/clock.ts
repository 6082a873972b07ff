import type { Clock } from '../../src/chain/clock.js';

/** A clock on which no time passes: it writes down how long it was asked to wait. */
export function still(): Clock & { readonly waits: number[] } {
  const waits: number[] = [];
  return {
    waits,
    now: () => waits.reduce((sum, ms) => sum + ms, 0),
    sleep: async (ms) => {
      waits.push(ms);
    },
    random: () => 1,
  };
}
