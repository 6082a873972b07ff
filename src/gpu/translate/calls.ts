import { STACK_SLOTS } from '../../program/counters.js';
import type { FunctionBody, WasmModule } from '../../program/module.js';
import { OP } from '../../program/opcodes.js';
import type { Counters } from './charges.js';
import type { StaticTable } from './table.js';
import { Unsupported } from './unsupported.js';

const MAX_INSTRUCTIONS = 60_000;
const MAX_CALL_DEPTH = 100;
/** Most steps of the search for cycles through indirect calls. */
const MAX_SEARCH_STEPS = 5_000_000;

/**
 * The functions reachable from `__execute` and the calls between them. WGSL has no recursion: a call that would close a
 * cycle is cut and becomes a PUNT. Indirect calls are cut before direct ones, because most of their possible callees
 * are never called.
 */
export class CallGraph {
  /** Functions reached without cut calls, callees before callers. */
  readonly order: readonly number[];
  readonly #edges = new Map<number, Set<number>>();
  /** Callees of every call, with all possible callees of indirect ones. */
  readonly #sites = new Map<number, readonly number[]>();
  #steps = 0;

  /** Throws {@link Unsupported} if there is too much code, or if calls nest too deep for drivers. */
  constructor(
    readonly module: WasmModule,
    readonly table: StaticTable,
    execute: number,
  ) {
    const reached = this.#reach(execute);
    this.#cutDirect(reached);
    this.#addIndirect(reached);
    this.order = this.#sort(execute);
  }

  /** Whether the call of `callee` in `caller` stays a call. */
  has(caller: number, callee: number): boolean {
    return this.#edges.get(caller)?.has(callee) ?? false;
  }

  /** Per function: its own value plus those of all its calls that are not cut, as if all were inlined. */
  inlined(own: (index: number) => number): Map<number, number> {
    const sums = new Map<number, number>();
    for (const index of this.order) {
      const calls = (this.#sites.get(index) ?? []).filter((callee) => this.has(index, callee));
      sums.set(
        index,
        calls.reduce((sum, callee) => sum + (sums.get(callee) ?? 0), own(index)),
      );
    }
    return sums;
  }

  /** Whether some chain of calls may need more than the stack budget; then frames must be counted. */
  mayOverflow(execute: number, { stack, why }: Counters): boolean {
    const deepest = new Map<number, number>();
    for (const index of this.order) {
      const below = [...(this.#edges.get(index) ?? [])].map((callee) => deepest.get(callee) ?? 0);
      deepest.set(index, frameSlots(this.#body(index), stack, why) + Math.max(0, ...below));
    }
    return (deepest.get(execute) ?? 0) > STACK_SLOTS;
  }

  #body(index: number): FunctionBody {
    const body = this.module.functions[index - this.module.imports.length];
    if (body === undefined) throw new Unsupported('a call to a function that does not exist');
    return body;
  }

  #isImport(index: number): boolean {
    return index < this.module.imports.length;
  }

  #direct(index: number): number[] {
    const calls = this.#body(index).code.filter(({ op }) => op === OP.call);
    return calls.map(({ a }) => a ?? 0).filter((callee) => !this.#isImport(callee));
  }

  #indirect(index: number): number[] {
    if (this.table.changes) return [];
    const callees: number[] = [];
    for (const { op, a } of this.#body(index).code) {
      if (op !== OP.callIndirect) continue;
      for (const callee of this.table.functionsOf(a ?? 0).keys()) if (!this.#isImport(callee)) callees.push(callee);
      if (callees.length > MAX_INSTRUCTIONS) throw new Unsupported('too many indirect calls');
    }
    return callees;
  }

  #reach(execute: number): number[] {
    const reached = new Set([execute]);
    let instructions = 0;
    for (const index of reached) {
      instructions += this.#body(index).code.length;
      if (instructions > MAX_INSTRUCTIONS) throw new Unsupported(`more than ${MAX_INSTRUCTIONS} instructions`);
      const sites = [...this.#direct(index), ...this.#indirect(index)];
      instructions += sites.length;
      this.#sites.set(index, sites);
      for (const callee of sites) reached.add(callee);
    }
    return [...reached];
  }

  #cutDirect(reached: readonly number[]): void {
    const done = new Set<number>();
    const open = new Set<number>();
    const walk = (index: number): void => {
      if (open.size >= MAX_CALL_DEPTH) throw new Unsupported(`calls nested more than ${MAX_CALL_DEPTH} deep`);
      open.add(index);
      const kept = new Set<number>();
      this.#edges.set(index, kept);
      for (const callee of new Set(this.#direct(index))) {
        if (open.has(callee)) continue;
        kept.add(callee);
        if (!done.has(callee)) walk(callee);
      }
      open.delete(index);
      done.add(index);
    };
    for (const index of reached) if (!done.has(index)) walk(index);
  }

  #addIndirect(reached: readonly number[]): void {
    for (const index of reached) {
      for (const callee of new Set(this.#indirect(index))) {
        if (!this.#leadsTo(callee, index)) this.#edges.get(index)?.add(callee);
      }
    }
  }

  #leadsTo(from: number, to: number): boolean {
    const seen = new Set([from]);
    for (const index of seen) {
      if (index === to) return true;
      for (const callee of this.#edges.get(index) ?? []) {
        if (++this.#steps > MAX_SEARCH_STEPS) throw new Unsupported('too many indirect calls');
        seen.add(callee);
      }
    }
    return false;
  }

  #sort(execute: number): number[] {
    const order: number[] = [];
    const depth = new Map<number, number>();
    const walk = (index: number): number => {
      let deepest = 0;
      for (const callee of this.#edges.get(index) ?? []) deepest = Math.max(deepest, depth.get(callee) ?? walk(callee));
      if (deepest >= MAX_CALL_DEPTH) throw new Unsupported(`calls nested more than ${MAX_CALL_DEPTH} deep`);
      depth.set(index, deepest + 1);
      order.push(index);
      return deepest + 1;
    };
    walk(execute);
    return order;
  }
}

/** Slots of the stack budget that the instrumentation charges at a function's entry; for its own helpers, none. */
function frameSlots({ code }: FunctionBody, stack: number, why: number): number {
  const [first, second] = code;
  if (first?.op === OP.globalGet && first.a === stack && second?.op === OP.i32Const) return second.a ?? 0;
  // A frame too large for any budget: entering it always traps.
  return second?.op === OP.globalSet && second.a === why ? Number.POSITIVE_INFINITY : 0;
}
