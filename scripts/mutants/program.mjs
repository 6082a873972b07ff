// Contracts: instrumentation, host functions, results, inflating, reuse of instances.
import { inFile } from './in-file.mjs';

const FUEL = 'test/program/fuel.test.ts';
const STACK = 'test/program/stack.test.ts';
const LENT = 'test/program/lent-memory.test.ts';
const WINDOW = 'test/program/lent-window.test.ts';
const HOST = 'test/program/host-functions.test.ts';
const instrument = inFile('src/program/instrument.ts', FUEL, STACK);
const body = inFile('src/program/instrument-body.ts', FUEL, STACK);
const code = inFile('src/program/instrument-code.ts', FUEL, STACK);
const host = inFile('src/program/host-functions.ts', HOST);
const GUEST = 'test/program/guest-memory.test.ts';
const memory = inFile('src/program/guest-memory.ts', GUEST, HOST, LENT);
const frameMemory = inFile('src/program/frame-memory.ts', GUEST, HOST, LENT);
const guest = inFile('wasm/native/guest.ts', GUEST, HOST, LENT, WINDOW);
const instance = inFile('src/program/instance.ts', LENT, 'test/program/reuse.test.ts');
const runner = inFile('src/program/runner.ts', LENT, 'test/program/runner.test.ts');
const prepare = inFile('src/program/prepare.ts', 'test/program/prepare.test.ts');
const result = inFile('src/program/result.ts', 'test/program/result.test.ts');
const inflate = inFile('src/program/inflate.ts', 'test/program/inflate.test.ts');
const REUSE = ['reuse', 'reuse-traces', 'runner-keeps', 'same-results'].map((name) => `test/program/${name}.test.ts`);
const reuse = inFile('src/program/reuse.ts', ...REUSE);

