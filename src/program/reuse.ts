/**
 * Whether one V8 instance of a program can serve many runs, and the code that gives it back the state of a fresh one.
 */
import { concatBytes } from '../util/bytes.js';
import {
  GLOBAL_BYTES,
  GLOBAL_FUEL,
  GLOBAL_HIGH,
  GLOBAL_LOW,
  GLOBAL_PAGES,
  GLOBAL_ROOM,
  GLOBAL_STACK,
  GLOBAL_WHY,
  STACK_SLOTS,
  WHY_NONE,
} from './counters.js';
import { make } from './decode-code.js';
import { encodeInstructions } from './encode.js';
import { REFERENCE_OF_NUMBER } from './erased-code.js';
import { USED_FROM } from './hidden-page.js';
import type { ConstantExpression, DataSegment, FunctionType, Instruction, RawBody, RawModule } from './module.js';
import { OP } from './opcodes.js';

/** Export `(fuel: i32) -> ()` of a reusable program as V8 runs it: see {@link withReset}. */
export const RESET = '__warpshrew_reset';

/** Static data that lies within this many bytes is put back as a whole. */
const WHOLE_IMAGE_BYTES = 256 * 1024;
/** Globals that code resets. A program with more is rare; it gets a fresh instance for every run. */
const REUSABLE_GLOBALS = 256;

/**
 * What decides: fresh instances for a program that may change what `reset` cannot set back. A memory that has grown is
 * not among the reasons: only a run can tell. Nor is a large memory: clearing it is paid for by the page (lane rules
 * 5), and the first touch of a fresh page takes some machines far longer.
 */
export type Reuse =
  | { readonly reusable: true; readonly images: readonly MemoryRange[] }
  | { readonly reusable: false; readonly reason: 'segment' | 'globals' };

/** Where a fresh memory may hold something else than zeros: `start` to `end`, bytes. */
export interface MemoryRange {
  readonly start: number;
  readonly end: number;
}

/** The effects of a module's live code on its state. */
export interface StateChanges {
  /** Globals that some instruction sets; the others keep their initial value. */
  readonly globals: ReadonlySet<number>;
  /** It drops segments, elsewhere than in its memory. */
  readonly segments: boolean;
  /** Its memory may grow. */
  readonly memory: boolean;
}

/** Decides for an instrumented module, whose code makes these changes. */
export function decideReuse(module: RawModule, changes: StateChanges): Reuse {
  // Another instance of an erased program fills a table with all functions that it has references of.
  if (module.erased) return { reusable: true, images: imagesOf(module) };
  if (changes.globals.size > REUSABLE_GLOBALS) return { reusable: false, reason: 'globals' };
  if (changes.segments) return { reusable: false, reason: 'segment' };
  return { reusable: true, images: imagesOf(module) };
}

/**
 * `module` with one more function, exported as {@link RESET} and called by nothing else: it clears the memory of the
 * size that the module begins with, gives every global that code sets its first value, and sets the counters for a run
 * of `fuel`. A lent memory is cleared by its lender. The active data segments are left to the caller, since no
 * code can read them again.
 */
export function withReset(module: RawModule, changes: StateChanges): RawModule {
  const types = [...module.types];
  const type: FunctionType = { params: ['i32'], results: [] };
  const known = types.findIndex(({ params, results }) => params.join() === 'i32' && results.length === 0);
  const typeIndex = known >= 0 ? known : types.push(type) - 1;
  const counter = (name: string): number => module.exports.find((e) => e.name === name)!.index;
  const set = (index: number, value: Instruction): Instruction[] => [value, make(OP.globalSet, index)];
  const from = module.erased ? USED_FROM : 0;
  const [fuel, stack, why] = [counter(GLOBAL_FUEL), counter(GLOBAL_STACK), counter(GLOBAL_WHY)];
  const firstValue = (index: number): Uint8Array => {
    const { type, init } = module.globals[index];
    const value = encodeInstructions([constant(init)]);
    const taken = encodeInstructions([make(OP.globalSet, index)]);
    return type === 'funcref' ? concatBytes(value, REFERENCE_OF_NUMBER, taken) : concatBytes(value, taken);
  };
  const first = (index: number): Instruction[] => set(index, constant(module.globals[index].init));
  const pages = counter(GLOBAL_PAGES);
  const cleared = module.memory?.imported
    ? [GLOBAL_BYTES, GLOBAL_LOW, GLOBAL_HIGH, GLOBAL_ROOM].flatMap((name) => first(counter(name)))
    : [number(from), number(0), number(((module.memory?.minPages ?? 0) << 16) - from), make(OP.memoryFill, 0)];
  const counters = [
    ...set(fuel, make(OP.localGet, 0)),
    ...set(stack, make(OP.i32Const, STACK_SLOTS)),
    ...set(why, make(OP.i32Const, WHY_NONE)),
    ...first(pages),
    make(OP.end),
  ];
  const code = [encodeInstructions(cleared), ...[...changes.globals].map(firstValue), encodeInstructions(counters)];
  const bytes = concatBytes(module.bytes, ...code);
  const body: RawBody = { typeIndex, locals: [], start: module.bytes.length, end: bytes.length };
  const index = module.imports.length + module.bodies.length;
  return {
    ...module,
    bytes,
    types,
    bodies: [...module.bodies, body],
    exports: [...module.exports, { name: RESET, kind: 'func', index }],
  };
}

const number = (value: number): Instruction => make(OP.i32Const, value);

function constant(init: ConstantExpression): Instruction {
  if (init.kind === 'i32') return make(OP.i32Const, init.value);
  if (init.kind === 'i64') return make(OP.i64Const, undefined, undefined, init.value);
  throw new RangeError('no number');
}

/** Empty segments hold nothing; those out of bounds keep the module from being instantiated at all. */
function rangesOf(segments: readonly DataSegment[]): MemoryRange[] {
  const ranges: MemoryRange[] = [];
  for (const { mode, offset, bytes } of segments) {
    if (mode !== 'active' || bytes.length === 0 || offset?.kind !== 'i32') continue;
    const start = offset.value >>> 0;
    ranges.push({ start, end: start + bytes.length });
  }
  return ranges;
}

/** From the first to the last byte that active segments write; the empty range at 0 if there is none. */
export function extentOf(segments: readonly DataSegment[]): MemoryRange {
  const ranges = rangesOf(segments);
  if (ranges.length === 0) return { start: 0, end: 0 };
  const start = ranges.reduce((least, range) => Math.min(least, range.start), Number.POSITIVE_INFINITY);
  return { start, end: ranges.reduce((most, range) => Math.max(most, range.end), 0) };
}

function imagesOf({ dataSegments }: RawModule): MemoryRange[] {
  const whole = extentOf(dataSegments);
  if (whole.end === 0) return [];
  return whole.end - whole.start <= WHOLE_IMAGE_BYTES ? [whole] : rangesOf(dataSegments);
}
