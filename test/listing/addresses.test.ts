import { expect, it } from 'vitest';
import { sheetKey } from '../../src/lane/keys.js';
import { type ListRequest, list, outpoint } from '../../src/listing/list.js';
import { PAGE_LIMITS } from '../../src/listing/page.js';
import { formatId } from '../../src/protocol/alkane-id.js';
import { encodeSheet, Sheet } from '../../src/protocol/sheet.js';
import { Store } from '../../src/store/store.js';
import { type PlainTx, search } from '../../src/testing/chains/address-search.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { fromDisplayHash, fromHex, toHex } from '../../src/util/bytes.js';
import { sha256 } from '../../src/util/sha256.js';
import { block, generator, OPTIONS } from '../store/helpers.js';
import { outputsOf, txidOf } from '../store/outputs.js';

type Random = (n: number) => number;
type Asked = Pick<ListRequest, 'name' | 'of'>;

const FIRST = 3;
const ASSETS = [1n, 2n].map((tx) => ({ block: 2n, tx }));
const SCRIPTS = [
  Uint8Array.of(),
  Uint8Array.of(0x51),
  Uint8Array.of(0x6a, 1, 2),
  new Uint8Array(10_000).fill(0x51),
  new Uint8Array(10_001).fill(0x51),
  ...[1, 2, 3].map((n) => Uint8Array.of(0, 20, ...new Array<number>(20).fill(n))),
];

interface ModelBlock {
  readonly transactions: readonly PlainTx[];
  /** Assets by outpoint, after the block. */
  readonly sheets: ReadonlyMap<string, Sheet>;
}

/** A block that spends outputs of others and of itself, unknown ones, and takes txids that were taken before. */
function next(model: readonly ModelBlock[], random: Random): ModelBlock {
  const known = model.flatMap(({ transactions }) => transactions);
  const transactions: PlainTx[] = [];
  const count = 1 + random(6);
  for (let index = 0; index < count; index++) {
    const all = [...known, ...transactions];
    const inputs = Array.from({ length: index === 0 ? 1 : random(5) }, () => {
      const { txid } = all.length === 0 || random(9) === 0 ? { txid: txidOf('none') } : all[random(all.length)];
      return { txid, vout: random(4) };
    });
    const outputs = Array.from({ length: random(5) }, () => ({
      script: SCRIPTS[random(SCRIPTS.length)],
      amount: random(7) === 0 ? 2_100_000_000_000_000n : BigInt(random(1_000_000)),
    }));
    const twin = random(8) === 0 ? all[random(all.length)] : undefined;
    const txid = twin?.txid ?? txidOf(`${model.length}/${index}/${random(1 << 30)}`);
    transactions.push({ txid, inputs, outputs: twin?.outputs ?? outputs });
  }
  const sheets = new Map(model.at(-1)?.sheets);
  for (const { txid, inputs, outputs } of transactions) {
    for (const input of inputs) sheets.delete(`${toHex(input.txid.slice().reverse())}:${input.vout}`);
    if (outputs.length === 0 || random(2) === 0) continue;
    const sheet = Sheet.of(ASSETS.slice(random(2)).map((id) => ({ id, amount: BigInt(1 + random(99)) })));
    sheets.set(`${toHex(txid.slice().reverse())}:${random(outputs.length)}`, sheet);
  }
  return { transactions, sheets };
}

function commit(store: Store, model: readonly ModelBlock[], together: boolean): void {
  const height = FIRST + model.length - 1;
  const [before, after] = [model.at(-2)?.sheets ?? new Map<string, Sheet>(), model[model.length - 1].sheets];
  const laneWrites = new Map<string, Uint8Array | undefined>();
  for (const outpoint of new Set([...before.keys(), ...after.keys()])) {
    const [txid, vout] = outpoint.split(':');
    const sheet = after.get(outpoint);
    if (sheet === before.get(outpoint)) continue;
    laneWrites.set(sheetKey(fromDisplayHash(txid), Number(vout)), sheet && encodeSheet(sheet));
  }
  store.commitBlock(
    { ...block(height), laneWrites, outputs: outputsOf(model[model.length - 1].transactions) },
    { moreFollow: together },
  );
}