export const PROGRAM = [
  body(
    'charge-missing',
    'const charge = this.additions.charge(cost);',
    'const charge = this.additions.charge(0);',
    'blocks are charged nothing',
  ),
  body('nop-costs', 'flag(FREE, OP.nop, OP.block,', 'flag(FREE, OP.block,', '`nop` costs fuel'),
  body(
    'block-ends-late',
    'OP.br, OP.brIf, OP.brTable, OP.return, OP.unreachable);\nflag(NEVER',
    'OP.br, OP.brTable, OP.return, OP.unreachable);\nflag(NEVER',
    'a block does not end behind br_if',
  ),
  body(
    'stack-not-given-back',
    'else if (this.#falls) code.bytes(leave);',
    '',
    'a frame that ends without a branch does not give its slots back',
  ),
  body(
    'stack-kept-on-return',
    'if (this.#exits) code.bytes(END).bytes(leave);',
    'if (this.#exits) code.bytes(END);',
    'a frame that returns does not give its slots back',
  ),
  body(
    'br-table-escapes',
    'if (reader.leaves(this.#depth)) this.#exits = true;',
    '',
    'a br_table out of the function passes the place where slots are given back',
  ),
  instrument(
    'start-dropped',
    'const code = [make(OP.call, source.start), make(OP.call, execute.index), make(OP.end)];',
    'const code = [make(OP.call, execute.index), make(OP.end)];',
    'the start function does not run',
    { tests: ['test/program/limits.test.ts', STACK, FUEL] },
  ),
  code(
    'fuel-at-zero-traps',
    '    amount,\n    make(OP.i32LtU),\n    IF,',
    '    amount,\n    make(OP.i32LeU),\n    IF,',
    'fuel that ends at exactly 0 is out of fuel',
  ),
  code(
    'stack-why',
    'return take(counters, counters.stack, constant(slots), WHY_STACK);',
    'return take(counters, counters.stack, constant(slots), WHY_FUEL);',
    'a stack over its budget is out of fuel',
  ),
  code(
    'bulk-rounds-down',
    'constant((1 << BULK.memoryShift) - 1),',
    'constant(0),',
    'a started unit of a bulk operation is free',
  ),
  host(
    'load-charges-late',
    '      this.pay(name, bytes.length);\n      this.checkOutput(out, bytes.length);',
    '      this.checkOutput(out, bytes.length);\n      this.pay(name, bytes.length);',
    'a host call checks where it writes before it charges',
  ),
  host(
    'unpaid-storage-read',
    "if (hostFuel(name, length) > this.memory.fuelLeft) throw new RunStop('out-of-fuel');",
    '',
    'a key that is not paid for is recorded as read',
  ),
  guest('charge-to-below-zero', 'if (amount > fuel) return false;', '', 'a host call takes more fuel than there is'),
  guest('charge-all-refused', 'amount > fuel', 'amount >= fuel', 'a host call may not take the last of the fuel'),
  host(
    'short-id-accepted',
    "if (this.inputLength(pointer) < ID_BYTES) throw new RunStop('short-id');",
    '',
    'an id of less than 32 bytes is read',
  ),
  host(
    'asked-not-noted',
    '        this.askedDryRun = true;\n',
    '',
    'a program that asks whether it is a dry run is not noticed',
  ),
  host(
    'sequence-read-before-check',
    'this.checkOutput(out, U128_BYTES);',
    '',
    'a bad pointer leaves a read of the sequence behind',
  ),
  guest(
    'pointer-below-four',
    'return pointer >= 4 && <u64>pointer',
    'return <u64>pointer',
    'a length word may lie before the memory',
  ),
  guest(
    'read-past-end',
    'return isInside(pointer, length) ? <i32>length : -1;',
    'return <i32>length;',
    'a buffer that runs past the memory is cut, not refused',
  ),
  guest(
    'buffer-wraps',
    '<u64>pointer + length <= memoryBytes()',
    '<u64>(pointer + length) <= memoryBytes()',
    'a buffer whose end passes 2^32 is accepted',
  ),
  guest(
    'last-byte-refused',
    'length <= memoryBytes()',
    'length < memoryBytes()',
    'a buffer that ends where the memory does is refused',
  ),
  guest(
    'host-sees-all-lent',
    'return seen != ALL ? <u64>seen : (<u64>memory.size() << 16) - hidden;',
    'return (<u64>memory.size() << 16) - hidden;',
    'host calls reach behind the pages that a program has of a lent memory',
  ),
  guest(
    'host-sees-all-lent-to-none',
    'return seen != ALL ? <u64>seen : (<u64>memory.size() << 16) - hidden;',
    'return seen != ALL && seen != 0 ? <u64>seen : (<u64>memory.size() << 16) - hidden;',
    'host calls reach the whole lent memory of a program without pages',
  ),
  memory('charge-beyond-signed', 'amount <= MOST_FUEL && ', '', 'a charge of 2^32 takes nothing and is paid'),
  memory(
    'long-hash-once',
    'if (twice) this.#code.sha256(to, once.length, to);',
    '',
    '__sha256d of a long message hashes once',
  ),
  memory(
    'long-hash-without-length',
    'this.write(out, once);',
    'this.bytes.set(once, out);',
    'the hash of a long message has no length word',
  ),
  memory(
    'long-hash-too-far',
    '.update(this.bytes.subarray(p, p + length))',
    '.update(this.bytes.subarray(p, p + length + 1))',
    'the hash of a long message covers a byte too many',
  ),
  frameMemory(
    'number-high-word',
    '    writeU32(bytes, p + 4, 0);\n',
    '',
    'the upper half of a number is what lay there before',
  ),
  memory(
    'detached-after-growing',
    'else if (this.#bytes.length === 0) this.#bytes',
    'else if (this.#bytes.length < 0) this.#bytes',
    'host calls see nothing once the memory has grown',
  ),
  memory(
    'lent-view-stands',
    'if (this.#bytes.length !== length) this.#bytes',
    'if (this.#bytes.length > length) this.#bytes',
    'host calls do not see the pages that a program in a lent memory grew by',
  ),
  instance(
    'images-not-restored',
    'for (const { start, bytes } of this.#images) memory.set(bytes, start);',
    '',
    'a second run sees zeros where its static data belongs',
  ),
  instance(
    'grown-serves-again',
    '(this.#lent !== undefined || this.grownBytes === 0)',
    '(this.#lent !== undefined || this.grownBytes >= 0)',
    'an instance that has grown serves again with all of its pages',
  ),
  runner(
    'long-result-overwritten',
    'if (isKept) this.#lent.forget(depth);',
    '',
    'a long result lies in memory that the next run writes to',
  ),
  inFile('src/program/run-state.ts', 'test/program/reuse-traces.test.ts', 'test/program/runner.test.ts')(
    'result-not-copied',
    'memory.slice(at, at + length)',
    'memory.subarray(at, at + length)',
    'a result is a view of memory that the next run writes to',
  ),
  prepare(
    'slots-of-others',
    'const known = this.#admitted.get(hash);',
    "const known = this.#admitted.get((hash = 'any'));",
    'a module that comes again gets the frames of another',
  ),
  prepare(
    'refusal-forgotten',
    'if (refused) throw refused;',
    '',
    'a refused module is validated again by every message',
  ),
  prepare(
    'admitted-forgotten',
    'if (known === undefined) this.#admitted.set(',
    'if (known !== undefined) this.#admitted.set(',
    'an admitted module is validated again whenever its program was dropped',
  ),
  prepare(
    'source-not-counted',
    'return sourceBytes + PROGRAM_BYTES;',
    'return PROGRAM_BYTES;',
    'kept programs take whatever their code takes',
  ),
  inFile('src/program/runner.ts', 'test/program/runner-keeps.test.ts')(
    'instance-outlives-code',
    'else for (let depth = 0; depth <= MAX_DEPTH; depth++) this.#idle.take(keyAt(key, depth));',
    'else this.#idle.size;',
    'idle instances of large programs keep code that is counted as dropped',
  ),
  inFile('src/program/lru.ts', 'test/program/lru.test.ts')(
    'oldest-goes',
    "this.#forgets === 'oldest' ? 0 :",
    'this.#entries.size > 0 ? 0 :',
    'calls that go round more programs than are kept compile every time',
  ),
  inFile('src/lane/programs.ts', 'test/lane/code-cache.test.ts')(
    'code-of-before',
    'const tag = this.#tagOf(value);',
    "const tag = 'any';",
    'a contract whose code is another after a reorg runs the code that it had',
  ),
  result('map-bytes-short', 'mapBytes: at - mapAt,', 'mapBytes: at - mapAt - 4,', 'the count of a storage map is free'),
  result(
    'first-key-wins',
    '    storage.set(key, bytes.subarray(keyEnd + WORD_BYTES, at));',
    '    if (!storage.has(key)) storage.set(key, bytes.subarray(keyEnd + WORD_BYTES, at));',
    'the first of equal keys wins',
  ),
  result(
    'map-entries',
    'entries > MAX_MAP_ENTRIES',
    'entries >= MAX_MAP_ENTRIES',
    'the last entry that a map may have is refused',
  ),
  inflate('crc-ignored', 'readU32(gz, trailer) !== crc32(buffer) || ', '', 'a wrong CRC is accepted'),
  inflate('reserved-flags', 'if (flags & RESERVED) return undefined;', '', 'reserved flags are accepted'),
  reuse(
    'memory-not-cleared',
    '[number(from), number(0), number(((module.memory?.minPages ?? 0) << 16) - from), make(OP.memoryFill, 0)]',
    '[]',
    'a second run sees the memory of the first',
  ),
  reuse(
    'lent-pages-kept',
    '[GLOBAL_BYTES, GLOBAL_LOW, GLOBAL_HIGH, GLOBAL_ROOM]',
    '[GLOBAL_LOW, GLOBAL_HIGH, GLOBAL_ROOM]',
    'a second run in a lent memory has the pages that the first grew by',
    { tests: [LENT] },
  ),
  reuse('stack-not-reset', '    ...set(stack, make(OP.i32Const, STACK_SLOTS)),\n', '', 'a second run has less stack'),
  reuse(
    'why-not-reset',
    '    ...set(why, make(OP.i32Const, WHY_NONE)),\n',
    '',
    'a trap after a run that ended for lack of fuel is out of fuel, too',
  ),
  reuse(
    'globals-not-reset',
    '...[...changes.globals].map(firstValue), ',
    '',
    'a second run sees the globals of the first',
  ),
];
