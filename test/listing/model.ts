/** Random chains of lane blocks, and what listings of them must give, by going through everything. */
import { createHash } from 'node:crypto';
import { balanceKey, codeKey, keyBytes, keyHex, sheetKey, storagePrefix } from '../../src/lane/keys.js';
import { statusOf } from '../../src/lane/receipt-status.js';
import { MESSAGE_STATUSES, type MessageReceipt, type Receipt } from '../../src/lane/types.js';
import { formatId, idBytes } from '../../src/protocol/alkane-id.js';
import { encodeSheet, Sheet } from '../../src/protocol/sheet.js';
import type { AlkaneId } from '../../src/protocol/types.js';
import type { BlockCommit } from '../../src/store/types.js';
import {
  compareBytes,
  concatBytes,
  fromBinaryString,
  fromDisplayHash,
  toBinaryString,
  toHex,
  u128Bytes,
} from '../../src/util/bytes.js';
import { block, receipt } from '../store/helpers.js';

export type Random = (n: number) => number;

/** Values by key of namespace P, with the height that wrote each. */
export type State = ReadonlyMap<string, { readonly value: Uint8Array; readonly written: number }>;

export interface ModelBlock {
  readonly state: State;
  readonly receipts: readonly Receipt[];
  /** By id. */
  readonly creators: ReadonlyMap<string, string>;
  /** By key of a sheet: what the block deleted, and the transaction that did. */
  readonly spenders: ReadonlyMap<string, string>;
}

/** Blocks by height, from 0 on. */
export type Model = ModelBlock[];

export const idOf = (n: number): AlkaneId => ({ block: n % 2 === 0 ? 2n : 4n, tx: BigInt(1 + (n >> 1) * 255) });
export const IDS = Array.from({ length: 8 }, (_, n) => idOf(n));

const storage = (id: AlkaneId, key: Uint8Array): string => storagePrefix(id) + toBinaryString(key);

function message(random: Random): MessageReceipt {
  const [base] = receipt(0, 0).messages;
  const status = MESSAGE_STATUSES[random(MESSAGE_STATUSES.length)];
  const target = random(8) === 0 ? undefined : formatId(IDS[random(IDS.length)]);
  const calls = Array.from({ length: random(4) === 0 ? random(4) : 0 }, () => ({
    ...{ depth: 1, kind: 'call' as const, codeHash: '00'.repeat(32), opcode: undefined, fuelUsed: 1 },
    ...{ status: 'OK' as const, parcel: 0, transfers: 0, dataBytes: 0 },
    target: formatId(IDS[random(IDS.length)]),
  }));
  const logTotal = random(5) === 0 ? 1 : 0;
  const logs = logTotal === 0 ? [] : [{ frame: 0, data: 'ff', bytes: 1 }];
  return { ...base, status, target, calls, callTotal: calls.length, logs, logTotal, data: '', dataBytes: 0 };
}

/** The next block of a model: contracts appear, storage and balances change, outputs come and go. */
export function nextBlock(model: Model, random: Random): BlockCommit {
  const height = model.length;
  const before = model.at(-1)?.state ?? new Map();
  const writes = new Map<string, Uint8Array | undefined>();
  const creators = new Map<string, string>();
  const spenders = new Map<string, string>();
  const receipts: Receipt[] = [];
  let index = random(3);
  for (let n = random(5); n > 0; n--, index += 1 + random(3)) {
    const own: string[] = [];
    const write = (key: string, value: Uint8Array | undefined): void => {
      writes.set(key, value);
      own.push(keyHex(key));
    };
    const messages = Array.from({ length: random(3) }, () => message(random));
    const made = receipt(height, index, { messages, undone: random(9) === 0 ? 'overflow' : undefined });
    const id = IDS[random(IDS.length)];
    const has = (key: string): boolean => (writes.has(key) ? writes.get(key) !== undefined : before.has(key));
    if (random(3) === 0 && !has(codeKey(id))) {
      const original = IDS.find((other) => before.get(codeKey(other))?.value[0] === 0);
      const isClone = original !== undefined && random(2) === 0;
      const code = isClone ? concatBytes(Uint8Array.of(1), idBytes(original)) : Uint8Array.of(0, random(3), 7);
      write(codeKey(id), code);
      creators.set(formatId(id), made.txid);
      messages.push({ ...message(() => 0), target: formatId(id) });
    }
    for (let i = random(4); i > 0; i--) {
      const key = Uint8Array.from({ length: random(3) }, () => random(3));
      write(storage(IDS[random(3)], key), random(3) === 0 ? undefined : new Uint8Array(random(3)).fill(height));
    }
    for (let i = random(3); i > 0; i--) {
      const amount = random(4) === 0 ? undefined : u128Bytes(BigInt(1 + random(1_000)));
      write(balanceKey(IDS[random(4)], IDS[random(IDS.length)]), amount);
    }
    const spent = [...before.keys()].find((key) => key.startsWith('sheet/') && !writes.has(key) && random(2) === 0);
    if (spent !== undefined) {
      write(spent, undefined);
      spenders.set(spent, made.txid);
    }
    if (random(2) === 0) {
      const entries = IDS.slice(0, 1 + random(3)).map((asset) => ({ id: asset, amount: BigInt(1 + random(99)) }));
      write(sheetKey(fromDisplayHash(made.txid), random(2)), encodeSheet(Sheet.of(entries)));
    }
    receipts.push({ ...made, messages, writes: own.sort(), writeTotal: own.length });
  }
  const state = new Map(before);
  for (const [key, value] of writes) {
    if (value === undefined) state.delete(key);
    else state.set(key, { value, written: height });
  }
  model.push({ state, receipts, creators, spenders });
  return { ...block(height), laneWrites: writes, receipts };
}

/** Keys of a state that begin with `prefix`, ascending by bytes. */
export function keysUnder(state: State, prefix: string): string[] {
  const keys = [...state.keys()].filter((key) => key.startsWith(prefix));
  return keys.sort((a, b) => compareBytes(fromBinaryString(a), fromBinaryString(b)));
}

export function contractsAt(model: Model, height: number): { id: string; [name: string]: unknown }[] {
  const { state } = model[height];
  return keysUnder(state, 'code/').map((key) => {
    const { value, written } = state.get(key) ?? { value: new Uint8Array(0), written: -1 };
    const id = IDS.find((one) => codeKey(one) === key) ?? IDS[0];
    const original = value[0] === 0 ? undefined : IDS.find((one) => toHex(idBytes(one)) === toHex(value.subarray(1)));
    const code = original === undefined ? value : (state.get(codeKey(original))?.value ?? value);
    const codeHash = createHash('sha256').update(code.subarray(1)).digest('hex');
    const cloneOf = original === undefined ? null : formatId(original);
    const txid = model[written].creators.get(formatId(id)) ?? null;
    return { id: formatId(id), codeHash, cloneOf, height: written, txid };
  });
}

/** Ids that a receipt names. */
export function namedIn({ messages }: Receipt): Set<string> {
  return new Set(messages.flatMap(({ target, calls }) => [target ?? '', ...calls.map((call) => call.target)]));
}

export function receiptsIn(model: Model, from: number, to: number): Receipt[] {
  return model.slice(from, to + 1).flatMap(({ receipts }) => receipts);
}

export const shown = (one: Receipt) => ({ height: one.height, index: one.index, txid: one.txid, ...statusOf(one) });

export const valueAt = (state: State, key: string): Uint8Array => state.get(key)?.value ?? new Uint8Array(0);
export { keyBytes };
