/** What listings must give, worked out from whole states, all receipts and all transactions. */
import { createHash } from 'node:crypto';
import { statusOf } from '../../lane/receipt-status.js';
import type { Receipt } from '../../lane/types.js';
import { formatId, ID_LENGTH, idBytes, idFromBytes, parseId } from '../../protocol/alkane-id.js';
import { decodeSheet } from '../../protocol/sheet.js';
import type { StoreReader } from '../../store/reader.js';
import { fromHex, readU32, readU128, toDisplayHash, toHex } from '../../util/bytes.js';
import { type PlainTx, search } from './address-search.js';

type Item = Readonly<Record<string, unknown>>;
type Options = Readonly<Record<string, string | number | boolean | undefined>>;

/** A whole listing: the method, whom it is about, what else it was asked, and the height. */
export interface AskedList {
  readonly method: string;
  readonly id?: string;
  readonly options: Options;
  readonly height: number;
}

interface Value {
  readonly value: Uint8Array;
  /** Height of the first block of those that follow each other and have it. */
  readonly written: number;
}
/** Values by key in hex, in the order of the keys. */
type State = readonly (readonly [key: string, value: Value])[];

const hexOf = (text: string): string => Buffer.from(text).toString('hex');
const idHex = (id: string): string => toHex(idBytes(parseId(id)));

/** Listings of outputs, by going through the transactions of blocks by height; undefined for another method. */
export function expectedOutputs(
  { method, options }: AskedList,
  chain: readonly (readonly PlainTx[])[],
): readonly Item[] | undefined {
  if (method !== 'warpshrew_listoutputs' && method !== 'warpshrew_listhistory') return undefined;
  const { outputs, history } = search(chain, 0, fromHex(String(options.script)));
  const found: readonly Item[] =
    method === 'warpshrew_listhistory'
      ? history.map((one) => ({ ...one }))
      : outputs.filter(({ spent }) => options.unspent !== true || spent === null).map((one) => ({ ...one }));
  return options.reverse === true ? [...found].reverse() : found;
}

/** The rest of them, from a database that is not written to. Its heights begin at 0. */
export class ExpectedLists {
  readonly #states: State[] = [];
  readonly #receipts: (readonly Receipt[])[] = [];

  constructor(store: StoreReader) {
    let before = new Map<string, Value>();
    for (let height = 0; store.blockHash(height) !== undefined; height++) {
      const receipts = [...store.receipts(height)];
      const written = new Set(receipts.flatMap(({ writes }) => writes));
      const state: [string, Value][] = [];
      for (const [key, value] of store.entriesAt('P', new Uint8Array(0), height)) {
        const old = before.get(toHex(key));
        // The same value may be written once more.
        const isOld = old !== undefined && toHex(old.value) === toHex(value) && !written.has(toHex(key));
        state.push([toHex(key), isOld ? old : { value: value.slice(), written: height }]);
      }
      before = new Map(state);
      this.#states.push(state);
      this.#receipts.push(receipts);
    }
  }

  /** `chain`: transactions of the blocks by height. */
  of(asked: AskedList, chain: readonly (readonly PlainTx[])[]): readonly Item[] {
    const { method, id = '', options, height } = asked;
    switch (method) {
      case 'warpshrew_listcontracts':
        return this.#contracts(height);
      case 'warpshrew_liststorage':
        return this.#storage(id, height);
      case 'warpshrew_listholders':
        return this.#holders(id, height);
      case 'warpshrew_listbalances':
        return this.#balances(id, height);
      case 'warpshrew_listreceipts':
        return this.#listReceipts(options, height);
      case 'warpshrew_listassets':
        return this.#assets(options, height, chain.slice(0, height + 1));
      default:
        return expectedOutputs(asked, chain.slice(0, height + 1)) ?? [];
    }
  }

  /** Contracts that there are at a height. */
  contractsAt(height: number): string[] {
    return this.#under('code/', height).map(([key]) => formatId(idFromBytes(fromHex(key), 5)));
  }

