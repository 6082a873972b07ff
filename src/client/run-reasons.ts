import type { Receipt } from './types.js';

/** Why a transaction ran where it did, in words that follow "since". */
export const REASON_WORDS: Readonly<Record<NonNullable<Receipt['reason']>, string>> = {
  reused: 'nothing before it changed what its dry run had read',
  kernel: 'the kernel ran it, and saw what it reads',
  batch: 'threads ran its batch',
  mispredicted: 'a value that was predicted for it was wrong',
  repaired: 'something before it changed what it had read',
  demoted: 'it spends an output of an earlier transaction of the block',
  unclean: 'only clean dry runs go into batches, and its own was not clean',
  narrow: 'too few waited for a run to make a batch',
  'given-up': 'the kernel gave it up, or saw other values',
  'no-kernel': 'its program had no kernel that was compiled',
  'kernel-failed': 'the kernel failed in its block',
  paused: 'the kernel was paused after failures',
  'held-back': 'the kernel took too long for so small a block',
  'one-by-one': 'its block ran one transaction after the other',
  again: 'its block ran again as a whole: the kernel and the CPU disagreed, or batches took too much memory',
};
