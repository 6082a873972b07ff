// Lane transactions as columns: what must be as the generator has it.
import { inFile } from './in-file.mjs';

const SCAN = 'test/lane/columns/scan-columns.test.ts';
const RULES = ['columns/common-run', 'results', 'rules-calls', 'cases', 'rules'].map(
  (name) => `test/lane/${name}.test.ts`,
);
const decode = inFile('wasm/native/lane-scan.ts', SCAN);
const run = inFile('src/lane/columns/common-run.ts', ...RULES);
const layer = inFile('src/lane/columns/write-layer.ts', ...RULES);
const parcel = inFile('src/lane/columns/parcel.ts', ...RULES);
const state = inFile('src/lane/columns/block-state.ts', 'test/lane/columns/block-state.test.ts');
const keys = inFile('src/lane/columns/key-table.ts', 'test/lane/columns/block-state.test.ts');

const ROWS = 'test/execute/rows.test.ts';
const tasks = inFile('src/execute/tasks/row-tasks.ts', ROWS);
const overridden = inFile('src/execute/tasks/overridden-keys.ts', ROWS);
const table = inFile('src/execute/rows/row-table.ts', ROWS);
const batches = inFile('src/execute/rows/row-batches.ts', ROWS);
const settle = inFile('src/execute/rows/settle.ts', ROWS);

export const COLUMNS = [
  decode(
    'edicts-taken-as-common',
    '    } else return 0;\n  }\n  if (seen != 3',
    '    } else if (key != 0) return 0;\n  }\n  if (seen != 3',
    'a protostone with edicts is of the common kind',
  ),
  decode(
    'second-protostone-unseen',
    'if (at == 0 || (first && (low | high) != 0)) return 0;',
    'if (at == 0) return 0;',
    'a second protostone is not seen',
  ),
  decode('last-group-unbounded', 'if (last >> 16 != 0) return 0;', '', 'an integer of more than 128 bits is read'),
  decode(
    'integer-beyond-its-end',
    'at += <usize>(ctz(stops) >> 3) + 1;\n    return at > end ? 0 : at;',
    'at += <usize>(ctz(stops) >> 3) + 1;\n    return at;',
    'an integer that is cut off takes bytes of what follows',
  ),
  run(
    'common-failed-keeps-writes',
    '    this.writes.drop();\n',
    '',
    'a failed message of the common kind keeps its writes',
  ),
  run(
    'common-refund-to-pointer',
    'const refund = this.#columns.refund[this.#row];',
    'const refund = this.#columns.pointer[this.#row];',
    'the refund of a failed message of the common kind goes to its pointer',
  ),
  run(
    'common-mints-any',
    "if (order < 0 && !this.#isTarget(memory, idAt)) return 'transfer beyond the balance';",
    '',
    'a contract of the common kind mints assets of others',
  ),
  run(
    'common-second-sheet',
    'if (this.#sheetEnd > 0 || !isSheet',
    'if (!isSheet',
    'of two spent sheets the last one is all',
  ),
  run(
    'common-own-read-again',
    '    if (place >= 0) {\n',
    '    if (place > 0) {\n',
    'the first write of a transaction is not seen by it',
  ),
  layer(
    'common-drops-spent',
    'this.#keys.count = this.#kept;',
    'this.#keys.count = 0;',
    'a failed message brings back the sheet that was spent',
  ),
  parcel(
    'common-parcel-unsorted',
    'if (order.length > 1) order.sort',
    'if (order.length > 99) order.sort',
    'the assets of a sheet stand in the order of the transfers',
  ),
  state(
    'settled-writes-lost',
    'if (known[key] !== WRITTEN) continue;\n      const number',
    'if (known[key] === READ) continue;\n      const number',
    'what nobody knows of a key is taken for written when old values are dropped',
  ),
  keys(
    'far-keys-lost',
    'return this.#far.get(toBinaryString(bytes.subarray(start, end))) ?? -1;',
    'return -1;',
    'a key that found no place near its own is given another number',
  ),
  tasks(
    'rows-all-straight',
    '!isCommon(this.#columns, row) || !run.run',
    '!run.run',
    'a transaction with edicts, or with several messages, takes the straight way',
  ),
  tasks(
    'rows-asked-counts',
    '    if (run.askedDryRun && isDryRun) {',
    '    if (run.askedDryRun && !isDryRun) {',
    'the dry run of a program that asked whether it was one counts',
  ),
  overridden(
    'rows-values-stay',
    '      state.forget(key);\n      if (start !== NOT_KNOWN) state.learn(key, start, end);\n',
    '',
    'a row sees the values that were meant for the one before it',
  ),
  table(
    'rows-old-numbers',
    'numbering === undefined || numbering.generation !== generation',
    'numbering === undefined',
    'a number that a thread gave to a key before stands for it after it has numbered them anew',
  ),
  table(
    'rows-ids-of-before',
    '= new Map<number, Numbering>();',
    '= ((globalThis as { kept?: Map<number, Numbering> }).kept ??= new Map());',
    'the numbers of the keys of one block are used in the next',
  ),
  batches(
    'rows-stale-kept',
    'table.hasAsked(row) || (colour > 0 && !isCurrent(row, table, versions))',
    'table.hasAsked(row)',
    'a row of a later batch is not run again, however stale',
  ),
  settle(
    'rows-first-writes-stay',
    '    const isRepaired = found === FOUND.dryRun || found === FOUND.batch;\n',
    '    const isRepaired = found === FOUND.dryRun || found === FOUND.batch;\n    if (isRepaired) this.#keep(row, "cpu");\n',
    'what a repaired transaction wrote first stays',
  ),
  settle(
    'rows-not-validated',
    'if (stands && this.#isCurrent(row)) {',
    'if (stands) {',
    'what a row has read is taken for true',
  ),
];
