import { EnvironmentError } from '../../errors/errors.js';
import {
  ACCESS,
  ACCESS_RECORD,
  CALL,
  CALL_RECORD,
  KEY_READ,
  KEY_RECORD,
  KEY_WRITTEN,
  MAX_CALL_FUEL,
  MAX_OUTPUT_BYTES,
  NONE,
  PARAMS_STRIDE,
  RESULT,
  SLOT,
} from '../translate/layout.js';
import { type CallRecords, programOf } from './records.js';
import { SlotTable } from './slots.js';
import type { GpuBlock } from './types.js';

// Fields as constants: looking them up in the structs would cost more than using them.
const CALL_WORDS = CALL.words;
const HEAD_WORDS = CALL_RECORD.words;
const {
  PROGRAM: HEAD_PROGRAM,
  CONTEXT_AT: HEAD_CONTEXT_AT,
  CONTEXT_BYTES: HEAD_CONTEXT_BYTES,
  FUEL: HEAD_FUEL,
  HEIGHT: HEAD_HEIGHT,
  FIRST_ACCESS: HEAD_FIRST_ACCESS,
  ACCESSES: HEAD_ACCESSES,
  EXPECTED_BYTES: HEAD_EXPECTED_BYTES,
} = CALL_RECORD.offset;
const { CONTEXT_AT, CONTEXT_BYTES, FUEL, HEIGHT, FIRST_ACCESS, ACCESSES, OUT_AT, OUT_WORDS } = CALL.offset;
const { HASH: FROM_HASH, FLAGS: FROM_FLAGS } = ACCESS_RECORD.offset;
const { HASH, SLOT: ACCESS_SLOT } = ACCESS.offset;
const ACCESS_RECORD_WORDS = ACCESS_RECORD.words;
const ACCESS_WORDS = ACCESS.words;

/** Calls of one program and colour, adjacent in the packed order. */
export interface Dispatch {
  readonly programHash: string;
  readonly first: number;
  readonly count: number;
}

/** The dispatches of a segment, and its calls: `first` to `end` of the packed order. */
export interface PackedSegment {
  readonly dispatches: readonly Dispatch[];
  readonly first: number;
  readonly end: number;
}

/** Start and length of the sections of a packed block in the staging buffer, in bytes. */
export interface Sections {
  readonly tx_payloads: Section;
  readonly access_lists: Section;
  readonly state_map: Section;
  readonly input_state: Section;
  readonly params: Section;
}
export interface Section {
  readonly at: number;
  readonly bytes: number;
}

/** A block as it goes to the device. The arrays belong to the packer and are valid until its next `measure`. */
export interface PackedBlock {
  readonly calls: number;
  readonly segments: readonly PackedSegment[];
  readonly sections: Sections;
  readonly bytes: number;
  /** Per packed call: index of its records, its number there, its first access, its word offset in output_state. */
  readonly recordsOf: Uint32Array;
  readonly callOf: Uint32Array;
  readonly firstAccess: Uint32Array;
  readonly outAt: Uint32Array;
  /** Per packed call: fuel of all calls before it. One entry more than calls. */
  readonly fuelBefore: Float64Array;
  /** Packed call by its number in the segments of the block as given. */
  readonly packedOf: Uint32Array;
  /** Slot of every access. */
  readonly slotOf: Uint32Array;
  readonly accesses: number;
  readonly slots: number;
  readonly outputWords: number;
  /** Byte offset in `input_state` of each of the block's records; NaN for records without calls. */
  readonly bases: Float64Array;
}

/** What packing needs to know of a program's kernel. */
export interface PackLimits {
  /** Most calls of one dispatch of this program. */
  maxCalls(programHash: string): number;
}

/**
 * Lays blocks out for the device. The first pass numbers keys and measures; the second writes into mapped memory.
 * Neither makes an object per call.
 */
