// In the place of rockshrew-mono: its flags, its database's rows, other indexes, snapshots while indexing.
import { inFile } from './in-file.mjs';

const flags = inFile('src/service/rockshrew.ts', 'test/service/rockshrew.test.ts');
const values = inFile('src/service/rockshrew-flags.ts', 'test/service/rockshrew.test.ts');
const rows = inFile('src/cli/rockshrew-rows.ts', 'test/cli/digest.test.ts');
const prefix = inFile('src/simulate/prefix-root.ts', 'test/simulate/prefix-root.test.ts');
const stream = inFile('src/chain/block-stream.ts', 'test/chain/node-source.test.ts');
const follower = inFile('src/follow/follower.ts', 'test/follow/follower.test.ts');
const refusals = inFile('src/follow/chain-checks.ts', 'test/follow/follower-errors.test.ts');

export const METASHREW = [
  flags(
    'rockshrew-environment-always',
    'const value = whole &&',
    'const value =',
    'HOST of a shell counts for `index`',
  ),
  flags(
    'rockshrew-dropped-kept',
    'into.set(setting, value === undefined ? undefined : { origin, raw: value });',
    'if (value !== undefined) into.set(setting, { origin, raw: value });',
    'a value that has no meaning here is read all the same',
  ),
  values(
    'rockshrew-unbounded',
    'Math.min(most, Math.max(least, Number(text)))',
    'Math.max(least, Number(text))',
    'a number above the bounds is an error',
  ),
  rows('rows-undone-counted', 'version.index < (count ?? 0) &&', '', 'values that a rollback left behind count'),
  rows('rows-first-version', 'version.index > last.index', 'version.index < last.index', 'the oldest value counts'),
  rows(
    'rows-label-kept',
    'const own = row.subarray(this.#label.length);',
    'const own = row;',
    'the label stays in keys',
  ),
  rows('rows-internal-counted', 'if (INTERNAL.test(', 'if (false && INTERNAL.test(', 'rows of the host itself count'),
  prefix('prefix-root-off-by-one', 'if (left-- === 0) {', 'if (--left === 0) {', 'as many keys as may be are too many'),
  stream('stream-unbounded', 'this.#slots.length < maxBlocks &&', '', 'any number of blocks is fetched ahead'),
  follower(
    'follower-unchecked',
    'const unchecked = Math.max(from, tipHeight - checkWithin);',
    'const unchecked = tipHeight;',
    'the chain is not compared before each block near the tip',
  ),
  refusals(
    'refusals-of-any-block',
    'this.#times = what === this.#what ? this.#times + 1 : 1;',
    'this.#times++;',
    'refusals of different blocks are counted as of one',
  ),
];
