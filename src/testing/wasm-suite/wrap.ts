import { make } from '../../program/decode-code.js';
import { encodeModule } from '../../program/encode.js';
import type { ConstantExpression, FunctionType, Instruction, ValueType, WasmModule } from '../../program/module.js';
import { OP } from '../../program/opcodes.js';
import { end, i32, i64, op, open } from '../../selftest/fuzz-kernel/build.js';

/** A number as scripts write it. */
export interface Constant {
  readonly type: 'i32' | 'i64';
  readonly value: bigint;
}

/** A call that a script makes, and how it must end. */
export interface Step {
  /** Index of the function in the module as it came. */
  readonly function: number;
  readonly arguments: readonly Constant[];
  /** `undefined`: whatever it returns. */
  readonly expected: readonly Constant[] | 'trap' | undefined;
}

const CHANGES = new Set<number>([
  OP.globalSet,
  OP.memoryGrow,
  OP.memoryCopy,
  OP.memoryFill,
  OP.memoryInit,
  OP.dataDrop,
  OP.tableSet,
  OP.tableGrow,
  OP.tableCopy,
  OP.tableFill,
  OP.tableInit,
  OP.elemDrop,
]);
const isStore = (code: number): boolean => code >= OP.i32Store && code <= 0x3e;

/** Whether a call can leave anything behind for the next one. */
export function hasState({ functions }: WasmModule): boolean {
  return functions.some(({ code }) => code.some((i) => CHANGES.has(i.op) || isStore(i.op)));
}

/**
 * `module` with an `__execute` that makes the call of `steps` whose number is the length of the context, after those before it
 * where `replays`, and holds the results against what is expected: a wrong one burns all fuel. So the run must end OK, or
 * TRAP where that is expected; no memory is needed to say so. Steps before `from` are only replayed.
 */
export function wrapSteps(module: WasmModule, steps: readonly Step[], from: number, replays: boolean): Uint8Array {
  const moved = withImport(module);
  const { types } = moved;
  const execute = types.push({ params: [], results: ['i32'] }) - 1;
  const locals: ValueType[] = ['i32'];
  const scratch = new Map<ValueType, number>();
  const localOf = (type: ValueType): number => {
    const known = scratch.get(type);
    if (known !== undefined) return known;
    scratch.set(type, locals.push(type) - 1);
    return locals.length - 1;
  };
  const code: Instruction[] = [op(OP.call, 0), op(OP.localSet, 0)];
  steps.forEach((step, number) => {
    const type = typeOf(module, step.function);
    const isOwn = number >= from;
    const call = [...step.arguments.map(constant), op(OP.call, step.function + 1)];
    const chosen = [op(OP.localGet, 0), i32(number), op(OP.i32Eq), open(OP.if)];
    if (step.expected === 'trap') {
      if (isOwn) code.push(...chosen, ...call, ...type.results.map(() => op(OP.drop)), ...BURN, end);
    } else if (replays) {
      code.push(...call);
      if (isOwn) code.push(...chosen.slice(0, 3), ...check(step.expected, type, localOf));
      else code.push(...type.results.map(() => op(OP.drop)));
    } else if (isOwn) code.push(...chosen, ...call, i32(1), ...check(step.expected, type, localOf), end);
  });
  code.push(...BURN, i32(0), end);
  const functions = [...moved.functions, { typeIndex: execute, locals, code }];
  const memory = module.memory ?? { minPages: 0, maxPages: undefined };
  return encodeModule({
    ...moved,
    functions,
    memory,
    exports: [
      { name: 'memory', kind: 'memory', index: 0 },
      { name: '__execute', kind: 'func', index: module.imports.length + functions.length },
    ],
  });
}

/** Burns all fuel. */
const BURN: readonly Instruction[] = [open(OP.loop), op(OP.br, 0), end];

/** With the results and then a condition on the stack: where it holds, they must be `expected`, and the run ends. */
function check(
  expected: readonly Constant[] | undefined,
  { results }: FunctionType,
  localOf: (type: ValueType) => number,
): Instruction[] {
  const flag = localOf('i32');
  const code: Instruction[] = [op(OP.localSet, flag)];
  // All results are taken from the stack, whether or not they are looked at.
  [...results].reverse().forEach((type, i) => {
    const want = expected?.[results.length - 1 - i];
    if (want === undefined || type === 'funcref') {
      code.push(op(OP.drop));
      return;
    }
    code.push(constant(want), op(type === 'i64' ? 0x52 : 0x47));
    // Wrong and looked at.
    code.push(op(OP.localGet, flag), op(OP.i32And), open(OP.if), ...BURN, end);
  });
  return [...code, op(OP.localGet, flag), open(OP.if), i32(0), op(OP.return), end];
}

function constant({ type, value }: Constant): Instruction {
  return type === 'i64' ? i64(BigInt.asIntN(64, value)) : i32(Number(BigInt.asIntN(32, value)));
}

function typeOf({ imports, functions, types }: WasmModule, index: number): FunctionType {
  const typeIndex = imports[index]?.typeIndex ?? functions[index - imports.length]?.typeIndex ?? -1;
  const type = types[typeIndex];
  if (type === undefined) throw new RangeError('a call to a function that is not there');
  return type;
}

/** The module with `__request_context` as its first import: every function's index moves by one. */
function withImport(module: WasmModule): WasmModule & { readonly types: FunctionType[] } {
  const types = [...module.types];
  const typeIndex = types.push({ params: [], results: ['i32'] }) - 1;
  const item = (e: ConstantExpression): ConstantExpression =>
    e.kind === 'ref.func' ? { ...e, index: e.index + 1 } : e;
  const instruction = (i: Instruction): Instruction =>
    i.op === OP.call || i.op === OP.refFunc ? make(i.op, (i.a ?? 0) + 1, i.b) : i;
  return {
    ...module,
    types,
    imports: [{ module: 'env', name: '__request_context', typeIndex }, ...module.imports],
    functions: module.functions.map((f) => ({ ...f, code: f.code.map(instruction) })),
    globals: module.globals.map((g) => ({ ...g, init: item(g.init) })),
    elements: module.elements.map((e) => ({ ...e, items: e.items.map(item) })),
    start: module.start === undefined ? undefined : module.start + 1,
  };
}
