/** Programs in the memory of the interpreter, and how they come there. */
import { ALIGNED, BLOCK_WORDS, NOT_THERE, PART_BYTES, PROGRAM, WORD } from './interpreter-layout.js';
import { type KeptImage, KeptImages, type Place } from './kept-images.js';
import { type ProgramImage, planOf } from './lay-out.js';
import type { PutAway, PutAwayPrograms } from './put-away.js';
import type { Program } from './types.js';

/** Addresses for programs that come in parts: so many times the room for those that are whole. */
const SPARSE_TIMES = 8;

/** A program in the interpreter's memory. */
export interface LaidOut {
  readonly image: ProgramImage;
  /** Where the parts of it are that did not come yet; undefined: it was never put away. */
  readonly away: PutAway | undefined;
}

/** What wasm/native/interpreter/ready.ts exports. */
export interface PuttingAway {
  makeSideTables(program: number, functions: number): void;
  markStarts(program: number, functions: number, parts: number): void;
  sumOf(at: number, length: number): number;
}

/** Bytes of addresses that they need, if those that are whole have `bytes`. */
export function addressesFor(bytes: number): number {
  return (1 + SPARSE_TIMES) * bytes;
}

/**
 * A program is laid out whole in one region. Once it had to leave that, it comes back in parts, to another region: of
 * many addresses, of which few are used. When parts have taken as much of the machine's memory as they may, it is full,
 * and programs come back to the first region, until whoever made all of this makes it anew.
 */
export class LaidOutPrograms {
  readonly #heap: Uint8Array;
  readonly #words: Int32Array;
  readonly #code: PuttingAway;
  readonly #away: PutAwayPrograms;
  readonly #whole: KeptImages<LaidOut>;
  readonly #sparse: KeptImages<LaidOut>;
  readonly #mostTouched: number;
  /** Bytes of the second region that programs have touched. */
  #touched = 0;
  #isEnding = false;

  /** From `start` of `heap` on; programs that are whole have `bytes`, parts half as many. */
  constructor(heap: Uint8Array, start: number, bytes: number, code: PuttingAway, away: PutAwayPrograms) {
    this.#heap = heap;
    this.#words = new Int32Array(heap.buffer);
    this.#code = code;
    this.#away = away;
    const end = start + bytes;
    this.#whole = new KeptImages(start, end, (image) => this.#putAway(image));
    this.#sparse = new KeptImages(end, start + addressesFor(bytes), (image) => this.#putAway(image));
    this.#mostTouched = bytes / 2;
  }

  /** The program in memory; undefined: there is no room for it, or no instruction of it ever runs. */
  find(program: Program): KeptImage<LaidOut> | undefined {
    const { hash } = program;
    const there = this.#whole.get(hash) ?? (this.isFull ? undefined : this.#sparse.get(hash));
    return there ?? this.#bringBack(hash) ?? this.#layOut(program);
  }

  get size(): number {
    return this.#whole.size + this.#sparse.size;
  }

  /** Whether parts of programs have taken all the memory that they may. */
  get isFull(): boolean {
    return this.#touched >= this.#mostTouched;
  }

  /** Bytes of the machine's memory that they have taken, at most. */
  get takenBytes(): number {
    return this.#whole.end - this.#whole.start + this.#touched;
  }

  /** Puts all away: nothing of this is used any more. */
  end(): void {
    this.#isEnding = true;
    this.#whole.clear();
    this.#sparse.clear();
  }

  /** Brings what `program` has from `from` to `to`, counted from its beginning, as far as it is not there. */
  bring({ start, image: { image, away } }: KeptImage<LaidOut>, from: number, to: number): void {
    if (away === undefined || from === to) return;
    const heap = this.#heap;
    const { starts } = away.image;
    const parts = start + image.parts;
    const last = Math.floor((to - 1) / PART_BYTES);
    for (let part = Math.floor(from / PART_BYTES); part <= last; part++) {
      if (heap[parts + part] !== 0) continue;
      this.#away.read(away, part, heap, start, this.#code.sumOf);
      heap[parts + part] = 1;
      this.#touches(start, PART_BYTES);
      const next = part + 1;
      // Whoever runs on into the next part must not run on what lies there now.
      if (starts[next] > 0 && heap[parts + next] === 0) heap[start + next * PART_BYTES + starts[next] - 1] = NOT_THERE;
    }
  }

  #touches(start: number, bytes: number): void {
    if (start >= this.#sparse.start) this.#touched += bytes;
  }

  #layOut(program: Program): KeptImage<LaidOut> | undefined {
    const plan = planOf(program);
    const layOut = (place: Place): LaidOut => ({
      image: plan?.lay(this.#heap, place) as ProgramImage,
      away: undefined,
    });
    return plan && this.#whole.make(program.hash, plan.bytes, layOut);
  }

  #putAway({ hash, start, image: { image, away } }: KeptImage<LaidOut>): void {
    if (away !== undefined) away.users--;
    if (away !== undefined || !this.#away.takes(hash, image)) return;
    if (!this.#isEnding) this.#away.crowdedOut++;
    const heap = this.#heap;
    const code = this.#code;
    const [parts, partsEnd] = [start + image.parts, start + image.headBytes];
    code.makeSideTables(start, image.functionCount);
    heap.fill(0, parts, partsEnd);
    code.markStarts(start, image.functionCount, parts);
    const starts = heap.slice(parts, partsEnd);
    heap.fill(0, parts, partsEnd);
    this.#words[(start + PROGRAM.parts) / WORD] = image.parts;
    const end = start + this.#words[(start + PROGRAM.room) / WORD] + BLOCK_WORDS;
    this.#away.put(hash, image, starts, heap, start, end, code.sumOf);
  }

  /** Takes the head of a program that was put away; its parts come when a run needs them. */
  #bringBack(hash: string): KeptImage<LaidOut> | undefined {
    const away = this.#away.get(hash);
    if (away === undefined) return undefined;
    // It stays while its parts may be asked for, also while others make room for it.
    away.users++;
    const room = this.isFull ? this.#whole : this.#sparse;
    const kept = room.make(hash, (away.end - away.start + ALIGNED - 1) & -ALIGNED, ({ start }) => {
      const { image } = away.image;
      this.#away.readHead(away, this.#heap, start, this.#code.sumOf);
      this.#heap.fill(1, start + image.parts, start + image.parts + Math.floor(image.headBytes / PART_BYTES));
      this.#touches(start, image.headBytes + PART_BYTES);
      return { image, away };
    });
    if (kept === undefined) away.users--;
    return kept;
  }
}