export class Packer {
  readonly #slots = new SlotTable();
  #recordsOf = new Uint32Array(0);
  #callOf = new Uint32Array(0);
  #packedOf = new Uint32Array(0);
  #firstAccess = new Uint32Array(0);
  #outAt = new Uint32Array(0);
  #fuelBefore = new Float64Array(0);
  #slotOf = new Uint32Array(0);

  /** First pass: orders the calls, numbers the keys, and computes all sizes and offsets. */
  measure(block: GpuBlock, limits: PackLimits): PackedBlock {
    const calls = block.segments.reduce((sum, s) => sum + s.reduce((n, colour) => n + colour.length / 2, 0), 0);
    this.#reserve(calls);
    const segments = this.#order(block, limits);
    const { records } = block;
    let keys = 0;
    let outputWords = 0;
    const used = new Uint8Array(records.length);
    const recordsOf = this.#recordsOf;
    const callOf = this.#callOf;
    const firstAccess = this.#firstAccess;
    const outAt = this.#outAt;
    const fuelBefore = this.#fuelBefore;
    let fuel = 0;
    for (let i = 0; i < calls; i++) {
      const { heads } = records[recordsOf[i]];
      used[recordsOf[i]] = 1;
      const head = callOf[i] * HEAD_WORDS;
      firstAccess[i] = keys;
      keys += heads[head + HEAD_ACCESSES];
      outAt[i] = outputWords;
      outputWords += outputCapacity(heads[head + HEAD_EXPECTED_BYTES]);
      fuelBefore[i] = fuel;
      fuel += heads[head + HEAD_FUEL];
    }
    fuelBefore[calls] = fuel;
    firstAccess[calls] = keys;
    outAt[calls] = outputWords;
    if (this.#slotOf.length < keys) this.#slotOf = new Uint32Array(keys * 2);
    this.#slots.begin(records, keys, block.independent !== true);
    const slotOf = this.#slotOf;
    for (let i = 0; i < calls; i++) this.#slots.addCall(recordsOf[i], callOf[i], slotOf, firstAccess[i]);
    const bases = new Float64Array(records.length);
    let stateBytes = 0;
    records.forEach(({ bytes }, r) => {
      bases[r] = stateBytes;
      if (used[r] === 1) stateBytes += bytes.length;
      else bases[r] = Number.NaN;
    });
    const dispatches = segments.reduce((sum, s) => sum + s.dispatches.length, 0);
    const { sections, bytes } = layOut({
      tx_payloads: calls * CALL.words * 4,
      access_lists: keys * ACCESS.words * 4,
      state_map: this.#slots.count * SLOT.words * 4,
      input_state: stateBytes,
      params: dispatches * PARAMS_STRIDE,
    });
    return {
      calls,
      segments,
      sections,
      bytes,
      recordsOf: this.#recordsOf,
      callOf: this.#callOf,
      firstAccess: this.#firstAccess,
      outAt: this.#outAt,
      fuelBefore: this.#fuelBefore,
      packedOf: this.#packedOf,
      slotOf: this.#slotOf,
      accesses: keys,
      slots: this.#slots.count,
      outputWords,
      bases,
    };
  }

  /** Second pass: writes all but the parameters into `target`, the mapped staging buffer, without reading from it. */
  write(block: GpuBlock, packed: PackedBlock, target: ArrayBuffer): void {
    const { sections, calls, bases } = packed;
    const { records } = block;
    const state = new Uint8Array(target, sections.input_state.at, sections.input_state.bytes);
    records.forEach(({ bytes }, r) => {
      if (!Number.isNaN(bases[r])) state.set(bytes, bases[r]);
    });
    const payloads = wordsOf(target, sections.tx_payloads);
    const lists = wordsOf(target, sections.access_lists);
    for (let i = 0; i < calls; i++) this.#writeCall(records[this.#recordsOf[i]], i, bases, payloads, lists);
    const map = wordsOf(target, sections.state_map);
    const { offset } = KEY_RECORD;
    for (let slot = 0; slot < this.#slots.count; slot++) {
      const r = this.#slots.recordsOf[slot];
      const { keys } = records[r];
      const key = this.#slots.keyOf[slot] * KEY_RECORD.words;
      const at = slot * SLOT.words;
      map[at + SLOT.offset.KEY_AT] = (bases[r] + keys[key + offset.KEY_AT]) / 4;
      map[at + SLOT.offset.KEY_BYTES] = keys[key + offset.KEY_BYTES];
      const absent = keys[key + offset.VALUE_BYTES] === NONE;
      map[at + SLOT.offset.VALUE] = absent ? NONE : bases[r] + keys[key + offset.VALUE_AT];
    }
  }

  #writeCall(
    { heads, accesses }: CallRecords,
    i: number,
    bases: Float64Array,
    payloads: Uint32Array,
    lists: Uint32Array,
  ): void {
    const head = this.#callOf[i] * HEAD_WORDS;
    const at = i * CALL_WORDS;
    const fuel = heads[head + HEAD_FUEL];
    if (fuel > MAX_CALL_FUEL) throw new RangeError('fuel of a call is out of range');
    const firstAccess = this.#firstAccess[i];
    const count = heads[head + HEAD_ACCESSES];
    payloads[at + CONTEXT_AT] = bases[this.#recordsOf[i]] + heads[head + HEAD_CONTEXT_AT];
    payloads[at + CONTEXT_BYTES] = heads[head + HEAD_CONTEXT_BYTES];
    payloads[at + FUEL] = fuel;
    payloads[at + HEIGHT] = heads[head + HEAD_HEIGHT];
    payloads[at + FIRST_ACCESS] = firstAccess;
    payloads[at + ACCESSES] = count;
    payloads[at + OUT_AT] = this.#outAt[i];
    payloads[at + OUT_WORDS] = this.#outAt[i + 1] - this.#outAt[i];
    const first = heads[head + HEAD_FIRST_ACCESS];
    for (let k = 0; k < count; k++) {
      const from = (first + k) * ACCESS_RECORD_WORDS;
      const access = (firstAccess + k) * ACCESS_WORDS;
      lists[access + HASH] = accesses[from + FROM_HASH];
      const flags = accesses[from + FROM_FLAGS] & (KEY_READ | KEY_WRITTEN);
      lists[access + ACCESS_SLOT] = this.#slotOf[firstAccess + k] | flags;
    }
  }

  /** Orders the calls so that those of one segment, colour and program are adjacent. */
  #order(block: GpuBlock, limits: PackLimits): PackedSegment[] {
    const recordsOf = this.#recordsOf;
    const callOf = this.#callOf;
    const packedOf = this.#packedOf;
    let next = 0;
    let given = 0;
    return block.segments.map((colours) => {
      const dispatches: Dispatch[] = [];
      const start = next;
      for (const colour of colours) {
        for (const [programHash, members] of groupByProgram(block.records, colour)) {
          const most = Math.max(1, limits.maxCalls(programHash));
          for (let from = 0; from < members.length; from += most) {
            dispatches.push({ programHash, first: next + from, count: Math.min(most, members.length - from) });
          }
          for (const member of members) {
            recordsOf[next] = colour[member * 2];
            callOf[next] = colour[member * 2 + 1];
            packedOf[given + member] = next++;
          }
        }
        given += colour.length / 2;
      }
      return { dispatches, first: start, end: next };
    });
  }

