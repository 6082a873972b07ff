import { REVERT_REASONS, type RevertReason } from '../../program/types.js';
import { readU32 } from '../../util/bytes.js';
import { NONE, PUNTS, RESULT, STATUSES, WRITTEN_ADDRESS } from '../translate/layout.js';
import type { PackedBlock, PackedSegment } from './pack.js';
import type { CallColumns } from './records.js';
import { SlotValues } from './slot-values.js';
import type { CallOutcomes, GpuOutcomes, GpuStatus, SegmentReadback, SharedOutcomes } from './types.js';

/** Reads the bytes at a kernel address (see layout.ts); the word before them holds their length. */
export type ReadAddress = (address: number) => Uint8Array;

/** Reads the outcomes of a segment in place: no copies, no objects per call. */
class OutcomeViews implements CallOutcomes {
  readonly count: number;
  readonly #firstGiven: number;

  constructor(
    readonly packed: SharedOutcomes['packed'],
    readonly segment: SharedOutcomes['segment'],
    readonly readback: SegmentReadback,
    readonly readAddress: ReadAddress,
  ) {
    this.count = segment.end - segment.first;
    // Packing keeps the order of segments, so a segment's first call has the same number before and after it.
    this.#firstGiven = segment.first;
  }

  status(call: number): GpuStatus {
    return STATUSES[this.#word(call, RESULT.offset.STATUS) & 0xff] ?? 'PUNT';
  }

  reason(call: number): RevertReason {
    if (this.status(call) !== 'REVERT') return 'none';
    return REVERT_REASONS[this.#word(call, RESULT.offset.STATUS) >>> 8] ?? 'host-error';
  }

  fuelLeft(call: number): number {
    return this.status(call) === 'OUT_OF_FUEL' ? 0 : this.#word(call, RESULT.offset.FUEL);
  }

  result(call: number): Uint8Array | undefined {
    const bytes = this.#word(call, RESULT.offset.BYTES);
    if (bytes === NONE || this.status(call) !== 'OK') return undefined;
    const { outAt } = this.packed;
    const at = (outAt[this.#packedOf(call)] - outAt[this.segment.first]) * 4;
    return this.readback.output.subarray(at, at + bytes);
  }

  puntReason(call: number): string | undefined {
    if (this.status(call) !== 'PUNT') return undefined;
    return PUNTS[this.#word(call, RESULT.offset.STATUS) >>> 8] ?? 'unknown';
  }

  seen(call: number, key: number): Uint8Array | null | undefined {
    const { firstAccess } = this.packed;
    const address = this.readback.seen[firstAccess[this.#packedOf(call)] - firstAccess[this.segment.first] + key] ?? 0;
    if (address === 0) return undefined;
    if (address === NONE) return null;
    const bytes = this.readAddress(address);
    // An empty written value is a deletion.
    return bytes.length === 0 && (address & WRITTEN_ADDRESS) !== 0 ? null : bytes;
  }

  #packedOf(call: number): number {
    return this.packed.packedOf[this.#firstGiven + call] ?? 0;
  }

  #word(call: number, field: number): number {
    return this.readback.results[(this.#packedOf(call) - this.segment.first) * RESULT.words + field] ?? 0;
  }
}

/** Those of a segment, in the memory that the device wrote them to. */
export class MappedOutcomes extends OutcomeViews implements GpuOutcomes {
  /** `isAlone`: the block has no other segment, so that all that was read lies in its records and this one's output. */
  constructor(
    readonly records: CallColumns,
    readonly block: PackedBlock,
    readonly calls: PackedSegment,
    readback: SegmentReadback,
    readAddress: ReadAddress,
    readonly isAlone: boolean,
  ) {
    super(block, calls, readback, readAddress);
  }

  writes(): SlotValues {
    const values = new SlotValues(this.block.slots);
    values.apply(this.records, this.block, this.calls, this.readback);
    return values;
  }

  shared(): SharedOutcomes | undefined {
    if (!this.isAlone) return undefined;
    const { packed, readback, segment, records } = this;
    const { first, end } = segment;
    const calls = end - first;
    return {
      calls: {
        count: records.count,
        programs: records.programs,
        heads: sharedWords(records.heads),
        accesses: sharedWords(records.accesses),
        keys: sharedWords(records.keys),
        bytes: sharedBytes(records.bytes),
      },
      segment: { first, end },
      packed: {
        packedOf: sharedWords(packed.packedOf.subarray(0, calls)),
        firstAccess: sharedWords(packed.firstAccess.subarray(0, calls)),
        outAt: sharedWords(packed.outAt.subarray(0, calls)),
      },
      readback: {
        results: sharedWords(readback.results),
        seen: sharedWords(readback.seen),
        output: sharedBytes(readback.output),
      },
    };
  }
}

/** What {@link MappedOutcomes.shared} gave, as another thread reads it. */
export function outcomesOf({ calls, segment, packed, readback }: SharedOutcomes): CallOutcomes {
  const firstByte = packed.outAt[segment.first] * 4;
  const readAddress = (address: number): Uint8Array => {
    const at = (address & ~WRITTEN_ADDRESS) >>> 0;
    if ((address & WRITTEN_ADDRESS) === 0) return lengthPrefixed(calls.bytes, at);
    return lengthPrefixed(readback.output, at - firstByte);
  };
  return new OutcomeViews(packed, segment, readback, readAddress);
}

/** The bytes that begin at `at`, after a word that says how many they are. Throws RangeError outside of `bytes`. */
export function lengthPrefixed(bytes: Uint8Array, at: number): Uint8Array {
  if (at < 4 || at > bytes.length) throw new RangeError('an address outside what was read back');
  const length = readU32(bytes, at - 4);
  if (length > bytes.length - at) throw new RangeError('a value beyond what was read back');
  return bytes.subarray(at, at + length);
}

function sharedWords(words: Uint32Array): Uint32Array {
  if (words.buffer instanceof SharedArrayBuffer) return words;
  const out = new Uint32Array(new SharedArrayBuffer(words.byteLength));
  out.set(words);
  return out;
}

function sharedBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
  const out = new Uint8Array(new SharedArrayBuffer(bytes.length));
  out.set(bytes);
  return out;
}
