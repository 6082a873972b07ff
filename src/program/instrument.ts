import { make } from './decode-code.js';
import {
  type Counters,
  chargeFuel,
  type Helpers,
  memoryBulkHelper,
  memoryGrowHelper,
  stackEnter,
  stackLeave,
  stackTrap,
  tableBulkHelper,
} from './instrument-code.js';
import { LIMITS } from './limits.js';
import type { BlockType, ExportDefinition, FunctionBody, FunctionType, Instruction, WasmModule } from './module.js';
import { OP } from './opcodes.js';
import { GLOBAL_FUEL, GLOBAL_STACK, GLOBAL_WHY, STACK_SLOTS } from './types.js';

const FREE = new Set<number>([OP.nop, OP.block, OP.loop, OP.else, OP.end]);
const ENDS_BLOCK = new Set<number>([
  OP.loop,
  OP.if,
  OP.else,
  OP.end,
  OP.br,
  OP.brIf,
  OP.brTable,
  OP.return,
  OP.unreachable,
]);
const NEVER_FALLS_THROUGH = new Set<number>([OP.br, OP.brTable, OP.return, OP.unreachable]);
const MEMORY_BULK = new Set<number>([OP.memoryCopy, OP.memoryFill, OP.memoryInit]);
const TABLE_BULK = new Set<number>([OP.tableCopy, OP.tableInit, OP.tableFill, OP.tableGrow]);

/** Types, functions and globals that instrumentation appends, so that no index of the source changes. */
class Additions {
  readonly types: FunctionType[];
  readonly functions: FunctionBody[] = [];
  private readonly charges = new Map<number, readonly Instruction[]>();
  private readonly helpers: { -readonly [K in keyof Helpers]?: Helpers[K] } = {};

  constructor(
    readonly source: WasmModule,
    readonly counters: Counters,
    readonly memoryMax: number,
  ) {
    this.types = [...source.types];
  }

  typeIndex(type: FunctionType): number {
    const text = JSON.stringify([type.params, type.results]);
    const known = this.types.findIndex((t) => JSON.stringify([t.params, t.results]) === text);
    return known >= 0 ? known : this.types.push(type) - 1;
  }

  addFunction(type: FunctionType, locals: FunctionBody['locals'], code: readonly Instruction[]): number {
    this.functions.push({ typeIndex: this.typeIndex(type), locals, code });
    return this.source.imports.length + this.source.functions.length + this.functions.length - 1;
  }

  /** Charge of a block; equal ones share their instructions, which keeps large modules small. */
  charge(cost: number): readonly Instruction[] {
    let code = this.charges.get(cost);
    if (!code) {
      code = chargeFuel(this.counters, cost);
      this.charges.set(cost, code);
    }
    return code;
  }

  private helperCode(name: keyof Helpers): Instruction[] {
    if (name === 'grow') return memoryGrowHelper(this.counters, this.memoryMax);
    return name === 'memoryBulk' ? memoryBulkHelper(this.counters) : tableBulkHelper(this.counters);
  }

  helper(name: keyof Helpers): number {
    const known = this.helpers[name];
    if (known !== undefined) return known;
    const code = this.helperCode(name);
    const index = this.addFunction({ params: ['i32'], results: ['i32'] }, ['i32'], code);
    this.helpers[name] = index;
    return index;
  }
}

/**
 * Cost of each basic block of a body, by the index of its first instruction (lane rules 5): one per instruction, nothing
 * for nop, block, loop, else and end; a block ends behind loop, if, else, end, br, br_if, br_table, return and unreachable.
 */
export function blockCosts(code: readonly Instruction[]): Map<number, number> {
  const costs = new Map<number, number>();
  let start = 0;
  let cost = 0;
  for (let i = 0; i < code.length; i++) {
    const { op } = code[i];
    if (!FREE.has(op)) cost++;
    if (ENDS_BLOCK.has(op)) {
      if (cost > 0) costs.set(start, cost);
      start = i + 1;
      cost = 0;
    }
  }
  return costs;
}

interface ChargedBody {
  readonly code: Instruction[];
  /** It branches to the function's own label or returns. */
  readonly exits: boolean;
  /** Its end is reached from the instruction before. */
  readonly falls: boolean;
}

