/** Why a transaction ran where it did: in its receipt, beside what ran it. Differs between policies as that does. */

/** In the order of their codes, from 1 on: fifteen at most have room in a receipt. 0 tells nothing. */
export const RUN_REASONS = [
  'reused',
  'kernel',
  'batch',
  'mispredicted',
  'repaired',
  'demoted',
  'unclean',
  'narrow',
  'given-up',
  'no-kernel',
  'kernel-failed',
  'paused',
  'held-back',
  'one-by-one',
  'again',
] as const;
export type RunReason = (typeof RUN_REASONS)[number];
