import type { ConstantExpression, Instruction, WasmModule } from '../../src/program/module.js';
import { OP } from './wasm-builder.js';

/** What ends a run of the reference interpreter. */
export class Stop extends Error {
  constructor(readonly status: 'TRAP' | 'OUT_OF_FUEL') {
    super(status);
  }
}

/** Traps unless the `count` from `at` on lie within `size`. */
export function within(size: number, at: number, count: number): void {
  if (at + count > size) throw new Stop('TRAP');
}

/** A constant of 32 bits; a reference is a number: 0 for null, else the function's index + 1. */
export function numberOf(constant: ConstantExpression): number {
  if (constant.kind === 'i32') return constant.value;
  return constant.kind === 'ref.func' ? constant.index + 1 : 0;
}

/** The table of the reference interpreter, and its instructions on references. */
export class ReferenceTable {
  private readonly elements: number[];
  /** Elements of the segments that can still be laid out. */
  private readonly segments: number[][];

  constructor(
    private readonly module: WasmModule,
    private readonly charge: (amount: number) => void,
  ) {
    this.elements = new Array<number>(module.table?.min ?? 0).fill(0);
    for (const { mode, offset, items } of module.elements) {
      if (mode === 'active') this.elements.splice(numberOf(offset!), items.length, ...items.map(numberOf));
    }
    this.segments = module.elements.map(({ mode, items }) => (mode === 'passive' ? items.map(numberOf) : []));
  }

  /** The function that element `at` holds, which must be of type `type`. */
  callee(at: number, type: number): number {
    within(this.elements.length, at, 1);
    const callee = this.elements[at] - 1;
    const { types, functions, imports } = this.module;
    const found = callee < 0 ? undefined : types[functions[callee - imports.length].typeIndex];
    if (JSON.stringify(found) !== JSON.stringify(types[type])) throw new Stop('TRAP');
    return callee;
  }

  run({ op, a = 0 }: Instruction, stack: number[]): void {
    const { elements } = this;
    const take = (count: number): number[] => stack.splice(-count).map((n) => n >>> 0);
    switch (op) {
      case OP.refNull:
        stack.push(0);
        return;
      case OP.refFunc:
        stack.push(a + 1);
        return;
      case OP.refIsNull:
        stack.push(take(1)[0] === 0 ? 1 : 0);
        return;
      case OP.selectTyped: {
        const [first, second, condition] = take(3);
        stack.push(condition === 0 ? second : first);
        return;
      }
      case OP.tableGet: {
        const [at] = take(1);
        within(elements.length, at, 1);
        stack.push(elements[at]);
        return;
      }
      case OP.tableSet: {
        const [at, reference] = take(2);
        within(elements.length, at, 1);
        elements[at] = reference;
        return;
      }
      case OP.tableSize:
        stack.push(elements.length);
        return;
      case OP.tableGrow:
        stack.push(this.grow(take(2)));
        return;
      case OP.elemDrop:
        this.segments[a] = [];
        return;
      default:
        this.bulk(op, a, take(3));
    }
  }

  private grow([reference, count]: readonly number[]): number {
    const { elements, module } = this;
    this.charge(4 * count);
    const before = elements.length;
    if (before + count > Math.min(module.table!.max ?? 4_096, 4_096)) return -1;
    for (let i = 0; i < count; i++) elements.push(reference);
    return before;
  }

  private bulk(op: number, segment: number, [to, from, count]: readonly number[]): void {
    const { elements } = this;
    this.charge(4 * count);
    within(elements.length, to, count);
    if (op === OP.tableFill) elements.fill(from, to, to + count);
    else if (op === OP.tableCopy) {
      within(elements.length, from, count);
      elements.copyWithin(to, from, from + count);
    } else if (op === OP.tableInit) {
      within(this.segments[segment].length, from, count);
      elements.splice(to, count, ...this.segments[segment].slice(from, from + count));
    } else throw new Error(`the reference interpreter does not know opcode ${op}`);
  }
}
