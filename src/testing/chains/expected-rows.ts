/** What the tables of blocks must hold (docs/data-out.md), worked out from whole states and receipts alone. */
import { statusOf } from '../../lane/receipt-status.js';
import { formatId, idFromBytes } from '../../protocol/alkane-id.js';
import { decodeSheet } from '../../protocol/sheet.js';
import type { StoreReader } from '../../store/reader.js';
import { messageJson } from '../../trace/receipt-json.js';
import { readU32, readU128, toDisplayHash, toHex } from '../../util/bytes.js';

const NOTHING = new Uint8Array(0);

export type Records = Record<string, string | null>[];
export type Expected = Record<'blocks' | 'receipts' | 'changes' | 'transfers', Records>;

/** All keys after a block. */
function stateAt(store: StoreReader, ns: 'S' | 'P', height: number): Map<string, Uint8Array> {
  const entries = height < 0 ? [] : store.entriesAt(ns, NOTHING, height);
  return new Map([...entries].map(([key, value]) => [toHex(key), value]));
}

const clean = (text: string): string => text.replaceAll('\0', '\ufffd').replace(/\ud800/g, '\ufffd');

/** The rows of blocks, every value as text, in an order of their own. */
export function expectedRows(store: StoreReader, from: number, to: number): Expected {
  const all: Expected = { blocks: [], receipts: [], changes: [], transfers: [] };
  for (let height = from; height <= to; height++) {
    const record = store.blockRecord(height);
    if (record === undefined) throw new Error(`no block ${height}`);
    const at = String(height);
    all.blocks.push({
      height: at,
      hash: toDisplayHash(record.hash),
      previous: toDisplayHash(record.header.slice(4, 36)),
      time: String(readU32(record.header, 68)),
      header: toHex(record.header),
      standard_root: record.roots?.standard ?? null,
      lane_root: record.roots?.lane ?? null,
      state_root: record.roots?.state ?? null,
      receipts: String(record.receiptCount),
      standard_error: record.standardError === undefined ? null : clean(record.standardError),
    });
    const receipts = [...store.receipts(height)];
    for (const one of receipts) {
      const { status, error } = statusOf(one);
      all.receipts.push({
        height: at,
        tx_index: String(one.index),
        txid: one.txid,
        status,
        error: error && clean(error),
        fuel: String(one.fuel),
        messages: JSON.stringify(one.messages.map(messageJson), (_, part: unknown) =>
          typeof part === 'string' ? clean(part) : part,
        ),
        reads: JSON.stringify(one.reads),
        read_total: String(one.readTotal),
        writes: JSON.stringify(one.writes),
        write_total: String(one.writeTotal),
      });
    }
    for (const namespace of ['S', 'P'] as const) {
      const [before, after] = [stateAt(store, namespace, height - 1), stateAt(store, namespace, height)];
      for (const key of new Set([...before.keys(), ...after.keys()])) {
        const [old, now] = [before.get(key), after.get(key)];
        if (old !== undefined && now !== undefined && toHex(old) === toHex(now)) continue;
        const raw = Buffer.from(key, 'hex');
        const kind = namespace === 'P' ? kindOf(raw.toString('latin1')) : null;
        const owner = OWNER_AT[kind ?? ''];
        const contract = owner === undefined ? null : formatId(idFromBytes(raw, owner));
        all.changes.push({ height: at, namespace, key, value: now === undefined ? null : toHex(now), kind, contract });
        const move = (asset: string, of: Record<string, string | null>, was: bigint, is: bigint): void => {
          if (was === is) return;
          const amounts = { before: String(was), after: String(is), delta: String(is - was) };
          const none = { txid: null, vout: null, contract: null, tx_index: null };
          all.transfers.push({ height: at, asset, ...none, ...of, ...amounts });
        };
        if (kind === 'balance') {
          const amountOf = (value: Uint8Array | undefined): bigint => (value === undefined ? 0n : readU128(value, 0));
          move(formatId(idFromBytes(raw, 8)), { contract }, amountOf(old), amountOf(now));
        }
        if (kind === 'sheet') {
          const [was, is] = [amountsIn(old), amountsIn(now)];
          const place = receipts.filter((one) => one.writes.includes(key)).at(-1)?.index;
          const of = {
            txid: toDisplayHash(raw.subarray(6, 38)),
            vout: String(readU32(raw, 38)),
            tx_index: place === undefined ? null : String(place),
          };
          for (const asset of new Set([...was.keys(), ...is.keys()])) {
            move(asset, of, was.get(asset) ?? 0n, is.get(asset) ?? 0n);
          }
        }
      }
    }
  }
  return all;
}

/** Where the id of a contract stands in the keys that belong to one. */
const OWNER_AT: Readonly<Record<string, number>> = { balance: 40, code: 5, store: 6 };

function kindOf(key: string): string | null {
  return key === 'sequence' ? key : (/^(sheet|balance|code|store)\//.exec(key)?.[1] ?? null);
}

function amountsIn(sheet: Uint8Array | undefined): Map<string, bigint> {
  return new Map(
    decodeSheet(sheet)
      .entries()
      .map(({ id, amount }) => [formatId(id), amount]),
  );
}

/** The same rows in one order. */
export const sorted = (records: Records): string[] =>
  records.map((record) => JSON.stringify(Object.entries(record).sort())).sort();
