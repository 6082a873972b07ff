import type { Instruction } from '../../program/module.js';
import type { Node } from './tree.js';

/** Indices of the globals that the instrumentation adds. */
export interface Counters {
  readonly fuel: number;
  readonly stack: number;
  readonly why: number;
}

/**
 * Recognises the instrumentation's `if (counter < amount) { why = …; unreachable } counter -= amount` at the start of
 * every basic block, which the kernel does without a branch. Code that looks different is translated as it stands.
 */
export function matchCharge(
  nodes: readonly Node[],
  start: number,
  counters: Counters,
): { readonly counter: 'fuel' | 'stack'; readonly amount: string; readonly length: number } | undefined {
  const counter = plain(nodes[start], 0x23)?.a;
  if (counter === undefined || (counter !== counters.fuel && counter !== counters.stack)) return undefined;
  const amount = amountText(nodes[start + 1]);
  const test = nodes[start + 3];
  const matches =
    amount !== undefined &&
    plain(nodes[start + 2], 0x49) !== undefined &&
    test?.kind === 'if' &&
    isTrap(test.body, counter === counters.fuel ? 1 : 2, counters.why) &&
    test.otherwise.length === 0 &&
    plain(nodes[start + 4], 0x23)?.a === counter &&
    amountText(nodes[start + 5]) === amount &&
    plain(nodes[start + 6], 0x6b) !== undefined &&
    plain(nodes[start + 7], 0x24)?.a === counter;
  if (!matches) return undefined;
  return { counter: counter === counters.fuel ? 'fuel' : 'stack', amount, length: 8 };
}

/** If the instrumentation returns a frame's slots here: the number of nodes that do so; else undefined. */
export function matchLeave(nodes: readonly Node[], start: number, counters: Counters): number | undefined {
  const matches =
    plain(nodes[start], 0x23)?.a === counters.stack &&
    plain(nodes[start + 1], 0x41) !== undefined &&
    plain(nodes[start + 2], 0x6a) !== undefined &&
    plain(nodes[start + 3], 0x24)?.a === counters.stack;
  return matches ? 4 : undefined;
}

function plain(node: Node | undefined, op: number): Instruction | undefined {
  return node?.kind === 'plain' && node.instruction.op === op ? node.instruction : undefined;
}

function amountText(node: Node | undefined): string | undefined {
  const constant = plain(node, 0x41);
  if (constant !== undefined) return `${(constant.a ?? 0) >>> 0}u`;
  const local = plain(node, 0x20);
  return local === undefined ? undefined : `l${local.a ?? 0}`;
}

function isTrap(body: readonly Node[], why: number, global: number): boolean {
  return (
    body.length === 3 &&
    plain(body[0], 0x41)?.a === why &&
    plain(body[1], 0x24)?.a === global &&
    plain(body[2], 0x00) !== undefined
  );
}
