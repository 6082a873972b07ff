import { createHash } from 'node:crypto';
import { COLUMNS, Rocks } from '../../src/store/rocks.js';
import { toHex } from '../../src/util/bytes.js';

/** Every row of a database that nobody has open: `column key` in hex, and the SHA-256 of its value. */
export async function allRows(dir: string): Promise<ReadonlyMap<string, string>> {
  const rocks = await Rocks.open(dir, false);
  const rows = new Map<string, string>();
  try {
    for (const column of COLUMNS) {
      for (const [key, value] of rocks.scan(column)) {
        rows.set(`${column} ${toHex(key)}`, createHash('sha256').update(value).digest('hex'));
      }
    }
  } finally {
    await rocks.close();
  }
  return rows;
}
