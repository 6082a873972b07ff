import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOTS_FILE } from '../bitcoin/fixture-format.js';
import { InputError } from '../errors/errors.js';

/**
 * State roots stored beside a fixture chain in `roots.txt`, one `height root` per line: what `replay --roots` writes.
 * They hold for the default indexer only, since the standard root depends on the module.
 */
export function readExpectedRoots(path: string): ReadonlyMap<number, string> {
  const file = join(path, ROOTS_FILE);
  const roots = new Map<number, string>();
  if (!existsSync(file)) return roots;
  for (const [number, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line === '') continue;
    const match = /^(\d+) ([0-9a-f]{64})$/.exec(line);
    if (!match) {
      throw new InputError('FIXTURE_BAD_ROOTS', 'a line of roots.txt is not a height and a root', {
        facts: { file, line: number + 1 },
        hint: 'write the file again with `warpshrew replay --roots`',
      });
    }
    roots.set(Number(match[1]), match[2]);
  }
  return roots;
}
