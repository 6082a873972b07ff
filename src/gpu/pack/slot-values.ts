import { readU32 } from '../../util/bytes.js';
import { ACCESS_RECORD, CALL_RECORD, KEY_RECORD, KEY_WRITTEN, NONE, RESULT, STATUSES } from '../translate/layout.js';
import type { PackedBlock, PackedSegment } from './pack.js';
import type { CallColumns } from './records.js';
import type { SegmentReadback } from './types.js';

const OK = STATUSES.indexOf('OK');
const HEAD_WORDS = CALL_RECORD.words;
const { FIRST_ACCESS, ACCESSES } = CALL_RECORD.offset;
const ACCESS_WORDS = ACCESS_RECORD.words;
const { KEY, FLAGS } = ACCESS_RECORD.offset;
const KEY_WORDS = KEY_RECORD.words;
const { KEY_AT, KEY_BYTES } = KEY_RECORD.offset;
const TRANSFER_BYTES = 48;

/**
 * The values of a block's keys after its messages, by slot, in columns. Values stay where they lie in the messages'
 * results; a slot holds the offset. No object per message, key or value.
 */
export class SlotValues {
  /** By slot: offset of the value in `bytes`, after its length in four bytes; NONE if no message has written it. */
  readonly at: Uint32Array;
  /** The results of the messages. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Writes applied. */
  count = 0;

  constructor(slots: number) {
    this.at = new Uint32Array(slots).fill(NONE);
  }

  /** The value of `slot`, as a view; undefined if no message has written it. */
  get(slot: number): Uint8Array | undefined {
    const at = this.at[slot];
    return at === NONE ? undefined : this.bytes.subarray(at, at + readU32(this.bytes, at - 4));
  }

  /** Applies the writes of a segment's messages in packed order. A malformed result writes nothing: it is REJECTED. */
  apply(records: CallColumns, packed: PackedBlock, segment: PackedSegment, readback: SegmentReadback): void {
    // One copy of everything, because the mapped memory goes back to the device.
    const bytes = readback.output.slice();
    this.bytes = bytes;
    const { results } = readback;
    const { callOf, outAt, firstAccess } = packed;
    const firstOut = outAt[segment.first];
    for (let i = segment.first; i < segment.end; i++) {
      const from = (i - segment.first) * RESULT.words;
      const length = results[from + RESULT.offset.BYTES];
      if ((results[from + RESULT.offset.STATUS] & 0xff) !== OK || length === NONE || length < 20) continue;
      const start = (outAt[i] - firstOut) * 4;
      this.#applyCall(records, callOf[i], packed.slotOf, firstAccess[i], start, start + length);
    }
  }

  #applyCall(
    { heads, accesses, keys, bytes: keyBytes }: CallColumns,
    call: number,
    slotOf: Uint32Array,
    firstAccess: number,
    start: number,
    end: number,
  ): void {
    const { bytes, at: slots } = this;
    const transfers = readU32(bytes, start);
    if (transfers > (end - start) / TRANSFER_BYTES) return;
    let at = start + 16 + transfers * TRANSFER_BYTES;
    if (at + 4 > end) return;
    const entries = readU32(bytes, at);
    at += 4;
    const first = heads[call * HEAD_WORDS + FIRST_ACCESS];
    const count = heads[call * HEAD_WORDS + ACCESSES];
    for (let n = 0; n < entries; n++) {
      if (at + 4 > end) return;
      const length = readU32(bytes, at);
      const value = at + 8 + length;
      if (value > end || value + readU32(bytes, value - 4) > end) return;
      for (let k = 0; k < count; k++) {
        const access = (first + k) * ACCESS_WORDS;
        const key = accesses[access + KEY] * KEY_WORDS;
        if ((accesses[access + FLAGS] & KEY_WRITTEN) === 0 || keys[key + KEY_BYTES] !== length) continue;
        const own = keys[key + KEY_AT];
        let same = 0;
        while (same < length && bytes[at + 4 + same] === keyBytes[own + same]) same++;
        if (same < length) continue;
        slots[slotOf[firstAccess + k]] = value;
        this.count++;
        break;
      }
      at = value + readU32(bytes, value - 4);
    }
  }
}
