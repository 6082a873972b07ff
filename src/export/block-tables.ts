/** The rows of one block. */
import { statusOf } from '../lane/receipt-status.js';
import type { Receipt } from '../lane/types.js';
import type { StateChange } from '../store/changes.js';
import type { StoreReader } from '../store/reader.js';
import type { BlockRecord } from '../store/types.js';
import { messageJson } from '../trace/receipt-json.js';
import { bytesEqual, readU32, toDisplayHash, toHex } from '../util/bytes.js';
import { contractOf, kindOf, movesOf } from './lane-keys.js';
import type { BlockChanges } from './spill.js';
import type { Row, TableName } from './tables.js';

const PREVIOUS_AT = 4;
const TIME_AT = 68;

/** The rows of a block, table by table; each is read when it is asked for. */
export interface BlockTables {
  readonly height: number;
  /** 32 bytes, wire order. */
  readonly hash: Uint8Array;
  rows(table: TableName): Iterable<Row>;
  /** Whether the block is in the chain, with what its rows follow from: beside a writer, to be asked after them. */
  isThere(): boolean;
}

/** `changes`: what the block changed, from the first on at each call; `isThere`: whether that is still to be had. */
export function blockTables(store: StoreReader, record: BlockRecord, { changes, isThere }: BlockChanges): BlockTables {
  const { height, hash } = record;
  const sources: Readonly<Record<TableName, () => Iterable<Row>>> = {
    blocks: () => [blockRow(record)],
    receipts: () => receiptRows(store.receipts(height)),
    changes: () => changeRows(height, changes()),
    transfers: () => transferRows(height, changes(), () => spentBy(store.receipts(height))),
  };
  return {
    height,
    hash,
    rows: (table) => sources[table](),
    isThere: () => isThere() && bytesEqual(store.blockHash(height), hash),
  };
}

function blockRow({ height, hash, header, roots, receiptCount, standardError }: BlockRecord): Row {
  return [
    height,
    toDisplayHash(hash),
    toDisplayHash(header.subarray(PREVIOUS_AT, PREVIOUS_AT + 32)),
    readU32(header, TIME_AT),
    toHex(header),
    roots?.standard ?? null,
    roots?.lane ?? null,
    roots?.state ?? null,
    receiptCount,
    standardError === undefined ? null : plainText(standardError),
  ];
}

function* receiptRows(receipts: Iterable<Receipt>): Generator<Row, void, void> {
  for (const receipt of receipts) {
    const { height, index, txid, fuel, messages, reads, readTotal, writes, writeTotal } = receipt;
    const { status, error } = statusOf(receipt);
    const shown = messages.map(messageJson);
    yield [
      height,
      index,
      txid,
      status,
      error === null ? null : plainText(error),
      fuel,
      jsonText(shown),
      jsonText(reads),
      readTotal,
      jsonText(writes),
      writeTotal,
    ];
  }
}

function* changeRows(height: number, changes: Iterable<StateChange>): Generator<Row, void, void> {
  for (const { ns, key, value } of changes) {
    const kind = ns === 'P' ? kindOf(key) : undefined;
    const contract = kind === undefined ? null : (contractOf(kind, key) ?? null);
    yield [height, ns, toHex(key), value === undefined ? null : toHex(value), kind ?? null, contract];
  }
}

function* transferRows(
  height: number,
  changes: Iterable<StateChange>,
  spent: () => ReadonlyMap<string, number>,
): Generator<Row, void, void> {
  let places: ReadonlyMap<string, number> | undefined;
  for (const change of changes) {
    if (change.ns !== 'P') continue;
    for (const { asset, output, contract, before, after } of movesOf(change)) {
      if (output !== undefined) places ??= spent();
      const place = output && places?.get(toHex(change.key));
      yield [
        height,
        asset,
        output?.txid ?? null,
        output?.vout ?? null,
        contract ?? null,
        before,
        after,
        after - before,
        place ?? null,
      ];
    }
  }
}

/** `sheet/`, hex. */
const SHEET = Buffer.from('sheet/').toString('hex');

/** Positions of the transactions that wrote the keys of outputs, as far as their receipts list them. */
function spentBy(receipts: Iterable<Receipt>): Map<string, number> {
  const places = new Map<string, number>();
  for (const { index, writes } of receipts) for (const key of writes) if (key.startsWith(SHEET)) places.set(key, index);
  return places;
}

/** U+0000, and halves of pairs. */
const SUSPECT = /[\0\ud800-\udfff]/;

/** What databases take for text: well-formed UTF-16 without U+0000, for all of which U+FFFD stands. */
function plainText(text: string): string {
  return SUSPECT.test(text) ? Buffer.from(text).toString().replaceAll('\0', '\ufffd') : text;
}

function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'string' ? plainText(part) : part));
}
