import type { Instruction, WasmModule } from '../../src/program/module.js';
import { numberOf, ReferenceTable, Stop, within } from './reference-table.js';
import { OP } from './wasm-builder.js';

/**
 * A plain interpreter of uninstrumented modules that counts fuel by reading lane rules 5 literally: at the start of a
 * block it looks ahead to the block's end and charges the instructions on the way. It shares no code with the
 * instrumentation. Knows i32 arithmetic, structured control, calls, memory, globals and tables: what the tests need. A
 * reference is a number here: 0 for null, else the function's index + 1.
 */
export interface ReferenceResult {
  readonly status: 'OK' | 'TRAP' | 'OUT_OF_FUEL';
  readonly fuelLeft: number;
  readonly value: number | undefined;
}

interface Label {
  /** Where a branch goes on. */
  readonly target: number;
  readonly arity: number;
  readonly height: number;
  readonly loop: boolean;
}

const COSTS_NOTHING = ['nop', 'block', 'loop', 'else', 'end'].map((n) => OP[n as keyof typeof OP] as number);
const LAST_OF_BLOCK = ['loop', 'if', 'else', 'end', 'br', 'brIf', 'brTable', 'return', 'unreachable'].map(
  (n) => OP[n as keyof typeof OP] as number,
);

export class ReferenceInterpreter {
  fuel: number;
  private memory: Uint8Array;
  private readonly maxPages: number;
  private readonly globals: number[];
  private readonly table: ReferenceTable;
  /** Bytes of the segments that can still be laid out. */
  private readonly data: Uint8Array[];

  constructor(
    private readonly module: WasmModule,
    fuel: number,
  ) {
    this.fuel = fuel;
    this.memory = new Uint8Array(module.memory!.minPages * 65_536);
    this.maxPages = Math.min(module.memory!.maxPages ?? 512, 512);
    this.globals = module.globals.map(({ init }) => numberOf(init));
    this.table = new ReferenceTable(module, (amount) => this.charge(amount));
    for (const { mode, offset, bytes } of module.dataSegments) {
      if (mode === 'active') this.memory.set(bytes, numberOf(offset!));
    }
    this.data = module.dataSegments.map(({ mode, bytes }) => (mode === 'passive' ? bytes : new Uint8Array(0)));
  }

  run(index: number): ReferenceResult {
    try {
      const [value] = this.call(index, []);
      return { status: 'OK', fuelLeft: this.fuel, value };
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      return { status: error.status, fuelLeft: error.status === 'TRAP' ? this.fuel : 0, value: undefined };
    }
  }

  private charge(amount: number): void {
    if (amount > this.fuel) throw new Stop('OUT_OF_FUEL');
    this.fuel -= amount;
  }

  private startBlock(code: readonly Instruction[], at: number): void {
    let cost = 0;
    for (let i = at; i < code.length; i++) {
      if (!COSTS_NOTHING.includes(code[i].op)) cost++;
      if (LAST_OF_BLOCK.includes(code[i].op)) break;
    }
    this.charge(cost);
  }

  /** Indices of the matching else (or -1) and end of the construct opened at `at`. */
  private match(code: readonly Instruction[], at: number): { otherwise: number; end: number } {
    let depth = 0;
    let otherwise = -1;
    for (let i = at + 1; ; i++) {
      const { op } = code[i];
      if (op === OP.block || op === OP.loop || op === OP.if) depth++;
      else if (op === OP.else && depth === 0) otherwise = i;
      else if (op === OP.end && depth-- === 0) return { otherwise, end: i };
    }
  }

  private call(index: number, args: number[]): number[] {
    const body = this.module.functions[index - this.module.imports.length];
    const type = this.module.types[body.typeIndex];
    const locals = [...args, ...body.locals.map(() => 0)];
    const callOf = (callee: number): void => {
      const { typeIndex } = this.module.functions[callee - this.module.imports.length];
      const count = this.module.types[typeIndex].params.length;
      stack.push(...this.call(callee, stack.splice(stack.length - count)));
    };
    const stack: number[] = [];
    const { code } = body;
    const labels: Label[] = [{ target: code.length, arity: type.results.length, height: 0, loop: false }];
    const pop = (): number => stack.pop()!;
    let pc = 0;
    const branch = (depth: number): void => {
      const label = labels[labels.length - 1 - depth];
      const kept = stack.splice(stack.length - label.arity);
      stack.length = label.height;
      stack.push(...kept);
      labels.length -= label.loop ? depth : depth + 1;
      pc = label.target;
    };
    this.startBlock(code, 0);
    while (pc < code.length) {
      const instruction = code[pc];
      const { op } = instruction;
      const a = instruction.a ?? 0;
      const here = pc++;
      switch (op) {
        case OP.block:
        case OP.loop:
        case OP.if: {
          const taken = op !== OP.if || pop() !== 0;
          const { otherwise, end } = this.match(code, here);
          const arity = op === OP.loop || instruction.block!.kind === 'empty' ? 0 : 1;
          labels.push({
            target: op === OP.loop ? here + 1 : end + 1,
            arity,
            height: stack.length,
            loop: op === OP.loop,
          });
          // A false `if` without else goes to its `end`, which is a block of its own and costs nothing.
          if (!taken) pc = otherwise >= 0 ? otherwise + 1 : end;
          break;
        }
        case OP.else:
          // Reached from the first arm: on to the `end`.
          pc = this.endOf(code, here);
          break;
        case OP.end:
          labels.pop();
          break;
        case OP.br:
          branch(a);
          break;
        case OP.brIf:
          if (pop() !== 0) branch(a);
          break;
        case OP.brTable: {
          const targets = instruction.targets!;
          branch(targets[Math.min(pop() >>> 0, targets.length - 1)]);
          break;
        }
        case OP.return:
          branch(labels.length - 1);
          break;
        case OP.unreachable:
          throw new Stop('TRAP');
        case OP.call:
          callOf(a);
          break;
        case OP.callIndirect:
          callOf(this.table.callee(pop() >>> 0, a));
          break;
        default:
          this.simple(instruction, stack, locals);
      }
      if (LAST_OF_BLOCK.includes(op) && pc < code.length) this.startBlock(code, pc);
    }
    return stack.splice(stack.length - type.results.length);
  }

