/** The operand stack of the specification's validation algorithm. */
import type { ProgramError } from '../errors/errors.js';
import { UNKNOWN } from './operand-types.js';
import { invalid } from './reader.js';

const NAMES: Readonly<Record<number, string>> = { 127: 'i32', 126: 'i64', 112: 'funcref' };

/** A wrong operand at the instruction that the walk is at. */
function wrongOperand(expected: number, found: number | undefined): ProgramError {
  const facts = { expected: NAMES[expected] ?? 'any', found: found === undefined ? 'none' : (NAMES[found] ?? 'any') };
  return invalid('an operand is missing or has another type', facts);
}

/**
 * Types of the operands, one byte each. Nothing is popped below `base`, the height at which the innermost block began;
 * in dead code operands of unknown type are made up there.
 */
export class OperandStack {
  #types = new Uint8Array(1024);
  height = 0;
  base = 0;
  dead = false;

  reset(): void {
    this.height = 0;
    this.base = 0;
    this.dead = false;
  }

  push(type: number): void {
    if (this.height === this.#types.length) this.#grow();
    this.#types[this.height++] = type;
  }

  /** Takes an operand of this type off. */
  pop(type: number): void {
    if (this.height > this.base) {
      const found = this.#types[--this.height];
      if (found !== type && found !== UNKNOWN) throw wrongOperand(type, found);
    } else if (!this.dead) throw wrongOperand(type, undefined);
  }

  /** Takes an operand of any type off and gives its type. */
  popAny(): number {
    if (this.height > this.base) return this.#types[--this.height];
    if (!this.dead) throw wrongOperand(UNKNOWN, undefined);
    return UNKNOWN;
  }

  pushAll(types: Uint8Array): void {
    for (let i = 0; i < types.length; i++) this.push(types[i]);
  }

  /** Takes operands of these types off, the last one first. */
  popAll(types: Uint8Array): void {
    this.peekAll(types);
    this.height = Math.max(this.base, this.height - types.length);
  }

  /** Checks that operands of these types lie on top. */
  peekAll(types: Uint8Array): void {
    const lowest = this.height - types.length;
    if (lowest < this.base && !this.dead) throw wrongOperand(types[this.base - lowest - 1], undefined);
    for (let i = Math.max(0, this.base - lowest); i < types.length; i++) {
      const found = this.#types[lowest + i];
      if (found !== types[i] && found !== UNKNOWN) throw wrongOperand(types[i], found);
    }
  }

  #grow(): void {
    const grown = new Uint8Array(this.#types.length * 2);
    grown.set(this.#types);
    this.#types = grown;
  }
}
