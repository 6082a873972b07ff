// The meaning of a lane transaction: generator, overlay, messages, creations, scan.
import { inFile } from './in-file.mjs';

const RULES = ['rules', 'rules-calls', 'cases', 'results', 'allowance'].map((name) => `test/lane/${name}.test.ts`);
const allowance = inFile('src/lane/allowance.ts', 'test/lane/allowance.test.ts');
const transaction = inFile('src/lane/transaction.ts', ...RULES);
const message = inFile('src/lane/message.ts', 'test/lane/edges.test.ts', ...RULES);
const frame = inFile('src/lane/frame.ts', 'test/lane/edges.test.ts', ...RULES);
const balances = inFile('src/lane/balances.ts', ...RULES);
const overlay = inFile('src/lane/overlay.ts', 'test/lane/overlay.test.ts', ...RULES);
const creation = inFile('src/lane/creation.ts', ...RULES);
const scan = inFile('src/lane/scan.ts', 'test/lane/edges.test.ts', ...RULES);
const receipt = inFile('src/lane/receipt.ts', 'test/lane/edges.test.ts');

const LONG_CODE_TESTS = ['test/lane/long-code.test.ts'];
const longOverlay = inFile('src/lane/overlay.ts', ...LONG_CODE_TESTS);
const longBlock = inFile('src/lane/columns/block-state.ts', ...LONG_CODE_TESTS);

