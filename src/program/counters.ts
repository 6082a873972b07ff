/** The counters of a run: the globals that instrumentation adds to a module, and their initial values. */

/**
 * Names of the exports that instrumentation adds; every one is a mutable i32 global of the instrumented module. The
 * host sets `fuel` to the message's fuel and `stack` to STACK_SLOTS before `__execute`. Instrumented code subtracts
 * from them, and before an instrumentation trap (`unreachable`) it sets `why` to WHY_FUEL or WHY_STACK, so the cause is
 * known at the moment of the trap.
 */
export const GLOBAL_FUEL = '__warpshrew_fuel';
export const GLOBAL_STACK = '__warpshrew_stack';
export const GLOBAL_WHY = '__warpshrew_why';
/** Only of a program that runs in a lent memory: the bytes that it sees of it, and its window (lent-code.ts). */
export const GLOBAL_BYTES = '__warpshrew_bytes';
export const GLOBAL_LOW = '__warpshrew_low';
export const GLOBAL_HIGH = '__warpshrew_high';
export const GLOBAL_ROOM = '__warpshrew_room';
/**
 * Only of a program whose table is kept as numbers (erasure.ts): an immutable i32, the functions that it has references
 * of. An instance of it holds each.
 */
export const GLOBAL_REFERENCES = '__warpshrew_references';
/** Only of a program for V8: the most pages that its memory may grow to, an i32 that the host sets. */
export const GLOBAL_PAGES = '__warpshrew_pages';
export const WHY_NONE = 0;
export const WHY_FUEL = 1;
export const WHY_STACK = 2;
/** The host gave no memory although memory.grow stayed below its maximum: never a status, the process stops. */
export const WHY_HOST = 3;

/** Fuel of a transaction that is not large (lane rules 5). */
export const MESSAGE_FUEL = 3_500_000;
/** Stack budget of a message in slots (lane rules 4). */
export const STACK_SLOTS = 32_768;
