import { closeSync, fsyncSync, openSync } from 'node:fs';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { EnvironmentError } from '../errors/errors.js';
import { VERSION } from '../util/version.js';
import type { Column, ColumnKind, Row, Value } from './tables.js';

/** Rows of a group, and characters of their texts, after which it is written: it is in memory as a whole. */
const GROUP_ROWS = 50_000;
const GROUP_LENGTH = 16 << 20;

type Element = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number];

const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;
const TYPES: Readonly<Record<ColumnKind, Pick<Element, 'type' | 'converted_type'>>> = {
  int: { type: 'INT32' },
  long: { type: 'INT64' },
  // The decimals of Parquet have 38 digits at most, and 2^128 has 39.
  amount: TEXT,
  text: TEXT,
  hex: TEXT,
  json: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
};

/** A Parquet file of one table, row group by row group, packed by Snappy. */
export class ParquetFile {
  readonly #path: string;
  readonly #columns: readonly Column[];
  readonly #writer: ParquetWriter;
  #data: (number | bigint | string | null)[][];
  #rows = 0;
  #length = 0;

  constructor(path: string, columns: readonly Column[]) {
    this.#path = path;
    this.#columns = columns;
    const schema: Element[] = columns.map(({ name, kind, nullable }) => ({
      name,
      ...TYPES[kind],
      repetition_type: nullable ? 'OPTIONAL' : 'REQUIRED',
    }));
    this.#writer = this.#writing(
      () =>
        new ParquetWriter({
          writer: fileWriter(path),
          schema: [{ name: 'root', num_children: columns.length }, ...schema],
          createdBy: `warpshrew version ${VERSION}`,
        }),
    );
    this.#data = columns.map(() => []);
  }

  add(row: Row): void {
    for (const [i, { kind }] of this.#columns.entries()) {
      const value = stored(row[i], kind);
      this.#data[i].push(value);
      if (typeof value === 'string') this.#length += value.length;
    }
    this.#rows++;
    if (this.#rows >= GROUP_ROWS || this.#length >= GROUP_LENGTH) this.#endGroup();
  }

  end(): void {
    this.#endGroup();
    this.#writing(() => {
      void this.#writer.finish();
      const file = openSync(this.#path, 'r+');
      try {
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    });
  }

  /** Nothing is held open. */
  discard(): void {
    this.#data = [];
  }

  #endGroup(): void {
    if (this.#rows === 0) return;
    const columnData = this.#columns.map(({ name }, i) => ({ name, data: this.#data[i] }));
    this.#writing(() => void this.#writer.write({ columnData, rowGroupSize: this.#rows }));
    this.#data = this.#columns.map(() => []);
    this.#rows = 0;
    this.#length = 0;
  }

  #writing<T>(write: () => T): T {
    try {
      return write();
    } catch (cause) {
      if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
      const facts = { path: this.#path };
      throw new EnvironmentError('ENV_UNWRITABLE', 'the file cannot be written', { facts, cause });
    }
  }
}

function stored(value: Value, kind: ColumnKind): Value {
  if (value === null) return null;
  if (kind === 'long') return BigInt(value);
  return kind === 'amount' ? String(value) : value;
}
