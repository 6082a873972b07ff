import { closeSync, fstatSync, openSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CostPlace } from '../execute/choose/cost-keeper.js';
import { MOST_RECORD_BYTES } from '../execute/choose/cost-record.js';

/** File in the folder of a database. RocksDB leaves files alone that it does not know. */
export const COST_FILE = 'WARPSHREW-COSTS';

/** Keeps the costs that `auto` has learned in the folder of the database: they are no part of the state. */
export class CostFile implements CostPlace {
  readonly #path: string;

  constructor(dbDir: string) {
    this.#path = join(dbDir, COST_FILE);
  }

  /** One byte more than a record may have tells that it is too large. */
  read(): Uint8Array | undefined {
    let fd: number;
    try {
      fd = openSync(this.#path, 'r');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const bytes = new Uint8Array(Math.min(fstatSync(fd).size, MOST_RECORD_BYTES + 1));
      return bytes.slice(0, readSync(fd, bytes, 0, bytes.length, 0));
    } finally {
      closeSync(fd);
    }
  }

  /** Not brought to the disk: a torn file is found out by its sum, and dropped. */
  write(record: Uint8Array): void {
    const written = `${this.#path}.new`;
    writeFileSync(written, record);
    renameSync(written, this.#path);
  }
}
