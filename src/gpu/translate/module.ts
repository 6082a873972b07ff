import { GLOBAL_FUEL, GLOBAL_STACK, GLOBAL_WHY } from '../../program/counters.js';
import type { FunctionBody, FunctionType, WasmModule } from '../../program/module.js';
import { OP } from '../../program/opcodes.js';
import { entryFuel } from '../../program/prices.js';
import type { Program } from '../../program/types.js';
import { intrinsicParts } from '../intrinsics/intrinsics.js';
import { kernelFunction, neededParts } from '../intrinsics/kernel-functions.js';
import { kernelText } from '../intrinsics/kernel-text.js';
import { Alignment, globalName } from './alignment.js';
import { CallGraph } from './calls.js';
import type { Counters } from './charges.js';
import { type Callee, type IndirectCase, type ModuleContext, resultStruct, resultType } from './context.js';
import { type InlinedSize, inlinedSize } from './estimate.js';
import { type TranslatedFunction, translateFunction } from './function.js';
import { layoutWgsl, type PuntReason } from './layout.js';
import { type MemoryPlan, type MemoryUse, type MemoryWindow, planMemory } from './memory-plan.js';
import { StaticTable } from './table.js';
import { Unsupported } from './unsupported.js';
import { i32Text, i64Text, WGSL_TYPE } from './writer.js';

export type { MemoryWindow } from './memory-plan.js';

export interface Kernel {
  readonly wgsl: string;
  /** The buffer `program_data`: static data, then passive segments, then the data of the intrinsics. */
  readonly image: Uint32Array;
  readonly window: MemoryWindow;
  /** Bytes of the window after the program's static data and initial pointers. */
  readonly room: number;
  /** Its size with every call inlined, as shader compilers do. */
  readonly inlined: InlinedSize;
}

export type Translation =
  | { readonly ok: true; readonly kernel: Kernel }
  | { readonly ok: false; readonly reason: string };

/**
 * Tint rejects statements nested deeper than 127 levels, counted in its own way (see FunctionWriter), and likewise
 * braces and parentheses. The margin is for versions that count a little differently.
 */
const MAX_NESTING = 120;
const MAX_PARAMETERS = 250;
const MAX_RESULTS = 16;
/**
 * Rounds in which guesses about alignment may fail before the translator stops guessing. A chain of calls may need a
 * round for each call.
 */
const ALIGNMENT_ROUNDS = 40;

/**
 * Translates the instrumented module of a program to the WGSL text of its kernel. What the kernel cannot do either
 * makes the program unsupported, for the given `reason`, or becomes a PUNT on the path that needs it.
 */
export function translateProgram(program: Program, window: MemoryWindow): Translation {
  try {
    return { ok: true, kernel: new ModuleTranslation(program.module, window).run() };
  } catch (error) {
    if (error instanceof Unsupported) return { ok: false, reason: error.message };
    throw error;
  }
}

class ModuleTranslation {
  readonly #imports: number;
  readonly #execute: number;
  readonly #counters: Counters;
  readonly #table: StaticTable;
  readonly #calls: CallGraph;
  readonly #memory: MemoryPlan;

