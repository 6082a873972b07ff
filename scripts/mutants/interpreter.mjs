// The interpreter of programs: what runs, what it is laid out as, what is kept of it.
import { inFile } from './in-file.mjs';

const TESTS = ['interpreter', 'entry', 'fuel', 'stack'].map((name) => `test/program/${name}.test.ts`);
const run = inFile('wasm/native/interpreter.ts', ...TESTS);
const access = inFile('wasm/native/interpreter/accesses.ts', ...TESTS);
const operands = inFile('wasm/native/interpreter/operands.ts', ...TESTS);
const side = inFile('wasm/native/interpreter/side-table.ts', ...TESTS);
const numbers = inFile('wasm/native/interpreter/numbers.ts', ...TESTS);
const state = inFile('wasm/native/interpreter/state.ts', ...TESTS);
const layOut = inFile('src/program/lay-out.ts', ...TESTS);
const frames = inFile('src/program/interpreter.ts', ...TESTS, 'test/lane/calls/frames.test.ts');
const programs = inFile('src/program/interpreted-programs.ts', ...TESTS);
const AWAY = ['test/program/put-away.test.ts'];
const AWAY_TESTS = { tests: AWAY };
const parts = inFile('wasm/native/interpreter/parts.ts', ...AWAY);
const ready = inFile('wasm/native/interpreter/ready.ts', ...AWAY);
const away = inFile('src/program/put-away.ts', ...AWAY);
const laidOut = inFile('src/program/laid-out-programs.ts', ...AWAY);
const kept = inFile('src/program/kept-images.ts', 'test/program/kept-images.test.ts');

