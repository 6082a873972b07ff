/** Numbers of the keys of namespace P (docs/lane-rules.md, section 7), from ids and outpoints where they lie. */
import { ID_LENGTH } from '../../protocol/alkane-id.js';
import { copyWords, viewOf } from '../../util/words.js';
import type { BlockState } from './block-state.js';

/** The beginnings of keys, one behind the other. */
const TEXTS = viewOf(new TextEncoder().encode('sheet/code/balance/store/sequence'));
const [SHEET, CODE, BALANCE, STORE, SEQUENCE, TEXTS_END] = [0, 6, 11, 19, 25, 33];
const SHEET_TEXT = CODE - SHEET;
const CODE_TEXT = BALANCE - CODE;
const BALANCE_TEXT = STORE - BALANCE;
const STORE_TEXT = SEQUENCE - STORE;

const OUTPOINT = 36;
/** Of an own key of a contract: `store/`, its id and `/`. */
const BEFORE_OWN = STORE_TEXT + ID_LENGTH + 1;
const SLASH = 0x2f;
/** Where an id has the low bytes of its second number, in which most of them differ. */
const LOW_BYTES = 16;

/** So many keys of one kind (2 to this power) are found without their hash, if they are those of their places. */
const REMEMBERED_BITS = 6;
const SPREAD = 0x9e3779b1;

/** Numbers of keys that were found lately, each at a place that its bytes say. */
class Lately {
  /** A number + 1; 0: none. */
  readonly numbers = new Uint32Array(1 << REMEMBERED_BITS);
  /** Of what is looked for. */
  place = 0;

  /** A number that may be that of a key of whose bytes `word` is made; -1: none. */
  find(word: number): number {
    this.place = Math.imul(word, SPREAD) >>> (32 - REMEMBERED_BITS);
    return this.numbers[this.place] - 1;
  }

  /** Remembers the key that {@link find} was not about. */
  put(number: number): number {
    this.numbers[this.place] = number + 1;
    return number;
  }
}

/** Whoever makes keys: most of them are those of the transaction before, and are compared with these first. */
export class StateKeys {
  readonly #state: BlockState;
  readonly #codes = new Lately();
  readonly #balances = new Lately();
  readonly #own = new Lately();

  constructor(state: BlockState) {
    this.#state = state;
  }

  /** Keys have other numbers now. */
  forget(): void {
    for (const { numbers } of [this.#codes, this.#balances, this.#own]) numbers.fill(0);
  }

  /** The sheet on the outpoint (txid, output number) that lies at `at`. */
  sheetAt(bytes: DataView, at: number): number {
    const to = this.#begin(SHEET, SHEET_TEXT, OUTPOINT);
    copyWords(bytes, at, at + OUTPOINT, this.#state.view, to);
    return this.#state.keyInRoom(SHEET_TEXT + OUTPOINT);
  }

  /** The sheet on output `vout` of the transaction whose txid lies at `at`. */
  sheetOn(txids: DataView, at: number, vout: number): number {
    const to = this.#begin(SHEET, SHEET_TEXT, OUTPOINT);
    const { view } = this.#state;
    copyWords(txids, at, at + ID_LENGTH, view, to);
    view.setUint32(to + ID_LENGTH, vout, true);
    return this.#state.keyInRoom(SHEET_TEXT + OUTPOINT);
  }

  /** The code of the id at `at`. */
  code(bytes: DataView, at: number): number {
    const lately = this.#codes;
    const known = lately.find(bytes.getInt32(at + LOW_BYTES, true));
    if (known >= 0 && this.#state.hasAt(known, CODE_TEXT, bytes, at, ID_LENGTH)) return known;
    const to = this.#begin(CODE, CODE_TEXT, ID_LENGTH);
    copyWords(bytes, at, at + ID_LENGTH, this.#state.view, to);
    return lately.put(this.#state.keyInRoom(CODE_TEXT + ID_LENGTH));
  }

  /** The balance of the asset whose id lies at `assetAt`, held by the id at `holderAt`. */
  balance(assets: DataView, assetAt: number, holders: DataView, holderAt: number): number {
    const state = this.#state;
    const lately = this.#balances;
    const asset = assets.getInt32(assetAt + LOW_BYTES, true);
    const known = lately.find(Math.imul(asset, SPREAD) ^ holders.getInt32(holderAt + LOW_BYTES, true));
    if (
      known >= 0 &&
      state.hasAt(known, BALANCE_TEXT, assets, assetAt, ID_LENGTH) &&
      state.hasAt(known, BALANCE_TEXT + ID_LENGTH, holders, holderAt, ID_LENGTH)
    ) {
      return known;
    }
    const to = this.#begin(BALANCE, BALANCE_TEXT, 2 * ID_LENGTH);
    copyWords(assets, assetAt, assetAt + ID_LENGTH, state.view, to);
    copyWords(holders, holderAt, holderAt + ID_LENGTH, state.view, to + ID_LENGTH);
    return lately.put(state.keyInRoom(BALANCE_TEXT + 2 * ID_LENGTH));
  }

  /** The own key, from `start` to `end` of `memory`, of the contract whose id lies at `idAt`. */
  own(ids: DataView, idAt: number, memory: DataView, start: number, end: number): number {
    const state = this.#state;
    const lately = this.#own;
    const known = lately.find(ids.getInt32(idAt + LOW_BYTES, true) ^ wordOf(memory, start, end));
    const length = BEFORE_OWN + end - start;
    if (
      known >= 0 &&
      state.keyEnd(known) - state.keyStart(known) === length &&
      state.hasAt(known, STORE_TEXT, ids, idAt, ID_LENGTH) &&
      state.hasAt(known, BEFORE_OWN, memory, start, end - start)
    ) {
      return known;
    }
    const to = this.#begin(STORE, STORE_TEXT, length - STORE_TEXT);
    const { view } = state;
    copyWords(ids, idAt, idAt + ID_LENGTH, view, to);
    view.setUint8(to + ID_LENGTH, SLASH);
    copyWords(memory, start, end, view, to + ID_LENGTH + 1);
    return lately.put(state.keyInRoom(length));
  }

  sequence(): number {
    this.#begin(SEQUENCE, TEXTS_END - SEQUENCE, 0);
    return this.#state.keyInRoom(TEXTS_END - SEQUENCE);
  }

  /**
   * Writes the text of `length` bytes at `at` to where a key would be kept, with `more` bytes of room behind: gives
   * where these begin.
   */
  #begin(at: number, length: number, more: number): number {
    const to = this.#state.room(length + more);
    copyWords(TEXTS, at, at + length, this.#state.view, to);
    return to + length;
  }
}

/** Made of the first, the last and the number of the bytes from `start` to `end`. */
function wordOf(bytes: DataView, start: number, end: number): number {
  const length = end - start;
  if (length >= 4) return length ^ bytes.getInt32(start, true) ^ Math.imul(bytes.getInt32(end - 4, true), SPREAD);
  return length === 0 ? 0 : length ^ (bytes.getUint8(start) << 8) ^ (bytes.getUint8(end - 1) << 16);
}
