import type { Instruction, ValueType } from '../../program/module.js';
import { OP } from '../../program/opcodes.js';
import { globalName } from './alignment.js';
import type { ModuleContext } from './context.js';
import type { PuntReason } from './layout.js';
import { fill, LOADS, OPERATIONS, type Operation, STORES, WORD_ACCESSES } from './operations.js';
import type { Reaching } from './reaching.js';
import { type FunctionWriter, i32Text, i64Text, joinLocals, type Value } from './writer.js';

/** Translates the instructions of one function that do not branch or call. */
export class StraightCode {
  constructor(
    readonly module: ModuleContext,
    readonly writer: FunctionWriter,
    readonly reaching: Reaching,
    /** The function's locals, parameters first. */
    readonly locals: readonly ValueType[],
  ) {}

  /** Emits one instruction; returns a reason instead if the instruction is a PUNT. */
  instruction(instruction: Instruction): PuntReason | undefined {
    const { writer: w } = this;
    const { op } = instruction;
    const a = instruction.a ?? 0;
    const operation = OPERATIONS.get(op);
    if (operation !== undefined) return this.#operation(op, operation);
    if (LOADS.has(op)) return this.#load(op, a);
    if (STORES.has(op)) return this.#store(op, a);
    switch (op) {
      case OP.nop:
        return undefined;
      case OP.drop:
        w.pop();
        return undefined;
      case OP.select:
      case OP.selectTyped:
        return this.#select();
      case OP.localGet:
        return this.#pushLocal(a);
      case OP.localSet:
      case OP.localTee:
        return this.#setLocal(a, op === OP.localTee);
      case OP.globalGet:
        return this.#getGlobal(a);
      case OP.globalSet:
        return this.#setGlobal(a);
      case OP.i32Const:
        w.push({ type: 'i32', text: i32Text(a), constant: true, aligned: a % 4 === 0 });
        return undefined;
      case OP.i64Const:
        w.push({ type: 'i64', text: i64Text(instruction.value ?? 0n), constant: true });
        return undefined;
      case OP.refNull:
        w.push({ type: 'funcref', text: '0u' });
        return undefined;
      case OP.refFunc:
        w.push({ type: 'funcref', text: i32Text(a + 1) });
        return undefined;
      case OP.refIsNull: {
        const value = w.pop();
        const text = `(${value.text} == 0u)`;
        w.push({ type: 'i32', text: `select(0u, 1u, ${text})`, bool: text, ...joinLocals(value) });
        return undefined;
      }
      case OP.tableSize:
        if (this.module.tableSize === undefined) return 'table';
        w.push({ type: 'i32', text: i32Text(this.module.tableSize), constant: true });
        return undefined;
      case OP.elemDrop:
        // Only table.init depends on dropped segments, and that is a PUNT.
        return undefined;
      default:
        return this.#wholeMemory(op, a);
    }
  }

