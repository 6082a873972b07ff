import { Reader } from '../program/reader.js';
import { concatBytes, toBinaryString } from '../util/bytes.js';

const HEADER_BYTES = 8;
const EXPORTS = 7;

/**
 * The module with the names of two exports swapped, each written as it was; all else stays to the byte. Undefined if it
 * does not export both. `wasm` must be a module that was admitted.
 */
export function swapExports(wasm: Uint8Array, one: string, other: string): Uint8Array | undefined {
  const reader = new Reader(wasm, HEADER_BYTES, wasm.length);
  while (!reader.done) {
    const isExports = reader.byte() === EXPORTS;
    const section = reader.inner(reader.u32());
    if (!isExports) continue;
    const [first, second] = placesOf(section, [one, other]);
    if (first === undefined || second === undefined) return undefined;
    const [low, high] = first.start < second.start ? [first, second] : [second, first];
    return concatBytes(
      wasm.subarray(0, low.start),
      wasm.subarray(high.start, high.end),
      wasm.subarray(low.end, high.start),
      wasm.subarray(low.start, low.end),
      wasm.subarray(high.end),
    );
  }
  return undefined;
}

/** From its length word on. */
interface NamePlace {
  readonly start: number;
  readonly end: number;
}

function placesOf(section: Reader, names: readonly string[]): (NamePlace | undefined)[] {
  const found = new Map<string, NamePlace>();
  for (let left = section.u32(); left > 0; left--) {
    const start = section.at;
    const name = toBinaryString(section.take(section.u32()));
    found.set(name, { start, end: section.at });
    section.byte();
    section.u32();
  }
  return names.map((name) => found.get(name));
}
