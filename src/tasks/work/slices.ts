import { sliceOf, unitsOf, type Work } from './work.js';

const HASH = 32;
/** More than the columns of a signature take. */
const SIGNATURE_BYTES = 256;

/** What a slice may have at most; one unit it has in any case. */
interface SliceLimits {
  readonly bytes: number;
  /** Messages or leaves. */
  readonly hashes: number;
  /** Asked before each slice. */
  readonly signatures: () => number;
}

/** Cuts work into slices, in order. */
export function* slicesOf(work: Work, limits: SliceLimits): Generator<Work> {
  const units = unitsOf(work);
  for (let from = 0; from < units; ) {
    const to = Math.min(units, Math.max(from + 1, endOf(work, from, limits)));
    yield sliceOf(work, from, to);
    from = to;
  }
}

function endOf(work: Work, from: number, { bytes, hashes, signatures }: SliceLimits): number {
  switch (work.kind) {
    case 'forest':
      return from + Math.floor(Math.min(hashes, bytes / HASH) / 2 ** work.height);
    case 'sha256': {
      const { offsets } = work;
      // The last one up to which all messages fit.
      let low = from;
      let high = Math.min(offsets.length - 1, from + Math.floor(Math.min(hashes, bytes / HASH)));
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        if (offsets[middle] - offsets[from] <= bytes) low = middle;
        else high = middle - 1;
      }
      return low;
    }
    default:
      return from + Math.min(signatures(), Math.floor(bytes / SIGNATURE_BYTES));
  }
}
