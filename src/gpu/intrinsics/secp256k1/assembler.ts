import { InternalError } from '../../../errors/errors.js';

/** Instructions; kernels/secp256k1.wgsl has them as OP_MUL and so on. */
export const OPERATIONS = [
  // dst = scale * a * b + terms; scale * a^2 + terms, or a squared `times` times; the terms alone.
  'mul',
  'square',
  'sum',
  // dst = a constant of the data.
  'constant',
  // dst = the first element, second = plus or minus the second element; digits of the invocation's scalars choose them.
  'pick',
  // dst = a, reduced to [0, p) with full limbs.
  'canonical',
  // The signature is invalid unless this holds.
  'test',
  'set-counter',
  // Counts down; jumps back to the target unless the counter was 0.
  'loop',
  'jump-if-zero',
  'jump',
  'end',
] as const;
export type Operation = (typeof OPERATIONS)[number];

export const PICKS = [
  'first-half',
  'second-half',
  'generator',
  'fallback-xy',
  'fallback-z',
  'negate-to-parity',
] as const;
export type Pick = (typeof PICKS)[number];

export const TESTS = ['equal', 'even', 'small-r', 'nonzero'] as const;
export type Test = (typeof TESTS)[number];

export const INSTRUCTION_WORDS = 4;
/** Bit positions of the fields of the first word. */
const FIELDS = { operation: 0, dst: 4, a: 10, b: 16, scale: 22, terms: 24, minuends: 26 };

/** Largest multiple of a limb that one minuend covers. */
const MINUEND_REACH = 8;

export type Term = readonly [register: number, coefficient: number];

interface Options {
  readonly scale?: 1 | 2 | 3;
  readonly times?: number;
  readonly terms?: readonly Term[];
}

/** Writes instructions of {@link INSTRUCTION_WORDS} words. Jumps name labels, which `words` resolves. */
export class Assembler {
  readonly #code: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #jumps: { at: number; label: string }[] = [];

  label(name: string): void {
    if (this.#labels.has(name)) throw new InternalError(`label ${name} twice`);
    this.#labels.set(name, this.#code.length);
  }

  mul(dst: number, a: number, b: number, options: Options = {}): void {
    this.#math('mul', dst, a, b, options);
  }

  square(dst: number, a: number, options: Options = {}): void {
    this.#math('square', dst, a, 0, options);
  }

  sum(dst: number, ...terms: Term[]): void {
    this.#math('sum', dst, 0, 0, { terms });
  }

  constant(dst: number, at: number): void {
    this.#emit('constant', { dst }, at);
  }

  /** `first` and `second` are the registers written; `a` matters for 'negate-to-parity' only. */
  pick(kind: Pick, first: number, second: number, a = 0): void {
    this.#emit('pick', { dst: first, a, b: second }, PICKS.indexOf(kind));
  }

  canonical(dst: number, a: number): void {
    this.#emit('canonical', { dst, a });
  }

  test(kind: Test, a: number, b = 0): void {
    this.#emit('test', { a, b }, TESTS.indexOf(kind));
  }

  setCounter(value: number): void {
    this.#emit('set-counter', {}, value);
  }

  loop(label: string): void {
    this.#jump('loop', label);
  }

  jump(label: string): void {
    this.#jump('jump', label);
  }

  /** Jumps to the label if all words of a canonical register are 0. */
  jumpIfZero(a: number, label: string): void {
    this.#jump('jump-if-zero', label, a);
  }

  end(): void {
    this.#emit('end', {});
  }

  words(): number[] {
    for (const { at, label } of this.#jumps) {
      const to = this.#labels.get(label);
      if (to === undefined) throw new InternalError(`no label ${label}`);
      this.#code[at + 1] = to;
    }
    return this.#code;
  }

  #math(operation: Operation, dst: number, a: number, b: number, { scale = 1, times = 1, terms = [] }: Options): void {
    if (terms.length > 2 || (times > 1 && terms.length > 0)) throw new InternalError('an instruction cannot hold that');
    const taken = terms.reduce((sum, [, coefficient]) => sum + Math.max(0, -coefficient), 0);
    const fields = { dst, a, b, scale, terms: terms.length, minuends: Math.ceil(taken / MINUEND_REACH) };
    const [first, second] = terms.map(([register, coefficient]) => (register | (coefficient << 8)) >>> 0);
    this.#emit(operation, fields, times, first, second);
  }

  #jump(operation: Operation, label: string, a = 0): void {
    this.#jumps.push({ at: this.#code.length, label });
    this.#emit(operation, { a });
  }

  #emit(operation: Operation, fields: Partial<typeof FIELDS>, second = 0, third = 0, fourth = 0): void {
    let first = OPERATIONS.indexOf(operation);
    for (const [name, at] of Object.entries(FIELDS)) {
      const value = fields[name as keyof typeof FIELDS] ?? 0;
      if (name !== 'operation') first |= value << at;
    }
    this.#code.push(first >>> 0, second, third, fourth);
  }
}
