import type { FunctionType, Instruction, WasmModule } from '../../program/module.js';
import { GLOBAL_FUEL, GLOBAL_STACK, GLOBAL_WHY, type Program } from '../../program/types.js';
import { INTRINSIC_FUNCTIONS, INTRINSIC_STATEMENTS, intrinsicParts } from '../intrinsics.js';
import { kernelText } from '../kernels.js';
import { layoutWgsl, type PuntReason } from '../layout.js';
import type { Counters } from './charges.js';
import { type ModuleContext, type TranslatedFunction, translateFunction } from './function.js';
import { i32Text, i64Text, WGSL_TYPE } from './writer.js';

/** How much linear memory an invocation holds, and where. */
export interface MemoryWindow {
  readonly bytes: number;
  readonly place: 'private' | 'storage';
}

export interface Kernel {
  readonly wgsl: string;
  /** First words of the memory: the active data segments. Behind them the data of the intrinsics. */
  readonly image: Uint32Array;
  readonly window: MemoryWindow;
  /** Statements if every call were inlined, as shader compilers do. */
  readonly inlinedStatements: number;
}

export type Translation =
  | { readonly ok: true; readonly kernel: Kernel }
  | { readonly ok: false; readonly reason: string };

const PAGE_BYTES = 65_536;
const MAX_INSTRUCTIONS = 60_000;
const MAX_INLINED_STATEMENTS = 60_000;
/** Tint accepts 127 levels; the kernel around a function needs a few. */
const MAX_NESTING = 100;
const MAX_CALL_DEPTH = 100;

/** Imports with a function of kernels/host.wgsl; any other import of the ABI is left to the CPU when it is called. */
const HOST_FUNCTIONS: Readonly<Record<string, string>> = {
  abort: 'host_abort',
  __request_storage: 'host_request_storage',
  __load_storage: 'host_load_storage',
  __request_context: 'host_request_context',
  __load_context: 'host_load_context',
  __returndatacopy: 'host_returndatacopy',
  __fuel: 'host_fuel',
  __height: 'host_height',
  __log: 'host_log',
  __is_dry_run: 'host_is_dry_run',
  __record_get: 'host_record_get',
  __record_put: 'host_record_put',
  __call: 'host_inner_call',
  __delegatecall: 'host_inner_call',
  __staticcall: 'host_inner_call',
  ...INTRINSIC_FUNCTIONS,
};

class Unsupported extends Error {}

