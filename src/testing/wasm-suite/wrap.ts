/** Makes the calls of a test script into a program that makes them itself and looks at what comes back. */
import { make } from '../../program/decode-code.js';
import { encodeModule } from '../../program/encode.js';
import type { ConstantExpression, FunctionType, Instruction, ValueType, WasmModule } from '../../program/module.js';
import { OP } from '../../program/opcodes.js';
import { BULK } from '../../program/prices.js';
import { end, i32, i64, op, open, typed } from '../../selftest/fuzz-kernel/build.js';

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

/** Steps of one function, called at one place: none of them must trap and a loop makes them, or each must and a run makes one. */
export interface Unit {
  readonly steps: readonly Step[];
  readonly traps: boolean;
}

/** A run of a wrapped module: the length of its context, and the steps that are held against the script by it. */
export interface SuiteRun {
  readonly selector: number;
  readonly steps: readonly Step[];
  readonly traps: boolean;
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
 * `steps` as units: neighbours of one function together, all of one function where the order does not count. The units of an ordered
 * script stay in its order.
 */
export function unitsOf(steps: readonly Step[], ordered: boolean): Unit[] {
  const units: { steps: Step[]; traps: boolean; of: number; judged: boolean }[] = [];
  for (const step of steps) {
    const [judged, traps, of] = [step.expected !== undefined, step.expected === 'trap', step.function];
    const fits = (unit: (typeof units)[number] | undefined): boolean =>
      unit !== undefined && unit.traps === traps && unit.of === of && unit.judged === judged;
    const last = ordered ? units.at(-1) : units.find(fits);
    if (fits(last)) last?.steps.push(step);
    else units.push({ steps: [step], traps, of, judged });
  }
  return units;
}

/** Units and the first of their selectors: one that traps has one for each step. */
function numbered(units: readonly Unit[]): { readonly unit: Unit; readonly first: number }[] {
  let next = 0;
  return units.map((unit) => {
    const first = next;
    next += unit.traps ? unit.steps.length : 1;
    return { unit, first };
  });
}

/**
 * The runs that hold all units against the script. Where the order counts, one run makes every step that must not trap; else every unit
 * has a run of its own. A step that must trap always has.
 */
export function runsOf(units: readonly Unit[], ordered: boolean): SuiteRun[] {
  const alone = numbered(units).flatMap(({ unit: { steps, traps }, first }): SuiteRun[] => {
    if (traps) return steps.map((step, i) => ({ selector: first + i, steps: [step], traps }));
    return ordered ? [] : [{ selector: first, steps, traps }];
  });
  const steps = units.filter(({ traps }) => !traps).flatMap((unit) => unit.steps);
  const selector = numbered([...units, { steps: [], traps: false }]).at(-1)?.first ?? 0;
  return ordered && steps.length > 0 ? [...alone, { selector, steps, traps: false }] : alone;
}

/**
 * `module` with an `__execute` that makes the run of {@link runsOf} whose selector is the length of the context. It ends OK, or TRAP where
 * that is expected; a wrong value, or a trap that does not come, reverts. No memory is needed to say so. Arguments and results of
 * several steps are chosen at run time: no driver knows them when it compiles.
 *
 * With `fuel`, a bulk instruction that a length operand above what this much fuel pays for is about to reach reverts, too.
 */
export function wrapUnits(module: WasmModule, units: readonly Unit[], ordered: boolean, fuel?: number): Uint8Array {
  const moved = withImports(module, fuel);
  const { types } = moved;
  const execute = types.push({ params: [], results: ['i32'] }) - 1;
  const [selector, counter] = [0, 1];
  const code: Instruction[] = [op(OP.call, 0), op(OP.localSet, selector)];
  for (const { unit, first } of numbered(units)) {
    const type = typeOf(module, unit.steps[0]?.function ?? -1);
    const number = [op(OP.localGet, selector), i32(first), op(OP.i32Sub), op(OP.localTee, counter)];
    const chosen = [...number, i32(unit.traps ? unit.steps.length : 1), op(OP.i32LtU), open(OP.if)];
    if (unit.traps) {
      code.push(...chosen, ...callOf(unit, type, counter), ...type.results.map(() => op(OP.drop)), ...WRONG, end);
    } else if (ordered) code.push(...made(unit, type, counter));
    else code.push(...chosen, ...made(unit, type, counter), i32(0), op(OP.return), end);
  }
  code.push(i32(0), end);
  const functions = [...moved.functions, { typeIndex: execute, locals: COUNTERS, code }];
  return encodeModule({
    ...moved,
    functions,
    memory: module.memory ?? { minPages: 0, maxPages: undefined },
    exports: [
      { name: 'memory', kind: 'memory', index: 0 },
      { name: '__execute', kind: 'func', index: moved.imports.length + functions.length - 1 },
    ],
  });
}

const COUNTERS: readonly ValueType[] = ['i32', 'i32'];

/** `abort`: the run reverts. */
const WRONG: readonly Instruction[] = [i32(0), i32(0), i32(0), i32(0), op(OP.call, 1), op(OP.unreachable)];

/** The steps of a unit, each held against what is expected. */
function made(unit: Unit, type: FunctionType, counter: number): Instruction[] {
  const body = [...callOf(unit, type, counter), ...judged(unit, type, counter)];
  if (unit.steps.length === 1) return body;
  return [
    i32(0),
    op(OP.localSet, counter),
    open(OP.loop),
    ...body,
    op(OP.localGet, counter),
    i32(1),
    op(OP.i32Add),
    op(OP.localTee, counter),
    i32(unit.steps.length),
    op(OP.i32LtU),
    op(OP.brIf, 0),
    end,
  ];
}

function callOf({ steps }: Unit, { params }: FunctionType, counter: number): Instruction[] {
  const of = steps[0]?.function ?? -1;
  const args = params.flatMap((_, i) =>
    chosenOf(
      steps.map((step) => step.arguments[i]),
      counter,
    ),
  );
  return [...args, op(OP.call, of + ADDED_IMPORTS)];
}

function judged({ steps }: Unit, { results }: FunctionType, counter: number): Instruction[] {
  const code: Instruction[] = [];
  // From the top of the stack down.
  for (let i = results.length - 1; i >= 0; i--) {
    const wanted = steps.map(({ expected }) => (expected === 'trap' ? undefined : expected?.[i]));
    if (wanted.includes(undefined) || results[i] === 'funcref') code.push(op(OP.drop));
    else code.push(...chosenOf(wanted, counter), op(results[i] === 'i64' ? 0x52 : 0x47), open(OP.if), ...WRONG, end);
  }
  return code;
}

/** The constant whose number the counter is, by halves. */
function chosenOf(constants: readonly (Constant | undefined)[], counter: number): Instruction[] {
  const choose = (from: number, to: number): Instruction[] => {
    const first = constants[from];
    if (first === undefined) throw new RangeError('a constant is missing');
    if (constants.slice(from, to).every((c) => c?.value === first.value)) return [constant(first)];
    const middle = (from + to) >> 1;
    const test = [op(OP.localGet, counter), i32(middle), op(OP.i32LtU), open(OP.if, typed(first.type))];
    return [...test, ...choose(from, middle), op(OP.else), ...choose(middle, to), end];
  };
  return choose(0, constants.length);
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

/** `__request_context` and `abort`. */
const ADDED_IMPORTS = 2;

/** Length operands above which bulk instructions cost more than `fuel`; the length is always the top of the stack. */
function affordable(code: number, fuel: number): number | undefined {
  switch (code) {
    case OP.memoryGrow:
      return fuel / BULK.growPage;
    case OP.memoryCopy:
    case OP.memoryFill:
    case OP.memoryInit:
      return fuel * 2 ** BULK.memoryShift;
    case OP.tableCopy:
    case OP.tableFill:
    case OP.tableGrow:
    case OP.tableInit:
      return fuel / BULK.tableElement;
    default:
      return undefined;
  }
}

/** The module with the added imports first: every function's index moves. */
function withImports(module: WasmModule, fuel: number | undefined): WasmModule & { readonly types: FunctionType[] } {
  const types = [...module.types];
  const requestType = types.push({ params: [], results: ['i32'] }) - 1;
  const abortType = types.push({ params: ['i32', 'i32', 'i32', 'i32'], results: [] }) - 1;
  const item = (e: ConstantExpression): ConstantExpression =>
    e.kind === 'ref.func' ? { ...e, index: e.index + ADDED_IMPORTS } : e;
  const instruction = (i: Instruction): Instruction =>
    i.op === OP.call || i.op === OP.refFunc ? make(i.op, (i.a ?? 0) + ADDED_IMPORTS, i.b) : i;
  const functions = module.functions.map((f) => {
    const length = (types[f.typeIndex]?.params.length ?? 0) + f.locals.length;
    const code = f.code.flatMap((i): Instruction[] => {
      const most = fuel === undefined ? undefined : affordable(i.op, fuel);
      if (most === undefined || most >= 2 ** 32) return [instruction(i)];
      const above = [op(OP.localTee, length), op(OP.localGet, length), i32(Math.floor(most)), op(OP.i32GtU)];
      return [...above, open(OP.if), ...WRONG, end, i];
    });
    return fuel === undefined ? { ...f, code } : { ...f, locals: [...f.locals, 'i32' as const], code };
  });
  return {
    ...module,
    types,
    imports: [
      { module: 'env', name: '__request_context', typeIndex: requestType },
      { module: 'env', name: 'abort', typeIndex: abortType },
      ...module.imports,
    ],
    functions,
    globals: module.globals.map((g) => ({ ...g, init: item(g.init) })),
    elements: module.elements.map((e) => ({ ...e, items: e.items.map(item) })),
    start: module.start === undefined ? undefined : module.start + ADDED_IMPORTS,
  };
}
