/** Work as the device takes it: segments of bounded size, each one submission. */
import { slicesOf } from '../work/slices.js';
import { type AnswerRoom, type ForestWork, partOf, unitsOf, type Work, type WorkKind } from '../work/work.js';

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
  /** Its part of the batch's answer, which whoever runs it fills. */
  readonly room: AnswerRoom;
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
  /** Fills the room with what came back; the bytes may be lent. */
  read(back: Uint8Array): void;
}

const HASH = 32;
const SHA_SECOND = { once: 0, twice: 1 } as const;

/** The segment for work that is small enough. */
function segmentOf(work: Work, room: AnswerRoom): Segment {
  switch (work.kind) {
    case 'sha256': {
      const units = unitsOf(work);
      const offsetBytes = (units + 1) * 4;
      return {
        kind: work.kind,
        work,
        room,
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
        read: (back) => room.bytes.set(back),
      };
    }
    case 'forest':
      return forestSegment(work, room);
    default: {
      const units = unitsOf(work);
      const bytes = work.columns.reduce((sum, column) => sum + column.length, 0);
      return {
        kind: work.kind,
        work,
        room,
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
        read: (back) => room.bytes.set(new Uint32Array(back.buffer, back.byteOffset, units)),
      };
    }
  }
}

/** The nodes of all levels lie one after the other, each level with an even number of places. */
function forestSegment(work: ForestWork, room: AnswerRoom): Segment {
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
    room,
    inputBytes: leaves.length,
    inPlace: true,
    outputBytes: end * HASH,
    dispatches: Array.from({ length: height }, (_, level) => ({
      invocations: counts[level + 1],
      params: [(starts[level] * HASH) / 4, (starts[level + 1] * HASH) / 4, counts[level]] as const,
    })),
    back: { at: starts[first] * HASH, bytes: (end - starts[first]) * HASH },
    write: (target) => target.set(leaves),
    read: (back) => {
      let at = 0;
      for (const level of room.levels) {
        level.set(back.subarray(at, at + level.length));
        at += level.length;
      }
      room.bytes.set(back.subarray(back.length - room.bytes.length));
    },
  };
}

/**
 * Most bytes of messages or leaves of a segment: small enough that a batch worth the kernel is several, of which one is
 * packed while the one before is computed; large enough that what a submission costs by itself does not count.
 */
const SEGMENT_BYTES = 8 * 1024 * 1024;
/** Those of signatures, which take a device far longer than their way to it: their number is bounded by the pace. */
const SIGNATURE_BYTES = 32 * 1024 * 1024;
/** Most messages or leaves. */
const SEGMENT_HASHES = 2 ** 19;
/** A message is one invocation's work: a longer one would keep a device busy for too long. */
export const LONGEST_MESSAGE = 64 * 1024;

interface SegmentLimits {
  /** Most bytes of one buffer of the device. */
  readonly mostBytes: number;
  /** Most bytes of messages or leaves; default: 8 MiB. */
  readonly segmentBytes?: number | undefined;
  /** Most signatures of the next segment, asked before each. */
  readonly pace: () => number;
}

/** Cuts work into segments that fill `room`, the batch's answer, together. */
export function* segmentsOf(work: Work, room: AnswerRoom, limits: SegmentLimits): Generator<Segment> {
  const { mostBytes, segmentBytes = SEGMENT_BYTES, pace } = limits;
  const most = work.kind === 'schnorr' || work.kind === 'ecdsa' ? SIGNATURE_BYTES : segmentBytes;
  const bytes = Math.min(most, Math.floor(mostBytes / 4));
  let from = 0;
  for (const slice of slicesOf(work, { bytes, hashes: SEGMENT_HASHES, signatures: pace })) {
    const to = from + unitsOf(slice);
    yield segmentOf(slice, partOf(work, room, from, to));
    from = to;
  }
}

/** The longest message of a batch, in bytes. */
export function longestOf({ offsets }: { readonly offsets: Uint32Array }): number {
  let longest = 0;
  for (let i = 1; i < offsets.length; i++) longest = Math.max(longest, offsets[i] - offsets[i - 1]);
  return longest;
}
