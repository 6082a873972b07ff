import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { inBlockOrder } from '../../src/export/spill.js';
import type { PlacedChange } from '../../src/store/changes.js';
import { toHex } from '../../src/util/bytes.js';
import { temporaryFolder } from '../helpers/cli.js';
import { generator } from '../store/helpers.js';

/** What is not there is not what is empty. */
const hex = (bytes: Uint8Array | undefined): string => (bytes === undefined ? 'none' : toHex(bytes));

const shown = ({ ns, key, value, before }: Omit<PlacedChange, 'height'>): string =>
  [ns, toHex(key), hex(value), hex(before)].join(' ');

it('changes come in the order of the blocks, however small the files are, and no file is left', async () => {
  const folder = temporaryFolder();
  const random = generator(1);
  const bytes = (n: number): Uint8Array => new Uint8Array(random(n)).map(() => random(256));
  const [from, to] = [10, 59];
  const changes: PlacedChange[] = [];
  for (const ns of ['P', 'S'] as const) {
    for (let key = 0; key < 150; key++) {
      const [value, before] = [0, 1].map(() => (random(3) === 0 ? undefined : bytes(random(50) === 0 ? 90_000 : 20)));
      changes.push({ height: from + random(40), ns, key: Uint8Array.of(key >> 8, key), value, before });
    }
  }
  for (const bounds of [
    { files: 3, fileBytes: 1 },
    { files: 128, fileBytes: 1 << 20 },
    { files: 2, fileBytes: 2_000 },
  ]) {
    let next = from;
    for await (const { height, changes: of } of inBlockOrder(changes, from, to, { folder }, bounds)) {
      expect(height).toBe(next++);
      const expected = (['S', 'P'] as const).flatMap((ns) =>
        changes.filter((one) => one.height === height && one.ns === ns),
      );
      // Twice: it can be read again.
      for (let time = 0; time < 2; time++) expect([...of()].map(shown)).toEqual(expected.map(shown));
    }
    expect(next).toBe(to + 1);
    expect(readdirSync(folder)).toEqual([]);
  }
  // Given up in the middle.
  for await (const { height } of inBlockOrder(changes, from, to, { folder })) if (height === 20) break;
  expect(readdirSync(folder)).toEqual([]);
});
