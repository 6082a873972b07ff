import postgres from 'postgres';
import { type Column, type ColumnKind, TABLE_NAMES, TABLES } from '../../export/tables.js';
import type { Expected } from '../chains/expected-rows.js';

/** The place and all rows of a sink, in one moment; every value as text, JSON as JavaScript writes it. */
export async function sinkRows(
  url: string,
  schema = 'warpshrew',
): Promise<{
  readonly place: { readonly height: number; readonly hash: string } | undefined;
  readonly rows: Expected;
}> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return await sql.begin('isolation level repeatable read', async (tx) => {
      const rows: Expected = { blocks: [], receipts: [], changes: [], transfers: [] };
      for (const table of TABLE_NAMES) {
        const { columns } = TABLES[table];
        const names = columns.map(({ name }) => `"${name}"`).join(', ');
        for (const row of await tx.unsafe(`select ${names} from "${schema}"."${table}"`)) {
          rows[table].push(textsOf(row, columns));
        }
      }
      const [place] = await tx.unsafe(`select height, hash from "${schema}".sink`);
      const isEmpty = place === undefined || place.height === null;
      return { place: isEmpty ? undefined : { height: Number(place.height), hash: String(place.hash) }, rows };
    });
  } finally {
    await sql.end();
  }
}

function textsOf(row: postgres.Row, columns: readonly Column[]): Record<string, string | null> {
  return Object.fromEntries(columns.map(({ name, kind }) => [name, textOf(row[name], kind)]));
}

/** JSON of the database has an order of keys of its own: see {@link sortedJson}. */
function textOf(value: unknown, kind: ColumnKind): string | null {
  if (value === null) return null;
  return kind === 'json' ? sortedJson(value) : String(value);
}

/** JSON with the keys of objects in one order. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
