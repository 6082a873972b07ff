// Receipts are bounded in keys and bytes, whatever a transaction touched and returned.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { IN_TURN, makeReceipt, withinReceipt } from '../../src/lane/receipt.js';
import { decodeReceipt, encodeReceipt, setExecution } from '../../src/lane/receipt-bytes.js';
import { RUN_REASONS } from '../../src/lane/run-reason.js';
import type { LaneKey, LaneOutcome, MessageReceipt } from '../../src/lane/types.js';

const HOW = { ...IN_TURN, colour: 1, executor: 'cpu' } as const;

function outcomeOf(reads: readonly LaneKey[], writes: readonly LaneKey[] = []): LaneOutcome {
  const none = (keys: readonly LaneKey[]) => new Map(keys.map((key) => [key, undefined]));
  return { index: 4, txid: '00'.repeat(32), undone: undefined, messages: [], reads: none(reads), writes: none(writes) };
}

function names(count: number, length: number): LaneKey[] {
  return Array.from({ length: count }, (_, i) => `${i}`.padStart(length, 'x'));
}

function hashOf(keys: readonly LaneKey[]): string {
  const hash = createHash('sha256');
  for (const key of [...keys].map((k) => Buffer.from(k, 'latin1')).sort(Buffer.compare)) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(key.length);
    hash.update(length).update(key);
  }
  return hash.digest('hex');
}

describe('keys of a receipt', () => {
  it('256 keys are listed, all of them, ascending as bytes, without a hash', () => {
    const keys = [...names(255, 12), '\u00ff\u0000'];
    const receipt = makeReceipt(9, outcomeOf([...keys].reverse(), keys), HOW);
    const ascending = keys.map((key) => Buffer.from(key, 'latin1').toString('hex')).sort();
    expect(receipt).toMatchObject({ reads: ascending, readTotal: 256, writes: ascending, writeTotal: 256 });
    expect([receipt.readHash, receipt.writeHash]).toEqual([undefined, undefined]);
  });

  it('of 257 keys the first 256 are listed, and all are hashed', () => {
    const keys = names(257, 12);
    const receipt = makeReceipt(9, outcomeOf(keys, names(3, 2)), HOW);
    expect(receipt.reads).toEqual(makeReceipt(9, outcomeOf(keys.sort().slice(0, 256)), HOW).reads);
    expect(receipt).toMatchObject({ readTotal: 257, readHash: hashOf(keys), writeTotal: 3, writeHash: undefined });
  });

  it('keys of 8,192 bytes are listed, one byte more is not', () => {
    const full = names(8, 1_024);
    expect(makeReceipt(9, outcomeOf(full), HOW)).toMatchObject({ readTotal: 8, readHash: undefined });
    const over = makeReceipt(9, outcomeOf([...full, 'z']), HOW);
    expect(over.reads).toHaveLength(8);
    expect(over).toMatchObject({ readTotal: 9, readHash: hashOf([...full, 'z']) });
  });

  it('the hash tells apart what only the lengths of the keys tell apart', () => {
    const long = 'y'.repeat(9_000);
    const hashes = [
      ['a', 'ab', long],
      ['aa', 'b', long],
    ].map((keys) => makeReceipt(9, outcomeOf(keys), HOW).readHash);
    expect(new Set(hashes).size).toBe(2);
  });

  it('a stored receipt of 100,000 keys takes less than 50 KB and comes back as it was', () => {
    const keys = names(100_000, 80);
    const receipt = makeReceipt(9, outcomeOf(keys, keys), HOW);
    const stored = encodeReceipt(receipt);
    expect(stored.length).toBeLessThan(50_000);
    expect(decodeReceipt(stored)).toStrictEqual(receipt);
  });
});

describe('data of a receipt', () => {
  const message = (bytes: number): MessageReceipt => ({
    protostone: 0,
    shadowVout: 3,
    status: 'OK',
    target: '2:1',
    error: undefined,
    fuelUsed: 1,
    data: '07'.repeat(bytes),
    dataBytes: bytes,
    calls: [],
    callTotal: 0,
    abort: undefined,
    logs: [],
    logTotal: 0,
  });

  it('all messages together keep 4,096 bytes; each tells how many it returned', () => {
    const kept: MessageReceipt[] = [];
    for (const bytes of [4_000, 90, 10, 20]) kept.push(withinReceipt(message(bytes), kept));
    expect(kept.map(({ data }) => data.length / 2)).toEqual([4_000, 90, 6, 0]);
    expect(kept.map(({ dataBytes }) => dataBytes)).toEqual([4_000, 90, 10, 20]);
  });
});

it('how a transaction was run is stored flag by flag, and changes no other byte of its receipt', () => {
  const plain = encodeReceipt(makeReceipt(9, outcomeOf(names(2, 12)), HOW));
  const seen = new Set<string>();
  const reasons = [undefined, ...RUN_REASONS].flatMap((reason) => [[false, reason] as const, [true, reason] as const]);
  for (const repaired of [false, true]) {
    for (const predicted of [false, true]) {
      for (const [mispredicted, reason] of reasons) {
        const how = { colour: 7, executor: 'reuse', repaired, predicted, mispredicted, reason } as const;
        const bytes = Uint8Array.from(plain);
        setExecution(bytes, 0, how);
        expect(decodeReceipt(bytes)).toEqual(makeReceipt(9, outcomeOf(names(2, 12)), how));
        expect(encodeReceipt(decodeReceipt(bytes))).toEqual(bytes);
        expect([...bytes.keys()].filter((i) => bytes[i] !== plain[i]).every((i) => i >= 40 && i < 46)).toBe(true);
        seen.add(bytes.subarray(40, 46).join());
      }
    }
  }
  expect(seen.size).toBe(8 * (RUN_REASONS.length + 1));
  expect(RUN_REASONS.length).toBeLessThan(16);
});
