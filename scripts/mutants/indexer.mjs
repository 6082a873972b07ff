// The built-in standard module, as it is compiled.
import { inFile } from './in-file.mjs';

const TEST = 'test/standard/default-indexer.test.ts';
const spendable = inFile('wasm/indexers/spendable.ts', TEST);
const module = inFile('wasm/indexers/default.ts', TEST);
const block = inFile('wasm/indexers/block.ts', TEST);
const state = inFile('wasm/indexers/state.ts', TEST);
const hashes = inFile('wasm/indexers/hashes.ts', TEST);

export const INDEXER = [
  spendable(
    'moved-output-lost',
    '    setRecord(moved, position, load<u64>(moved, 36));\n',
    '',
    'an output that moves in the list of its script is looked for where it was',
  ),
  spendable(
    'spent-record-stays',
    '  setLength(last);\n  set(outpointKey(outpoint), OUTPOINT_KEY_BYTES, 0, 0);',
    '  setLength(last);',
    'an output can be spent twice',
  ),
  module(
    'genesis-coins-listed',
    'if (height != 0) output = listOutputs(i, output);',
    'output = listOutputs(i, output);',
    'the coins of the genesis block can be spent',
  ),
  module(
    'same-coinbase-twice',
    '    if (transaction == 0) spendOutput(OUTPOINT);\n',
    '',
    'of two coinbases with one txid both are listed',
  ),
  module(
    'script-of-first-output',
    'addOutput(OUTPOINT, scriptHashOf(output), value)',
    'addOutput(OUTPOINT, scriptHashOf(i), value)',
    'an output is listed under the script that another transaction has in its place',
  ),
  block(
    'unspendable-listed',
    'return length == 0 || load<u8>(script) != RETURN;',
    'return true;',
    'outputs that nobody can spend are listed',
  ),
  state(
    'grown-table-loses-keys',
    '    while (load<u32>(table + (slot << 2)) != 0) slot = (slot + 1) & mask;\n    store',
    '    store',
    'a block of many keys forgets some of what it wrote',
  ),
  hashes(
    'full-portion-unhashed',
    '    hashMessages();\n    if (need > size) makeRoom',
    '    if (need > size) makeRoom',
    'of a large block only the last transactions and scripts are hashed',
  ),
];
