import { CALL_RECORD, KEY_RECORD, MAX_SLOTS } from './layout.js';
import type { CallRecords } from './records.js';

/** Words of a context that name the contract: its id, two u128. */
const CONTRACT_WORDS = 8;

/** Numbers the different keys of a block: open addressing with linear probing, at most half full, in typed arrays that are kept. */
export class SlotTable {
  count = 0;
  /** By slot: index of the records that hold its key, and the number of the key there. */
  recordsOf = new Uint32Array(0);
  keyOf = new Uint32Array(0);
  #hashes = new Uint32Array(0);
  /** Place in its records of the context that names the slot's contract, in words. */
  #contractOf = new Uint32Array(0);
  /** Slot + 1, 0 = free. */
  #table = new Uint32Array(0);
  #records: readonly CallRecords[] = [];
  #words: Uint32Array[] = [];
  #shared = true;

  /** Empties the table for a block of at most `keys` keys. Throws RangeError beyond MAX_SLOTS. */
  begin(records: readonly CallRecords[], keys: number, shared: boolean): void {
    if (keys > MAX_SLOTS) throw new RangeError('too many keys in one batch');
    this.count = 0;
    this.#records = records;
    this.#shared = shared;
    this.#words = records.map(({ bytes }) => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2));
    if (this.recordsOf.length < keys) {
      this.recordsOf = new Uint32Array(keys * 2);
      this.keyOf = new Uint32Array(keys * 2);
      this.#hashes = new Uint32Array(keys * 2);
      this.#contractOf = new Uint32Array(keys * 2);
    }
    if (!shared) return;
    let size = 16;
    while (size < keys * 2) size *= 2;
    if (this.#table.length === size) this.#table.fill(0);
    else this.#table = new Uint32Array(size);
  }

  /** Writes the slots of the keys of a call to `slots` from `at` on. */
  addCall(r: number, call: number, slots: Uint32Array, at: number): void {
    const { heads } = this.#records[r];
    const head = call * CALL_RECORD.words;
    const first = heads[head + CALL_RECORD.offset.FIRST_KEY];
    const count = heads[head + CALL_RECORD.offset.KEYS];
    if (!this.#shared) {
      for (let k = 0; k < count; k++) slots[at + k] = this.#add(r, first + k, 0, 0);
      return;
    }
    if (heads[head + CALL_RECORD.offset.CONTEXT_BYTES] < CONTRACT_WORDS * 4) {
      throw new RangeError('a context without the id of its contract');
    }
    const contract = heads[head + CALL_RECORD.offset.CONTEXT_AT] >> 2;
    const words = this.#words[r];
    // Block and tx of the id, low words: enough to spread equal keys of different contracts.
    const mixed = Math.imul(words[contract] ^ Math.imul(words[contract + 4], 0x9e3779b1), 0x85ebca6b);
    for (let k = 0; k < count; k++) slots[at + k] = this.#intern(r, first + k, contract, mixed);
  }

  #intern(r: number, key: number, contract: number, mixed: number): number {
    const hash = (this.#records[r].keys[key * KEY_RECORD.words + KEY_RECORD.offset.HASH] ^ mixed) >>> 0;
    const mask = this.#table.length - 1;
    let place = (hash ^ (hash >>> 15)) & mask;
    while (this.#table[place] !== 0) {
      const slot = this.#table[place] - 1;
      if (this.#hashes[slot] === hash && this.#isSame(slot, r, key, contract)) return slot;
      place = (place + 1) & mask;
    }
    this.#table[place] = this.count + 1;
    return this.#add(r, key, contract, hash);
  }

  #add(r: number, key: number, contract: number, hash: number): number {
    const slot = this.count++;
    this.recordsOf[slot] = r;
    this.keyOf[slot] = key;
    this.#hashes[slot] = hash;
    this.#contractOf[slot] = contract;
    return slot;
  }

  #isSame(slot: number, r: number, key: number, contract: number): boolean {
    const other = this.#records[this.recordsOf[slot]].keys;
    const { keys } = this.#records[r];
    const mine = key * KEY_RECORD.words;
    const theirs = this.keyOf[slot] * KEY_RECORD.words;
    const { offset } = KEY_RECORD;
    const length = keys[mine + offset.KEY_BYTES];
    if (other[theirs + offset.KEY_BYTES] !== length) return false;
    const a = this.#words[r];
    const b = this.#words[this.recordsOf[slot]];
    // Keys are padded with zeros to whole words.
    return (
      equalWords(a, keys[mine + offset.KEY_AT] >> 2, b, other[theirs + offset.KEY_AT] >> 2, (length + 3) >> 2) &&
      equalWords(a, contract, b, this.#contractOf[slot], CONTRACT_WORDS)
    );
  }
}

function equalWords(a: Uint32Array, atA: number, b: Uint32Array, atB: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (a[atA + i] !== b[atB + i]) return false;
  return true;
}
