import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DumpPlace } from '../execute/health/kernel-device.js';

/** Files in the folder of a database begin with it. RocksDB leaves files alone that it does not know. */
const DUMP_FILE = 'WARPSHREW-MISMATCH-';
/** Beyond it no more are written: the first ones tell most. */
const MOST_DUMPS = 16;

/** Keeps dumps of disputed calls in the folder of the database: they are no part of the state. */
export class DumpFiles implements DumpPlace {
  constructor(readonly dbDir: string) {}

  /** Throws where the file cannot be written, or there are enough of them. */
  write(name: string, dump: Uint8Array): void {
    const own = `${DUMP_FILE}${name}.dump`;
    const kept = readdirSync(this.dbDir).filter((file) => file.startsWith(DUMP_FILE) && file !== own);
    if (kept.length >= MOST_DUMPS) throw new Error(`there are ${MOST_DUMPS} dumps already: delete them`);
    writeFileSync(join(this.dbDir, own), dump);
  }
}
