/** The bundled chain without its end, for processes that are to index no more than a test needs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256d } from '../../src/bitcoin/hash.js';
import { openSource } from '../../src/bitcoin/sources.js';
import { writeFixture } from '../../src/testing/fixture/write-fixture.js';
import { CHAIN, temporaryFolder } from './cli.js';

/** A folder with the fixture chain of the heights 0 to `last`, and their roots; gone after the test. */
export function chainUpTo(last: number): string {
  const folder = join(temporaryFolder(), 'chain');
  const blocks = Array.from(openSource(CHAIN).blocks(0, last), ({ height, raw }) => {
    return { height, raw, hash: sha256d(raw.subarray(0, 80)) };
  });
  writeFixture(folder, { seed: 'the bundled chain, cut', firstHeight: 0, blocks });
  const roots = readFileSync(join(CHAIN, 'roots.txt'), 'utf8').split('\n');
  writeFileSync(join(folder, 'roots.txt'), `${roots.slice(0, last + 1).join('\n')}\n`);
  return folder;
}
