// Where things lie in the memory of the interpreter: src/program/interpreter-layout.ts writes by the same figures.

/**
 * A program. Places in it, those in its functions and side tables included, are counted from its beginning: so its
 * bytes mean the same wherever they lie.
 */
export const PROGRAM_FUNCTIONS: usize = 0;
export const PROGRAM_TYPES: usize = 4;
/** Where the next side table of a function is put. */
export const PROGRAM_ROOM: usize = 8;
/** Per segment of data: where its bytes lie. */
export const PROGRAM_DATA: usize = 12;
/** Per segment of elements: where its references lie, u32 each. */
export const PROGRAM_ELEMENTS: usize = 16;
/** Where its parts say whether they are there, a byte each; 0: all of it is there. */
export const PROGRAM_PARTS: usize = 20;
/** Bytes of a part: 1 << this. */
export const PART_SHIFT: usize = 12;

/** A function of a program, imported ones included. */
export const FUNCTION_BYTES: usize = 32;
export const FUNCTION_CODE: usize = 0;
/** Its side table; 0: it is not ready to run. */
export const FUNCTION_SIDE: usize = 4;
export const FUNCTION_SLOTS: usize = 8;
export const FUNCTION_PARAMS: usize = 12;
export const FUNCTION_RESULTS: usize = 14;
/** Locals beyond the parameters. */
export const FUNCTION_LOCALS: usize = 16;
/** 1 + the number of the host function that is imported; 0: the function has a body. */
export const FUNCTION_HOST: usize = 18;
/** Functions of equal types have the same number here. */
export const FUNCTION_TYPE: usize = 20;
/** Fuel of its first basic block. */
export const FUNCTION_COST: usize = 24;
/** Its side table that was made before the program was put away; 0: none. */
export const FUNCTION_MADE: usize = 28;

/** A type: parameters and results, u16 each, and the number of all types that equal it. */
export const TYPE_BYTES: usize = 8;
export const TYPE_RESULTS: usize = 2;
export const TYPE_NUMBER: usize = 4;

/** What one frame has of its own. */
export const STATE_MEMORY: usize = 0;
export const STATE_BYTES: usize = 4;
/** Pages that its memory may grow to. */
export const STATE_PAGES: usize = 8;
export const STATE_TABLE_SIZE: usize = 12;
export const STATE_TABLE_MOST: usize = 16;
export const STATE_GLOBALS: usize = 64;
/** References: 0 is null, else 1 + the index of a function. */
export const STATE_TABLE: usize = STATE_GLOBALS + 1_000 * 8;
/** Bytes left of each segment of data, elements left of each segment of elements: 0 once it is dropped. */
export const STATE_DATA: usize = STATE_TABLE + 4_096 * 4;
export const STATE_ELEMENTS: usize = STATE_DATA + 1_000 * 4;

/** A caller that waits: where it goes on, its side table, its locals, itself. */
export const CALLER_BYTES: usize = 16;
export const CALLER_SIDE: usize = 4;
export const CALLER_LOCALS: usize = 8;
export const CALLER_FUNCTION: usize = 12;

/**
 * A side table holds what the code does not say where it is needed: words that a run walks through beside the code. For
 * each instruction that ends a basic block: where its branch goes (the place in the code, that in the side table, and
 * 65,536 times the operands below those that it takes along plus these), and the fuel of the block that follows.
 */
export const WORD: usize = 4;
export const BRANCH_SIDE: usize = 4;
export const BRANCH_VALUES: usize = 8;
export const BRANCH_BYTES: usize = 12;

/** Bytes of the longest instruction that another one can follow. */
export const MOST_INSTRUCTION: usize = 16;
/** What a run reads of a side table at most where a basic block begins: its fuel, a branch, the fuel behind that. */
export const BLOCK_WORDS: u32 = 20;

/** Stands in the code where the first instruction of a part begins that is not there. */
export const NOT_THERE: u8 = 0xfe;
/** Stands in the code for the last `end` of a function. */
export const LAST_END: u8 = 0xff;
