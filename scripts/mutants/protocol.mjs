// Bytes on the chain: sheets, edicts, protostones, runestones, envelope.
import { inFile } from './in-file.mjs';

const edicts = inFile('src/protocol/edicts.ts', 'test/protocol/edicts.test.ts');
const sheet = inFile('src/protocol/sheet.ts', 'test/protocol/sheet.test.ts');
const protostones = inFile('src/protocol/protostones.ts', 'test/protocol/protostones.test.ts');
const runestone = inFile('src/protocol/runestone.ts', 'test/protocol/runestone.test.ts');
const varint = inFile('src/protocol/varint.ts', 'test/protocol/varint.test.ts');
const envelope = inFile('src/protocol/envelope.ts', 'test/protocol/envelope.test.ts');
const field = inFile('src/protocol/protocol-field.ts', 'test/lane/columns/scan-columns.test.ts');

export const PROTOCOL = [
  edicts(
    'split-amount-once',
    'return taken === 0n || sheets.add(output, id, taken);',
    'return taken === 0n || sheets.add(output, id, limit ?? taken);',
    'an edict puts down more than it takes',
  ),
  edicts(
    'split-keeps-shares',
    'working.take(id, amount * outputs);',
    'working.take(id, amount);',
    'a split creates assets',
  ),
  edicts(
    'split-rest-lost',
    'sheets.share(id, Number(total % outputs), 1n);',
    '',
    'the rest of an even split does not go to the first outputs',
  ),
  edicts(
    'edict-zero-id',
    "if (edict.id.block === 0n && edict.id.tx > 0n) return 'edict id 0:x with x over 0';",
    '',
    'an edict for 0:x does not undo the transaction',
  ),
  edicts(
    'edict-output-wide',
    "if (edict.output > U32_MAX) return 'edict output over u32';",
    '',
    'an edict output over u32 does not undo the transaction',
  ),
  edicts(
    'op-return-keeps',
    'return output.script[0] !== OP_RETURN;',
    'return output.script.length === 0 || output.script[0] !== OP_RETURN || output.script.length > 0;',
    'OP_RETURN outputs keep sheets and take part in splits',
  ),
  edicts(
    'default-pointer',
    'return this.ordinary[0] ?? 0;',
    'return 0;',
    'the default pointer is output 0, also where that is an OP_RETURN',
  ),
  edicts(
    'take-leaves',
    '    this.#sheets.delete(output);\n    return sheet;',
    '    return sheet;',
    'what is taken off an output stays there, too',
    { tests: ['test/protocol/edicts.test.ts', 'test/lane/rules.test.ts', 'test/lane/cases.test.ts'] },
  ),
  sheet('sum-over-u128', 'if (sum > U128_MAX) return false;', '', 'a sum in a sheet passes u128'),
  sheet(
    'add-all-partly',
    'if ((large.get(key)?.amount ?? 0n) + amount > U128_MAX) return false;',
    '',
    'a refused sum of sheets changes some of its entries',
  ),
  sheet(
    'order-of-sheet',
    'sort((a, b) => compareIds(a.id, b.id))',
    'sort((a, b) => compareIds(b.id, a.id))',
    'a stored sheet descends',
  ),
  sheet(
    'zero-accepted',
    "if (amount === 0n) throw badSheet(bytes, 'zero amount');",
    '',
    'a stored amount of 0 is accepted',
  ),
  protostones('chunk-of-16', 'export const CHUNK = 15;', 'export const CHUNK = 16;', 'sixteen bytes of a u128 count'),
  protostones(
    'last-field-wins',
    'else if (!first.has(key)) first.set(key, value);',
    'else first.set(key, value);',
    'the last of repeated fields wins',
  ),
  protostones(
    'short-edicts-kept',
    'if (integers.length % 4 !== 0) return [];',
    '',
    'edicts that end within a group count',
  ),
  protostones(
    'edict-tx-runs-on',
    'blockDelta === 0n ? id.tx + integers[i + 1] : integers[i + 1]',
    'id.tx + integers[i + 1]',
    'the tx of an edict id adds up over blocks',
  ),
  protostones('pointer-not-cut', 'Number(value & 0xffffffffn)', 'Number(value)', 'a pointer is not cut to 32 bits'),
  protostones(
    'shadow-from-n',
    'const shadowVout = outputCount + 1 + index;',
    'const shadowVout = outputCount + index;',
    'shadow outputs begin one too low',
  ),
  protostones(
    'length-over-data',
    "if (length > BigInt(integers.length - start)) return { ok: false, error: 'less values than expected' };",
    '',
    'a protostone longer than the data is read',
  ),
  runestone(
    'any-opcode',
    "if (!instruction.isPush) return 'Opcode';",
    '',
    'an opcode in a runestone does not make a cenotaph',
  ),
  varint(
    'twenty-bytes',
    "if (index > LAST) return { ok: false, error: 'overlong' };",
    "if (index > LAST + 1) return { ok: false, error: 'overlong' };",
    'an integer of 20 bytes is read',
  ),
  varint(
    'over-128-bits',
    "if (index === LAST && (byte & LAST_MASK) !== 0) return { ok: false, error: 'overflow' };",
    '',
    'bits over 128 are dropped',
  ),
  envelope(
    'annex-counted',
    'const items = annex ? witness.length - 1 : witness.length;',
    'const items = witness.length;',
    'the annex counts as a witness item',
  ),
  envelope(
    'void-skips-on',
    'at = instruction.next;\n  }\n  return undefined;\n}\n\n/** A script with a push',
    'at = instruction.next + 1;\n  }\n  return undefined;\n}\n\n/** A script with a push',
    'after a voided attempt the scan resumes too late',
  ),
  envelope(
    'first-push-kept',
    'if (at !== start) {',
    'if (at >= start) {',
    'the first push behind BIN is part of the body',
  ),
  field('body-tag-passed', 'if (low === BODY) return false;', '', 'a protocol tag behind the edicts counts', {
    why: 'the shortcut then says `may have` for what the decoder finds to have none: slower, never another answer',
  }),
  field(
    'protocol-missed',
    'if (low === PROTOCOL) return true;',
    'if (low === PROTOCOL) return pushEnd === end;',
    'a protocol field in a runestone of several pushes is missed',
  ),
];
