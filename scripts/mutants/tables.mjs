// Programs whose table is kept as numbers.
import { inFile } from './in-file.mjs';

const TESTS = ['table-numbers', 'erasure', 'reuse-traces'].map((name) => `test/program/${name}.test.ts`);
const code = inFile('src/program/erased-code.ts', ...TESTS);
const erasure = inFile('src/program/erasure.ts', ...TESTS);
const page = inFile('src/program/hidden-page.ts', ...TESTS);
const body = inFile('src/program/instrument-body.ts', ...TESTS);
const reuse = inFile('src/program/reuse.ts', ...TESTS);
const memory = inFile('src/program/guest-memory.ts', ...TESTS);

export const TABLES = [
  code(
    'table-start-unchecked',
    'return [length, ...size, GT_U, ...TRAP_IF, start, ...size, length, SUB, GT_U, ...TRAP_IF];',
    'return [length, ...size, GT_U, ...TRAP_IF];',
    'instructions on tables reach elements behind the table',
  ),
  code(
    'table-copied-upwards',
    '...[local(0), local(1), make(OP.i32LeU), IF],',
    '...[make(OP.i32Const, 1), IF],',
    'table.copy of a few elements to a higher place repeats them',
  ),
  code(
    'table-filled-with-null',
    '...[local(number), make(OP.i32Eqz), local(2),',
    '...[make(OP.i32Const, 1), local(2),',
    'table.fill of many elements makes them all null',
  ),
  code(
    'table-grows-too-far',
    '[local(1), constant(max), make(OP.globalGet, size),',
    '[local(1), constant(max + 1), make(OP.globalGet, size),',
    'table.grow passes the maximum by one',
  ),
  code(
    'segment-stays',
    'return [constant(0), constant(1), make(STORE_BYTE, droppedAt, 0)];',
    'return [constant(0), constant(0), make(STORE_BYTE, droppedAt, 0)];',
    'a dropped segment can still be laid out',
  ),
  code(
    'address-wraps',
    'return [constant(-1), ...behind, local(index), last, GT_U, make(OP.select)];',
    'return behind;',
    'memory.fill and memory.copy near 2^32 reach the hidden page',
  ),
  code(
    'nothing-anywhere',
    'return [local(2), make(OP.i32Eqz), IF, ...checks, RETURN, END];',
    'return [local(2), make(OP.i32Eqz), IF, RETURN, END];',
    'bulk instructions of no bytes are allowed outside of the memory',
  ),
  page(
    'offset-wraps',
    'return Math.min(GREATEST, (at >>> 0) + HIDDEN_BYTES);',
    'return (at + HIDDEN_BYTES) >>> 0;',
    'a load of an offset near 2^32 reaches the hidden page',
  ),
  erasure(
    'segment-outside-fits',
    'if (start + items.length > (this.source.table?.min ?? 0)) {',
    'if (start > (this.source.table?.min ?? 0)) {',
    'a segment of elements that does not fit is laid out',
  ),
  body(
    'block-type-kept',
    'for (const op of [OP.block, OP.loop, OP.if, OP.selectTyped, OP.callIndirect])',
    'for (const op of [OP.selectTyped, OP.callIndirect])',
    'a block that gives a reference is no valid WebAssembly any more',
  ),
  reuse(
    'table-not-cleared',
    'const from = module.erased ? USED_FROM : 0;',
    'const from = module.erased ? 65_536 : 0;',
    'a second run finds the table as the first left it',
  ),
  memory(
    'host-writes-below',
    'this.#hidden = hides ? HIDDEN_BYTES : 0;',
    'this.#hidden = 0;',
    'host functions read and write in the page below the memory of a program',
  ),
];
