import { openSource } from '../bitcoin/sources.js';

/** The block of that height of a fixture chain, folder of raw blocks or raw block. Throws what `openSource` throws. */
export function blockIn(path: string, height: number): Uint8Array | undefined {
  for (const { raw } of openSource(path).blocks(height, height)) return raw;
  return undefined;
}
