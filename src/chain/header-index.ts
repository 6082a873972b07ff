import { InputError } from '../errors/errors.js';
import { readU32 } from '../util/bytes.js';

/** Where a block lies: file number, offset of its first header byte, length. */
export interface BlockPlace {
  readonly file: number;
  readonly offset: number;
  readonly length: number;
}

const HASH = 32;
/** Remembered copies of one block: crashes of the node leave a few. The last place is always the one found last. */
const MAX_PLACES = 64;
/** Several times the number of blocks of any existing chain. */
const MAX_BLOCKS = 1 << 23;

/** Headers and places of blocks by hash, about 100 bytes a block, numbered from 0 in the order they were found. */
export class HeaderIndex {
  #capacity = 1 << 10;
  #count = 0;
  #hashes = new Uint8Array(this.#capacity * HASH);
  #previous = new Uint8Array(this.#capacity * HASH);
  #bits = new Uint32Array(this.#capacity);
  #files = new Uint32Array(this.#capacity);
  #offsets = new Uint32Array(this.#capacity);
  #lengths = new Uint32Array(this.#capacity);
  /** Further places of the few blocks that have any, by number. */
  readonly #more = new Map<number, BlockPlace[]>();
  /** Open addressing by the first four bytes of a hash, which are as good as random: number + 1, or 0. */
  #table = new Uint32Array(this.#capacity * 2);

  get size(): number {
    return this.#count;
  }

  /** False if the block is known: then the place is added to it. Throws InputError BLOCK_FILES_TOO_MANY. */
  add(hash: Uint8Array, header: Uint8Array, place: BlockPlace): boolean {
    const slot = this.#slotOf(hash);
    if (this.#table[slot] !== 0) {
      this.#addPlace(this.#table[slot] - 1, place);
      return false;
    }
    if (this.#count === MAX_BLOCKS) {
      throw new InputError('BLOCK_FILES_TOO_MANY', 'the block files hold more blocks than any chain has', {
        facts: { blocks: this.#count },
      });
    }
    const id = this.#count++;
    this.#table[slot] = id + 1;
    this.#hashes.set(hash, id * HASH);
    this.#previous.set(header.subarray(4, 36), id * HASH);
    this.#bits[id] = readU32(header, 72);
    this.#setFirst(id, place);
    if (this.#count === this.#capacity) this.#grow();
    return true;
  }

  /** Number of the block with that hash. */
  find(hash: Uint8Array): number | undefined {
    const entry = this.#table[this.#slotOf(hash)];
    return entry === 0 ? undefined : entry - 1;
  }

  hashOf(id: number): Uint8Array {
    return this.#hashes.slice(id * HASH, (id + 1) * HASH);
  }

  /** Hash of the block before; a view, not a copy. */
  previousOf(id: number): Uint8Array {
    return this.#previous.subarray(id * HASH, (id + 1) * HASH);
  }

  bitsOf(id: number): number {
    return this.#bits[id];
  }

  /** Every place of the block; the one to try first comes first. */
  placesOf(id: number): readonly BlockPlace[] {
    const first = { file: this.#files[id], offset: this.#offsets[id], length: this.#lengths[id] };
    return [first, ...(this.#more.get(id) ?? [])];
  }

  /** Puts one of the places of the block before the others. */
  prefer(id: number, place: BlockPlace): void {
    const others = this.placesOf(id).filter((other) => !samePlace(other, place));
    this.#setFirst(id, place);
    if (others.length > 0) this.#more.set(id, others);
  }

  #addPlace(id: number, place: BlockPlace): void {
    const places = this.placesOf(id);
    if (places.some((other) => samePlace(other, place))) return;
    const more = this.#more.get(id) ?? [];
    this.#more.set(id, [...more.slice(0, MAX_PLACES - 2), place]);
  }

  #setFirst(id: number, { file, offset, length }: BlockPlace): void {
    this.#files[id] = file;
    this.#offsets[id] = offset;
    this.#lengths[id] = length;
  }

  /** The table slot of the hash, or where it would be inserted. */
  #slotOf(hash: Uint8Array): number {
    const mask = this.#table.length - 1;
    for (let slot = readU32(hash, 0) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#table[slot];
      if (entry === 0 || this.#equals(entry - 1, hash)) return slot;
    }
  }

  #equals(id: number, hash: Uint8Array): boolean {
    for (let i = 0; i < HASH; i++) if (this.#hashes[id * HASH + i] !== hash[i]) return false;
    return true;
  }

  #grow(): void {
    this.#capacity *= 2;
    this.#hashes = copyInto(new Uint8Array(this.#capacity * HASH), this.#hashes);
    this.#previous = copyInto(new Uint8Array(this.#capacity * HASH), this.#previous);
    this.#bits = copyInto(new Uint32Array(this.#capacity), this.#bits);
    this.#files = copyInto(new Uint32Array(this.#capacity), this.#files);
    this.#offsets = copyInto(new Uint32Array(this.#capacity), this.#offsets);
    this.#lengths = copyInto(new Uint32Array(this.#capacity), this.#lengths);
    this.#table = new Uint32Array(this.#capacity * 2);
    for (let id = 0; id < this.#count; id++) {
      this.#table[this.#slotOf(this.#hashes.subarray(id * HASH, (id + 1) * HASH))] = id + 1;
    }
  }
}

function samePlace(a: BlockPlace, b: BlockPlace): boolean {
  return a.file === b.file && a.offset === b.offset && a.length === b.length;
}

function copyInto<T extends Uint8Array | Uint32Array>(target: T, from: T): T {
  target.set(from);
  return target;
}