/**
 * Translates the instrumented module of a program to the WGSL text of its kernel. Whatever it cannot do is either named in
 * `reason`, or becomes a PUNT on the path that needs it.
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
  readonly #types: readonly FunctionType[];
  readonly #imports: number;
  /** Callees before callers. */
  readonly #order: number[] = [];
  /** Calls that would close a cycle, as caller:callee. */
  readonly #cut = new Set<string>();
  readonly #calls = new Map<number, readonly number[]>();

  constructor(
    readonly module: WasmModule,
    readonly window: MemoryWindow,
  ) {
    this.#types = module.types;
    this.#imports = module.imports.length;
  }

  run(): Kernel {
    const { module } = this;
    if (module.start !== undefined) throw new Unsupported('it has a start section');
    const execute = module.exports.find((e) => e.kind === 'func' && e.name === '__execute')?.index;
    if (execute === undefined || execute < this.#imports)
      throw new Unsupported('__execute is not a function of its own');
    const memoryBytes = (module.memory?.minPages ?? 0) * PAGE_BYTES;
    if (memoryBytes === 0) throw new Unsupported('its memory is empty');
    const windowBytes = Math.min(this.window.bytes, memoryBytes);
    const image = this.#image(memoryBytes, windowBytes);
    this.#checkElements();
    this.#visit(execute);
    const functions = this.#functions(windowBytes);
    const inlined = this.#inlinedStatements(functions, execute);
    const intrinsics = intrinsicParts(new Set(module.imports.map(({ name }) => name)));
    const wgsl = [
      layoutWgsl({ memoryBytes, windowBytes, imageWords: image.length }),
      this.#globalText(),
      kernelText('status'),
      kernelText('int64'),
      kernelText(this.window.place === 'private' ? 'memory-private' : 'memory-storage'),
      kernelText('memory'),
      kernelText('storage-access'),
      kernelText('host'),
      intrinsics.wgsl,
      ...[...functions.values()].map((f) => f.text),
      `fn execute() -> u32 {\nreturn f${execute}();\n}\n`,
      kernelText('main'),
    ].join('\n');
    const data = new Uint32Array(image.length + intrinsics.data.length);
    data.set(image);
    data.set(intrinsics.data, image.length);
    return { wgsl, image: data, window: { bytes: windowBytes, place: this.window.place }, inlinedStatements: inlined };
  }

  #functions(windowBytes: number): Map<number, TranslatedFunction> {
    const context: ModuleContext = {
      types: this.#types,
      globals: this.module.globals.map(({ type }, i) => ({ type, name: this.#globalName(i) })),
      counters: this.#counters(),
      windowBytes,
      memoryPages: this.module.memory?.minPages ?? 0,
      callee: (caller, index) => this.#callee(caller, index),
    };
    const out = new Map<number, TranslatedFunction>();
    for (const index of this.#order) {
      const body = this.module.functions[index - this.#imports];
      if (body === undefined) throw new Unsupported('a call to a function that is not there');
      const translated = translateFunction(context, index, body);
      if (translated.nesting > MAX_NESTING) throw new Unsupported(`nesting of ${translated.nesting} levels`);
      out.set(index, translated);
    }
    return out;
  }

  #callee(caller: number, index: number): { name: string; type: FunctionType } | { punt: PuntReason } {
    const type = this.#signature(index);
    const imported = this.module.imports[index];
    if (imported !== undefined) {
      const name = HOST_FUNCTIONS[imported.name];
      return name === undefined ? { punt: 'import' } : { name, type };
    }
    if (!isTranslatable(type)) return { punt: 'multi-value' };
    if (this.#cut.has(`${caller}:${index}`)) return { punt: 'recursion' };
    return { name: `f${index}`, type };
  }

  #signature(index: number): FunctionType {
    const typeIndex =
      this.module.imports[index]?.typeIndex ?? this.module.functions[index - this.#imports]?.typeIndex ?? -1;
    const type = this.#types[typeIndex];
    if (type === undefined) throw new Unsupported('a call to a function that is not there');
    return type;
  }

  /** Depth-first walk of the call graph from `__execute`: what is reached, in which order, and which calls close cycles. */
  #visit(execute: number): void {
    const done = new Set<number>();
    const open = new Set<number>();
    let instructions = 0;
    const walk = (index: number): void => {
      if (open.size >= MAX_CALL_DEPTH) throw new Unsupported(`calls nested more than ${MAX_CALL_DEPTH} deep`);
      open.add(index);
      const code = this.module.functions[index - this.#imports]?.code ?? [];
      instructions += code.length;
      if (instructions > MAX_INSTRUCTIONS) throw new Unsupported(`more than ${MAX_INSTRUCTIONS} instructions`);
      const callees = callsOf(code).filter((c) => c >= this.#imports && isTranslatable(this.#signature(c)));
      for (const callee of new Set(callees)) {
        if (open.has(callee)) this.#cut.add(`${index}:${callee}`);
        else if (!done.has(callee)) walk(callee);
      }
      this.#calls.set(
        index,
        callees.filter((c) => !this.#cut.has(`${index}:${c}`)),
      );
      open.delete(index);
      done.add(index);
      this.#order.push(index);
    };
    walk(execute);
  }

  #inlinedStatements(functions: ReadonlyMap<number, TranslatedFunction>, execute: number): number {
    const sums = new Map<number, number>();
    for (const index of this.#order) {
      let sum = functions.get(index)?.statements ?? 0;
      for (const name of this.#importsCalled(index)) sum += INTRINSIC_STATEMENTS[name] ?? 0;
      for (const callee of this.#calls.get(index) ?? []) sum += sums.get(callee) ?? 0;
      if (sum > MAX_INLINED_STATEMENTS)
        throw new Unsupported(`more than ${MAX_INLINED_STATEMENTS} statements once inlined`);
      sums.set(index, sum);
    }
    return sums.get(execute) ?? 0;
  }

  /** Names of the imports that a function calls, once for each call. */
  #importsCalled(index: number): string[] {
    const code = this.module.functions[index - this.#imports]?.code ?? [];
    return callsOf(code).flatMap((callee) => this.module.imports[callee]?.name ?? []);
  }

  #counters(): Counters {
    const index = (name: string): number => {
      const found = this.module.exports.find((e) => e.kind === 'global' && e.name === name);
      if (found === undefined) throw new Unsupported('it is not instrumented');
      return found.index;
    };
    return { fuel: index(GLOBAL_FUEL), stack: index(GLOBAL_STACK), why: index(GLOBAL_WHY) };
  }

  #globalName(index: number): string {
    const { fuel, stack, why } = this.#counters();
    if (index === fuel) return 'w_fuel';
    if (index === stack) return 'w_stack';
    return index === why ? 'w_why' : `g${index}`;
  }

  #globalText(): string {
    if (this.module.globals.some(({ type }) => type === 'funcref'))
      throw new Unsupported('a global that is a reference');
    const names = this.module.globals.map((_, i) => this.#globalName(i));
    const lines = this.module.globals.map(({ type, init }, i) => {
      const value = init.kind === 'i64' ? i64Text(init.value) : i32Text(init.kind === 'i32' ? init.value : 0);
      return `var<private> ${names[i]}: ${WGSL_TYPE[type]} = ${value};`;
    });
    return `${lines.join('\n')}\n`;
  }

  /** The memory after instantiation, up to the last data byte. */
  #image(memoryBytes: number, windowBytes: number): Uint32Array {
    const bytes = new Uint8Array(windowBytes);
    let end = 0;
    for (const segment of this.module.dataSegments) {
      if (segment.mode !== 'active') continue;
      const at = segment.offset?.kind === 'i32' ? segment.offset.value >>> 0 : Number.NaN;
      if (!(at + segment.bytes.length <= memoryBytes)) throw new Unsupported('a data segment out of bounds');
      if (segment.bytes.length === 0) continue;
      if (at + segment.bytes.length > windowBytes) throw new Unsupported(`static data beyond ${windowBytes} bytes`);
      bytes.set(segment.bytes, at);
      end = Math.max(end, at + segment.bytes.length);
    }
    return new Uint32Array(bytes.buffer, 0, Math.ceil(end / 4));
  }

  /** Elements are only reached by indirect calls, but one out of bounds fails every call. */
  #checkElements(): void {
    const size = this.module.table?.min ?? 0;
    for (const { mode, offset, items } of this.module.elements) {
      if (mode !== 'active') continue;
      const at = offset?.kind === 'i32' ? offset.value >>> 0 : Number.NaN;
      if (!(at + items.length <= size)) throw new Unsupported('an element segment out of bounds');
    }
  }
}

const MAX_PARAMETERS = 250;

function isTranslatable(type: FunctionType): boolean {
  return type.results.length <= 1 && type.params.length <= MAX_PARAMETERS;
}

function callsOf(code: readonly Instruction[]): number[] {
  return code.filter((i) => i.op === 0x10).map((i) => i.a ?? -1);
}
