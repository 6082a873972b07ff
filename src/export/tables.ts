/**
 * The tables that leave the program, as files and in PostgreSQL: one model of their columns. Rows hold what the chain
 * and its rules give, and nothing of how a host ran it: two hosts write the same.
 */

/**
 * `int`: a whole number below 2^31; `long`: one below 2^53; `amount`: a whole number of any size, as decimal text in
 * files; `text`: well-formed, without U+0000; `hex`: bytes in lower-case hex; `json`: JSON as text.
 */
export type ColumnKind = 'int' | 'long' | 'amount' | 'text' | 'hex' | 'json';

export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly nullable: boolean;
}

/** `int` and `long` are numbers, `amount` is a bigint, all else is text. */
export type Value = number | bigint | string | null;
/** In the order of the columns. */
export type Row = readonly Value[];

export const TABLE_NAMES = ['blocks', 'receipts', 'changes', 'transfers'] as const;
export type TableName = (typeof TABLE_NAMES)[number];

const column = (name: string, kind: ColumnKind): Column => ({ name, kind, nullable: false });
const optional = (name: string, kind: ColumnKind): Column => ({ name, kind, nullable: true });

/** Raised when a table or column changes. */
export const TABLES_VERSION = 1;

export interface Table {
  readonly columns: readonly Column[];
  /** Columns of which no two rows have the same, nulls counted as a value. */
  readonly key: readonly string[];
}

export const TABLES: Readonly<Record<TableName, Table>> = {
  blocks: {
    columns: [
      column('height', 'int'),
      column('hash', 'hex'),
      column('previous', 'hex'),
      column('time', 'long'),
      column('header', 'hex'),
      optional('standard_root', 'hex'),
      optional('lane_root', 'hex'),
      optional('state_root', 'hex'),
      column('receipts', 'int'),
      optional('standard_error', 'text'),
    ],
    key: ['height'],
  },
  receipts: {
    columns: [
      column('height', 'int'),
      column('tx_index', 'int'),
      column('txid', 'hex'),
      column('status', 'text'),
      optional('error', 'text'),
      column('fuel', 'long'),
      column('messages', 'json'),
      column('reads', 'json'),
      column('read_total', 'int'),
      column('writes', 'json'),
      column('write_total', 'int'),
    ],
    key: ['height', 'tx_index'],
  },
  changes: {
    columns: [
      column('height', 'int'),
      column('namespace', 'text'),
      column('key', 'hex'),
      optional('value', 'hex'),
      optional('kind', 'text'),
      optional('contract', 'text'),
    ],
    key: ['height', 'namespace', 'key'],
  },
  transfers: {
    columns: [
      column('height', 'int'),
      column('asset', 'text'),
      optional('txid', 'hex'),
      optional('vout', 'long'),
      optional('contract', 'text'),
      column('before', 'amount'),
      column('after', 'amount'),
      column('delta', 'amount'),
      optional('tx_index', 'int'),
    ],
    key: ['height', 'asset', 'txid', 'vout', 'contract'],
  },
};
