import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { toDisplayHash } from '../util/bytes.js';
import type { BlockTables } from './block-tables.js';
import type { Format } from './formats.js';
import { type ExportedFile, filePath, type Part, syncFolder, UNFINISHED } from './manifest.js';
import { type TableFile, tableFile, writing } from './table-file.js';
import { TABLE_NAMES, type TableName } from './tables.js';

const READ_BYTES = 1 << 20;

/** The files of one part under temporary names, until all of them are whole. */
export class PartWriter {
  readonly #folder: string;
  readonly #from: number;
  readonly #format: Format;
  readonly #files: Readonly<Record<TableName, { readonly path: string; readonly file: TableFile; rows: number }>>;

  /** `from`: height of the first block. Throws EnvironmentError ENV_UNWRITABLE, as all of its methods do. */
  constructor(folder: string, from: number, format: Format) {
    this.#folder = folder;
    this.#from = from;
    this.#format = format;
    this.#files = byTable((table) => {
      const path = join(folder, filePath(table, from, from, '00000000', format) + UNFINISHED);
      return { path, file: tableFile(path, table, format), rows: 0 };
    });
  }

  add(block: BlockTables): void {
    for (const table of TABLE_NAMES) {
      const of = this.#files[table];
      for (const row of block.rows(table)) {
        of.file.add(row);
        of.rows++;
      }
    }
  }

  /** Gives the files their names; `last`: the last block of the part. */
  end({ height: to, hash: wire }: Pick<BlockTables, 'height' | 'hash'>): Part {
    const hash = toDisplayHash(wire);
    for (const { file } of Object.values(this.#files)) file.end();
    const files = byTable((table): ExportedFile => {
      const { path: temporary, rows } = this.#files[table];
      const path = filePath(table, this.#from, to, hash, this.#format);
      return writing(temporary, () => {
        const { sha256, bytes } = digestOf(temporary);
        renameSync(temporary, join(this.#folder, path));
        syncFolder(join(this.#folder, table));
        return { path, rows, bytes, sha256 };
      });
    });
    return { from: this.#from, to, hash, files };
  }

  /** Deletes what is not whole. */
  discard(): void {
    for (const { path, file } of Object.values(this.#files)) {
      file.discard();
      rmSync(path, { force: true });
    }
  }
}

function byTable<T>(of: (table: TableName) => T): Record<TableName, T> {
  return Object.fromEntries(TABLE_NAMES.map((table) => [table, of(table)])) as Record<TableName, T>;
}

function digestOf(path: string): { readonly sha256: string; readonly bytes: number } {
  const file = openSync(path, 'r');
  try {
    const hash = createHash('sha256');
    const chunk = Buffer.alloc(READ_BYTES);
    let bytes = 0;
    for (;;) {
      const read = readSync(file, chunk);
      if (read === 0) return { sha256: hash.digest('hex'), bytes };
      hash.update(chunk.subarray(0, read));
      bytes += read;
    }
  } finally {
    closeSync(file);
  }
}
