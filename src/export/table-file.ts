/** A file of one table, in one of three formats. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { EnvironmentError } from '../errors/errors.js';
import type { Format } from './formats.js';
import { ParquetFile } from './parquet-file.js';
import { type Column, type Row, TABLES, type TableName, type Value } from './tables.js';

/** Takes rows, and has written all of them to the disk when it is ended. */
export interface TableFile {
  add(row: Row): void;
  end(): void;
  /** Lets go of the file, whatever it holds. */
  discard(): void;
}

const BUFFER_BYTES = 1 << 18;

/** Makes the file at `path`. Its methods throw EnvironmentError ENV_UNWRITABLE, as this does. */
export function tableFile(path: string, table: TableName, format: Format): TableFile {
  const { columns } = TABLES[table];
  if (format === 'parquet') return new ParquetFile(path, columns);
  const lines = new LineFile(path, format === 'csv' ? csvLine : jsonLine, columns);
  if (format === 'csv') lines.line(columns.map(({ name }) => name).join(','));
  return lines;
}

/** A row as one JSON object: amounts as text, JSON as it is, null for what is not there. */
export function jsonLine(row: Row, columns: readonly Column[]): string {
  const fields = columns.map(({ name, kind }, i) => {
    const value = row[i];
    if (value === null) return `"${name}":null`;
    return `"${name}":${kind === 'json' || typeof value === 'number' ? value : JSON.stringify(String(value))}`;
  });
  return `{${fields.join(',')}}`;
}

/** RFC 4180, but that lines end in LF; nothing for what is not there, `""` for an empty text. */
function csvLine(row: Row): string {
  return row.map(csvField).join(',');
}

function csvField(value: Value): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  return value === '' || /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

class LineFile implements TableFile {
  readonly #path: string;
  readonly #of: (row: Row, columns: readonly Column[]) => string;
  readonly #columns: readonly Column[];
  readonly #file: number;
  #open = true;
  #lines: string[] = [];
  #length = 0;

  constructor(path: string, of: (row: Row, columns: readonly Column[]) => string, columns: readonly Column[]) {
    this.#path = path;
    this.#of = of;
    this.#columns = columns;
    this.#file = writing(path, () => openSync(path, 'w'));
  }

  add(row: Row): void {
    this.line(this.#of(row, this.#columns));
  }

  line(text: string): void {
    this.#lines.push(text);
    this.#length += text.length;
    if (this.#length >= BUFFER_BYTES) this.#flush();
  }

  end(): void {
    this.#flush();
    writing(this.#path, () => fsyncSync(this.#file));
    this.discard();
  }

  discard(): void {
    if (this.#open) closeSync(this.#file);
    this.#open = false;
  }

  #flush(): void {
    if (this.#lines.length === 0) return;
    const bytes = Buffer.from(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
    this.#length = 0;
    writing(this.#path, () => {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    });
  }
}

/** What `write` gives. Throws EnvironmentError ENV_UNWRITABLE if it fails. */
export function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (cause) {
    throw new EnvironmentError('ENV_UNWRITABLE', 'the file cannot be written', { facts: { path }, cause });
  }
}
