import { eachElement } from '../../src/standard/flush.js';
import { toBinaryString } from '../../src/util/bytes.js';

/** Last value per key (a binary string) over flush buffers, in first-write order, as a plain map. */
export function collectPairs(flushes: readonly Uint8Array[]): Map<string, Uint8Array> {
  const pairs = new Map<string, Uint8Array>();
  for (const bytes of flushes) {
    let key: string | undefined;
    eachElement(bytes, (start, end) => {
      if (key === undefined) {
        key = toBinaryString(bytes.subarray(start, end));
        return;
      }
      pairs.set(key, bytes.subarray(start, end));
      key = undefined;
    });
  }
  return pairs;
}
