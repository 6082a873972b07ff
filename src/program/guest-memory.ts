import { createHash } from 'node:crypto';
import { guestModule } from '../util/built-wasm.js';
import { GLOBAL_BYTES, GLOBAL_HIGH, GLOBAL_LOW, GLOBAL_ROOM } from './counters.js';
import { FrameMemory } from './frame-memory.js';
import { HIDDEN_BYTES } from './hidden-page.js';

/** What wasm/native/guest.ts exports: code that works on the memory and the fuel counter of one instance. */
interface GuestCode {
  charge(amount: number): number;
  fuelLeft(): number;
  fits(pointer: number, length: number): number;
  lengthAt(pointer: number): number;
  sha256(pointer: number, length: number, out: number): void;
  sha256d(pointer: number, length: number, out: number): void;
}

/** From this length on the native hash is faster, though it makes objects. */
const NATIVE_HASH_FROM = 512;
/** Fuel counters are signed. */
const MOST_FUEL = 2 ** 31 - 1;

/** The globals of a program in a lent memory, which are i32: see lent-code.ts. */
export interface LentView {
  readonly seen: WebAssembly.Global;
  readonly low: WebAssembly.Global;
  readonly high: WebAssembly.Global;
  readonly room: WebAssembly.Global;
}

/** Those that `exports` hold. */
export function lentViewOf(exports: WebAssembly.Exports): LentView {
  const global = (name: string): WebAssembly.Global => exports[name] as WebAssembly.Global;
  return { seen: global(GLOBAL_BYTES), low: global(GLOBAL_LOW), high: global(GLOBAL_HIGH), room: global(GLOBAL_ROOM) };
}

const counter = (value: number): WebAssembly.Global => new WebAssembly.Global({ value: 'i32', mutable: true }, value);

/** Stands for the bytes seen of a memory that is the program's own: all of them. No memory has as many. */
const WHOLE: LentView = { seen: counter(-1), low: counter(0), high: counter(0), room: counter(0) };

/** Bytes below the memory that the program sees: none, or a page (hidden-page.ts). */
const NOTHING_HIDDEN = new WebAssembly.Global({ value: 'i32', mutable: false }, 0);
const PAGE_HIDDEN = new WebAssembly.Global({ value: 'i32', mutable: false }, HIDDEN_BYTES);

let compiled: WebAssembly.Module | undefined;

/**
 * Memory and fuel counter of one instance, through WebAssembly of our own: reading or setting a global from outside, or
 * making a view to read four bytes, costs several times more than using them.
 */
export class GuestMemory extends FrameMemory {
  #bytes: Uint8Array;
  readonly #code: GuestCode;

  readonly #memory: WebAssembly.Memory;
  readonly #fuel: WebAssembly.Global;
  /** Of a lent memory, the bytes that the program sees of it. */
  readonly #seen: WebAssembly.Global | undefined;

  /** Bytes of the memory below those that the program sees. */
  readonly #hidden: number;

  /**
   * `view`: of a lent memory, what the program sees of it (lent-memory.ts). `hides`: the page below that is hidden from
   * it (hidden-page.ts).
   */
  constructor(memory: WebAssembly.Memory, fuel: WebAssembly.Global, view?: LentView, hides = false) {
    super();
    this.#memory = memory;
    this.#fuel = fuel;
    this.#seen = view?.seen;
    this.#hidden = hides ? HIDDEN_BYTES : 0;
    const hidden = hides ? PAGE_HIDDEN : NOTHING_HIDDEN;
    this.#bytes = new Uint8Array(memory.buffer, this.#hidden, view?.seen.value);
    compiled ??= new WebAssembly.Module(Uint8Array.from(guestModule()));
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory, fuel, hidden, ...(view ?? WHOLE) } });
    this.#code = exports as unknown as GuestCode;
  }

  override charge(amount: number): boolean {
    return amount <= MOST_FUEL && this.#code.charge(amount) !== 0;
  }

  override get fuelLeft(): number {
    return this.#code.fuelLeft();
  }

  override set fuelLeft(fuel: number) {
    this.#fuel.value = fuel;
  }

  /** The memory as it is now, with what is hidden from the program. */
  get withHidden(): Uint8Array {
    return this.#hidden === 0 ? this.bytes : new Uint8Array(this.#memory.buffer);
  }

  override get bytes(): Uint8Array {
    // memory.grow detaches the buffer, and the length of a view of a detached buffer is 0.
    if (this.#seen !== undefined) {
      const length = this.#seen.value as number;
      if (this.#bytes.length !== length) this.#bytes = new Uint8Array(this.#memory.buffer, this.#hidden, length);
    } else if (this.#bytes.length === 0) this.#bytes = new Uint8Array(this.#memory.buffer, this.#hidden);
    return this.#bytes;
  }

  override lengthAt(pointer: number): number {
    const length = this.#code.lengthAt(pointer);
    return length === -1 ? length : length >>> 0;
  }

  override fits(pointer: number, length: number): boolean {
    return this.#code.fits(pointer, length) !== 0;
  }

  override hash(pointer: number, length: number, out: number, twice: boolean): void {
    if (length < NATIVE_HASH_FROM) {
      const [from, to] = [pointer + this.#hidden, out + this.#hidden];
      if (twice) this.#code.sha256d(from, length, to);
      else this.#code.sha256(from, length, to);
      return;
    }
    const p = pointer >>> 0;
    const once = createHash('sha256')
      .update(this.bytes.subarray(p, p + length))
      .digest();
    this.write(out, once);
    const to = out + this.#hidden;
    if (twice) this.#code.sha256(to, once.length, to);
  }
}