  #under(prefix: string, height: number, more = ''): State {
    const begin = hexOf(prefix) + more;
    return this.#states[height].filter(([key]) => key.startsWith(begin));
  }

  #contracts(height: number): Item[] {
    return this.#under('code/', height).map(([key, { value, written }]) => {
      const original = value[0] === 0 ? undefined : toHex(value.subarray(1, 1 + ID_LENGTH));
      const codes = this.#under('code/', height, original ?? key.slice(hexOf('code/').length));
      const code = codes[0][1].value.subarray(1);
      return {
        id: formatId(idFromBytes(fromHex(key), 5)),
        codeHash: createHash('sha256').update(code).digest('hex'),
        cloneOf: original === undefined ? null : formatId(idFromBytes(fromHex(original))),
        height: written,
        txid: this.#receipts[written].find(({ writes }) => writes.includes(key))?.txid ?? null,
      };
    });
  }

  #storage(id: string, height: number): Item[] {
    const own = hexOf('store/') + idHex(id) + hexOf('/');
    return this.#under('store/', height, idHex(id) + hexOf('/')).map(([key, { value, written }]) => ({
      key: `0x${key.slice(own.length)}`,
      value: `0x${toHex(value.subarray(0, 4_096))}`,
      bytes: value.length,
      height: written,
    }));
  }

  #holders(asset: string, height: number): Item[] {
    const contracts = this.#under('balance/', height, idHex(asset)).map(([key, { value }]) => ({
      contract: formatId(idFromBytes(fromHex(key), 8 + ID_LENGTH)),
      outpoint: null,
      amount: readU128(value, 0).toString(),
    }));
    const outputs = this.#sheets(height).flatMap(([outpoint, amounts]) => {
      const amount = amounts.get(asset);
      return amount === undefined ? [] : [{ contract: null, outpoint, amount: amount.toString() }];
    });
    return [...contracts, ...outputs];
  }

  #sheets(height: number): [outpoint: string, amounts: Map<string, bigint>][] {
    return this.#under('sheet/', height).map(([key, { value }]) => {
      const bytes = fromHex(key);
      const entries = decodeSheet(value).entries();
      const amounts = new Map(entries.map(({ id, amount }) => [formatId(id), amount]));
      return [`${toDisplayHash(bytes.subarray(6, 38))}:${readU32(bytes, 38)}`, amounts];
    });
  }

  #balances(holder: string, height: number): Item[] {
    return this.#under('balance/', height).flatMap(([key, { value }]) => {
      if (!key.endsWith(idHex(holder))) return [];
      return [{ asset: formatId(idFromBytes(fromHex(key), 8)), amount: readU128(value, 0).toString() }];
    });
  }

  #listReceipts({ contract, status, reverse }: Options, height: number): Item[] {
    const all = this.#receipts.slice(0, height + 1).flat();
    const named = all.filter(
      ({ messages }) =>
        contract === undefined ||
        messages.some(({ target, calls }) => target === contract || calls.some((call) => call.target === contract)),
    );
    const found = named.map((receipt) => ({
      ...{ height: receipt.height, index: receipt.index, txid: receipt.txid },
      ...statusOf(receipt),
      fuel: receipt.fuel,
      messages: receipt.messages.map(({ target = null, status, fuelUsed, callTotal }) => {
        return { target, status, fuelUsed, callTotal };
      }),
    }));
    const wanted = found.filter((one) => status === undefined || one.status === status);
    return reverse === true ? wanted.reverse() : wanted;
  }

  /** Summed up, by asset. */
  #assets(options: Options, height: number, chain: readonly (readonly PlainTx[])[]): Item[] {
    const sheets = new Map(this.#sheets(height));
    const sums = new Map<string, { amount: bigint; outputs: number }>();
    for (const { outpoint, spent } of search(chain, 0, fromHex(String(options.script))).outputs) {
      for (const [asset, amount] of spent === null ? (sheets.get(outpoint) ?? []) : []) {
        const sum = sums.get(asset) ?? { amount: 0n, outputs: 0 };
        sums.set(asset, { amount: sum.amount + amount, outputs: sum.outputs + 1 });
      }
    }
    return summed([...sums].map(([asset, { amount, outputs }]) => ({ asset, amount: amount.toString(), outputs })));
  }
}

/** Items of warpshrew_listassets as one for each asset, in an order of their own. */
export function summed(items: readonly Item[]): Item[] {
  const sums = new Map<string, { amount: bigint; outputs: number }>();
  for (const { asset, amount, outputs } of items) {
    const sum = sums.get(String(asset)) ?? { amount: 0n, outputs: 0 };
    sums.set(String(asset), { amount: sum.amount + BigInt(String(amount)), outputs: sum.outputs + Number(outputs) });
  }
  return [...sums.keys()].sort().map((asset) => {
    const { amount, outputs } = sums.get(asset) ?? { amount: 0n, outputs: 0 };
    return { asset, amount: amount.toString(), outputs };
  });
}
