import { REVERT_REASONS, type RevertReason } from '../../program/types.js';
import { NONE, PUNTS, RESULT, STATUSES, WRITTEN_ADDRESS } from '../translate/layout.js';
import type { PackedBlock, PackedSegment } from './pack.js';
import type { CallRecords } from './records.js';
import { type SegmentReadback, SlotValues } from './slot-values.js';
import type { GpuOutcomes, GpuStatus } from './types.js';

/** Reads the bytes at a kernel address (see layout.ts); the word before them holds their length. */
export type ReadAddress = (address: number) => Uint8Array;

/** Reads the outcomes of a segment in place: no copies, no objects per call. */
export class MappedOutcomes implements GpuOutcomes {
  readonly count: number;
  readonly #firstGiven: number;

  constructor(
    readonly records: CallRecords,
    readonly packed: PackedBlock,
    readonly segment: PackedSegment,
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

  writes(): SlotValues {
    const values = new SlotValues(this.packed.slots);
    values.apply(this.records, this.packed, this.segment, this.readback);
    return values;
  }

  #packedOf(call: number): number {
    return this.packed.packedOf[this.#firstGiven + call] ?? 0;
  }

  #word(call: number, field: number): number {
    return this.readback.results[(this.#packedOf(call) - this.segment.first) * RESULT.words + field] ?? 0;
  }
}
