// Lane transactions as columns: what must be as the generator has it.
import { inFile } from './in-file.mjs';

const SCAN = 'test/lane/columns/scan-columns.test.ts';
const RULES = ['columns/common-run', 'results', 'rules-calls', 'cases', 'rules'].map(
  (name) => `test/lane/${name}.test.ts`,
);
const decode = inFile('wasm/native/lane-scan.ts', SCAN);
const run = inFile('src/lane/columns/common-run.ts', ...RULES);
const layer = inFile('src/lane/columns/write-layer.ts', ...RULES);
const sight = inFile('src/lane/columns/sight.ts', ...RULES);
const KEYS = 'test/lane/columns/state-keys.test.ts';
const stateKeys = inFile('src/lane/columns/state-keys.ts', KEYS);
const begun = inFile('src/lane/columns/block-state.ts', KEYS);
const order = inFile('src/lane/columns/key-order.ts', 'test/lane/columns/key-order.test.ts');
const words = inFile('src/util/words.ts', 'test/util/words.test.ts');
const parcel = inFile('src/lane/columns/parcel.ts', ...RULES);
const state = inFile('src/lane/columns/block-state.ts', 'test/lane/columns/block-state.test.ts');
const keys = inFile('src/lane/columns/key-table.ts', 'test/lane/columns/block-state.test.ts');

const ROWS = 'test/execute/rows.test.ts';
const tasks = inFile('src/execute/tasks/row-tasks.ts', ROWS);
const overridden = inFile('src/execute/tasks/overridden-keys.ts', ROWS);
const table = inFile('src/execute/rows/row-table.ts', ROWS);
const PREDICTED = ['test/execute/predict/predicted-rows.test.ts'];
const settlePredicted = inFile('src/execute/rows/settle.ts', ...PREDICTED);
const steps = inFile('src/execute/predict/steps.ts', 'test/execute/predict/steps.test.ts');
const settle = inFile('src/execute/rows/settle.ts', ROWS);

const CLONES = 'test/execute/clones.test.ts';
const guessedCreation = inFile('src/lane/creation.ts', CLONES);
const guessedRun = inFile('src/lane/columns/common-run.ts', CLONES);

