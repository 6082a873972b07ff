/** Chains of random blocks that move assets, and what their tables must hold, worked out from states alone. */
import { balanceKey, codeKey, sheetKey } from '../../src/lane/keys.js';
import { statusOf } from '../../src/lane/receipt-status.js';
import { formatId, idFromBytes } from '../../src/protocol/alkane-id.js';
import { decodeSheet, encodeSheet, Sheet } from '../../src/protocol/sheet.js';
import type { StoreReader } from '../../src/store/reader.js';
import type { Store } from '../../src/store/store.js';
import type { BlockCommit } from '../../src/store/types.js';
import { messageJson } from '../../src/trace/receipt-json.js';
import { readU32, readU128, toDisplayHash, toHex, U128_MAX, u128Bytes } from '../../src/util/bytes.js';
import { sha256 } from '../../src/util/sha256.js';
import { bytes, name, plan, receipt } from '../store/helpers.js';

type Random = (n: number) => number;

const NOTHING = new Uint8Array(0);

/** Block `height` on `previous`, another one with each call. */
export function laneBlock(height: number, previous: Uint8Array, random: Random): BlockCommit {
  const header = new Uint8Array(80).map(() => random(256));
  header.set(previous, 4);
  const id = () => ({ block: 2n, tx: BigInt(random(5)) });
  const amount = (): bigint => [1n, 7n, BigInt(random(1e9)), U128_MAX][random(4)];
  const writes = new Map<string, Uint8Array | undefined>();
  for (let i = random(12); i > 0; i--) {
    const key = sheetKey(new Uint8Array(32).fill(random(6)), random(2));
    const sheet = Sheet.of(
      [0, 1, 2].slice(random(3)).map((tx) => ({ id: { block: 2n, tx: BigInt(tx) }, amount: amount() })),
    );
    writes.set(key, random(3) === 0 ? undefined : encodeSheet(sheet));
  }
  for (let i = random(6); i > 0; i--) {
    writes.set(balanceKey(id(), id()), random(4) === 0 ? undefined : u128Bytes(amount()));
  }
  if (random(3) === 0) writes.set(codeKey(id()), bytes(`code ${random(3)}`));
  if (random(3) === 0) writes.set(name('\0odd key'), random(2) === 0 ? undefined : bytes(''));
  const standard = Array.from(
    { length: random(12) },
    () => [name(`key ${random(30)}\0`), bytes('v'.repeat(random(4)) + random(9))] as const,
  );
  const hostile = { error: 'bad \0 text, "quoted"\n \ud800', status: 'REVERT' } as const;
  const receipts = Array.from({ length: random(4) }, (_, i) => {
    const made = receipt(height, i, { txid: toHex(sha256(bytes(`${height} ${i} ${random(1e9)}`))) });
    const listed = [...writes.keys()].map((key) => toHex(Buffer.from(key, 'latin1')));
    const messages = random(2) === 0 ? made.messages : made.messages.map((message) => ({ ...message, ...hostile }));
    return { ...made, messages, writes: listed.slice(random(4)), writeTotal: listed.length };
  });
  return {
    height,
    hash: sha256(sha256(header)),
    header,
    standardWrites: new Map(standard),
    laneWrites: writes,
    receipts,
    plan: plan(height),
    ...(random(8) === 0 && { standardError: 'it stopped\0' }),
  };
}

/** Adds `count` blocks. */
export function grow(store: Store, count: number, random: Random, final = false): void {
  for (let i = 0; i < count; i++) {
    const tip = store.tip();
    store.commitBlock(laneBlock((tip?.height ?? -1) + 1, tip?.hash ?? new Uint8Array(32), random), {
      final,
      moreFollow: true,
    });
  }
}

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
        const text = raw.toString('latin1');
        const kind = /^(sheet|balance|code)\//.exec(text)?.[1] ?? null;
        const owner = kind === 'balance' ? 40 : kind === 'code' ? 5 : undefined;
        const contract = owner === undefined ? null : formatId(idFromBytes(raw, owner));
        all.changes.push({ height: at, namespace, key, value: now === undefined ? null : toHex(now), kind, contract });
        const move = (asset: string, of: Record<string, string | null>, was: bigint, is: bigint): void => {
          if (was === is) return;
          const amounts = { before: String(was), after: String(is), delta: String(is - was) };
          all.transfers.push({
            height: at,
            asset,
            txid: null,
            vout: null,
            contract: null,
            tx_index: null,
            ...of,
            ...amounts,
          });
        };
        if (kind === 'balance') {
          const amountOf = (value: Uint8Array | undefined): bigint => (value === undefined ? 0n : readU128(value, 0));
          move(formatId(idFromBytes(raw, 8)), { contract }, amountOf(old), amountOf(now));
        }
        if (kind === 'sheet') {
          const [was, is] = [decodeSheet(old), decodeSheet(now)];
          const place = receipts.filter((one) => one.writes.includes(key)).at(-1)?.index;
          const of = {
            txid: toDisplayHash(raw.subarray(6, 38)),
            vout: String(readU32(raw, 38)),
            tx_index: place === undefined ? null : String(place),
          };
          for (const tx of [0n, 1n, 2n]) move(`2:${tx}`, of, was.get({ block: 2n, tx }), is.get({ block: 2n, tx }));
        }
      }
    }
  }
  return all;
}

/** The same rows in one order. */
export const sorted = (records: Records): string[] =>
  records.map((record) => JSON.stringify(Object.entries(record).sort())).sort();
