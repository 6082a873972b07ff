import type { BlockType, FunctionType, Instruction, ValueType } from '../../program/module.js';
import type { Random } from './random.js';

/** Locals after a helper's parameters, or first in `__execute`: three i32, three i64, then loop counters. */
export const VALUE_LOCALS: readonly ValueType[] = ['i32', 'i32', 'i32', 'i64', 'i64', 'i64'];
export const COUNTERS = 4;

export interface Callable extends FunctionType {
  readonly index: number;
}

export interface IndirectType extends FunctionType {
  readonly typeIndex: number;
  /** Elements of the table that hold a function of this type. */
  readonly elements: readonly number[];
}

/** What a module's random code may use; the same for all of its functions. */
export interface Features {
  /** Types of the globals, by number. */
  readonly globals: readonly ValueType[];
  /** Global that points at the memory used most; undefined for address 0. */
  readonly anchor: number | undefined;
  /** Addresses at borders: the end of the window, of the first page, of memory. */
  readonly borders: readonly number[];
  readonly grow: boolean;
  /** Bytes of memory before any memory.grow. */
  readonly minimum: number;
  readonly segments: number;
  readonly tableSize: number;
  /** Whether instructions change the table; then every instruction that reads it is a PUNT. */
  readonly changesTable: boolean;
  /** Type indices for indirect calls. */
  readonly indirect: readonly IndirectType[];
  /** Block types () -> (i32, i64), (i32, i64) -> (i32), (i32, i64) -> (i32, i64) and (i32, i64) -> (). */
  readonly pair: BlockType;
  readonly join: BlockType;
  readonly round: BlockType;
  readonly take: BlockType;
  readonly host: { readonly height: number; readonly fuel: number; readonly log: number; readonly request: number };
}

/** A label, with the types that a branch to it carries. */
export interface Label {
  readonly carries: readonly ValueType[];
  /** For a loop: the local that counts down with every branch back to it, so that it ends. */
  readonly counter?: number;
}

/** The generator's position in a function. */
export interface Scope {
  readonly random: Random;
  readonly features: Features;
  readonly depth: number;
  /** Innermost first. */
  readonly labels: readonly Label[];
  /** Whether the outermost label is that of the function. */
  readonly returns: boolean;
  readonly callable: readonly Callable[];
  /** Index of the first local that is not a parameter. */
  readonly firstLocal: number;
  readonly counters: { used: number };
  /** Instructions that may still be added to the function. */
  readonly budget: { left: number };
}

export function inside(scope: Scope, ...labels: Label[]): Scope {
  return { ...scope, depth: scope.depth - 1, labels: [...labels, ...scope.labels] };
}

/** Label of a block or if without results. */
export const PLAIN: Label = { carries: [] };

/** One of the three locals of this type. */
export function someLocal(scope: Scope, type: ValueType): number {
  return scope.firstLocal + scope.random.pick(3) + (type === 'i64' ? 3 : 0);
}

export type Code = Instruction[];
