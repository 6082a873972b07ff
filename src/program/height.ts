import type { BlockType, FunctionBody, FunctionType, WasmModule } from './module.js';
import { OP, opcodeInfo } from './opcodes.js';

/** Type of function `index`, imports first. */
export function functionType(module: WasmModule, index: number): FunctionType {
  const imported = module.imports.length;
  const typeIndex = index < imported ? module.imports[index].typeIndex : module.functions[index - imported].typeIndex;
  return module.types[typeIndex];
}

/** How many operands a block takes and gives. */
export function blockArity(module: WasmModule, block: BlockType): { params: number; results: number } {
  if (block.kind === 'empty') return { params: 0, results: 0 };
  if (block.kind === 'value') return { params: 0, results: 1 };
  const type = module.types[block.index];
  return { params: type.params.length, results: type.results.length };
}

interface Frame {
  readonly loop: boolean;
  readonly params: number;
  readonly results: number;
  /** Operands below the block. */
  readonly height: number;
  unreachable: boolean;
}

/**
 * Greatest operand depth of a valid function (lane rules 4): the operand stack's greatest height in values while the
 * specification's validation algorithm walks the body, looked at after each instruction, dead code and the last `end`
 * included. In dead code the algorithm cuts the stack to the block's base, pops nothing below it and pushes as usual.
 */
export function greatestOperandDepth(module: WasmModule, body: FunctionBody): number {
  const frames: Frame[] = [
    { loop: false, params: 0, results: module.types[body.typeIndex].results.length, height: 0, unreachable: false },
  ];
  let height = 0;
  let greatest = 0;
  const top = (): Frame => frames[frames.length - 1];
  const pop = (count: number): void => {
    const { height: base, unreachable } = top();
    height = unreachable && height - count < base ? base : height - count;
  };
  const unreachable = (): void => {
    height = top().height;
    top().unreachable = true;
  };
  const labelArity = (depth: number): number => {
    const frame = frames[frames.length - 1 - depth];
    return frame.loop ? frame.params : frame.results;
  };
  const enter = (block: BlockType, loop: boolean): void => {
    const arity = blockArity(module, block);
    pop(arity.params);
    frames.push({ loop, ...arity, height, unreachable: false });
    height += arity.params;
  };

  for (const instruction of body.code) {
    const { op } = instruction;
    switch (op) {
      case OP.block:
      case OP.loop:
        enter(instruction.block!, op === OP.loop);
        break;
      case OP.if:
        pop(1);
        enter(instruction.block!, false);
        break;
      case OP.else:
        height = top().height + top().params;
        top().unreachable = false;
        break;
      case OP.end: {
        const frame = top();
        frames.pop();
        height = frame.height + frame.results;
        break;
      }
      case OP.brIf: {
        pop(1);
        const arity = labelArity(instruction.a!);
        pop(arity);
        height += arity;
        break;
      }
      case OP.br:
      case OP.brTable:
      case OP.return:
      case OP.unreachable:
        unreachable();
        break;
      case OP.call:
      case OP.callIndirect: {
        const indirect = op === OP.callIndirect;
        const type = indirect ? module.types[instruction.a!] : functionType(module, instruction.a!);
        pop(type.params.length + (indirect ? 1 : 0));
        height += type.results.length;
        break;
      }
      default: {
        const info = opcodeInfo(op)!;
        pop(info.pops);
        height += info.pushes;
      }
    }
    if (height > greatest) greatest = height;
  }
  return greatest;
}
