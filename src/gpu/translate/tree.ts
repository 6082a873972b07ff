import type { BlockType, Instruction } from '../../program/module.js';

/** Function code as a tree: the instructions between block, loop or if and its end are the construct's body. */
export type Node = { readonly kind: 'plain'; readonly instruction: Instruction } | Construct;

export interface Construct {
  readonly kind: 'block' | 'loop' | 'if';
  readonly type: BlockType;
  readonly body: Node[];
  readonly otherwise: Node[];
  /** Whether any branch names its label; otherwise it needs no loop or switch of its own in WGSL. */
  targeted: boolean;
}

export interface CodeTree {
  readonly body: Node[];
  /** Whether a branch or `return` leaves the function other than at its end. */
  targeted: boolean;
  /** Greatest nesting of constructs. */
  readonly depth: number;
}

/** Nests the (validated) code of a function body. */
export function buildTree(code: readonly Instruction[]): CodeTree {
  const root: Construct = { kind: 'block', type: { kind: 'empty' }, body: [], otherwise: [], targeted: false };
  const open: { construct: Construct; into: Node[] }[] = [{ construct: root, into: root.body }];
  let depth = 0;
  const target = (label: number): void => {
    const frame = open[open.length - 1 - label];
    if (frame !== undefined) frame.construct.targeted = true;
  };
  for (const instruction of code) {
    const top = open[open.length - 1];
    if (top === undefined) break;
    const { op } = instruction;
    if (op === 0x02 || op === 0x03 || op === 0x04) {
      const kind = op === 0x02 ? 'block' : op === 0x03 ? 'loop' : 'if';
      const type = instruction.block ?? { kind: 'empty' };
      const construct: Construct = { kind, type, body: [], otherwise: [], targeted: false };
      top.into.push(construct);
      open.push({ construct, into: construct.body });
      depth = Math.max(depth, open.length);
    } else if (op === 0x05) {
      top.into = top.construct.otherwise;
    } else if (op === 0x0b) {
      open.pop();
    } else {
      if (op === 0x0c || op === 0x0d) target(instruction.a ?? 0);
      if (op === 0x0e) instruction.targets?.forEach(target);
      if (op === 0x0f) target(open.length - 1);
      top.into.push({ kind: 'plain', instruction });
    }
  }
  return { body: root.body, targeted: root.targeted, depth };
}