  #wholeMemory(op: number, a: number): PuntReason | undefined {
    const { writer: w, module } = this;
    const { pages, grows, segments } = module.memory;
    switch (op) {
      case OP.memorySize:
        if (grows) w.stack.push(w.settle({ type: 'i32', text: '(MEMORY_BYTES >> 16u)' }));
        else w.push({ type: 'i32', text: i32Text(pages), constant: true });
        return undefined;
      case OP.memoryGrow: {
        const { text } = w.pop();
        const grown = grows ? `memory_grow(${text})` : `select(0xffffffffu, ${i32Text(pages)}, ${text} == 0u)`;
        w.stack.push(w.settle({ type: 'i32', text: grown }));
        return undefined;
      }
      case OP.memoryCopy:
      case OP.memoryFill:
      case OP.memoryInit: {
        const [third, second, first] = [w.pop(), w.pop(), w.pop()];
        const operands = `${first.text}, ${second.text}, ${third.text}`;
        if (op === OP.memoryCopy) w.emit(`memory_copy(${operands});`);
        else if (op === OP.memoryFill) w.emit(`memory_fill(${operands});`);
        else w.emit(`memory_init(${operands}, ${i32Text(segments.get(a)?.firstWord ?? 0)}, segment${a});`);
        return undefined;
      }
      case OP.dataDrop:
        // A segment that no memory.init names has no variable to set.
        if (segments.has(a)) w.emit(`segment${a} = 0u;`);
        return undefined;
      case OP.tableGet:
      case OP.tableSet:
      case OP.tableInit:
      case OP.tableCopy:
      case OP.tableGrow:
      case OP.tableFill:
        return 'table';
      default:
        return 'instruction';
    }
  }

  #load(op: number, offset: number): undefined {
    const { writer: w } = this;
    const load = LOADS.get(op);
    if (load === undefined) return;
    w.stack.push(w.settle({ type: load.type, text: this.#access(op, load.text, w.pop(), offset) }));
  }

  #store(op: number, offset: number): undefined {
    const { writer: w } = this;
    const value = w.pop();
    w.emit(`${this.#access(op, STORES.get(op) ?? '', w.pop(), offset, value.text)};`);
  }

  /** Text of a load or store, in a shorter form if enough is known of the address. */
  #access(op: number, general: string, base: Value, offset: number, value = ''): string {
    const word = WORD_ACCESSES.get(op);
    if (word !== undefined && offset % 4 === 0 && base.aligned) {
      const { first, window, leastBytes } = this.module.memory;
      const address = base.constant ? Number.parseInt(base.text, 10) + offset : Number.NaN;
      const at = address - first;
      // Memory is never smaller than its declared minimum. Accesses above it are checked: memory must have grown.
      if (address + word.bytes <= leastBytes && at >= 0 && at + word.bytes <= window.bytes) {
        return fill(word.at, i32Text(at / 4), i32Text(at / 4 + 1), value);
      }
      return fill(word.aligned, base.text, i32Text(offset), value);
    }
    return fill(general, base.text, i32Text(offset), value);
  }

  #operation(op: number, { operands, result, text, bool, effect }: Operation): undefined {
    const { writer: w } = this;
    const second = operands.length === 2 ? w.pop() : undefined;
    let first = w.pop();
    const aligned = staysAligned(op, first, second);
    // WGSL rejects constant expressions that overflow. With a named operand, the expression wraps at run time.
    if (first.constant && (second === undefined || second.constant)) first = w.settle(first);
    const turns = second?.constant === true ? ROTATIONS.get(op)?.(Number.parseInt(second.text, 10) & 31) : undefined;
    if (turns !== undefined && !/^\w+$/.test(first.text)) first = w.settle(first);
    const filled = fill(turns ?? text, first.text, second?.text ?? '');
    const locals = second === undefined ? joinLocals(first) : joinLocals(first, second);
    const value: Value = bool
      ? { type: result, text: `select(0u, 1u, ${filled})`, bool: filled, ...locals }
      : { type: result, text: filled, aligned, ...locals };
    if (effect) w.stack.push(w.settle(value));
    else w.push(value);
  }

  #select(): undefined {
    const { writer: w } = this;
    const condition = w.pop();
    const no = w.pop();
    const yes = w.pop();
    const text = `select(${no.text}, ${yes.text}, ${asBool(condition)})`;
    const aligned = yes.aligned === true && no.aligned === true;
    w.push({ type: yes.type, text, aligned, ...joinLocals(condition, no, yes) });
  }

  #pushLocal(index: number): undefined {
    const type = this.locals[index];
    if (type === undefined) throw new RangeError('local out of range');
    const aligned = type === 'i32' && this.reaching.isAligned(index);
    this.writer.push({ type, text: `l${index}`, aligned, locals: new Set([index]) });
  }

  #setLocal(index: number, keep: boolean): undefined {
    const { writer: w } = this;
    const value = w.pop();
    w.settleLocals(index);
    w.emit(`l${index} = ${value.text};`);
    this.reaching.assign(index, value.aligned === true);
    if (keep) this.#pushLocal(index);
  }

  #getGlobal(index: number): undefined {
    const { name, type } = this.#global(index);
    const aligned = type === 'i32' && this.module.alignment.isAligned(globalName(index));
    this.writer.stack.push(this.writer.settle({ type, text: name, aligned }));
  }

  #setGlobal(index: number): undefined {
    const { name } = this.#global(index);
    const { text, aligned } = this.writer.pop();
    if (!aligned) this.module.alignment.refute(globalName(index));
    // Fuel does not change after a stop, because the fuel left is reported.
    const kept = index === this.module.counters.fuel ? `select(${name}, ${text}, st == 0u)` : text;
    this.writer.emit(`${name} = ${kept};`);
  }

  #global(index: number): { readonly name: string; readonly type: ValueType } {
    const global = this.module.globals[index];
    if (global === undefined) throw new RangeError('global out of range');
    return global;
  }
}

/** A value as a WGSL condition. */
export function asBool(value: Value): string {
  return value.bool ?? `(${value.text} != 0u)`;
}

/** Rotations by a constant, in the form that drivers compile to one instruction. */
const ROTATIONS: ReadonlyMap<number, (amount: number) => string> = new Map([
  // i32.rotl and i32.rotr
  [0x77, (n: number) => (n === 0 ? '$1' : `(($1 << ${n}u) | ($1 >> ${32 - n}u))`)],
  [0x78, (n: number) => (n === 0 ? '$1' : `(($1 >> ${n}u) | ($1 << ${32 - n}u))`)],
]);

/** Whether the result of an i32 operation is certainly a multiple of 4. */
function staysAligned(op: number, first: Value, second: Value | undefined): boolean {
  const [a, b] = [first.aligned === true, second?.aligned === true];
  switch (op) {
    case 0x6a: // add, sub, or, xor
    case 0x6b:
    case 0x72:
    case 0x73:
      return a && b;
    case 0x6c: // mul, and
    case 0x71:
      return a || b;
    case 0x74: // shl
      return a || (second?.constant === true && (Number.parseInt(second.text, 10) & 31) >= 2);
    default:
      return false;
  }
}
