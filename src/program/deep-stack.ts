/** The stack that a thread must have before it runs a contract (lane rules 4). */
import { readFileSync } from 'node:fs';
import { isMainThread, resourceLimits } from 'node:worker_threads';
import { EnvironmentError } from '../errors/errors.js';
import { STACK_BYTES } from '../util/deep-thread.js';
import { make } from './decode-code.js';
import { encodeModule } from './encode.js';
import type { Instruction, WasmModule } from './module.js';
import { OP } from './opcodes.js';

/**
 * Values that a frame of the probe has room for, and its bytes: few frames, so that the probe touches few pages of the
 * stack.
 */
const FRAME_VALUES = 8_192;
const FRAME_BYTES = 8 * FRAME_VALUES;
const FRAMES = STACK_BYTES / FRAME_BYTES;
const PAGE_BYTES = 65_536;

let known = false;

/**
 * Makes sure that this thread has {@link STACK_BYTES} of stack, by a recursion in WASM that really goes as deep; once
 * per thread. Throws EnvironmentError `ENV_STACK_TOO_SMALL`.
 */
export function requireDeepStack(): void {
  if (known) return;
  // A main thread has the stack of its process, whatever V8's options say: exceeding it ends the process without a
  // word.
  if (isMainThread) {
    const allowed = mainStackBytes();
    if (allowed < STACK_BYTES) throw tooSmall({ thread: 'main', allowed });
  }
  const found = stackFound(STACK_BYTES);
  if (found < STACK_BYTES) {
    const asked = isMainThread ? 'node --stack-size' : `stackSizeMb ${resourceLimits.stackSizeMb}`;
    throw tooSmall({ thread: isMainThread ? 'main' : 'worker', found, asked });
  }
  known = true;
}

/**
 * Bytes of stack, up to `wanted`, that a recursion in WASM finds on this thread; to the nearest frame of the probe
 * below.
 */
function stackFound(wanted: number): number {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(encodeModule(probeModule()))));
  const frames = Math.min(FRAMES, Math.ceil(wanted / FRAME_BYTES));
  try {
    (exports.recurse as (frames: number) => bigint)(frames);
    return frames * FRAME_BYTES;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return (frames - (exports.left as WebAssembly.Global).value) * FRAME_BYTES;
  }
}

/**
 * `recurse(n)` calls itself n times; `left` says how many calls were left when it was entered last. A frame has room
 * for what only a path that is never taken keeps over a call: so it is as large under every compiler of V8, and hardly
 * any of it is touched.
 */
function probeModule(): WasmModule {
  const recurse = make(OP.call, 0);
  const get = make(OP.localGet, 0);
  const end = make(OP.end);
  const constant = (value: number): Instruction => make(OP.i32Const, value);
  const choose = make(OP.if, undefined, undefined, undefined, undefined, { kind: 'value', type: 'i64' });
  const kept: Instruction[] = [];
  // The call may change the memory, so no load can be moved past it.
  for (let at = 0; at < FRAME_BYTES; at += 8) kept.push(get, make(OP.i64Load, at, 3));
  kept.push(constant(0), recurse);
  for (let i = 0; i < FRAME_VALUES; i++) kept.push(make(OP.i64Xor));
  const one = make(OP.i64Const, undefined, undefined, 1n);
  const deeper = [get, constant(1), make(OP.i32Sub), recurse, one, make(OP.i64Add)];
  const code = [
    ...[get, make(OP.globalSet, 0), get, constant(0), make(OP.i32LtS), choose],
    ...kept,
    ...[make(OP.else), get, choose, ...deeper, make(OP.else), one, end, end, end],
  ];
  const pages = Math.ceil(FRAME_BYTES / PAGE_BYTES);
  return {
    types: [{ params: ['i32'], results: ['i64'] }],
    imports: [],
    functions: [{ typeIndex: 0, locals: [], code }],
    table: undefined,
    memory: { minPages: pages, maxPages: pages },
    globals: [{ type: 'i32', mutable: true, init: { kind: 'i32', value: 0 } }],
    exports: [
      { name: 'recurse', kind: 'func', index: 0 },
      { name: 'left', kind: 'global', index: 0 },
    ],
    start: undefined,
    elements: [],
    dataSegments: [],
    dataCount: undefined,
  };
}

/** Bytes that the stack of the main thread may grow to; 0 if unknown. */
function mainStackBytes(): number {
  try {
    const soft = /^Max stack size +(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft ?? 0);
  } catch {
    // Not Linux.
    return 0;
  }
}

function tooSmall(facts: Readonly<Record<string, string | number>>): EnvironmentError {
  return new EnvironmentError('ENV_STACK_TOO_SMALL', 'this thread has too small a stack to run contracts on', {
    facts: { needed: STACK_BYTES, ...facts },
    hint: 'Run contracts in a worker thread with resourceLimits.stackSizeMb of 72 or more.',
  });
}