/** All items of a listing, by pages of random sizes that end at random bounds. */
function all(store: Store, asked: Asked, height: number, random: Random): Record<string, unknown>[] {
  const items: Record<string, unknown>[] = [];
  let after: Uint8Array | undefined;
  let hash: Uint8Array | undefined;
  do {
    const limits = { ...PAGE_LIMITS, looks: 1 + random(40), ms: random(9) === 0 ? 0 : 10_000 };
    const answer = list({ ...asked, height, hash, limit: 1 + random(6), after, limits } as ListRequest, store);
    items.push(...answer.page.items.map((item) => ({ ...item })));
    ({ hash } = answer);
    after = answer.page.next;
  } while (after !== undefined);
  return items;
}

function compare(store: Store, model: readonly ModelBlock[], random: Random): void {
  const height = FIRST + random(model.length);
  const blocks = model.slice(0, height - FIRST + 1);
  const { sheets } = blocks[blocks.length - 1];
  for (const bytes of SCRIPTS) {
    const script = sha256(bytes);
    const { outputs, history } = search(
      blocks.map(({ transactions }) => transactions),
      FIRST,
      bytes,
    );
    const reverse = random(2) === 0;
    const expected = <T>(items: readonly T[]): T[] => (reverse ? [...items].reverse() : [...items]);
    const of = { script, unspent: random(2) === 0, reverse };
    expect(all(store, { name: 'outputs', of }, height, random)).toEqual(
      expected(outputs.filter(({ spent }) => !of.unspent || spent === null)),
    );
    expect(all(store, { name: 'history', of: { script, reverse } }, height, random)).toEqual(expected(history));
    const sums = new Map<string, { amount: bigint; outputs: number }>();
    const add = (asset: string, amount: bigint, count: number): void => {
      const sum = sums.get(asset) ?? { amount: 0n, outputs: 0 };
      sums.set(asset, { amount: sum.amount + amount, outputs: sum.outputs + count });
    };
    for (const { outpoint: name, spent } of outputs) {
      if (spent !== null) continue;
      for (const { id, amount } of sheets.get(name)?.entries() ?? []) add(formatId(id), amount, 1);
    }
    const wanted = new Map(sums);
    sums.clear();
    for (const { asset, amount, outputs: count } of all(store, { name: 'assets', of: { script } }, height, random)) {
      add(String(asset), BigInt(String(amount)), Number(count));
    }
    expect(sums).toEqual(wanted);
    // Of several with a txid the last one counts.
    const last = new Map(outputs.map((output) => [output.outpoint, output]));
    for (const { outpoint: name, amount, height: made, spent } of last.values()) {
      const [txid, vout] = name.split(':');
      const { sheet, ...fate } = outpoint({ txid: fromDisplayHash(txid), vout: Number(vout), height }, store);
      expect(fate).toEqual({
        scriptHash: toHex(script),
        amount,
        height: made,
        spentHeight: spent?.height ?? null,
        spentBy: spent?.txid ?? null,
      });
      // The model leaves the assets of an earlier output to one that replaces it.
      const isAlone = outputs.filter((output) => output.outpoint === name).length === 1;
      if (isAlone && sheets.has(name)) expect(sheet).toEqual(shown(sheets.get(name)));
    }
  }
  const { addresses } = store.lists;
  const above = model.slice(blocks.length).flatMap(({ transactions }) => transactions);
  const known = new Map<string, number>();
  blocks.forEach(({ transactions }, i) => {
    for (const { txid } of transactions) known.set(toHex(txid), FIRST + i);
  });
  for (const [txid, at] of known) expect(addresses.placeOf(fromHex(txid), height)?.height).toBe(at);
  for (const { txid } of above) {
    if (known.has(toHex(txid))) continue;
    expect(addresses.placeOf(txid, height)).toBeUndefined();
    expect(addresses.output(txid, 0, height)).toBeUndefined();
  }
}