  #reserve(calls: number): void {
    if (this.#recordsOf.length > calls) return;
    const size = (calls + 1) * 2;
    this.#recordsOf = new Uint32Array(size);
    this.#callOf = new Uint32Array(size);
    this.#packedOf = new Uint32Array(size);
    this.#firstAccess = new Uint32Array(size);
    this.#outAt = new Uint32Array(size);
    this.#fuelBefore = new Float64Array(size);
  }
}

/** Numbers of the calls of `colour` by program hash. */
function groupByProgram(records: readonly CallRecords[], colour: Uint32Array): Map<string, Uint32Array> {
  const count = colour.length / 2;
  const numbers = new Map<string, number>();
  const groupOf = new Uint32Array(count);
  const sizes: number[] = [];
  // Adjacent calls mostly share their records and their program.
  let lastRecords = -1;
  let lastProgram = -1;
  let group = -1;
  for (let i = 0; i < count; i++) {
    const r = colour[i * 2];
    const program = records[r].heads[colour[i * 2 + 1] * HEAD_WORDS + HEAD_PROGRAM];
    if (r !== lastRecords || program !== lastProgram) {
      lastRecords = r;
      lastProgram = program;
      const hash = records[r].programs[program];
      group = numbers.get(hash) ?? -1;
      if (group < 0) {
        group = sizes.push(0) - 1;
        numbers.set(hash, group);
      }
    }
    groupOf[i] = group;
    sizes[group]++;
  }
  const members = sizes.map((size) => new Uint32Array(size));
  const filled = sizes.map(() => 0);
  for (let i = 0; i < count; i++) members[groupOf[i]][filled[groupOf[i]]++] = i;
  return new Map([...numbers].map(([hash, number]) => [hash, members[number]]));
}