export const LANE = [
  transaction('failed-keeps-writes', 'view.dropMessage();', 'view.keepMessage();', 'a failed message keeps its writes'),
  transaction(
    'refund-to-pointer',
    'sheets.put(protostone.refund as number, incoming)',
    'sheets.put(protostone.pointer as number, incoming)',
    'the refund of a failed message goes to its pointer',
  ),
  transaction(
    'no-refund',
    "return sheets.put(protostone.refund as number, incoming) ? 'failed' : 'sum over u128 of a refund';",
    "return 'failed';",
    'a failed message is not refunded',
  ),
  transaction('undone-keeps-effects', '    view.undo();\n', '', 'an undone transaction keeps its other effects'),
  transaction(
    'undone-keeps-messages',
    '    messages.length = 0;\n',
    '',
    'the receipt of an undone transaction lists messages',
  ),
  transaction('spent-sheets-stay', '    view.deleteSpent(key);\n', '', 'spent sheets are not deleted'),
  transaction(
    'spent-deletion-undone',
    'view.deleteSpent(key);',
    'view.set(key, undefined);',
    'an undone transaction keeps the sheets that it spends',
  ),
  transaction(
    'spent-overflow-passes',
    "if (spent === undefined) return 'sum over u128 of the inputs';",
    'if (spent === undefined) return undefined;',
    'a sum over u128 of the inputs does not undo the transaction',
  ),
  transaction(
    'incoming-not-first-shadow',
    'sheets.put(first.shadowVout, spent);',
    'sheets.put(protostones[0].shadowVout, spent);',
    'what is spent goes to the first protostone, whatever its tag',
  ),
  transaction(
    'failed-runs-edicts',
    "if (settled === 'failed') continue;",
    '',
    'edicts and pointer of a failed message are followed',
  ),
  transaction(
    'pointer-range',
    "if (pointer > outputs + protostones) return 'pointer out of range';",
    '',
    'a pointer out of range is accepted',
  ),
  transaction(
    'refund-range',
    "if (refund > outputs + protostones) return 'refund out of range';",
    "if (refund >= outputs + protostones) return 'refund out of range';",
    'the last shadow output is refused as refund',
  ),
  transaction('shadow-limit', 'const SHADOW_LIMIT = 100;', 'const SHADOW_LIMIT = 101;', 'one shadow output too many'),
  message('credit-skipped', 'if (!credit(view, id, entry))', 'if (!credit)', 'incoming is not credited'),
  balances('credit-overflow', 'if (sum > U128_MAX) return false;', '', 'a balance may pass u128'),
  balances(
    'any-asset-minted',
    'if (balance < amount && !idsEqual(id, holder)) return false;',
    '',
    'a contract mints assets of others',
  ),
  balances(
    'own-minted-first',
    'const left = balance > amount ? balance - amount : 0n;',
    'const left = idsEqual(id, holder) ? balance : balance - amount;',
    'the own asset is minted although the balance has it',
  ),
  message(
    'zero-transfer',
    '  if (transfer.amount === 0n) return undefined;\n',
    '',
    'a transfer of 0 of a foreign asset is looked at',
  ),
  message(
    'parcel-overflow',
    "return parcel.add(transfer.id, transfer.amount) ? undefined : 'sum over u128 of a parcel';",
    'parcel.add(transfer.id, transfer.amount);\n  return undefined;',
    'a parcel over u128 loses assets',
  ),
  frame(
    'empty-value-kept',
    'value.length === 0 ? undefined : value.slice()',
    'value.slice()',
    'an empty value does not remove its key',
  ),
  message(
    'start-height-inclusive',
    'context.height < context.laneStartHeight',
    'context.height <= context.laneStartHeight',
    'the lane starts one block late',
  ),
  message(
    'tx-not-compared',
    'outer.target.block !== LANE_BLOCK || outer.target.tx !== LANE_TX',
    'outer.target.block !== LANE_BLOCK',
    'messages to 8:x run here',
  ),
  message(
    'reject-ignored',
    "context.dependent === 'reject' && input.parents.length > 0",
    "context.dependent === 'reject' && input.parents.length > 1",
    'the rule `reject` lets a dependent message run',
    { tests: ['test/execute/engine.test.ts', ...RULES] },
  ),
  frame(
    'outside-read-unrecorded',
    'return this.#view.get(storageKeyOfBytes(this.#id, key));',
    'return this.#view.peek(storageKeyOfBytes(this.#id, key));',
    'storage reads are not recorded',
    { tests: ['test/execute/engine.test.ts', ...RULES] },
  ),
  frame(
    'balance-read-unrecorded',
    'return this.#view.get(balanceKeyOfBytes(what, who)) ?? EMPTY_BYTES;',
    'return this.#view.peek(balanceKeyOfBytes(what, who)) ?? EMPTY_BYTES;',
    'balances that a contract asks for are not recorded as read',
    { tests: ['test/execute/engine.test.ts', ...RULES] },
  ),
  frame(
    'balance-of-other',
    'balanceKeyOfBytes(what, who)',
    'balanceKeyOfBytes(who, what)',
    'a contract that asks for a balance is told that of the asset in the holder',
  ),
  overlay(
    'code-held-without-end',
    'this.#heldBytes + bytes > MOST_HELD_BYTES',
    'this.#heldBytes < 0',
    'a transaction holds all code that it enters',
  ),
  overlay(
    'long-code-handed-on',
    'return longCodeBytes(key, value) > 0 ? LONG_CODE : value;',
    'return value;',
    'an outcome holds the long code that its transaction has read',
  ),
  overlay(
    'reads-not-recorded',
    'this.reads.set(key, this.#hasRoomFor(key, value) ? value : LONG_CODE);',
    'if (value !== undefined) this.reads.set(key, value);',
    'the read of an absent key is not recorded',
    { tests: ['test/execute/engine.test.ts', ...RULES] },
  ),
  overlay(
    'message-not-seen',
    'if (top !== undefined && top.size > 0 && top.has(key)) return top;',
    '',
    'a message does not see its own writes',
  ),
  overlay(
    'kept-not-seen',
    'if (this.#kept.size > 0 && this.#kept.has(key)) return this.#kept;',
    '',
    'a message does not see what those before it in the transaction wrote',
  ),
  overlay(
    'spent-still-seen',
    'return this.#spent.size > 0 && this.#spent.has(key) ? this.#spent : undefined;',
    'return undefined;',
    'a deleted sheet is still read',
    { tests: ['test/lane/overlay.test.ts'] },
  ),
  overlay(
    'kept-replaced',
    'else for (const [key, value] of message) this.#kept.set(key, value);',
    'else this.#kept = message;',
    'a second message drops the writes of the first',
  ),
  overlay(
    'deleted-falls-through',
    'return own !== undefined || map.has(key) ? own : this.base.get(key);',
    'return own ?? this.base.get(key);',
    'what a transaction deleted is there for the next one of the block',
  ),
  overlay(
    'spent-not-deleted-beside-writes',
    'const all = new Map(this.#spent);',
    'const all = new Map();',
    'a transaction that writes anything does not delete the sheets that it spends',
  ),
  overlay(
    'read-recorded-again',
    'if (seen !== undefined || this.reads.has(key)) return seen;',
    'if (seen !== undefined) return seen;',
    'an absent key is asked for again each time',
    { tests: ['test/lane/overlay.test.ts'] },
  ),
  creation(
    'sequence-from-zero',
    'return value === undefined ? 1n : readU128(value, 0);',
    'return value === undefined ? 0n : readU128(value, 0);',
    'the first creation is 2:0',
  ),
  creation(
    'sequence-stands',
    'view.set(SEQUENCE_KEY, u128Bytes(next + 1n));',
    'view.set(SEQUENCE_KEY, u128Bytes(next));',
    'two creations have one id',
  ),
  creation(
    'reserved-taken-again',
    "if (view.get(codeKey(id)) !== undefined) return { ok: false, id, error: 'the reserved id has code already' };",
    '',
    'a reserved id is created twice',
  ),
  creation(
    'clone-of-clone',
    'concatBytes(Uint8Array.of(CODE_CLONE), idBytes(code.id))',
    'concatBytes(Uint8Array.of(CODE_CLONE), idBytes(original))',
    'a clone points at a clone',
  ),
  creation(
    'clone-six',
    'case 6n:\n      return clone({ block: 4n, tx: target.tx }',
    'case 6n:\n      return clone({ block: 2n, tx: target.tx }',
    '6:n clones 2:n',
  ),
  scan(
    'dependent-not-lane',
    'if (!isLane && parents.size === 0) return;',
    'if (!isLane) return;',
    'who spends an output of a lane transaction of the block is none',
  ),
  scan(
    'sheet-spender-not-lane',
    'isLane = before.get(sheetKey(input.prevTxid, input.prevVout)) !== undefined;',
    'isLane = false;',
    'who spends a sheet and has no message is no lane transaction',
  ),
  scan(
    'other-tags-dropped',
    'return decoded.ok ? decoded.protostones : [];',
    'return decoded.ok ? decoded.protostones.filter(({ protocolTag }) => protocolTag === LANE_TAG) : [];',
    'protostones of other tags are left out',
  ),
  receipt(
    'fuel-of-last',
    '(sum, message) => sum + message.fuelUsed',
    '(_, message) => message.fuelUsed',
    'the fuel of a receipt is that of its last message',
  ),
  receipt(
    'rejected-uncounted',
    "else if (status === 'REJECTED') counters.malformed++;",
    '',
    'rejected messages are not counted',
  ),
  allowance(
    'fuel-not-shared',
    'this.#fuelLeft = fuelLeft;',
    'if (fuelLeft > this.#fuelLeft) this.#fuelLeft = fuelLeft;',
    'each message of a transaction has all of its fuel',
  ),
  allowance(
    'fuel-per-byte',
    'const FUEL_PER_BYTE = 50;',
    'const FUEL_PER_BYTE = 0;',
    'a large transaction has no more fuel',
  ),
  allowance(
    'envelope-twice',
    'this.#envelopeUsed = true;',
    'this.#envelopeUsed = false;',
    'an envelope serves two creations of a transaction',
  ),
  allowance(
    'refused-charge-free',
    'this.#fuelLeft = pays ? this.#fuelLeft - amount : 0;',
    'if (pays) this.#fuelLeft -= amount;',
    'a charge beyond what is left takes nothing',
  ),
  message(
    'creation-free',
    "if (isCreation(target) && !allowance.charge(CREATION_FUEL)) return failed('OUT_OF_FUEL', 'out of fuel');",
    '',
    'an attempt to create costs nothing',
  ),
  transaction(
    'sheet-entries-unbounded',
    "if (entries > SHEET_ENTRY_LIMIT) return 'more than 10,000 sheet entries';",
    '',
    'a transaction writes any number of sheet entries',
    { tests: ['test/lane/sheet-limit.test.ts'] },
  ),
  longOverlay(
    'long-code-own-write',
    'if (this.#layerOf(key) !== undefined) return undefined;',
    '',
    'a transaction runs the code before its own',
  ),
  longOverlay(
    'long-code-not-recorded',
    'if (program !== undefined && !this.reads.has(key)) this.reads.set(key, LONG_CODE);',
    '',
    'code that runs by its hash is no read',
  ),
  longOverlay(
    'long-code-of-overlay',
    'return this.#changes.map.has(key) ? undefined : this.base.programAt?.(key);',
    'return this.base.programAt?.(key);',
    'code that the block wrote is what it was before',
  ),
  longBlock(
    'long-code-of-block',
    'return this.#isBelow(key) ? this.before.programAt?.(key) : undefined;',
    'return this.before.programAt?.(key);',
    'code that the block wrote is what it was before',
  ),
];
