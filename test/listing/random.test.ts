import { expect, it } from 'vitest';
import { balanceKey, sheetKey, storagePrefix } from '../../src/lane/keys.js';
import { RECEIPT_STATUSES } from '../../src/lane/receipt-status.js';
import { type ListRequest, list, outpoint } from '../../src/listing/list.js';
import { PAGE_LIMITS } from '../../src/listing/page.js';
import { formatId, idBytes } from '../../src/protocol/alkane-id.js';
import { decodeSheet } from '../../src/protocol/sheet.js';
import { Store } from '../../src/store/store.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import {
  fromBinaryString,
  fromDisplayHash,
  readU32,
  readU128,
  toBinaryString,
  toDisplayHash,
  toHex,
} from '../../src/util/bytes.js';
import { generator, OPTIONS } from '../store/helpers.js';
import {
  contractsAt,
  IDS,
  keysUnder,
  type Model,
  namedIn,
  nextBlock,
  type Random,
  receiptsIn,
  shown,
  valueAt,
} from './model.js';

const CHAINS = 60;
const STEPS = 40;

type Asked = Pick<ListRequest, 'name' | 'of'>;

/** All items of a listing, by pages of random sizes that end at random bounds. */
function all(store: Store, asked: Asked, height: number, random: Random): unknown[] {
  const items: unknown[] = [];
  let after: Uint8Array | undefined;
  let hash: Uint8Array | undefined;
  for (let pages = 0; ; pages++) {
    expect(pages).toBeLessThan(10_000);
    const looks = random(2) === 0 ? 1 + random(3) : PAGE_LIMITS.looks;
    const limits = { ...PAGE_LIMITS, looks, ms: random(4) === 0 ? 0 : 10_000 };
    const limit = 1 + random(4);
    const answer = list({ ...asked, height, hash, limit, after, limits } as ListRequest, store);
    expect(answer.page.items.length).toBeLessThanOrEqual(limit);
    items.push(...answer.page.items);
    ({ hash } = answer);
    after = answer.page.next;
    if (after === undefined) return items;
  }
}

const outpointOf = (key: string): string => {
  const bytes = fromBinaryString(key);
  return `${toDisplayHash(bytes.subarray(6, 38))}:${readU32(bytes, 38)}`;
};

function compare(store: Store, model: Model, random: Random): void {
  const tip = model.length - 1;
  const height = random(2) === 0 ? tip : random(tip + 1);
  const { state } = model[height];
  const id = IDS[random(4)];

  const [from, to] = [random(height + 1), random(height + 3)];
  const contracts = contractsAt(model, height);
  const some = contracts[random(contracts.length + 1)];
  const codeHash = random(2) === 0 ? String(some?.codeHash ?? '00') : undefined;
  const cloneOf = random(3) === 0 ? IDS[random(4)] : undefined;
  const only = random(4) === 0 ? { id } : {};
  expect(all(store, { name: 'contracts', of: { ...only, codeHash, cloneOf, from, to } }, height, random)).toEqual(
    contracts.filter(
      (one) =>
        (only.id === undefined || one.id === formatId(only.id)) &&
        Number(one.height) >= from &&
        Number(one.height) <= to &&
        (codeHash === undefined || one.codeHash === codeHash) &&
        (cloneOf === undefined || one.cloneOf === formatId(cloneOf)),
    ),
  );

  const prefix = Uint8Array.from({ length: random(3) }, () => random(3));
  const own = storagePrefix(id);
  expect(all(store, { name: 'storage', of: { id, prefix } }, height, random)).toEqual(
    keysUnder(state, own + toBinaryString(prefix)).map((key) => ({
      key: `0x${toHex(fromBinaryString(key.slice(own.length)))}`,
      value: `0x${toHex(valueAt(state, key))}`,
      bytes: valueAt(state, key).length,
      height: state.get(key)?.written,
    })),
  );

  const contractsHold = IDS.map((holder) => ({ holder, key: balanceKey(id, holder) }))
    .filter(({ key }) => state.has(key))
    .sort((a, b) => (toHex(idBytes(a.holder)) < toHex(idBytes(b.holder)) ? -1 : 1))
    .map(({ holder, key }) => ({
      ...{ contract: formatId(holder), outpoint: null },
      amount: String(readU128(valueAt(state, key), 0)),
    }));
  const outputsHold = keysUnder(state, 'sheet/').flatMap((key) => {
    const amount = decodeSheet(valueAt(state, key)).get(id);
    return amount === 0n ? [] : [{ contract: null, outpoint: outpointOf(key), amount: String(amount) }];
  });
  expect(all(store, { name: 'holders', of: { asset: id } }, height, random)).toEqual([
    ...contractsHold,
    ...outputsHold,
  ]);

  expect(all(store, { name: 'balances', of: { holder: id } }, height, random)).toEqual(
    [...IDS]
      .sort((a, b) => (toHex(idBytes(a)) < toHex(idBytes(b)) ? -1 : 1))
      .filter((asset) => state.has(balanceKey(asset, id)))
      .map((asset) => ({
        asset: formatId(asset),
        amount: String(readU128(valueAt(state, balanceKey(asset, id)), 0)),
      })),
  );

  const contract = random(2) === 0 ? id : undefined;
  const status = random(2) === 0 ? RECEIPT_STATUSES[random(RECEIPT_STATUSES.length)] : undefined;
  const reverse = random(2) === 0;
  const expected = receiptsIn(model, from, Math.min(to, height))
    .filter((one) => contract === undefined || namedIn(one).has(formatId(contract)))
    .map(shown)
    .filter((one) => status === undefined || one.status === status);
  const listed = all(store, { name: 'receipts', of: { from, to, contract, status, reverse } }, height, random);
  expect(listed).toMatchObject(reverse ? expected.reverse() : expected);
  expect(listed).toHaveLength(expected.length);

  for (let at = 0; at <= height; at++) {
    for (const [key, { value, written }] of model[at].state) {
      if (!key.startsWith('sheet/') || written !== at) continue;
      const spentHeight = model.slice(0, height + 1).findIndex(({ spenders }) => spenders.has(key));
      const [txid, vout] = outpointOf(key).split(':');
      const fate = outpoint({ txid: fromDisplayHash(txid), vout: Number(vout), height }, store);
      expect(fate).toEqual({
        sheet: Object.fromEntries(
          decodeSheet(value)
            .entries()
            .map((entry) => [formatId(entry.id), String(entry.amount)]),
        ),
        height: at,
        spentHeight: spentHeight < 0 ? null : spentHeight,
        spentBy: model[spentHeight]?.spenders.get(key) ?? null,
        scriptHash: null,
        amount: null,
      });
      expect(sheetKey(fromDisplayHash(txid), Number(vout))).toBe(key);
    }
  }
}

it(`listings of ${CHAINS} random chains with reorgs are what going through everything gives`, async () => {
  let rollbacks = 0;
  for (let seed = 0; seed < CHAINS; seed++) {
    const random = generator(seed);
    const store = Store.over(new MemoryDatabase(new Disk()), { ...OPTIONS, pieceBytes: 200 + random(4_000) }, 'memory');
    const model: Model = [];
    for (let i = 0; i < STEPS; i++) {
      if (model.length > 1 && random(5) === 0) {
        model.length = 1 + random(model.length - 1);
        store.rollback(model.length - 1);
        rollbacks++;
      } else store.commitBlock(nextBlock(model, random));
      if (random(3) === 0) compare(store, model, random);
    }
    await store.close();
  }
  expect(rollbacks).toBeGreaterThan(CHAINS);
});
