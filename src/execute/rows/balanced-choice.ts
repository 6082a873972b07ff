/**
 * What the kernel gets under `balance`: of each wide batch of one program so many calls that threads and kernel end
 * together. Who follows another transaction goes where that one went, so that few values cross between the two.
 */
import type { Program } from '../../program/types.js';
import type { CallDivider } from '../choose/balance.js';
import { type ChoiceInputs, candidates, hasKernel, type KernelChoice, noChoice } from './kernel-choice.js';

/** Which side runs a node of a group that is divided. */
const SIDE = { none: 0, kernel: 1, threads: 2 } as const;

interface Group {
  readonly program: Program;
  readonly members: readonly number[];
}

export function chooseBalanced(inputs: ChoiceInputs, balance: CallDivider): KernelChoice {
  const { colours, costs, threads } = inputs;
  const choice = noChoice(inputs);
  const groups = colours.map((nodes) =>
    [...candidates(inputs, nodes)].map(([program, members]): Group => ({ program, members })),
  );
  const shares = sharesOf(inputs, balance, choice, groups.flat());
  const side = new Uint8Array(inputs.plan.graph.count);
  /** Of batches that are too narrow to be divided. */
  let saving = 0;
  const narrow: number[] = [];
  for (const colour of groups) {
    for (const { program, members } of colour) {
      const share = shares.get(program.hash);
      if (share === undefined) continue;
      if (members.length >= balance.fewest && threads > 0) {
        if (divide(inputs, members, share, side)) choice.splits++;
        continue;
      }
      const saved = threads === 0 ? Number.POSITIVE_INFINITY : costs.saving(program.hash, members.length, threads);
      if (saved > 0) {
        saving += saved;
        for (const node of members) side[node] = SIDE.kernel;
        narrow.push(...members);
      }
    }
  }
  // What is narrow does not wake the device unless that pays.
  if (choice.splits === 0 && saving < costs.launch) for (const node of narrow) side[node] = SIDE.none;
  for (let node = 0; node < side.length; node++) if (side[node] === SIDE.kernel) choice.gpu[node] = 1;
  return choice;
}

/** The threads' share by program hash, of those that have a kernel. */
function sharesOf(
  inputs: ChoiceInputs,
  balance: CallDivider,
  choice: KernelChoice,
  groups: readonly Group[],
): ReadonlyMap<string, number> {
  const calls = new Map<Program, number>();
  for (const { program, members } of groups) calls.set(program, (calls.get(program) ?? 0) + members.length);
  const shares = new Map<string, number>();
  for (const [program, count] of calls) {
    if (!hasKernel(inputs, choice, program, count)) continue;
    shares.set(program.hash, balance.share(program.hash, count));
    choice.divided.set(program.hash, count);
  }
  return shares;
}

/** Gives each of `members`, of one colour, its side; threads get `share` of them. True if both sides get some. */
function divide({ plan }: ChoiceInputs, members: readonly number[], share: number, side: Uint8Array): boolean {
  const { offsets, values } = plan.graph.predecessors;
  const free: number[] = [];
  let onThreads = 0;
  for (const node of members) {
    let followed: number = SIDE.none;
    for (let at = offsets[node]; at < offsets[node + 1] && followed === SIDE.none; at++) followed = side[values[at]];
    if (followed === SIDE.none) free.push(node);
    else side[node] = followed;
    if (followed === SIDE.threads) onThreads++;
  }
  const wanted = Math.round(share * members.length) - onThreads;
  const own = Math.min(free.length, Math.max(0, wanted));
  // Spread evenly, so that both sides get as much of whatever the calls differ in.
  free.forEach((node, i) => {
    const isOwn = Math.floor(((i + 1) * own) / free.length) > Math.floor((i * own) / free.length);
    side[node] = isOwn ? SIDE.threads : SIDE.kernel;
  });
  onThreads += own;
  return onThreads > 0 && onThreads < members.length;
}
