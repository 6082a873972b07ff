import { createHash } from 'node:crypto';
import { readU32 } from '../util/bytes.js';
import { FrameMemory } from './frame-memory.js';
import { STATE, WORD } from './interpreter-layout.js';

/** Memory and fuel of a frame of the interpreter, whose memory begins elsewhere in each run. */
export class InterpretedMemory extends FrameMemory {
  #bytes: Uint8Array = new Uint8Array(0);

  /** `heap`: all of the interpreter's memory, of which `words` at `state` says where that of the frame is. */
  constructor(
    readonly heap: Uint8Array,
    readonly words: Int32Array,
    readonly state: number,
    readonly fuel: WebAssembly.Global,
  ) {
    super();
  }

  get length(): number {
    return this.words[(this.state + STATE.memoryBytes) / WORD];
  }

  override get bytes(): Uint8Array {
    const start = this.words[(this.state + STATE.memory) / WORD];
    const { length } = this;
    if (this.#bytes.length !== length || this.#bytes.byteOffset !== start) {
      this.#bytes = new Uint8Array(this.heap.buffer, start, length);
    }
    return this.#bytes;
  }

  override get fuelLeft(): number {
    return this.fuel.value as number;
  }

  override set fuelLeft(fuel: number) {
    this.fuel.value = fuel;
  }

  override charge(amount: number): boolean {
    const left = this.fuelLeft;
    if (amount > left) return false;
    this.fuelLeft = left - amount;
    return true;
  }

  override lengthAt(pointer: number): number {
    if (!this.fits(pointer, 0)) return -1;
    const length = readU32(this.bytes, (pointer >>> 0) - 4);
    return this.fits(pointer, length) ? length : -1;
  }

  override fits(pointer: number, length: number): boolean {
    const p = pointer >>> 0;
    return p >= 4 && p + length <= this.length;
  }

  override hash(pointer: number, length: number, out: number, twice: boolean): void {
    const p = pointer >>> 0;
    const once = createHash('sha256')
      .update(this.bytes.subarray(p, p + length))
      .digest();
    this.write(out, twice ? createHash('sha256').update(once).digest() : once);
  }
}
