import { EnvironmentError } from '../../errors/errors.js';
import { ACCESS_RECORD, CALL_RECORD, KEY_RECORD, MAX_SLOTS } from '../translate/layout.js';
import { type CallRecords, CONTRACT_BYTES } from './records.js';

const FREE = 0xffffffff;
// Fields as constants: looking them up in the structs would cost more than using them.
const { words: HEAD_WORDS } = CALL_RECORD;
const { FIRST_ACCESS, ACCESSES } = CALL_RECORD.offset;
const { words: ACCESS_RECORD_WORDS } = ACCESS_RECORD;
const { KEY } = ACCESS_RECORD.offset;
const { words: KEY_WORDS } = KEY_RECORD;
const { SLOT_HASH, KEY_AT, KEY_BYTES, CONTRACT_AT } = KEY_RECORD.offset;

/**
 * Gives each distinct key of a block a slot number. A hash table with open addressing and linear probing, at most half
 * full, in typed arrays that are reused.
 */
export class SlotTable {
  count = 0;
  /** By slot: index of the records that hold its key, and the key's number there. */
  recordsOf = new Uint32Array(0);
  keyOf = new Uint32Array(0);
  #hashes = new Uint32Array(0);
  /** Slot + 1, 0 = free. */
  #table = new Uint32Array(0);
  #records: readonly CallRecords[] = [];
  #words: Uint32Array[] = [];
  /** Slot of every key of every list of records, each list from `#firstKey` on; FREE if it has none yet. */
  #slotOfKey = new Uint32Array(0);
  #firstKey: number[] = [];
  #shared = true;

  /** Empties the table for a block of `accesses` accesses. Throws GPU_FAILED above MAX_SLOTS. */
  begin(records: readonly CallRecords[], accesses: number, shared: boolean): void {
    if (accesses > MAX_SLOTS) {
      throw new EnvironmentError('GPU_FAILED', 'a batch has more keys than the kernel can number', {
        facts: { keys: accesses, limit: MAX_SLOTS },
        hint: 'The CPU policies give the same state.',
      });
    }
    this.count = 0;
    this.#records = records;
    this.#shared = shared;
    if (this.recordsOf.length < accesses) {
      this.recordsOf = new Uint32Array(accesses * 2);
      this.keyOf = new Uint32Array(accesses * 2);
      this.#hashes = new Uint32Array(accesses * 2);
    }
    if (!shared) return;
    this.#words = records.map(({ bytes }) => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2));
    let keys = 0;
    this.#firstKey = records.map((own) => {
      keys += own.keys.length / KEY_WORDS;
      return keys - own.keys.length / KEY_WORDS;
    });
    if (this.#slotOfKey.length < keys) this.#slotOfKey = new Uint32Array(keys * 2);
    this.#slotOfKey.fill(FREE, 0, keys);
    let size = 16;
    while (size < keys * 2) size *= 2;
    if (this.#table.length === size) this.#table.fill(0);
    else this.#table = new Uint32Array(size);
  }

  /** Writes the slots of a call's keys to `slots` from index `at` on. */
  addCall(r: number, call: number, slots: Uint32Array, at: number): void {
    const { heads, accesses } = this.#records[r];
    const head = call * HEAD_WORDS;
    const first = heads[head + FIRST_ACCESS];
    const count = heads[head + ACCESSES];
    for (let k = 0; k < count; k++) {
      const key = accesses[(first + k) * ACCESS_RECORD_WORDS + KEY];
      if (!this.#shared) {
        slots[at + k] = this.#add(r, key, 0);
        continue;
      }
      const place = this.#firstKey[r] + key;
      if (this.#slotOfKey[place] === FREE) this.#slotOfKey[place] = this.#intern(r, key);
      slots[at + k] = this.#slotOfKey[place];
    }
  }

  #intern(r: number, key: number): number {
    const hash = this.#records[r].keys[key * KEY_WORDS + SLOT_HASH];
    const mask = this.#table.length - 1;
    let place = (hash ^ (hash >>> 15)) & mask;
    while (this.#table[place] !== 0) {
      const slot = this.#table[place] - 1;
      if (this.#hashes[slot] === hash && this.#isSame(slot, r, key)) return slot;
      place = (place + 1) & mask;
    }
    this.#table[place] = this.count + 1;
    return this.#add(r, key, hash);
  }

  #add(r: number, key: number, hash: number): number {
    const slot = this.count++;
    this.recordsOf[slot] = r;
    this.keyOf[slot] = key;
    this.#hashes[slot] = hash;
    return slot;
  }

  #isSame(slot: number, r: number, key: number): boolean {
    const other = this.#records[this.recordsOf[slot]].keys;
    const { keys } = this.#records[r];
    const mine = key * KEY_WORDS;
    const theirs = this.keyOf[slot] * KEY_WORDS;
    const length = keys[mine + KEY_BYTES];
    if (other[theirs + KEY_BYTES] !== length) return false;
    const a = this.#words[r];
    const b = this.#words[this.recordsOf[slot]];
    const same = (field: number, words: number): boolean =>
      equalWords(a, keys[mine + field] >> 2, b, other[theirs + field] >> 2, words);
    // Whole words can be compared, because keys are padded with zeros.
    return same(KEY_AT, (length + 3) >> 2) && same(CONTRACT_AT, CONTRACT_BYTES / 4);
  }
}

function equalWords(a: Uint32Array, atA: number, b: Uint32Array, atB: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (a[atA + i] !== b[atB + i]) return false;
  return true;
}
