/**
 * What a module says of an earlier one: a custom section `warpshrew_same_below` of 36 bytes, any number of times. The
 * SHA-256 of the earlier module's bytes (32), then a height (u32 LE): below it, both leave the same state.
 */
import { readU32, toHex } from '../util/bytes.js';

const SECTION = 'warpshrew_same_below';
const HASH_BYTES = 32;

/** The highest height below which `module` says that it leaves the state of the module `earlier` (hash, hex). */
export function sameBelow(module: WebAssembly.Module, earlier: string): number {
  let height = 0;
  for (const section of WebAssembly.Module.customSections(module, SECTION)) {
    const bytes = new Uint8Array(section);
    if (bytes.length !== HASH_BYTES + 4 || toHex(bytes.subarray(0, HASH_BYTES)) !== earlier) continue;
    height = Math.max(height, readU32(bytes, HASH_BYTES));
  }
  return height;
}