export const COLUMNS = [
  guessedCreation(
    'guessed-clone-stops',
    '    if (state.isGuess === true) return undefined;\n',
    '',
    'a block stops the index in which a clone is guessed before what it points at',
  ),
  guessedRun(
    'guessed-clone-stops-common',
    '      if (this.isGuess) return undefined;\n',
    '',
    'the same, where the call is of the common kind',
  ),
  guessedRun(
    'broken-clone-believed',
    '      if (this.isGuess) return undefined;\n',
    '      return undefined;\n',
    'a state in which a clone has no original counts as one without the clone',
  ),
  tasks(
    'long-code-taken-for-none',
    'if (state.isKnown(key) || value === LONG_CODE) continue;',
    'if (state.isKnown(key)) continue;',
    'contracts of long code that the generator has called have none for the next row',
  ),
  inFile('src/lane/columns/block-state.ts', ROWS)(
    'code-kept-twice-by-number',
    'if (number < 0 || !state.isKnown(number)) {',
    'if (number < 0) {',
    'what is read by text of a key that has a number is kept in the state of the block',
  ),
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
    '    this.writes.drop(this.reads, this.#state);\n',
    '',
    'a failed message of the common kind keeps its writes',
  ),
  run(
    'common-refund-to-pointer',
    'const refund = this.#columns.refund[this.#row];',
    'const refund = this.#columns.pointer[this.#row];',
    'the refund of a failed message of the common kind goes to its pointer',
  ),
  sight(
    'common-mints-any',
    'if (order < 0 && !mayMint) return false;',
    '',
    'a contract of the common kind mints assets of others',
  ),
  run(
    'common-second-sheet',
    'if (this.#sheetEnd > 0 || !isSheet',
    'if (!isSheet',
    'of two spent sheets the last one is all',
  ),
  sight(
    'common-own-read-again',
    '    if (place >= 0) {\n',
    '    if (place > 0) {\n',
    'the first write of a transaction is not seen by it',
  ),
  stateKeys(
    'own-key-of-another',
    '      state.hasAt(known, STORE_TEXT, ids, idAt, ID_LENGTH) &&\n',
    '',
    'the own key of another contract is taken for that of this one',
  ),
  stateKeys(
    'own-key-begins-alike',
    '      state.keyEnd(known) - state.keyStart(known) === length &&\n',
    '',
    'a key is taken for another one that begins with it',
  ),
  stateKeys(
    'balance-of-another',
    ' &&\n      state.hasAt(known, BALANCE_TEXT + ID_LENGTH, holders, holderAt, ID_LENGTH)',
    '',
    'the balance of another contract is taken for that of this one',
  ),
  begun(
    'known-of-another-block',
    '    this.#known.fill(UNKNOWN, 0, this.keys);\n',
    '',
    'what was read of a key of the last block is taken for the value of one of this block',
  ),
  order(
    'order-of-the-last-one',
    'place > 0 && isAfter',
    'place > 1 && isAfter',
    'the first key of a receipt is not put in its place',
  ),
  order(
    'order-by-low-bytes',
    'const wordA = view.getUint32(startA + i);',
    'const wordA = view.getUint32(startA + i, true);',
    'keys are not sorted as their bytes are',
  ),
  words(
    'rest-not-copied',
    '  for (; i < length; i++) to',
    '  for (; i < length - 1; i++) to',
    'the last byte is not copied',
  ),
  layer(
    'common-drops-spent',
    'this.#keys.count = this.#kept;',
    'this.#keys.count = 0;',
    'a failed message brings back the sheet that was spent',
  ),
  parcel(
    'common-parcel-unsorted',
    'order.sort(',
    'if (order.length > 99) order.sort(',
    'the assets of a sheet stand in the order of the transfers',
  ),
  state(
    'settled-writes-lost',
    'if (this.#known[key] !== WRITTEN) continue;',
    'if (this.#known[key] === READ) continue;',
    'what nobody knows of a key is taken for written',
  ),
  state(
    'settled-writes-unseen',
    'const aside = this.#aside?.findAt(bytes, keyStart, keyEnd);',
    'const aside = undefined as never;',
    'a write that was put aside is not seen by later transactions',
  ),
  state(
    'settled-writes-replaced',
    'const writes = this.#aside ?? new PackedMap();',
    'const writes = new PackedMap();',
    'writes that were put aside are lost',
  ),
  state(
    'aside-read-from-below',
    ' || this.#isAsideAt(key)) continue;',
    ') continue;',
    'a write that was put aside is read from the state below again, with many others',
  ),
  state(
    'below-untold',
    'this.#below[key] = value === undefined ? ABSENT : PRESENT;',
    'this.#below[key] = PRESENT;',
    'a key that was absent before the block counts as there, so that its deletion is stored',
  ),
  keys(
    'far-keys-lost',
    'return this.#far.get(binarySlice(bytesOf(view), start, end)) ?? -1;',
    'return -1;',
    'a key that found no place near its own is given another number',
  ),
  tasks(
    'rows-all-straight',
    '!isCommon(this.#columns, row) || !run.run',
    '!run.run',
    'a transaction with edicts, or with several messages, takes the straight way',
  ),
  inFile('src/lane/columns/scan-parts.ts', 'test/lane/columns/scan-columns.test.ts')(
    'parts-not-shifted',
    'mayCall[row] = transaction + part.mayCall[i];',
    'mayCall[row] = part.mayCall[i];',
    'transactions of every part of a block are taken for those of its first one',
  ),
  inFile('src/lane/columns/scan-parts.ts', 'test/lane/columns/scan-columns.test.ts')(
    'part-contexts-not-shifted',
    'rows.contextStart[row] = at + part.rows.contextStart[i];',
    'rows.contextStart[row] = part.rows.contextStart[i];',
    'calls of later parts of a block are given contexts of the first',
  ),
  tasks(
    'rows-asked-counts',
    '    } else if (run.askedDryRun && isDryRun) {',
    '    } else if (run.askedDryRun && !isDryRun) {',
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
  settlePredicted(
    'predicted-taken-as-true',
    'if (stands && this.#isCurrent(row)) {',
    'if (stands && (prediction > 0 || this.#isCurrent(row))) {',
    'what ran with predicted values is taken for valid without a look at what it read',
  ),
  inFile('src/execute/rows/overrides.ts', ...PREDICTED)(
    'predicted-unseen',
    '    predictions?.each(row, put);',
    '',
    'rows do not see what is predicted for them',
  ),
  inFile('src/execute/rows/overrides.ts', ...PREDICTED, 'test/execute/predict/predicted-kernel.test.ts')(
    'predicted-unseen-later',
    'const prediction = predictions?.find(row, key) ?? NO_PREDICTION;',
    'const prediction = NO_PREDICTION;',
    'rows that see what a batch has written do not see what is predicted for them',
  ),
  steps(
    'carry-between-integers',
    'if (k % width === 0) carry = 0;',
    '',
    'an integer that runs over changes its neighbour',
  ),
  steps('blind-writer-predicted', 'if (isRead[i] === 0) return 0;', '', 'a write without a read is taken for a step'),
  inFile('src/execute/predict/step-memory.ts', 'test/execute/predict/steps.test.ts')(
    'never-left-alone',
    'if (wait === 0) return guess;',
    'return guess;',
    'keys that were predicted wrongly are predicted again in each block',
  ),
  inFile('src/execute/rows/assumed.ts', ...PREDICTED)(
    'children-not-assumed',
    'isAssumed[access] = 1;',
    'isAssumed[access] = 1;\n      if (child >= 0) continue;',
    'nothing is assumed of transactions that cannot be dry-run',
  ),
  inFile('src/execute/predict/step-memory.ts', ...PREDICTED)(
    'always-assumed',
    'guess: better ?? UNKNOWN, failures',
    'guess: { ...(better ?? UNKNOWN), assumes: true }, failures',
    'what was assumed wrongly is assumed again in the next block',
  ),
  inFile('src/execute/rows/row-calls.ts', ...PREDICTED)(
    'methods-not-told-apart',
    'const CALL = ID_LENGTH + INTEGER;',
    'const CALL = ID_LENGTH;',
    'what calls of one method do is assumed of those of another one',
  ),
  settlePredicted(
    'mispredicted-untold',
    'how.mispredicted = prediction === 2;',
    'how.mispredicted = false;',
    'a wrong prediction is not told in the receipt',
  ),
  settle(
    'rows-first-writes-stay',
    '      if (how.repaired) statistics.repaired++;\n',
    '      if (how.repaired) statistics.repaired++;\n      if (how.repaired) this.#apply(row);\n',
    'what a repaired transaction wrote first stays',
  ),
  settle(
    'rows-repair-unseen',
    '    run.apply();\n',
    '',
    'those behind a repaired transaction do not see what it wrote',
  ),
  settle(
    'rows-not-validated',
    'if (stands && this.#isCurrent(row)) {',
    'if (stands) {',
    'what a row has read is taken for true',
  ),
  inFile('src/util/word-hash.ts', 'test/util/word-hash.test.ts')(
    'hash-of-one-factor',
    'return Math.imul(once ^ (once >>> 15), SECOND);',
    'return once ^ (once >>> 15);',
    'keys can be chosen that all meet in one place of every table',
  ),
  inFile('src/util/word-hash.ts', 'test/util/word-hash.test.ts')(
    'words-without-rest',
    'if (a.getUint8(atA + i) !== b.getUint8(atB + i)) return false;',
    '',
    'two keys that differ in their last bytes are taken for one',
  ),
  inFile('src/util/packed-map.ts', 'test/util/packed-map.test.ts')(
    'absent-deleted-always',
    'if (!isVoid(binarySlice(bytes, keyStart, keyEnd))) continue;',
    '',
    'the deletion of a key that was there before the block is dropped',
  ),
];
