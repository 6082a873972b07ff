import type { FunctionType, ValueType } from '../../program/module.js';
import type { Alignment } from './alignment.js';
import type { Counters } from './charges.js';
import type { PuntReason } from './layout.js';
import type { MemoryPlan } from './memory-plan.js';
import { WGSL_TYPE } from './writer.js';

/** A function as its callers see it, or the reason for which calling it is a PUNT. */
export type Callee =
  | { readonly name: string; readonly type: FunctionType; readonly index: number | undefined }
  | { readonly punt: PuntReason };

/** A possible callee of an indirect call, and the elements of the table that hold it. */
export interface IndirectCase {
  readonly callee: Callee;
  readonly elements: readonly number[];
}

/** What the translation of a function needs to know of its module. */
export interface ModuleContext {
  readonly types: readonly FunctionType[];
  readonly globals: readonly { readonly name: string; readonly type: ValueType }[];
  readonly counters: Counters;
  readonly memory: MemoryPlan;
  readonly alignment: Alignment;
  /** Whether frames must be counted, because some chain of calls may need more than the stack budget. */
  readonly countsFrames: boolean;
  /** Number of elements of the table; undefined if it may change. */
  readonly tableSize: number | undefined;
  callee(caller: number, index: number): Callee;
  indirect(caller: number, typeIndex: number): readonly IndirectCase[] | PuntReason;
}

/** WGSL type of what a function returns. Several results become a struct with the fields v0, v1, … */
export function resultType(results: readonly ValueType[]): string | undefined {
  const first = results[0];
  if (first === undefined) return undefined;
  return results.length === 1 ? WGSL_TYPE[first] : `Results_${results.map((r) => WGSL_LETTER[r]).join('')}`;
}

/** Declaration of the struct for several results. */
export function resultStruct(results: readonly ValueType[]): string {
  const fields = results.map((r, i) => `v${i}: ${WGSL_TYPE[r]}`);
  return `struct ${resultType(results)} { ${fields.join(', ')} }\n`;
}

const WGSL_LETTER: Readonly<Record<ValueType, string>> = { i32: 'i', i64: 'l', funcref: 'i' };