/**
 * Words reserved for a call's result: what its dry run returned and a little more, or the maximum if that is unknown.
 */
function outputCapacity(expected: number): number {
  if (expected > MAX_OUTPUT_BYTES) return MAX_OUTPUT_BYTES / 4;
  return Math.min(MAX_OUTPUT_BYTES / 4, ((expected + 47) >> 4) * 4);
}

function layOut(sizes: { readonly [K in keyof Sections]: number }): { sections: Sections; bytes: number } {
  let bytes = 0;
  const section = (size: number): Section => {
    const at = bytes;
    bytes += (size + 15) & ~15;
    return { at, bytes: size };
  };
  const sections = {
    tx_payloads: section(sizes.tx_payloads),
    access_lists: section(sizes.access_lists),
    state_map: section(sizes.state_map),
    input_state: section(sizes.input_state),
    params: section(sizes.params),
  };
  return { sections, bytes };
}

function wordsOf(target: ArrayBuffer, { at, bytes }: Section): Uint32Array {
  return new Uint32Array(target, at, bytes / 4);
}

/** Most bytes that a trial packing may use. */
const MAX_TRIAL_BYTES = 256 * 1024 * 1024;

/**
 * The programs of `block` whose calls cannot be packed on their own, each with the error thrown. A batch that is merely
 * too large is not such a failure.
 */
export function unpackable(block: GpuBlock, limits: PackLimits): Map<string, unknown> {
  const failed = new Map<string, unknown>();
  for (const hash of block.programs.keys()) {
    const segments = block.segments.map((colours) => colours.map((colour) => callsOf(block, colour, hash)));
    const own = { ...block, segments };
    try {
      const packer = new Packer();
      const packed = packer.measure(own, limits);
      if (packed.bytes <= MAX_TRIAL_BYTES) packer.write(own, packed, new ArrayBuffer(packed.bytes));
    } catch (error) {
      if (!(error instanceof EnvironmentError)) failed.set(hash, error);
    }
  }
  return failed;
}

/** The pairs of `colour` whose call runs program `hash`. */
function callsOf({ records }: GpuBlock, colour: Uint32Array, hash: string): Uint32Array {
  const pairs: number[] = [];
  for (let i = 0; i < colour.length; i += 2) {
    const own = records[colour[i]];
    if (own !== undefined && programOf(own, colour[i + 1]) === hash) pairs.push(colour[i], colour[i + 1]);
  }
  return Uint32Array.from(pairs);
}

/** Words of `status_flags`: a result per call, then the address of what each access read. */
export function statusWords(packed: PackedBlock): number {
  return packed.calls * RESULT.words + packed.accesses;
}
