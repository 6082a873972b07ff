/** Numbers of the keys of namespace P (docs/lane-rules.md, section 7), from ids and outpoints where they lie. */
import { ID_LENGTH } from '../../protocol/alkane-id.js';
import { copyBytes } from '../../util/copy-bytes.js';
import type { BlockState } from './block-state.js';
import { KeyBuffer } from './key-buffer.js';

const OUTPOINT = 36;
const STORE = new TextEncoder().encode('store/');
const SLASH = 0x2f;
/** Of an own key of a contract: `store/`, its id and `/`. */
const BEFORE_OWN = STORE.length + ID_LENGTH + 1;
/** More than any of the keys that are made here takes. */
const KEY_ROOM = 128;

export class StateKeys {
  readonly #state: BlockState;
  /** One array for all: it is looked at through one view. */
  readonly #room = new Uint8Array(4 * KEY_ROOM);
  readonly #sheet = new KeyBuffer(this.#room, 0, 'sheet/', OUTPOINT);
  readonly #code = new KeyBuffer(this.#room, KEY_ROOM, 'code/', ID_LENGTH);
  readonly #balance = new KeyBuffer(this.#room, 2 * KEY_ROOM, 'balance/', 2 * ID_LENGTH);
  readonly #sequence = new KeyBuffer(this.#room, 3 * KEY_ROOM, 'sequence', 0);

  constructor(state: BlockState) {
    this.#state = state;
  }

  /** The sheet on the outpoint (txid, output number) that lies at `at`. */
  sheetAt(bytes: Uint8Array, at: number): number {
    this.#sheet.put(0, bytes, at, OUTPOINT);
    return this.#numberOf(this.#sheet);
  }

  /** The sheet on output `vout` of the transaction whose txid lies at `at`. */
  sheetOn(txids: Uint8Array, at: number, vout: number): number {
    this.#sheet.put(0, txids, at, ID_LENGTH);
    this.#sheet.putU32(ID_LENGTH, vout);
    return this.#numberOf(this.#sheet);
  }

  /** The code of the id at `at`. */
  code(bytes: Uint8Array, at: number): number {
    this.#code.put(0, bytes, at, ID_LENGTH);
    return this.#numberOf(this.#code);
  }

  /** The balance of the asset whose id lies at `assetAt`, held by the id at `holderAt`. */
  balance(assets: Uint8Array, assetAt: number, holders: Uint8Array, holderAt: number): number {
    this.#balance.put(0, assets, assetAt, ID_LENGTH);
    this.#balance.put(ID_LENGTH, holders, holderAt, ID_LENGTH);
    return this.#numberOf(this.#balance);
  }

  /** The own key, from `start` to `end` of `memory`, of the contract whose id lies at `idAt`. */
  own(ids: Uint8Array, idAt: number, memory: Uint8Array, start: number, end: number): number {
    const state = this.#state;
    const length = BEFORE_OWN + end - start;
    // Where it would be kept: it may be long, and most of these are new.
    const at = state.room(length);
    const { bytes } = state;
    copyBytes(STORE, 0, STORE.length, bytes, at);
    copyBytes(ids, idAt, idAt + ID_LENGTH, bytes, at + STORE.length);
    bytes[at + BEFORE_OWN - 1] = SLASH;
    copyBytes(memory, start, end, bytes, at + BEFORE_OWN);
    return state.keyInRoom(length);
  }

  sequence(): number {
    return this.#numberOf(this.#sequence);
  }

  #numberOf({ bytes, start, end }: KeyBuffer): number {
    return this.#state.keyOf(bytes, start, end);
  }
}
