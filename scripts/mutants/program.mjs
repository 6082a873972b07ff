// Contracts: instrumentation, host functions, results, inflating, reuse of instances.
import { inFile } from './in-file.mjs';

const FUEL = 'test/program/fuel.test.ts';
const STACK = 'test/program/stack.test.ts';
const HOST = 'test/program/host-functions.test.ts';
const instrument = inFile('src/program/instrument.ts', FUEL, STACK);
const body = inFile('src/program/instrument-body.ts', FUEL, STACK);
const code = inFile('src/program/instrument-code.ts', FUEL, STACK);
const host = inFile('src/program/host-functions.ts', HOST);
const memory = inFile('src/program/guest-memory.ts', HOST);
const result = inFile('src/program/result.ts', 'test/program/result.test.ts');
const inflate = inFile('src/program/inflate.ts', 'test/program/inflate.test.ts');
const REUSE = ['reuse', 'reuse-traces', 'same-results'].map((name) => `test/program/${name}.test.ts`);
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
    'charge-to-below-zero',
    "if (amount > left) throw new RunStop('out-of-fuel');",
    '',
    'a host call takes more fuel than there is',
  ),
  host(
    'short-id-accepted',
    "if (bytes.length < ID_BYTES) throw new RunStop('short-id');",
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
  memory(
    'pointer-below-four',
    'return p >= 4 && p <= size',
    'return p <= size',
    'a length word may lie before the memory',
  ),
  memory(
    'read-past-end',
    'return length > bytes.length - p ? undefined : bytes.subarray(p, p + length);',
    'return bytes.subarray(p, p + length);',
    'a buffer that runs past the memory is cut, not refused',
  ),
  result(
    'map-bytes-short',
    'mapBytes: at - mapStart',
    'mapBytes: at - mapStart - 4',
    'the count of a storage map is free',
  ),
  result(
    'first-key-wins',
    'storage.set(toBinaryString(key), value);',
    'if (!storage.has(toBinaryString(key))) storage.set(toBinaryString(key), value);',
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
    '    make(OP.memoryFill, 0),\n',
    '    make(OP.drop),\n    make(OP.drop),\n    make(OP.drop),\n',
    'a second run sees the memory of the first',
  ),
  reuse(
    'globals-not-reset',
    '...[...changes.globals].flatMap((index) => set(index, constant(module.globals[index].init))),',
    '',
    'a second run sees the globals of the first',
  ),
  reuse(
    'table-reused',
    "if (changes.table) return { reusable: false, reason: 'table' };",
    '',
    'an instance whose table was changed serves again',
  ),
];
