/** Chains of random blocks that move assets. */
import { balanceKey, codeKey, sheetKey } from '../../src/lane/keys.js';
import { encodeSheet, Sheet } from '../../src/protocol/sheet.js';
import type { Store } from '../../src/store/store.js';
import type { BlockCommit } from '../../src/store/types.js';
import { toHex, U128_MAX, u128Bytes } from '../../src/util/bytes.js';
import { sha256 } from '../../src/util/sha256.js';
import { bytes, name, plan, receipt } from '../store/helpers.js';

type Random = (n: number) => number;

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
