/** The schema of the sink, in SQL. */
import { type ColumnKind, TABLE_NAMES, TABLES, TABLES_VERSION, type TableName } from '../export/tables.js';

/** Of this layout: of the tables, and of what keeps the place. */
export const SINK_VERSION = 1;
/** The table that says which block is the last, and what the rows were made from. */
export const PLACE_TABLE = 'sink';

const TYPES: Readonly<Record<ColumnKind, string>> = {
  int: 'integer',
  long: 'bigint',
  // 2^128 has 39 digits; a difference has a sign, which is none of them.
  amount: 'numeric(39,0)',
  text: 'text',
  hex: 'text',
  json: 'jsonb',
};

/** Keys of a module may be longer than an index of order takes: those are found by hash. */
const INDEXES: Readonly<Record<TableName, readonly string[]>> = {
  blocks: ['(hash)'],
  receipts: ['(txid)'],
  changes: ['(height)', 'using hash (key)', '(contract, height) where contract is not null'],
  transfers: [
    '(height)',
    '(asset, height)',
    '(txid, vout) where txid is not null',
    '(contract) where contract is not null',
  ],
};
const PRIMARY_KEYS: readonly TableName[] = ['blocks', 'receipts'];

/** A name as SQL has it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function tableIn(schema: string, table: TableName | typeof PLACE_TABLE): string {
  return `${quoted(schema)}.${quoted(table)}`;
}

/** Statements that make everything in an existing schema. */
export function creation(schema: string): string[] {
  const statements = TABLE_NAMES.flatMap((table) => {
    const { columns, key } = TABLES[table];
    const lines = columns.map(
      ({ name, kind, nullable }) => `${quoted(name)} ${TYPES[kind]}${nullable ? '' : ' not null'}`,
    );
    if (PRIMARY_KEYS.includes(table)) lines.push(`primary key (${key.map(quoted).join(', ')})`);
    const name = tableIn(schema, table);
    return [
      `create table ${name} (${lines.join(', ')})`,
      ...INDEXES[table].map((on) => `create index on ${name} ${on}`),
    ];
  });
  return [
    ...statements,
    `create table ${tableIn(schema, PLACE_TABLE)} (
      one boolean primary key default true check (one),
      version integer not null, tables integer not null, network text not null, module_hash text not null,
      lane_start_height integer not null, dependent text not null, rules integer not null,
      height integer, hash text, updated timestamptz not null default now()
    )`,
  ];
}

/** Puts rows that are given as the JSON text of an array of objects. */
export function insertion(schema: string, table: TableName): string {
  const names = TABLES[table].columns.map(({ name }) => quoted(name)).join(', ');
  const into = tableIn(schema, table);
  return `insert into ${into} (${names}) select ${names} from json_populate_recordset(null::${into}, $1::text::json)`;
}

/** The version of all that a schema says it holds. */
export const VERSIONS = { version: SINK_VERSION, tables: TABLES_VERSION } as const;