  constructor(
    readonly module: WasmModule,
    window: MemoryWindow,
  ) {
    this.#imports = module.imports.length;
    if (module.start !== undefined) throw new Unsupported('the module has a start section');
    const execute = module.exports.find((e) => e.kind === 'func' && e.name === '__execute')?.index;
    if (execute === undefined || execute < this.#imports) throw new Unsupported('__execute is missing or imported');
    this.#execute = execute;
    this.#counters = counters(module);
    this.#table = new StaticTable(module);
    this.#calls = new CallGraph(module, this.#table, execute);
    const bodies = this.#calls.order.map((index) => this.#body(index));
    this.#memory = planMemory(module, window, memoryUse(bodies));
  }

  run(): Kernel {
    const functions = this.#functions();
    const { programData, window, room } = this.#memory;
    const needed = neededParts(this.module.imports.map(({ name }) => name));
    const intrinsics = intrinsicParts(needed, programData.length);
    const wgsl = [
      // Dead code is expected, and Dawn prints warnings to standard output.
      'diagnostic(off, chromium.unreachable_code);',
      layoutWgsl(),
      this.#globals(),
      kernelText('status'),
      kernelText('int64'),
      this.#memory.wgsl,
      kernelText('storage-access'),
      kernelText('host'),
      intrinsics.wgsl,
      ...this.#resultStructs(),
      ...[...functions.values()].map((f) => f.text),
      `const ENTRY_FUEL = ${entryFuel(this.module)}u;`,
      `fn execute() -> u32 {\nreturn f${this.#execute}();\n}\n`,
      kernelText('main'),
    ].join('\n');
    const image = new Uint32Array(programData.length + intrinsics.data.length);
    image.set(programData);
    image.set(intrinsics.data, programData.length);
    const inlined = inlinedSize(this.#calls, functions);
    return { wgsl, image, window, room, inlined };
  }

  /** Translates every function, and again those that relied on a guess about alignment that has failed since. */
  #functions(): ReadonlyMap<number, TranslatedFunction> {
    const alignment = new Alignment();
    const context: ModuleContext = {
      types: this.module.types,
      globals: this.module.globals.map(({ type }, i) => ({ type, name: this.#globalName(i) })),
      counters: this.#counters,
      memory: this.#memory,
      alignment,
      countsFrames: this.#calls.mayOverflow(this.#execute, this.#counters),
      tableSize: this.#table.changes ? undefined : this.#table.size,
      callee: (caller, index) => this.#callee(caller, index),
      indirect: (caller, typeIndex) => this.#indirect(caller, typeIndex),
    };
    this.module.globals.forEach(({ init }, i) => {
      if (init.kind !== 'i32' || init.value % 4 !== 0) alignment.refute(globalName(i));
    });
    const out = new Map<number, TranslatedFunction>();
    const { order } = this.#calls;
    for (let round = 0; ; round++) {
      // Without recursion, translating callees before callers makes all results known in time.
      const stale = order.filter((index) => !out.has(index) || alignment.isStale(index));
      if (stale.length === 0) return out;
      if (round === ALIGNMENT_ROUNDS) alignment.giveUp();
      for (const index of round >= ALIGNMENT_ROUNDS ? order : stale) out.set(index, this.#translate(context, index));
      if (round >= ALIGNMENT_ROUNDS) return out;
    }
  }

  #translate(context: ModuleContext, index: number): TranslatedFunction {
    context.alignment.begin(index);
    const translated = translateFunction(context, index, this.#body(index));
    if (translated.nesting > MAX_NESTING) throw new Unsupported(`nesting of ${translated.nesting} levels`);
    return translated;
  }

  #body(index: number): FunctionBody {
    const body = this.module.functions[index - this.#imports];
    if (body === undefined) throw new Unsupported('a call to a function that does not exist');
    return body;
  }

  #callee(caller: number, index: number): Callee {
    const imported = this.module.imports[index];
    if (imported !== undefined) {
      const type = this.#type(imported.typeIndex);
      const name = kernelFunction(imported.name)?.name;
      return name === undefined ? { punt: 'import' } : { name, type, index: undefined };
    }
    const type = this.#type(this.#body(index).typeIndex);
    if (!this.#calls.has(caller, index)) return { punt: 'recursion' };
    return { name: `f${index}`, type, index };
  }

  #indirect(caller: number, typeIndex: number): readonly IndirectCase[] | PuntReason {
    if (this.#table.changes) return 'table';
    const functions = this.#table.functionsOf(typeIndex);
    return [...functions].map(([index, elements]) => ({ elements, callee: this.#callee(caller, index) }));
  }

  #type(index: number): FunctionType {
    const type = this.module.types[index];
    if (type === undefined) throw new Unsupported('a call to a function that does not exist');
    return type;
  }

  /** Declarations of the structs for functions with several results. */
  #resultStructs(): string[] {
    const structs = new Map<string, string>();
    for (const index of this.#calls.order) {
      const { params, results } = this.#type(this.#body(index).typeIndex);
      if (params.length > MAX_PARAMETERS) throw new Unsupported(`a function of ${params.length} parameters`);
      if (results.length > MAX_RESULTS) throw new Unsupported(`a function of ${results.length} results`);
      if (results.length > 1) structs.set(resultType(results) ?? '', resultStruct(results));
    }
    return [...structs.values()];
  }

  #globalName(index: number): string {
    const { fuel, stack, why } = this.#counters;
    if (index === fuel) return 'w_fuel';
    if (index === stack) return 'w_stack';
    return index === why ? 'w_why' : `g${index}`;
  }

  #globals(): string {
    const lines = this.module.globals.map(({ type, init }, i) => {
      let value = '0u';
      if (init.kind === 'i64') value = i64Text(init.value);
      else if (init.kind === 'i32') value = i32Text(init.value);
      else if (init.kind === 'ref.func') value = i32Text(init.index + 1);
      return `var<private> ${this.#globalName(i)}: ${WGSL_TYPE[type]} = ${value};`;
    });
    return `${lines.join('\n')}\n`;
  }
}

function counters(module: WasmModule): Counters {
  const index = (name: string): number => {
    const found = module.exports.find((e) => e.kind === 'global' && e.name === name);
    if (found === undefined) throw new Unsupported('the module is not instrumented');
    return found.index;
  };
  return { fuel: index(GLOBAL_FUEL), stack: index(GLOBAL_STACK), why: index(GLOBAL_WHY) };
}

function memoryUse(bodies: readonly FunctionBody[]): MemoryUse {
  const initialised = new Set<number>();
  const dropped = new Set<number>();
  let grow = false;
  for (const { op, a } of bodies.flatMap(({ code }) => code)) {
    if (op === OP.memoryInit) initialised.add(a ?? 0);
    else if (op === OP.dataDrop) dropped.add(a ?? 0);
    else if (op === OP.memoryGrow) grow = true;
  }
  return { grow, initialised, dropped };
}
