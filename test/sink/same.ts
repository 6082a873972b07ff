import { expect } from 'vitest';
import { TABLE_NAMES } from '../../src/export/tables.js';
import type { StoreReader } from '../../src/store/reader.js';
import { expectedRows, type Records, sorted } from '../../src/testing/chains/expected-rows.js';
import { sinkRows, sortedJson } from '../../src/testing/postgres/sink-rows.js';
import { toDisplayHash } from '../../src/util/bytes.js';

/** Values of JSON columns as {@link sinkRows} gives them. */
const likeSink = (records: Records): Records =>
  records.map((record) =>
    Object.fromEntries(
      Object.entries(record).map(([name, value]) =>
        value !== null && ['messages', 'reads', 'writes'].includes(name)
          ? [name, sortedJson(JSON.parse(value))]
          : [name, value],
      ),
    ),
  );

/** The tables hold what the states of the store say, up to its tip; of all blocks, or of some. */
export async function expectSame(store: StoreReader, url: string, schema: string, heights?: number[]): Promise<void> {
  const { place, rows } = await sinkRows(url, schema);
  const tip = store.tip();
  expect(place).toEqual(tip && { height: tip.height, hash: toDisplayHash(tip.hash) });
  const last = tip?.height ?? -1;
  const all = heights ?? Array.from({ length: last + 1 }, (_, height) => height);
  const wanted = new Set(all.map(String));
  const expected = all.map((height) => expectedRows(store, height, height));
  for (const table of TABLE_NAMES) {
    const found = rows[table].filter(({ height }) => wanted.has(height ?? ''));
    expect(sorted(found), table).toEqual(sorted(likeSink(expected.flatMap((of) => of[table]))));
  }
  // Nothing above, and no height twice or left out.
  expect(rows.blocks.length).toBe(
    last - Number(rows.blocks.map(({ height }) => Number(height)).sort((a, b) => a - b)[0] ?? 0) + 1,
  );
}