/** The body, without its last `end`, with its fuel charges. Dead code is left out. */
function chargedBody(code: readonly Instruction[], additions: Additions): ChargedBody {
  const costs = blockCosts(code);
  const out: Instruction[] = [];
  let depth = 0;
  let exits = false;
  // The depth of the block whose rest is dead, or -1. Blocks opened inside dead code only raise `depth`.
  let dead = -1;
  let falls = true;
  for (let i = 0; i < code.length; i++) {
    const instruction = code[i];
    const { op } = instruction;
    const opens = op === OP.block || op === OP.loop || op === OP.if;
    if (dead >= 0) {
      if (opens) depth++;
      if ((op !== OP.end && op !== OP.else) || depth !== dead) {
        if (op === OP.end) depth--;
        continue;
      }
      dead = -1;
      if (depth === 0) falls = false;
    }
    const cost = costs.get(i);
    if (cost !== undefined) out.push(...additions.charge(cost));
    if (opens) depth++;
    if (op === OP.end && depth-- === 0) break;
    if (op === OP.return) {
      out.push(make(OP.br, depth));
      exits = true;
    } else if (op === OP.memoryGrow) {
      out.push(make(OP.call, additions.helper('grow')));
    } else {
      if (MEMORY_BULK.has(op)) out.push(make(OP.call, additions.helper('memoryBulk')));
      if (TABLE_BULK.has(op)) out.push(make(OP.call, additions.helper('tableBulk')));
      if ((op === OP.br || op === OP.brIf) && instruction.a === depth) exits = true;
      if (op === OP.brTable && instruction.targets!.includes(depth)) exits = true;
      out.push(instruction);
    }
    if (NEVER_FALLS_THROUGH.has(op)) dead = depth;
  }
  return { code: out, exits, falls };
}

function resultBlock(type: FunctionType, additions: Additions): BlockType {
  if (type.results.length === 0) return { kind: 'empty' };
  if (type.results.length === 1) return { kind: 'value', type: type.results[0] };
  return { kind: 'type', index: additions.typeIndex({ params: [], results: type.results }) };
}

/**
 * Stack budget first, then the body with its fuel. A body that branches to its own label or returns is put into one block
 * with the function's results, so that every way out passes the place where the budget is given back.
 */
function instrumentBody(body: FunctionBody, slots: number, additions: Additions): FunctionBody {
  const { source, counters } = additions;
  const end = make(OP.end);
  // Such a frame can never be entered. Its body is dropped: compiling it might take an engine minutes.
  if (slots > STACK_SLOTS) return { ...body, code: [...stackTrap(counters), end] };
  const inner = chargedBody(body.code, additions);
  const enter = stackEnter(counters, slots);
  const leave = stackLeave(counters, slots);
  if (!inner.exits) return { ...body, code: enter.concat(inner.code, inner.falls ? leave : [], end) };
  const block = make(
    OP.block,
    undefined,
    undefined,
    undefined,
    undefined,
    resultBlock(source.types[body.typeIndex], additions),
  );
  return { ...body, code: enter.concat(block, inner.code, end, leave, end) };
}

/** Functions that live code takes references of: they must stay declared although most exports go. */
function referenced(functions: readonly FunctionBody[]): number[] {
  const found = new Set<number>();
  for (const { code } of functions) for (const { op, a } of code) if (op === OP.refFunc) found.add(a!);
  return [...found].sort((x, y) => x - y);
}

function atMost(max: number | undefined, limit: number): number {
  return max === undefined || max > limit ? limit : max;
}

/**
 * Puts fuel and the stack budget into a valid module (lane rules 3, 4 and 5). The result has no start section (the function is
 * called first thing by the exported `__execute`), a memory of at most 512 pages, a table of at most 4,096 elements,
 * three more globals, no dead code, and exports only `memory`, `__execute`, `__meta` and the three globals.
 * `slots` are those of each function's frame, as `validateModule` gives them.
 */
export function instrumentModule(source: WasmModule, slots: Uint32Array): WasmModule {
  const first = source.globals.length;
  const counters: Counters = { fuel: first, stack: first + 1, why: first + 2 };
  const memoryMax = atMost(source.memory?.maxPages, LIMITS.memoryPages);
  const additions = new Additions(source, counters, memoryMax);
  const functions = source.functions.map((body, i) => instrumentBody(body, slots[i], additions));
  let exports: ExportDefinition[] = source.exports.filter(
    (e) => e.name === 'memory' || ((e.name === '__execute' || e.name === '__meta') && e.kind === 'func'),
  );
  const execute = exports.find((e) => e.name === '__execute');
  if (source.start !== undefined && execute) {
    const code = [make(OP.call, source.start), make(OP.call, execute.index), make(OP.end)];
    const index = additions.addFunction({ params: [], results: ['i32'] }, [], code);
    exports = exports.map((e) => (e === execute ? { ...e, index } : e));
  }
  exports.push(
    { name: GLOBAL_FUEL, kind: 'global', index: counters.fuel },
    { name: GLOBAL_STACK, kind: 'global', index: counters.stack },
    { name: GLOBAL_WHY, kind: 'global', index: counters.why },
  );
  const references = referenced(functions);
  const elements = [...source.elements];
  if (references.length > 0) {
    const items = references.map((index) => ({ kind: 'ref.func', index }) as const);
    elements.push({ mode: 'declarative', table: 0, offset: undefined, items });
  }
  const counter = { type: 'i32', mutable: true, init: { kind: 'i32', value: 0 } } as const;
  return {
    ...source,
    types: additions.types,
    functions: [...functions, ...additions.functions],
    globals: [...source.globals, counter, counter, counter],
    exports,
    elements,
    start: undefined,
    memory: source.memory && { minPages: source.memory.minPages, maxPages: memoryMax },
    table: source.table && { min: source.table.min, max: atMost(source.table.max, LIMITS.tableElements) },
  };
}