  private endOf(code: readonly Instruction[], at: number): number {
    let depth = 0;
    for (let i = at + 1; ; i++) {
      const { op } = code[i];
      if (op === OP.block || op === OP.loop || op === OP.if) depth++;
      else if (op === OP.end && depth-- === 0) return i;
    }
  }

  private bounds(at: number, length: number): void {
    if (at + length > this.memory.length) throw new Stop('TRAP');
  }

  private simple(instruction: Instruction, stack: number[], locals: number[]): void {
    const a = instruction.a ?? 0;
    const pop = (): number => stack.pop()!;
    const binary = (f: (x: number, y: number) => number): void => {
      const y = pop();
      stack.push(f(pop(), y) | 0);
    };
    switch (instruction.op) {
      case OP.nop:
        return;
      case OP.drop:
        pop();
        return;
      case OP.select: {
        const condition = pop();
        const y = pop();
        if (condition === 0) stack[stack.length - 1] = y;
        return;
      }
      case OP.i32Const:
        stack.push(a);
        return;
      case OP.localGet:
        stack.push(locals[a]);
        return;
      case OP.localSet:
        locals[a] = pop();
        return;
      case OP.localTee:
        locals[a] = stack[stack.length - 1];
        return;
      case OP.globalGet:
        stack.push(this.globals[a]);
        return;
      case OP.globalSet:
        this.globals[a] = pop();
        return;
      case OP.i32Eqz:
        stack.push(pop() === 0 ? 1 : 0);
        return;
      case OP.i32LtU:
        binary((x, y) => (x >>> 0 < y >>> 0 ? 1 : 0));
        return;
      case OP.i32Add:
        binary((x, y) => x + y);
        return;
      case OP.i32Sub:
        binary((x, y) => x - y);
        return;
      case OP.i32Mul:
        binary(Math.imul);
        return;
      case OP.i32And:
        binary((x, y) => x & y);
        return;
      case OP.i32DivU:
        binary((x, y) => {
          if (y === 0) throw new Stop('TRAP');
          return Math.floor((x >>> 0) / (y >>> 0));
        });
        return;
      case OP.i32Load: {
        const at = (pop() >>> 0) + a;
        this.bounds(at, 4);
        stack.push(new DataView(this.memory.buffer).getInt32(at, true));
        return;
      }
      case OP.i32Store: {
        const value = pop();
        const at = (pop() >>> 0) + a;
        this.bounds(at, 4);
        new DataView(this.memory.buffer).setInt32(at, value, true);
        return;
      }
      case OP.memorySize:
        stack.push(this.memory.length / 65_536);
        return;
      case OP.memoryGrow: {
        const pages = pop() >>> 0;
        this.charge(1_000 + pages * 5_000);
        const before = this.memory.length / 65_536;
        if (before + pages > this.maxPages) {
          stack.push(-1);
          return;
        }
        const grown = new Uint8Array((before + pages) * 65_536);
        grown.set(this.memory);
        this.memory = grown;
        stack.push(before);
        return;
      }
      case OP.memoryFill: {
        const length = pop() >>> 0;
        const value = pop();
        const at = pop() >>> 0;
        this.charge(Math.ceil(length / 16));
        this.bounds(at, length);
        this.memory.fill(value & 0xff, at, at + length);
        return;
      }
      case OP.memoryCopy: {
        const length = pop() >>> 0;
        const from = pop() >>> 0;
        const to = pop() >>> 0;
        this.charge(Math.ceil(length / 16));
        this.bounds(from, length);
        this.bounds(to, length);
        this.memory.copyWithin(to, from, from + length);
        return;
      }
      case OP.memoryInit: {
        const [to, from, length] = stack.splice(-3).map((n) => n >>> 0);
        this.charge(Math.ceil(length / 16));
        within(this.data[a].length, from, length);
        this.bounds(to, length);
        this.memory.set(this.data[a].subarray(from, from + length), to);
        return;
      }
      case OP.dataDrop:
        this.data[a] = new Uint8Array(0);
        return;
      default:
        this.table.run(instruction, stack);
    }
  }
}
