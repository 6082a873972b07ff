/** What addresses of the kernel stand for, in the memory of this process. */
import { WRITTEN_ADDRESS } from '../translate/layout.js';
import { lengthPrefixed, type ReadAddress } from './outcomes.js';

interface Output {
  readonly firstWord: number;
  readonly endWord: number;
  readonly bytes: Uint8Array;
}

/** A value as it lies in `input_state`: its length, its bytes, zeros up to a whole word. */
export interface PlacedValue {
  readonly at: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The records of a block, values that were set behind them, and the outputs of segments that were read back. */
export class AddressSpace {
  readonly #records: Uint8Array;
  readonly #recordBytes: number;
  readonly #end: number;
  readonly #outputs: Output[] = [];
  readonly #set: PlacedValue[] = [];
  #next: number;

  /** `recordBytes`: of `input_state` before what is set; `room`: bytes for that. */
  constructor(records: Uint8Array, recordBytes: number, room: number) {
    this.#records = records;
    this.#recordBytes = recordBytes;
    this.#next = recordBytes;
    this.#end = recordBytes + room;
  }

  /** `bytes` are the words from `firstWord` to `endWord` of `output_state`. */
  addOutput(firstWord: number, endWord: number, bytes: Uint8Array): void {
    this.#outputs.push({ firstWord, endWord, bytes });
  }

  /** A place for a copy of `value`; undefined if there is no room. Its address is four bytes behind `at`. */
  place(value: Uint8Array): PlacedValue | undefined {
    const bytes = new Uint8Array((value.length + 7) & ~3);
    const at = this.#next;
    if (at + bytes.length > this.#end) return undefined;
    new DataView(bytes.buffer).setUint32(0, value.length, true);
    bytes.set(value, 4);
    this.#next += bytes.length;
    const placed = { at, bytes };
    this.#set.push(placed);
    return placed;
  }

  /** The bytes at an address. Throws RangeError for one that stands for nothing. */
  readonly read: ReadAddress = (address) => {
    const at = (address & ~WRITTEN_ADDRESS) >>> 0;
    if ((address & WRITTEN_ADDRESS) !== 0) {
      const output = this.#outputs.find(({ firstWord, endWord }) => at >= firstWord * 4 && at < endWord * 4);
      if (output === undefined) throw new RangeError('an address outside what was read back');
      return lengthPrefixed(output.bytes, at - output.firstWord * 4);
    }
    if (at < this.#recordBytes) return lengthPrefixed(this.#records, at);
    const set = this.#set.find((entry) => at >= entry.at && at < entry.at + entry.bytes.length);
    if (set === undefined) throw new RangeError('an address outside what was packed');
    return lengthPrefixed(set.bytes, at - set.at);
  };
}
