/** Work as the device takes it: segments of bounded size, each one submission. */
import { slicesOf } from '../work/slices.js';
import { type ForestWork, levelLengths, unitsOf, type Work, type WorkAnswer, type WorkKind } from '../work/work.js';

/** A dispatch of a segment's kernel. */
interface TaskDispatch {
  readonly invocations: number;
  /** `first`, `second` and `third` of the kernel's parameters; `count` is `invocations`. */
  readonly params: readonly [number, number, number];
}

export interface Segment {
  readonly kind: WorkKind;
  /** What it is to do. */
  readonly work: Work;
  /** Bytes of what {@link Segment.write} writes; a multiple of 4. */
  readonly inputBytes: number;
  /** Whether that is the beginning of the output buffer. */
  readonly inPlace: boolean;
  readonly outputBytes: number;
  readonly dispatches: readonly TaskDispatch[];
  /** The part of the output that comes back. */
  readonly back: { readonly at: number; readonly bytes: number };
  /** Writes the input into memory of which nothing is known. */
  write(target: Uint8Array): void;
  /** The answer of its work, from a copy of what came back, and whether the kernel has set its flag. */
  answer(back: Uint8Array, flag: boolean): WorkAnswer;
}

const HASH = 32;
const SHA_SECOND = { once: 0, twice: 1 } as const;

/** The segment for work that is small enough. */
function segmentOf(work: Work): Segment {
  switch (work.kind) {
    case 'sha256': {
      const units = unitsOf(work);
      const offsetBytes = (units + 1) * 4;
      return {
        kind: work.kind,
        work,
        inputBytes: (offsetBytes + work.bytes.length + 3) & ~3,
        inPlace: false,
        outputBytes: units * HASH,
        dispatches: [{ invocations: units, params: [offsetBytes, SHA_SECOND[work.twice ? 'twice' : 'once'], 0] }],
        back: { at: 0, bytes: units * HASH },
        write: (target) => {
          const { offsets, bytes } = work;
          target.set(new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength));
          target.set(bytes, offsetBytes);
        },
        answer: (bytes) => ({ bytes, levels: [], mutated: false }),
      };
    }
    case 'forest':
      return forestSegment(work);
    default: {
      const units = unitsOf(work);
      const bytes = work.columns.reduce((sum, column) => sum + column.length, 0);
      return {
        kind: work.kind,
        work,
        inputBytes: (bytes + 3) & ~3,
        inPlace: false,
        outputBytes: units * 4,
        dispatches: [{ invocations: units, params: [0, 0, 0] }],
        back: { at: 0, bytes: units * 4 },
        write: (target) => {
          let at = 0;
          for (const column of work.columns) {
            target.set(column, at);
            at += column.length;
          }
        },
        answer: (back) => {
          const words = new Uint32Array(back.buffer, back.byteOffset, units);
          return { bytes: Uint8Array.from(words), levels: [], mutated: false };
        },
      };
    }
  }
}

/** The nodes of all levels lie one after the other, each level with an even number of places. */
function forestSegment(work: ForestWork): Segment {
  const { leaves, height, wantsLevels } = work;
  const counts = [leaves.length / HASH];
  const starts = [0];
  for (let level = 0; level < height; level++) {
    starts.push(starts[level] + counts[level]);
    counts.push(Math.ceil(counts[level] / 2));
  }
  const end = starts[height] + counts[height];
  const first = wantsLevels && height > 0 ? 1 : height;
  return {
    kind: 'forest',
    work,
    inputBytes: leaves.length,
    inPlace: true,
    outputBytes: end * HASH,
    dispatches: Array.from({ length: height }, (_, level) => ({
      invocations: counts[level + 1],
      params: [(starts[level] * HASH) / 4, (starts[level + 1] * HASH) / 4, counts[level]] as const,
    })),
    back: { at: starts[first] * HASH, bytes: (end - starts[first]) * HASH },
    write: (target) => target.set(leaves),
    answer: (back, mutated) => {
      let at = 0;
      const levels = levelLengths(work).map((length) => {
        at += length;
        return back.subarray(at - length, at);
      });
      return { bytes: wantsLevels && height > 0 ? levels[height - 1] : back, levels, mutated };
    },
  };
}

/** Most bytes of messages of a segment, and most messages or leaves. */
const SEGMENT_BYTES = 32 * 1024 * 1024;
const SEGMENT_HASHES = 2 ** 19;
/** A message is one invocation's work: a longer one would keep a device busy for too long. */
export const LONGEST_MESSAGE = 64 * 1024;

/** Cuts work; `pace`: most signatures of the next segment, asked before each. */
export function* segmentsOf(work: Work, mostBytes: number, pace: () => number): Generator<Segment> {
  const bytes = Math.min(SEGMENT_BYTES, Math.floor(mostBytes / 4));
  for (const slice of slicesOf(work, { bytes, hashes: SEGMENT_HASHES, signatures: pace })) yield segmentOf(slice);
}

/** The longest message of a batch, in bytes. */
export function longestOf({ offsets }: { readonly offsets: Uint32Array }): number {
  let longest = 0;
  for (let i = 1; i < offsets.length; i++) longest = Math.max(longest, offsets[i] - offsets[i - 1]);
  return longest;
}
