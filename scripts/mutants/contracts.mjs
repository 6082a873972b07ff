// Tools for who writes contracts: the chain in memory, tests, random calls, reports, wallets.
import { inFile } from './in-file.mjs';

const CHAIN = 'test/contract-chain/contract-chain.test.ts';
const REPLAY = 'test/harness/replay.test.ts';
const DIRECT = 'test/harness/direct.test.ts';
const COVERAGE = 'test/harness/coverage.test.ts';
const CONFLICTS = 'test/harness/conflicts.test.ts';
const MISTAKES = 'test/harness/mistakes.test.ts';
const CODEGEN = 'test/codegen/codegen.test.ts';
const SENDING = 'test/wallet/sending.test.ts';
const DEV_CONFLICTS = 'test/dev/conflicts.test.ts';
const DEV_FORK = 'test/dev/metashrew-fork.test.ts';
const PROTOCOL = 'test/protocol/protostones.test.ts';
const known = inFile('src/contract-chain/known-blocks.ts', CHAIN);
const memory = inFile('src/contract-chain/memory-chain.ts', CHAIN, REPLAY);
const account = inFile('src/contract-chain/account.ts', CHAIN);
const replay = inFile('src/harness/replay.ts', REPLAY);
const direct = inFile('src/harness/direct-fuzz.ts', DIRECT);
const end = inFile('src/harness/direct-end.ts', DIRECT);
const parts = inFile('src/harness/report-parts.ts', DIRECT);
const coverage = inFile('src/harness/coverage.ts', COVERAGE);
const pairs = inFile('src/harness/pairs.ts', CONFLICTS);
const meta = inFile('src/codegen/read-meta.ts', CODEGEN);
const build = inFile('src/wallet/build.ts', MISTAKES);
const encode = inFile('src/protocol/encode.ts', PROTOCOL);
const helpers = inFile('src/codegen/helpers.ts', CODEGEN);
const plan = inFile('src/wallet/plan-file.ts', SENDING);
const walletNode = inFile('src/wallet/wallet-node.ts', SENDING);
const joined = inFile('src/dev/joined-calls.ts', DEV_CONFLICTS);
const origin = inFile('src/dev/metashrew-origin.ts', DEV_FORK);
const key = inFile('src/wallet/key.ts', MISTAKES);

export const CONTRACTS = [
  known('known-older-lost', ' ?? this.#older.get(key)', '', 'blocks of a while ago are run again'),
  memory('known-after-bare', 'this.#known = undefined;', '', 'blocks above one that commits to nothing are told apart'),
  memory(
    'void-deletions-stay',
    'dropVoidDeletions(writes, (key) => this.get(key) !== undefined);',
    '',
    'a block writes deletions of what was not there',
  ),
  account('spent-coins-count', 'return value !== undefined;', 'return true;', 'what is spent is still held'),
  replay('replay-trusts-all', 'this.#agreed.get(step.hash) === undefined', 'false', 'no block is compared'),
  replay('replay-no-end', 'expected === undefined || state.digest() === expected', 'true', 'the end is not compared'),
  direct('each-not-asked', 'this.spec.each?.(this.#end, this.state);', '', 'nobody looks at calls by themselves'),
  end('no-response-is-one', "this.status = 'REJECTED';", "this.status = 'OK';", 'what is no response counts as one'),
  end('first-asset-only', 'isAt(this.#bytes, at, id)', 'true', 'transfers of all assets are added up'),
  parts('parts-too-soon', 'parts.length < report.parts', 'parts.length < 1', 'a part is reported as the whole'),
  coverage(
    'parts-of-lines-lost',
    'known.isWhole &&= count > 0;',
    'known.isWhole &&= true;',
    'a line of which a part ran has run',
  ),
  pairs('share-of-the-last', 'sum += total / drawn;', 'sum += chance;', 'only the last call of a block is looked at'),
  meta('same-names', 'if (twice !== undefined)', 'if (false)', 'two methods of one name make a client'),
  build('no-funds', 'if (total() < wanted()) throw', 'if (false) throw', 'a transaction is funded with too little'),
  encode(
    'longer-varints',
    'while (out.length > first + 1 && out[out.length - 1] === 0x80) out.pop();',
    '',
    'numbers are longer than their shortest form',
  ),
  key('other-network', "found.mainnet !== (network === 'mainnet')", 'false', 'the key of another network signs'),
  helpers('words-big-endian', 'bytes.reduceRight(', 'bytes.reduce(', 'clients encode words with the high byte first'),
  helpers(
    'bytes-unmeasured',
    '[BigInt(bytes.length), ...words',
    '[...words',
    'clients send bytes without their length',
  ),
  helpers(
    'id-turned',
    'return [block, tx];',
    'return [tx, block];',
    'clients send the parts of ids in the other order',
  ),
  walletNode(
    'mainnet-unasked',
    "network === 'mainnet' && yesMainnet !== true",
    'false',
    'coins of mainnet are spent without a word',
  ),
  plan('plan-for-all', "'w', 0o600", "'w', 0o644", 'others can read the key in a plan'),
  joined(
    'children-compared',
    'if (parents.includes(height)) continue;',
    '',
    'what depends on its own block is compared',
  ),
  joined(
    'own-state-forgotten',
    'values.has(key) ? values.get(key)',
    'false ? undefined',
    'what can be done once fails',
  ),
  origin('views-above-fork', 'if (height > this.base.height)', 'if (false)', 'a view above a fork is made up'),
  origin('view-asked-again', 'if (kept !== undefined) return kept;', '', 'each view is asked for again'),
];
