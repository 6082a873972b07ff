import { Reader } from '../../../program/reader.js';
import { concatBytes } from '../../../util/bytes.js';

const HEADER_BYTES = 8;
const MEMORY = 5;
const HAS_MAXIMUM = 1;

/**
 * The module without the maximum of its memory: an Alkanes indexer grows every memory to 512 pages, and ends at a
 * module that does not let it. Only for modules of less than 128 pages that the project's own build has made.
 */
export function withoutMaximum(wasm: Uint8Array): Uint8Array {
  const reader = new Reader(wasm, HEADER_BYTES, wasm.length);
  while (!reader.done) {
    const start = reader.at;
    const isMemory = reader.byte() === MEMORY;
    const section = reader.inner(reader.u32());
    if (!isMemory) continue;
    const [count, flags, pages] = [section.u32(), section.byte(), section.byte()];
    if (count !== 1 || flags !== HAS_MAXIMUM) return wasm;
    return concatBytes(wasm.subarray(0, start), Uint8Array.of(MEMORY, 3, 1, 0, pages), wasm.subarray(reader.at));
  }
  return wasm;
}
