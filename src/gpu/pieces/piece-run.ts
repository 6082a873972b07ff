/** A block whose segments run in pieces, on whatever runs them: nothing of it stays there between two pieces. */
import { EnvironmentError } from '../../errors/errors.js';
import { AddressSpace } from '../pack/address-space.js';
import { MappedOutcomes } from '../pack/outcomes.js';
import { type PackedBlock, type PackedSegment, Packer } from '../pack/pack.js';
import { SlotValues } from '../pack/slot-values.js';
import type { GpuBlock, ReadbackOutcomes, ReadbackRun, SegmentReadback } from '../pack/types.js';
import { ACCESS_RECORD, CALL_RECORD, KEY_RECORD, NONE, RESULT, WRITTEN_ADDRESS } from '../translate/layout.js';
import { cutSegment, type PieceRange, pieceOf, placeReadback } from './piece.js';

/** Room for the values that the CPU sets between segments. */
const VALUE_ROOM = 64 * 1024 * 1024;

export interface PieceRunner {
  /** Most calls of a piece, where a segment has so many. */
  mostCalls(calls: number): number;
  /** Pieces at a time. */
  readonly atATime: number;
  /** Runs the one segment of `piece`. Rejects with EnvironmentError GPU_…. Its columns are read until that is over. */
  run(piece: GpuBlock): Promise<SegmentReadback>;
}

export class PieceRun implements ReadbackRun {
  readonly #block: GpuBlock;
  readonly #runner: PieceRunner;
  readonly #packed: PackedBlock;
  readonly #addresses: AddressSpace;
  /** By slot: where its value is now. */
  readonly #now: Uint32Array;

  constructor(block: GpuBlock, runner: PieceRunner) {
    this.#block = block;
    this.#runner = runner;
    this.#packed = new Packer().measure(block, { maxCalls: () => Number.POSITIVE_INFINITY });
    this.#addresses = new AddressSpace(block.records.bytes, this.#packed.sections.input_state.bytes, VALUE_ROOM);
    this.#now = firstAddresses(block, this.#packed);
  }

  async run(number: number): Promise<ReadbackOutcomes> {
    const packed = this.#packed;
    const segment = packed.segments[number];
    if (segment === undefined) throw new RangeError('no such segment');
    const into = emptyReadback(packed, segment);
    this.#addresses.addOutput(packed.outAt[segment.first], packed.outAt[segment.end], into.output);
    const colours = this.#block.segments[number].map(({ length }) => length);
    const most = this.#runner.mostCalls(segment.end - segment.first);
    const ranges = cutSegment(this.#block.records, packed, segment.first, colours, most);
    let running: Promise<void>[] = [];
    let unapplied: PieceRange[] = [];
    const settle = async (): Promise<void> => {
      await Promise.all(running);
      for (const range of unapplied) this.#apply(segment, range, into);
      [running, unapplied] = [[], []];
    };
    for (const range of ranges) {
      // It may read what all pieces before it have written.
      if (range.startsColour && running.length > 0) await settle();
      if (running.length >= this.#runner.atATime) await running[running.length - this.#runner.atATime];
      const done = this.#runPiece(segment, range, into);
      // Awaited later, perhaps after another one has failed.
      done.catch(() => undefined);
      running.push(done);
      unapplied.push(range);
    }
    await Promise.all(running);
    if (number < packed.segments.length - 1) await settle();
    const isAlone = packed.segments.length === 1;
    return new MappedOutcomes(this.#block.records, packed, segment, into, this.#addresses.read, isAlone);
  }

  set(key: number, value: Uint8Array | undefined): void {
    if (this.#block.independent === true || key >= this.#packed.slots) throw new RangeError('no such key');
    if (value === undefined) {
      this.#now[key] = NONE;
      return;
    }
    const placed = this.#addresses.place(value);
    // Without room the old value stays: a transaction that reads it is found stale and run again.
    if (placed !== undefined) this.#now[key] = placed.at + 4;
  }

  close(): void {}

  /** Notes what the calls of `range` have written, as the kernel would. */
  #apply(segment: PackedSegment, { first, end }: PieceRange, into: SegmentReadback): void {
    const { firstAccess, outAt, slots } = this.#packed;
    const [call, access, word] = [first - segment.first, firstAccess[segment.first], outAt[segment.first]];
    const own = {
      results: into.results.subarray(call * RESULT.words, (end - segment.first) * RESULT.words),
      seen: into.seen.subarray(firstAccess[first] - access, firstAccess[end] - access),
      output: into.output.subarray(4 * (outAt[first] - word), 4 * (outAt[end] - word)),
    };
    const values = new SlotValues(slots);
    values.apply(this.#block.records, this.#packed, { dispatches: [], first, end }, own);
    for (let slot = 0; slot < slots; slot++) {
      if (values.at[slot] !== NONE) this.#now[slot] = (WRITTEN_ADDRESS | (4 * outAt[first] + values.at[slot])) >>> 0;
    }
  }

  async #runPiece(segment: PackedSegment, range: PieceRange, into: SegmentReadback): Promise<void> {
    const packed = this.#packed;
    const addressOf = (slot: number): number => this.#now[slot];
    const piece = pieceOf({ block: this.#block, packed, addressOf, read: this.#addresses.read }, range);
    const readback = await this.#runner.run(piece);
    try {
      placeReadback({ packed, segmentFirst: segment.first, into, range, piece, addressOf }, readback);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new EnvironmentError('GPU_FAILED', `what came back of a batch is no outcome: ${why}`, { cause });
    }
  }
}

/** Where the values of all slots lie before the block. */
function firstAddresses({ records, independent }: GpuBlock, packed: PackedBlock): Uint32Array {
  const { keys, heads, accesses } = records;
  const { VALUE_AT, VALUE_BYTES } = KEY_RECORD.offset;
  const addressOf = (key: number): number => {
    const at = key * KEY_RECORD.words;
    return keys[at + VALUE_BYTES] === NONE ? NONE : keys[at + VALUE_AT];
  };
  const now = new Uint32Array(packed.slots);
  if (independent !== true) {
    for (let slot = 0; slot < now.length; slot++) now[slot] = addressOf(slot);
    return now;
  }
  const { callOf, firstAccess } = packed;
  for (let call = 0; call < packed.calls; call++) {
    const first = heads[callOf[call] * CALL_RECORD.words + CALL_RECORD.offset.FIRST_ACCESS];
    for (let slot = firstAccess[call]; slot < firstAccess[call + 1]; slot++) {
      const access = (first + slot - firstAccess[call]) * ACCESS_RECORD.words;
      now[slot] = addressOf(accesses[access + ACCESS_RECORD.offset.KEY]);
    }
  }
  return now;
}

/** In memory that other threads can be told. */
function emptyReadback({ firstAccess, outAt }: PackedBlock, { first, end }: PackedSegment): SegmentReadback {
  const words = (count: number): Uint32Array => new Uint32Array(new SharedArrayBuffer(4 * count));
  return {
    results: words((end - first) * RESULT.words),
    seen: words(firstAccess[end] - firstAccess[first]),
    output: new Uint8Array(new SharedArrayBuffer(4 * (outAt[end] - outAt[first]))),
  };
}
