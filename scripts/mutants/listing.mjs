// Listings: walks through states, the index by contract, pages.
import { inFile } from './in-file.mjs';

const RANDOM = 'test/listing/random.test.ts';
const BOUNDS = 'test/listing/bounds.test.ts';
const steps = inFile('src/store/steps.ts', BOUNDS, RANDOM);
const lists = inFile('src/store/lists.ts', RANDOM);
const rows = inFile('src/store/receipt-writes.ts', RANDOM);
const targets = inFile('src/lane/receipt-targets.ts', RANDOM);
const state = inFile('src/listing/state-lists.ts', BOUNDS, RANDOM);

export const LISTING = [
  steps('walk-no-jump', '++group.passed > MOST_PASSED', 'false', 'all values of a key are gone through'),
  steps(
    'walk-jump-too-far',
    'jump = group.isFound ? range.lt : range.gte;',
    'jump = range.lt;',
    'a value behind many that ended before is passed over',
  ),
  steps('walk-both', 'order === 0 ? old : undefined', 'undefined', 'the ended value of a key with a newer one is lost'),
  lists('places-inclusive', 'order > 0;', 'order >= 0;', 'the last place comes again'),
  rows('contract-rows-stay', "rows.del('blocks', row);", '', 'the index by contract keeps what is undone'),
  targets(
    'targets-calls-lost',
    '        sink.named(bytes, this.#pass(ID_LENGTH));\n        this.#pass(HASH_BYTES);',
    '        this.#pass(ID_LENGTH + HASH_BYTES);',
    'calls name no contract',
  ),
  state(
    'page-again',
    'startsWith(after, prefix) ? after : undefined',
    'false ? after : undefined',
    'a page begins at the first key',
  ),
];
