import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { InputError, UsageError } from '../errors/errors.js';
import { openReader } from '../store/open-reader.js';
import type { Namespace } from '../store/types.js';
import { fromBinaryString } from '../util/bytes.js';
import { PairsDigest } from '../util/pairs-digest.js';
import { RockshrewRows } from './rockshrew-rows.js';

export interface DigestOptions {
  readonly db?: string;
  /** Listing of a database of rockshrew-mono; `-`: standard input. */
  readonly rows?: string;
  readonly height?: number;
  readonly namespace: Namespace;
  readonly prefix: Uint8Array;
  readonly label?: string;
  readonly json?: boolean;
}

/** `warpshrew digest`: {@link PairsDigest} of the keys and values after a block. */
export async function digestCommand(options: DigestOptions): Promise<{ text: string; exitStatus: number }> {
  const { db, rows, height } = options;
  if ((db === undefined) === (rows === undefined)) {
    throw new UsageError('USAGE_DIGEST_FROM', 'a digest is made of one state', {
      hint: 'Give --db DIR, or --rows FILE with the rows of a rockshrew-mono database.',
    });
  }
  const digest = new PairsDigest();
  const at = db === undefined ? await ofRows(rows ?? '-', options, digest) : await ofDatabase(db, options, digest);
  const { pairs, valueBytes } = digest;
  const told = { height: at ?? height ?? null, keys: pairs, valueBytes, digest: digest.hex() };
  if (options.json) return { text: JSON.stringify(told), exitStatus: 0 };
  const where = told.height === null ? 'the newest state' : `after block ${told.height}`;
  return { text: `${told.digest}  ${where}: ${pairs} keys, ${valueBytes} bytes of values`, exitStatus: 0 };
}

/** Returns the height of the state. */
async function ofDatabase(db: string, options: DigestOptions, digest: PairsDigest): Promise<number> {
  const { namespace, prefix } = options;
  const store = await openReader(db);
  try {
    const tip = store.tip()?.height ?? -1;
    const height = options.height ?? tip;
    if (height > tip || store.blockHash(height) === undefined) {
      throw new UsageError('USAGE_HEIGHT_NOT_INDEXED', 'the database has no block of that height', {
        facts: { height, tip },
      });
    }
    for (const [key, value] of store.entriesAt(namespace, prefix, height)) digest.add(key, value);
    return height;
  } finally {
    await store.close();
  }
}

async function ofRows(path: string, options: DigestOptions, digest: PairsDigest): Promise<undefined> {
  const { height, prefix, label } = options;
  const rows = new RockshrewRows({ prefix, ...(height !== undefined && { height }), ...(label && { label }) });
  const input = path === '-' ? process.stdin : createReadStream(path);
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) rows.add(line);
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw new InputError('FILE_UNREADABLE', 'the file cannot be read', { facts: { path }, cause });
  }
  for (const [key, value] of rows.pairs()) digest.add(fromBinaryString(key), value);
}