export const INTERPRETER = [
  state('interpreter-free-block', '  fuel -= cost;', '', 'blocks are charged nothing'),
  state(
    'interpreter-fuel-to-zero',
    'if (cost > fuel)',
    'if (cost >= fuel)',
    'fuel that ends at exactly 0 is out of fuel',
  ),
  run('interpreter-slot-late', 'if (taken > slots)', 'if (taken > slots + 1)', 'a frame may be a slot too large'),
  run(
    'interpreter-slots-kept',
    '      slots += load<u32>(fn, FUNCTION_SLOTS);',
    '',
    'a frame that ends keeps its slots',
  ),
  operands(
    'interpreter-locals-dirty',
    'local < cleared; local += 8',
    'local + 8 < cleared; local += 8',
    'a local begins dirty',
  ),
  run(
    'interpreter-any-signature',
    'if (load<u32>(next, FUNCTION_TYPE) !== load<u32>(type, TYPE_NUMBER)) unreachable();',
    '',
    'call_indirect of any type',
  ),
  run(
    'interpreter-table-label',
    'label < last ? label : last',
    'label < last ? label : <u32>0',
    'br_table of a large index',
  ),
  run('interpreter-select', 'load<u32>(top, 8) === 0', 'load<u32>(top, 8) !== 0', 'select takes the other one'),
  access(
    'interpreter-bound',
    '> bytes) unreachable();',
    '> bytes + 1) unreachable();',
    'an access of one byte beyond the memory',
  ),
  access(
    'interpreter-sign',
    'store<i64>(base, <i64>load<i16>(place));',
    'store<i64>(base, <i64>load<u16>(place));',
    'i64.load16_s without sign',
  ),
  side(
    'interpreter-loop-values',
    'isLoop ? load<u32>(target, BLOCK_PARAMS)',
    'false ? load<u32>(target, BLOCK_PARAMS)',
    'a branch to a loop takes its results along',
  ),
  side(
    'interpreter-else-cost',
    '        store<u32>(costAt, cost);\n        height = writeElse(at);\n        cost = 0;',
    '        store<u32>(costAt, cost + 1);\n        height = writeElse(at);\n        cost = 0;',
    'else costs fuel',
  ),
  side(
    'interpreter-dead-code',
    'height = writeElse(++at);',
    'at++;',
    'else behind dead code has no place in the side table',
  ),
  numbers('interpreter-sign-of-number', 'shift < 64 && byte & 0x40', 'shift < 64 && byte & 0x20', 'negative constants'),
  state(
    'interpreter-grow-dirty',
    'memory.fill(load<u32>(state, STATE_MEMORY) + bytes, 0, <usize>pages << 16);',
    '',
    'pages that memory.grow gives are dirty',
  ),
  state(
    'interpreter-grow-bound',
    'if (pages > load<u32>(state, STATE_PAGES) - before)',
    'if (pages > load<u32>(state, STATE_PAGES) + 1 - before)',
    'memory.grow gives a page more',
  ),
  state(
    'interpreter-bulk-free',
    '  pay((length >> 4) + <u32>((length & 15) !== 0));',
    '  pay(length >> 4);',
    'a started 16 bytes is free',
  ),
  state(
    'interpreter-init-dropped',
    'leaves(from, count, load<u32>(state + segment, STATE_DATA))',
    'leaves(from, 0, load<u32>(state + segment, STATE_DATA))',
    'memory.init beyond its segment',
  ),
  layOut(
    'interpreter-active-left',
    "mode === 'passive' ? bytes.length : 0",
    'bytes.length',
    'active data can be laid out again',
  ),
  layOut(
    'interpreter-start-left-out',
    'module.start === undefined ? [execute.index]',
    'true ? [execute.index]',
    'the start function does not run',
  ),
  frames(
    'interpreter-memory-dirty',
    '    heap.fill(0, memory, memory + bytes);',
    '',
    'a frame finds the memory of the one before',
  ),
  frames(
    'interpreter-table-dirty',
    'heap.fill(0, state + STATE.table, state + STATE.table + WORD * image.tableSize);',
    '',
    'a frame finds the table of the one before',
  ),
  programs(
    'interpreter-never-compiles',
    'this.#useOf(program).fuel -= worth;',
    '',
    'a program that runs for long stays in the interpreter',
  ),
  programs(
    'interpreter-hoards',
    'this.#quiet < QUIET_MESSAGES',
    'true',
    'memory that one message took is kept though nobody needs it',
  ),
  kept('images-in-use-go', ' && this.#images[end].users === 0', '', 'a program that runs makes room for another one'),
  kept('images-go-too-far', 'this.#startOf(end) - start < bytes) end++;', 'end < count) end++;', 'all behind it go'),
  kept(
    'images-oldest-first',
    'this.#nextRandom() % Math.max(1, count)',
    '0',
    'programs used in turns are never found again',
  ),
  run(
    'away-block-not-brought',
    'if (comesInParts<T>()) arrive(program, at, side);\n  payBlock(side);',
    'payBlock(side);',
    'a block runs on what lies there',
    AWAY_TESTS,
  ),
  run(
    'away-next-part',
    '          at--;\n          arrive(',
    '          arrive(',
    'the first instruction of a part that came is left out',
    AWAY_TESTS,
  ),
  parts(
    'away-words-not-brought',
    'bring(program, words, words + BLOCK_WORDS);',
    '',
    'words of a side table that did not come',
  ),
  parts(
    'away-label-not-brought',
    'if (comesInParts<T>()) bring(program, branch, branch + <u32>BRANCH_BYTES);',
    '',
    'a branch of a br_table that did not come',
  ),
  state(
    'away-data-not-brought',
    'bring(program, data, data + count);',
    '',
    'memory.init of data that did not come',
    AWAY_TESTS,
  ),
  ready('away-starts-late', 'place < MOST_INSTRUCTION', 'place < 1', 'code runs on into a part that is not there'),
  laidOut(
    'away-over-the-end',
    'heap[parts + next] === 0) heap[',
    'false) heap[',
    'nothing stands where a part is missing',
    AWAY_TESTS,
  ),
  laidOut(
    'away-copy-goes',
    '    away.users++;\n',
    '',
    'a copy makes room for another while its program runs',
    AWAY_TESTS,
  ),
  away(
    'away-sum',
    'if (sumOf(start + from, to - from) >>> 0 !== sums[1 + part])',
    'if (false)',
    'other bytes than were written are run',
  ),
  programs(
    'away-compiled-soon',
    '-CROWD_TIMES * least',
    '0',
    'one of many programs is compiled as soon as one of few',
    AWAY_TESTS,
  ),
  programs(
    'away-broken-file-kept',
    'if (!this.#away.isReadable && ',
    'if (false && ',
    'programs of a broken file stay in memory',
    AWAY_TESTS,
  ),
  laidOut(
    'away-always-crowd',
    'if (!this.#isEnding) this.#away',
    'this.#away',
    'programs that go with all others are a crowd',
  ),
];
