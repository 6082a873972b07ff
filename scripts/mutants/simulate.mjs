// Running contracts over the state at a height, for whoever asks.
import { inFile } from './in-file.mjs';

const FIXTURE = 'test/simulate/fixture-chain.test.ts';
const VIEWS = 'test/simulate/lane-views.test.ts';
const META = 'test/simulate/meta.test.ts';
const AROUND = 'test/simulate/surroundings.test.ts';
const simulate = inFile('src/simulate/simulate.ts', FIXTURE, AROUND);
const drive = inFile('src/simulate/drive.ts', 'test/simulate/mined.test.ts');
const changes = inFile('src/simulate/changes.ts', 'test/rpc/lane-views.test.ts', 'test/simulate/mined.test.ts');
const state = inFile('src/simulate/height-state.ts', VIEWS, 'test/simulate/mined.test.ts');
const meta = inFile('src/simulate/meta.ts', META);
const swap = inFile('src/simulate/swap-exports.ts', META);
const around = inFile('src/simulate/surroundings.ts', AROUND);

export const SIMULATE = [
  simulate('simulate-unpadded', 'return rest === 0 ? bytes :', 'return rest >= 0 ? bytes :', 'calldata is not padded', {
    tests: [AROUND, 'test/rpc/docs.test.ts', 'test/simulate/mined.test.ts'],
  }),
  simulate(
    'simulate-other-sheets',
    'held.changes.set(sheetKey(prevTxid, prevVout), isFirst ? sheet : undefined);',
    'if (isFirst) held.changes.set(sheetKey(prevTxid, prevVout), sheet);',
    'what the given transaction really spends comes in as well',
    { tests: [VIEWS] },
  ),
  simulate(
    'simulate-wrong-height',
    'height: request.height + 1,',
    'height: request.height,',
    'the height is that of the state',
  ),
  simulate(
    'simulate-shadow-output',
    'shadowVout: place + 1 + index',
    'shadowVout: place + 1',
    'the place among the protostones says nothing',
  ),
  simulate('simulate-short-data', 'toHex(result.data)', 'receipt.data', 'data is cut as in a receipt', {
    tests: [VIEWS],
  }),
  drive(
    'simulate-results-mixed',
    'results.set(readU32(host.context, VOUT_AT), result)',
    'results.set(0, result)',
    'what contracts returned is lost',
  ),
  changes(
    'simulate-unchanged',
    'if (bytesEqual(was, is) || (was === undefined && is === undefined)) continue;',
    '',
    'what stays the same is listed',
  ),
  state(
    'simulate-at-tip',
    "return this.store.getAt('P', fromBinaryString(key), this.height);",
    "return this.store.getAt('P', fromBinaryString(key), this.height + 1e6);",
    'the state is always the newest',
  ),
  meta('meta-each-time', 'this.#known.set(program.hash, made, ENTRY_BYTES + weight);', '', '__meta runs each time'),
  meta(
    'meta-depth',
    'if (!withinShape(text, MOST_DEPTH, MOST_SEPARATORS))',
    'if (false)',
    'JSON may be nested as deep as it likes',
  ),
  meta('meta-bytes', 'if (run.result.length > MOST_BYTES)', 'if (false)', 'a text may be as long as memory'),
  swap(
    'meta-swap-order',
    'first.start < second.start ? [first, second] : [second, first]',
    '[first, second]',
    'exports are swapped in one order only',
  ),
  around(
    'simulate-commitment',
    'sha256d(merkleRoot([reserved, sha256d(tx.raw)]).root, reserved)',
    'sha256d(reserved)',
    'the coinbase commits to no witness',
  ),
  inFile('src/bitcoin/serialise.ts', AROUND)(
    'simulate-height-sign',
    'if (bytes[bytes.length - 1] > 0x7f) bytes.push(0);',
    '',
    'some heights are negative in the coinbase',
  ),
  around(
    'simulate-subsidy',
    "network === 'regtest' ? REGTEST_HALVING : HALVING",
    'HALVING',
    'regtest halves as late as mainnet',
  ),
];
