import { createInflate } from 'node:zlib';

/** Bytes that zlib returns at a time: it stops at most this far past the limit. */
const STEP = 1 << 16;

/**
 * Inflates zlib data that gives exactly `length` bytes, into one array of that length; undefined if it gives another
 * number or is damaged. Inflating stops as soon as more comes: whatever the data declares, nothing beyond `length` is
 * kept.
 */
export function inflateTo(data: Uint8Array, length: number): Promise<Uint8Array | undefined> {
  const out = new Uint8Array(length);
  let filled = 0;
  return new Promise((resolve) => {
    const stream = createInflate({ chunkSize: STEP });
    const end = (result: Uint8Array | undefined): void => {
      stream.destroy();
      resolve(result);
    };
    stream.on('data', (part: Uint8Array) => {
      if (filled + part.length > length) return end(undefined);
      out.set(part, filled);
      filled += part.length;
    });
    stream.on('error', () => end(undefined));
    stream.on('end', () => end(filled === length ? out : undefined));
    stream.end(data);
  });
}
