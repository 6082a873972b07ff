/** Numbers of the keys of namespace P (docs/lane-rules.md, section 7), from ids and outpoints where they lie. */
import { ID_LENGTH } from '../../protocol/alkane-id.js';
import { writeU32 } from '../../util/bytes.js';
import type { BlockState } from './block-state.js';
import { KeyBuffer } from './key-buffer.js';

const OUTPOINT = 36;
/** Longest own key of a contract that needs no buffer of its own. */
const OWN_KEY_ROOM = 1_024;
const ID_AND_SLASH = ID_LENGTH + 1;
const SLASH = 0x2f;

export class StateKeys {
  readonly #state: BlockState;
  readonly #sheet = new KeyBuffer('sheet/', OUTPOINT);
  readonly #code = new KeyBuffer('code/', ID_LENGTH);
  readonly #balance = new KeyBuffer('balance/', 2 * ID_LENGTH);
  readonly #storage = new KeyBuffer('store/', ID_AND_SLASH + OWN_KEY_ROOM);
  readonly #sequence = new KeyBuffer('sequence', 0);

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
    writeU32(this.#sheet.bytes, this.#sheet.prefix + ID_LENGTH, vout);
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
    const key = this.#storage;
    key.put(0, ids, idAt, ID_LENGTH);
    const own = key.prefix + ID_AND_SLASH;
    key.bytes[own - 1] = SLASH;
    const length = end - start;
    if (length <= OWN_KEY_ROOM) {
      key.put(ID_AND_SLASH, memory, start, length);
      return this.#state.keyOf(key.bytes, 0, own + length);
    }
    const long = new Uint8Array(own + length);
    long.set(key.bytes.subarray(0, own));
    long.set(memory.subarray(start, end), own);
    return this.#state.keyOf(long, 0, long.length);
  }

  sequence(): number {
    return this.#numberOf(this.#sequence);
  }

  #numberOf({ bytes }: KeyBuffer): number {
    return this.#state.keyOf(bytes, 0, bytes.length);
  }
}
