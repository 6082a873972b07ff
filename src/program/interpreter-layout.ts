/** Where things lie in the memory of the interpreter: the figures of wasm/native/interpreter/layout.ts. */
import { STACK_SLOTS } from './counters.js';
import { MAX_DEPTH } from './frame.js';
import { LIMITS } from './limits.js';

/** Bytes of a slot: of an operand, a local, a global. */
export const SLOT = 8;
export const WORD = 4;
/** Where a program can begin. */
export const ALIGNED = 64;

/** A program; places in it are counted from its beginning. */
export const PROGRAM = { functions: 0, types: 4, room: 8, data: 12, elements: 16, parts: 20, bytes: 64 } as const;

/** Bytes of a part of a program: those of one that was put away come part by part. */
export const PART_BYTES = 1 << 12;
/** Bytes of the longest instruction that another one can follow: with each part so many of the next one come. */
export const MOST_INSTRUCTION = 16;
/** Stands where the first instruction of a part begins that is not there. */
export const NOT_THERE = 0xfe;
/** What a run may read behind the last words of a program. */
export const BLOCK_WORDS = 20;

/** A function, imported ones included: see the same names in wasm/. */
export const FUNCTION = {
  code: 0,
  side: 4,
  slots: 8,
  params: 12,
  results: 14,
  locals: 16,
  host: 18,
  type: 20,
  cost: 24,
  bytes: 32,
} as const;

export const TYPE = { params: 0, results: 2, number: 4, bytes: 8 } as const;

const GLOBALS_AT = 64;
const TABLE_AT = GLOBALS_AT + SLOT * LIMITS.globals;
const DATA_AT = TABLE_AT + WORD * LIMITS.tableElements;
const ELEMENTS_AT = DATA_AT + WORD * LIMITS.dataSegments;

/** What a frame has of its own. */
export const STATE = {
  memory: 0,
  memoryBytes: 4,
  pages: 8,
  tableSize: 12,
  tableMost: 16,
  globals: GLOBALS_AT,
  table: TABLE_AT,
  data: DATA_AT,
  elements: ELEMENTS_AT,
  bytes: (ELEMENTS_AT + WORD * LIMITS.elementSegments + 63) & ~63,
} as const;

/** Every frame takes as many slots of the stack budget as it has parameters, locals and operands, and more. */
export const OPERANDS_BYTES = SLOT * (STACK_SLOTS + LIMITS.results);
/** Of a caller that waits; each has taken 17 slots of the stack budget at least. */
export const CALLERS_BYTES = 16 * Math.ceil(STACK_SLOTS / 16);
/** Frames that can be under way. */
export const FRAMES = MAX_DEPTH + 1;
