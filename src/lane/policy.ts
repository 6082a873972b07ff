/** What an operator chooses for the parallel lane. */

/**
 * `sequential`: the truth, nothing else. `cpu`: reuse, else workers. `gpu`: every contract call whose kernel is
 * compiled goes to the kernel, nothing is reused. `auto`: reuse where it holds; else the kernel where a hardware GPU is
 * there, its kernel is compiled and it promises to be cheaper; else the CPU. `balance`: reuse where it holds; of wide
 * batches, threads and kernel each run so many calls that both are done at the same time.
 */
export const POLICIES = ['auto', 'balance', 'cpu', 'gpu', 'sequential'] as const;
export type Policy = (typeof POLICIES)[number];

/**
 * Which transactions of a block run in batches. `tolerate-partial`: all that can be dry-run, whatever became of that.
 * `clean-only`: those whose dry run was whole and clean; the others run one after the other, each in its place. `off`:
 * none, and nothing is dry-run, whatever the policy. The state is the same.
 */
export const DRY_RUN_RULES = ['tolerate-partial', 'clean-only', 'off'] as const;
export type DryRunRule = (typeof DRY_RUN_RULES)[number];
export const DEFAULT_DRY_RUN: DryRunRule = 'tolerate-partial';

/** Whether blocks may use the kernel, where there is one. */
export function usesKernel(policy: Policy, dryRun = DEFAULT_DRY_RUN): boolean {
  return policy !== 'cpu' && policy !== 'sequential' && dryRun !== 'off';
}

/** Per cent of the kernel's results that the CPU recomputes before they are used, unless an operator chooses. */
export const DEFAULT_CROSS_CHECK = 2;

/**
 * What happens to messages of a transaction that spends an output of another lane transaction of its block
 * (docs/lane-rules.md, section 1). It is part of what a store is made with: it changes the state.
 */
export const DEPENDENT_RULES = ['demote', 'reject'] as const;
export type DependentRule = (typeof DEPENDENT_RULES)[number];
