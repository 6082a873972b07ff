import type { ValueType } from '../../program/module.js';

/** An operand that is not evaluated yet: WGSL text without side effects. */
export interface Value {
  readonly type: ValueType;
  readonly text: string;
  /** The same as a WGSL bool, for comparisons. */
  readonly bool?: string;
  readonly constant?: boolean;
  /** Known to be a multiple of 4. */
  readonly aligned?: boolean;
  /** Locals that the text reads: it must be evaluated before any of them changes. */
  readonly locals?: ReadonlySet<number>;
}

const MAX_TEXT = 160;

export const WGSL_TYPE: Readonly<Record<ValueType, string>> = {
  i32: 'u32',
  i64: 'vec2<u32>',
  // 0 for null, else the function's index + 1. Only tables use references, and tables that change are a PUNT.
  funcref: 'u32',
};

export function i32Text(value: number): string {
  return `${value >>> 0}u`;
}

export function i64Text(value: bigint): string {
  const bits = BigInt.asUintN(64, value);
  return `vec2<u32>(${bits & 0xffffffffn}u, ${bits >> 32n}u)`;
}

/** The text of one WGSL function as it grows: its statements, the stack of operands, the nesting. */
export class FunctionWriter {
  readonly lines: string[] = [];
  stack: Value[] = [];
  /** Greatest nesting of statements, or of braces and parentheses, as Tint counts them. */
  deepest = 0;
  /**
   * Tint's levels of each open brace: a statement counts one and its block another; a switch, a case and the case's
   * block count three.
   */
  readonly #open: number[] = [];
  #levels = 0;
  #names = 0;

  /** Adds a statement. */
  emit(line: string): void {
    this.lines.push(line);
    // One level for the statement; if the line holds a nested one, two more for that and its block.
    const statements = this.#levels + (line.includes('{') ? 3 : 1);
    this.deepest = Math.max(this.deepest, statements, this.#open.length + brackets(line));
  }

  /** Adds a line that ends with one or more open braces. */
  open(line: string): void {
    if (line.startsWith('}')) this.#shut();
    this.emit(line);
    for (const [, head] of line.matchAll(/([^{}]*)\{/g)) {
      const levels = /^(fn|switch) /.test(head ?? '') ? 1 : 2;
      this.#open.push(levels);
      this.#levels += levels;
    }
  }

  close(levels = 1): void {
    for (let i = 0; i < levels; i++) this.#shut();
    this.lines.push('}'.repeat(levels));
  }

  #shut(): void {
    this.#levels -= this.#open.pop() ?? 0;
  }

  name(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  push(value: Value): void {
    this.stack.push(value.text.length > MAX_TEXT ? this.settle(value) : value);
  }

  /**
   * Pops the top of the stack. In a validated module, an empty stack means dead code that was not skipped: a defect.
   */
  pop(): Value {
    const value = this.stack.pop();
    if (value === undefined) throw new RangeError('operand stack is empty');
    return value;
  }

  /** Pops the `count` topmost values; the top of the stack comes last. */
  popAll(count: number): Value[] {
    const values: Value[] = [];
    for (let i = 0; i < count; i++) values.unshift(this.pop());
    return values;
  }

  /** Evaluates `value` here and returns it as a name. */
  settle(value: Value): Value {
    const name = this.name('t');
    this.emit(`let ${name} = ${value.text};`);
    return { type: value.type, text: name, ...(value.aligned ? { aligned: true } : {}) };
  }

  /** Evaluates every pending operand that reads local `index`; without `index`, those that read any local. */
  settleLocals(index?: number): void {
    this.stack = this.stack.map((value) => {
      const { locals } = value;
      const reads = locals !== undefined && (index === undefined || locals.has(index));
      return reads ? this.settle(value) : value;
    });
  }
}

/** Greatest nesting of brackets of a line. */
function brackets(line: string): number {
  let depth = 0;
  let deepest = 0;
  for (const c of line) {
    if (c === '(' || c === '{') deepest = Math.max(deepest, ++depth);
    else if (c === ')' || c === '}') depth--;
  }
  return deepest;
}

/** Locals that any of the values reads. */
export function joinLocals(...values: readonly Value[]): { locals?: ReadonlySet<number> } {
  const sets = values.flatMap((v) => (v.locals === undefined ? [] : [v.locals]));
  if (sets.length === 0) return {};
  return { locals: sets.length === 1 && sets[0] !== undefined ? sets[0] : new Set(sets.flatMap((s) => [...s])) };
}