function shown(sheet: Sheet | undefined): Record<string, string> {
  return Object.fromEntries((sheet?.entries() ?? []).map(({ id, amount }) => [formatId(id), amount.toString()]));
}

it('lists by script are what going through all transactions gives, after reorgs and at any height', async () => {
  for (let seed = 0; seed < 12; seed++) {
    const random = generator(seed);
    const options = { ...OPTIONS, addresses: true, keepUndo: 1_000, pieceBytes: seed % 2 === 0 ? 300 : 1 << 20 };
    const store = Store.over(new MemoryDatabase(new Disk()), options, 'memory');
    const model: ModelBlock[] = [];
    for (let step = 0; step < 25; step++) {
      if (model.length > 0 && random(4) === 0) {
        model.length = random(model.length);
        store.rollback(FIRST + model.length - 1);
      } else {
        model.push(next(model, random));
        commit(store, model, random(2) === 0);
      }
      if (model.length > 0 && random(4) === 0) compare(store, model, random);
    }
    if (model.length > 0) compare(store, model, random);
    store.rollback(FIRST - 1);
    expect([...store.rowsOf('addresses')], `seed ${seed}`).toEqual([]);
    expect([...store.rowsOf('undo')], `seed ${seed}`).toEqual([]);
    await store.close();
  }
});

it('outputs of one script go over pages of any size, each of them bounded', async () => {
  const random = generator(1);
  const store = Store.over(new MemoryDatabase(new Disk()), { ...OPTIONS, addresses: true }, 'memory');
  const outputs = Array.from({ length: 5_000 }, (_, i) => ({ script: SCRIPTS[1], amount: BigInt(i) }));
  const many = { txid: txidOf('many'), inputs: [], outputs };
  const spender = {
    txid: txidOf('spender'),
    inputs: outputs.slice(10).map((_, vout) => ({ txid: many.txid, vout })),
    outputs: [],
  };
  store.commitBlock({ ...block(0), outputs: outputsOf([many, spender]) });
  const script = sha256(SCRIPTS[1]);
  const of = { script, unspent: true, reverse: false };
  const request = { name: 'outputs', of, height: 0, hash: undefined, limit: 1_000, after: undefined } as const;
  expect(list(request, store).page).toMatchObject({ items: { length: 10 }, next: undefined });
  // So many that are spent make a page of none.
  const short = list({ ...request, limits: { ...PAGE_LIMITS, looks: 100 } }, store).page;
  expect([short.items.length, short.next?.length]).toEqual([0, 12]);
  const every = all(store, { name: 'outputs', of: { ...of, unspent: false } }, 0, () => random(400));
  expect(every.map(({ amount }) => amount)).toEqual(outputs.map(({ amount }) => amount.toString()));
  expect(list({ ...request, name: 'history', of: { script, reverse: true } }, store).page.items).toHaveLength(2);
  // A changed cursor shows nothing of a block above the height of the listing, and goes on where there is something.
  const later = { txid: txidOf('later'), inputs: [], outputs: outputs.slice(0, 1) };
  store.commitBlock({ ...block(1), outputs: outputsOf([later]) });
  for (const [name, placeBytes] of [
    ['outputs', 12],
    ['history', 8],
  ] as const) {
    for (const reverse of [true, false]) {
      const after = new Uint8Array(placeBytes).fill(0xff);
      const beyond = { ...request, name, of: { ...of, unspent: false, reverse }, after };
      const { items } = list(beyond as ListRequest, store).page;
      expect(items.length > 0).toBe(reverse);
      for (const item of items) expect(item).toMatchObject({ height: 0 });
    }
  }
  await store.close();
});
