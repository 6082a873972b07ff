import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { MessageReceipt, PlanSummary, Receipt } from '../../src/lane/types.js';
import type { Rocks } from '../../src/store/rocks.js';
import { Store } from '../../src/store/store.js';
import { encodeTouched, type Touched, type TouchedKey } from '../../src/store/touched.js';
import type { BlockCommit, Namespace, StoreOptions } from '../../src/store/types.js';
import { fromBinaryString, fromDisplayHash, toBinaryString, toHex } from '../../src/util/bytes.js';
import { sha256 } from '../../src/util/sha256.js';
import { outputsOf } from './outputs.js';

export const OPTIONS: StoreOptions = { network: 'regtest', moduleHash: 'ab'.repeat(32) };

/** A new folder, removed when the test file is done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-store-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const name = (text: string): string => toBinaryString(bytes(text));

export function plan(height: number): PlanSummary {
  return {
    height,
    laneTxs: 1,
    demoted: 0,
    edges: 0,
    colours: 1,
    widths: [1],
    longestChain: 1,
    predicted: 0,
    mispredicted: 0,
  };
}

export function receipt(height: number, index: number, over: Partial<Receipt> = {}): Receipt {
  const message: MessageReceipt = {
    protostone: 0,
    shadowVout: 3,
    status: 'OK',
    target: '2:1',
    error: undefined,
    fuelUsed: 1234,
    data: '01ff',
    dataBytes: 2,
    calls: [],
    callTotal: 0,
    abort: undefined,
    logs: [],
    logTotal: 0,
  };
  return {
    height,
    index,
    txid: toHex(sha256(bytes(`${height}/${index}`))),
    undone: undefined,
    messages: [message],
    fuel: 1234,
    reads: ['aa'],
    readTotal: 1,
    readHash: undefined,
    writes: ['bb'],
    writeTotal: 1,
    writeHash: undefined,
    colour: 1,
    executor: 'cpu',
    repaired: false,
    predicted: false,
    mispredicted: false,
    reason: 'batch',
    ...over,
  };
}

type Values = Record<string, string>;

const headers: { hash: Uint8Array; header: Uint8Array }[] = [];

/** The header of height `height` of the one chain of these tests, and its hash. */
export function headerAt(height: number): { hash: Uint8Array; header: Uint8Array } {
  for (let at = headers.length; at <= height; at++) {
    const header = new Uint8Array(80).fill(at);
    header.set(headers[at - 1]?.hash ?? new Uint8Array(32), 4);
    headers.push({ hash: sha256(sha256(header)), header });
  }
  return headers[height] ?? { hash: new Uint8Array(32), header: new Uint8Array(80) };
}

/** A block that writes texts; null deletes (lane only). */
export function block(height: number, standard: Values = {}, lane: Record<string, string | null> = {}): BlockCommit {
  return {
    height,
    ...headerAt(height),
    standardWrites: new Map(Object.entries(standard).map(([key, value]) => [name(key), bytes(value)])),
    laneWrites: new Map(
      Object.entries(lane).map(([key, value]) => [name(key), value === null ? undefined : bytes(value)]),
    ),
    receipts: [receipt(height, 0)],
    plan: plan(height),
    outputs: outputsOf([{ ...coinbase, txid: fromDisplayHash(receipt(height, 0).txid) }]),
  };
}

const coinbase = { inputs: [], outputs: [{ script: Uint8Array.of(0x51), amount: 5_000_000_000n }] };

/** Random writes over few keys, so that blocks overwrite, delete and revive. */
export function randomBlock(height: number, random: (n: number) => number): BlockCommit {
  const keyName = (): string => (random(4) === 0 ? '\0'.repeat(random(3)) : name(`key ${random(60)}`));
  const value = (): Uint8Array => bytes('v'.repeat(random(3)) + random(5));
  const standardWrites = new Map(Array.from({ length: random(25) }, () => [keyName(), value()]));
  const laneWrites = new Map(
    Array.from({ length: random(25) }, () => [keyName(), random(3) === 0 ? undefined : value()]),
  );
  const receipts = Array.from({ length: random(4) }, (_, i) => receipt(height, i, { fuel: random(1000) }));
  return { ...block(height), standardWrites, laneWrites, receipts };
}

/** Small deterministic generator (mulberry32): integers below `n`. */
export function generator(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** Opens a store, and closes it after `use`. */
export async function withStore(use: (store: Store, dir: string) => void | Promise<void>, dir = temporaryFolder()) {
  const store = await Store.open(dir, OPTIONS);
  try {
    await use(store, dir);
  } finally {
    await store.close();
  }
}

export const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value);

/** The row's bytes with one of them changed. */
export function flipped(rocks: Rocks, column: 'blocks' | 'tree', key: Uint8Array, at: number): Uint8Array {
  const row = rocks.get(column, key);
  if (row === undefined) throw new Error('the row to damage is not there');
  row[at] ^= 1;
  return row;
}

/** Keys as binary strings in ascending order; `present` is 1 where a key had a value. */
export interface TouchedNames {
  readonly names: readonly string[];
  readonly present: Uint8Array;
}

/** By namespace: what {@link encodeNames} takes. */
export function collectTouched(keys: Iterable<TouchedKey>): Record<Namespace, TouchedNames> {
  const names: Record<Namespace, string[]> = { S: [], P: [] };
  const present: Record<Namespace, number[]> = { S: [], P: [] };
  for (const { ns, key, present: had } of keys) {
    names[ns].push(toBinaryString(key));
    present[ns].push(had ? 1 : 0);
  }
  return {
    S: { names: names.S, present: Uint8Array.from(present.S) },
    P: { names: names.P, present: Uint8Array.from(present.P) },
  };
}

/** A key that fills its bytes. */
export const whole = (bytes: Uint8Array) => ({ bytes, keyStart: 0, keyEnd: bytes.length });

/** The undo record of these keys. */
export function encodeNames({ S, P }: Readonly<Record<Namespace, TouchedNames>>): Uint8Array {
  const of = ({ names, present }: TouchedNames): Touched => ({
    count: names.length,
    entry: (i) => whole(fromBinaryString(names[i])),
    isPresent: (i) => present[i] === 1,
  });
  return encodeTouched({ S: of(S), P: of(P) }, { S: 0, P: 0 }, Number.POSITIVE_INFINITY).row.slice();
}
