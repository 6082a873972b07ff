// Memories that are lent to programs, and the windows of what they touch.
import { inFile } from './in-file.mjs';

const LENT = 'test/program/lent-memory.test.ts';
const WINDOW = 'test/program/lent-window.test.ts';
const lentCode = inFile('src/program/lent-code.ts', LENT, WINDOW);
const lentMemories = inFile('src/program/lent-memories.ts', WINDOW, 'test/program/lent-memories.test.ts');
const lentMemory = inFile('src/program/lent-memory.ts', LENT, WINDOW);
const guest = inFile('wasm/native/guest.ts', LENT, WINDOW);
const instance = inFile('src/program/instance.ts', LENT, 'test/program/reuse.test.ts');
const lending = inFile('src/program/lending.ts', 'test/program/lending.test.ts');
const budget = inFile('src/program/compile-budget.ts', 'test/program/compile-budget.test.ts');
const runner = inFile('src/program/runner.ts', LENT, 'test/program/runner.test.ts');

export const LENT_MEMORY = [
  lentCode(
    'lent-one-byte-over',
    '[address, seen, length, SUB, GREATER, IF',
    '[address, seen, length, SUB, constant(1), ADD, GREATER, IF',
    'an access may pass the end of a lent memory by one byte',
  ),
  lentCode(
    'lent-last-byte-refused',
    '[address, seen, length, SUB, GREATER, IF',
    '[address, constant(1), ADD, seen, length, SUB, GREATER, IF',
    'the last byte of a lent memory is refused',
  ),
  lentCode(
    'lent-reach-wraps',
    '    ...[length, seen, GREATER, IF, make(OP.unreachable), END],\n',
    '',
    'an access longer than a lent memory is allowed',
  ),
  lentCode(
    'lent-offset-wraps',
    'Math.min(0xffffffff, offset + WIDTHS[op]) | 0',
    '(offset + WIDTHS[op]) | 0',
    'an offset that passes 2^32 with its bytes is checked as a short one',
    { why: 'such an offset lies far behind the 512 pages that a lent memory really has: the engine traps there' },
  ),
  lentCode(
    'lent-load-narrow',
    '40: 4, 41: 8, 44: 1, 45: 1, 46: 2,',
    '40: 4, 41: 4, 44: 1, 45: 1, 46: 2,',
    'i64.load is checked for half of its bytes',
  ),
  lentCode(
    'lent-store-narrow',
    '58: 1, 59: 2, 60: 1, 61: 2, 62: 4',
    '58: 1, 59: 2, 60: 1, 61: 2, 62: 2',
    'i64.store32 is checked for half of its bytes',
  ),
  lentCode(
    'lent-fill-unchecked',
    'return through(THREE, [...target, ...widenTo(widen(), hidden, local(0), local(2))], 3);',
    'return through(THREE, widenTo(widen(), hidden, local(0), local(2)), 3);',
    'memory.fill and memory.init write behind the pages that a program has',
  ),
  lentCode(
    'lent-copy-from-unchecked',
    '[...target, ...source, ...widenTo',
    '[...target, ...widenTo',
    'memory.copy reads behind the pages that a program has',
  ),
  lentCode(
    'lent-copy-to-unchecked',
    '[...target, ...source, ...widenTo',
    '[...source, ...widenTo',
    'memory.copy writes behind the pages that a program has',
  ),
  lentCode(
    'lent-grow-past-maximum',
    '[local(0), most, ...lentSize(bytes)',
    '[local(0), most, constant(1), make(OP.i32Add), ...lentSize(bytes)',
    'memory.grow in a lent memory gives a page beyond the maximum',
  ),
  lentCode(
    'lent-grow-one-short',
    '[local(0), most, ...lentSize(bytes)',
    '[local(0), most, constant(1), make(OP.i32Sub), ...lentSize(bytes)',
    'memory.grow in a lent memory refuses the last page',
  ),
  lentCode(
    'lent-grow-sets',
    '[local(0), local(1), ADD, constant(65_536)',
    '[local(0), constant(65_536)',
    'a memory that grows in a lent one has only the pages that it asked for',
  ),
  lentCode(
    'window-not-widened',
    '      ...[make(OP.call, widen), END],\n',
    '      ...[make(OP.drop), make(OP.drop), END],\n',
    'what an access touches outside of the window is left to the next run',
  ),
  lentCode(
    'window-not-widened-by-fill',
    'return through(THREE, [...target, ...widenTo(widen(), hidden, local(0), local(2))], 3);',
    'return through(THREE, target, 3);',
    'what memory.fill writes outside of the window is left to the next run',
  ),
  lentCode(
    'window-not-widened-by-copy',
    '[...target, ...source, ...widenTo(widen(), hidden, local(0), local(2))]',
    '[...target, ...source]',
    'what memory.copy writes outside of the window is left to the next run',
  ),
  lentCode(
    'window-room-one-over',
    '[get(high), get(low), SUB, constant(WIDEST - 1), SUB, set(room), END]',
    '[get(high), get(low), SUB, constant(WIDEST - 2), SUB, set(room), END]',
    'an access may pass the end of the window by one byte',
  ),
  guest(
    'window-not-widened-by-host',
    '  if (seen != ALL) widen(pointer - 4 + hidden, pointer + length + hidden);\n',
    '',
    'what the host writes outside of the window is left to the next run',
  ),
  guest(
    'window-one-word-short',
    'widen(pointer - 4 + hidden, pointer',
    'widen(pointer + hidden, pointer',
    'a length word that the host writes outside of the window is left to the next run',
  ),
  lentMemories(
    'lent-memory-hoarded',
    'taken > this.#keptBytes',
    'taken < 0',
    'a thread keeps all the memory that deep frames ever took',
  ),
  lentMemories(
    'lent-shallow-first',
    'takenBytes * (depth + 1)',
    'takenBytes',
    'the memory of the first frame is given back before that of deep ones',
  ),
  runner(
    'lent-in-two-frames',
    'this.#lent.memoryOf(depth)',
    'this.#lent.memoryOf(0)',
    'a frame and the one that it calls run in one memory',
    { tests: [WINDOW] },
  ),
  lending(
    'lent-inner-own',
    'depth > 0 ? LENT_FUEL : 0',
    '0',
    'frames inside of others have memories of their own, which few are kept of',
  ),
  lending('lent-segments-outside', 'if (!program.fitsLent) return false;', '', 'static data may lie out of bounds'),
  lending('lent-short-runs-clear', 'minPages < MANY_PAGES ? 0 :', 'true ? 0 :', 'a short run has many pages cleared'),
  budget(
    'compiles-all-at-once',
    '!this.#anyCompiled || this.#left >= sourceBytes + PROGRAM_BYTES',
    'true',
    'a message waits for the compiling of all that it enters',
  ),
  budget('compiles-once', '    this.#left = MESSAGE_BYTES;\n    this', '    this', 'what may be compiled is used up'),
  lentMemory('lent-not-cleared', 'bytes.fill(0, this.#low, this.#high);', '{}', 'a lent memory is not cleared'),
  lentMemory(
    'lent-clears-last-only',
    'this.#high = Math.max(this.#high, high);',
    'this.#high = high;',
    'a lent memory forgets how far it was used before',
  ),
  instance('lent-begins-dirty', '      this.#lent?.clear();\n', '', 'a run in a lent memory sees those before it'),
  instance(
    'lent-laid-out-dirty',
    '    lent?.clear();\n',
    '',
    'the image of a program in a lent memory holds what others left there',
  ),
  instance(
    'lent-growth-unnoticed',
    'this.functions.finish();\n    this.#noteUse();',
    'this.functions.finish();',
    'what a run wrote to pages that it grew by stays in the lent memory',
  ),
];
