import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { EnvironmentError, InternalError, UsageError } from '../errors/errors.js';
import { formatId, idFromBytes } from '../protocol/alkane-id.js';
import { decodeSheet } from '../protocol/sheet.js';
import type { StoreReader } from '../store/reader.js';
import { Store } from '../store/store.js';
import { readU32, readU128, toDisplayHash, toHex } from '../util/bytes.js';

const NOTHING = new Uint8Array(0);
const ID_BYTES = 32;
const TXID_BYTES = 32;

/** The parallel lane's state after one block; amounts and ids as decimal text, keys and values as hex. */
export interface LaneDump {
  readonly height: number;
  /** Next sequence number. */
  readonly sequence: string;
  readonly sheets: Record<string, Record<string, string>>;
  readonly storage: Record<string, Record<string, string>>;
  readonly balances: Record<string, Record<string, string>>;
  readonly code: Record<string, string>;
}

/** Reads every key of namespace P (docs/lane-rules.md, section 7) at `height`. */
export function dumpLane(store: StoreReader, height: number): LaneDump {
  const dump: LaneDump = { height, sequence: '1', sheets: {}, storage: {}, balances: {}, code: {} };
  let sequence = dump.sequence;
  for (const [key, value] of store.entriesAt('P', NOTHING, height)) {
    const text = Buffer.from(key).toString('latin1');
    if (text === 'sequence') sequence = readU128(value, 0).toString();
    else if (text.startsWith('sheet/')) dump.sheets[outpoint(key.subarray(6))] = sheetJson(value);
    else if (text.startsWith('code/')) dump.code[idText(key, 5)] = codeText(value);
    else if (text.startsWith('store/'))
      put(dump.storage, idText(key, 6), toHex(key.subarray(6 + ID_BYTES + 1)), toHex(value));
    else if (text.startsWith('balance/'))
      put(dump.balances, idText(key, 8), idText(key, 8 + ID_BYTES), readU128(value, 0).toString());
    else throw new InternalError('a key of the parallel lane has no known prefix', { facts: { key: toHex(key) } });
  }
  return { ...dump, sequence };
}

/** `warpshrew dump --db DIR`. */
export async function dumpCommand(options: {
  readonly db: string;
  readonly height?: number;
  readonly receipts?: string;
}): Promise<{ text: string; exitStatus: number }> {
  const store = await Store.openRecorded(options.db, { readOnly: true });
  try {
    const tip = store.tip()?.height;
    const height = options.height ?? tip;
    if (tip === undefined || height === undefined || height > tip) {
      throw new UsageError('USAGE_HEIGHT_NOT_INDEXED', 'the database has no block of that height', {
        facts: {
          ...(options.height === undefined ? {} : { height: options.height }),
          ...(tip === undefined ? {} : { tip }),
        },
      });
    }
    if (options.receipts !== undefined) writeReceipts(store, options.receipts, height);
    return { text: JSON.stringify(dumpLane(store, height)), exitStatus: 0 };
  } finally {
    await store.close();
  }
}

function writeReceipts(store: StoreReader, path: string, last: number): void {
  let file: number;
  try {
    file = openSync(path, 'w');
  } catch (cause) {
    throw new EnvironmentError('ENV_UNWRITABLE', 'the file cannot be written', { facts: { path }, cause });
  }
  try {
    for (let height = firstHeight(store, last); height <= last; height++) {
      for (const receipt of store.receipts(height)) writeSync(file, `${JSON.stringify(receipt)}\n`);
    }
  } finally {
    closeSync(file);
  }
}

/** Heights of a store are consecutive: walk down to the first. */
function firstHeight(store: StoreReader, last: number): number {
  let height = last;
  while (height > 0 && store.blockHash(height - 1) !== undefined) height--;
  return height;
}

function outpoint(bytes: Uint8Array): string {
  return `${toDisplayHash(bytes.subarray(0, TXID_BYTES))}:${readU32(bytes, TXID_BYTES)}`;
}

function idText(key: Uint8Array, at: number): string {
  return formatId(idFromBytes(key.subarray(at, at + ID_BYTES)));
}

function codeText(value: Uint8Array): string {
  if (value[0] === 1) return `clone of ${formatId(idFromBytes(value.subarray(1, 1 + ID_BYTES)))}`;
  return createHash('sha256').update(value.subarray(1)).digest('hex');
}

function sheetJson(value: Uint8Array): Record<string, string> {
  return Object.fromEntries(
    [...decodeSheet(value).entries()].map(({ id, amount }) => [formatId(id), amount.toString()]),
  );
}

function put(into: Record<string, Record<string, string>>, outer: string, inner: string, value: string): void {
  into[outer] ??= {};
  into[outer][inner] = value;
}
