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
  MAX_SLOTS,
  NONE,
  PARAMS_STRIDE,
  RESULT,
  SLOT,
} from '../translate/layout.js';
import { type CallColumns, programOf } from './records.js';
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
const { HASH: FROM_HASH, KEY: FROM_KEY, FLAGS: FROM_FLAGS } = ACCESS_RECORD.offset;
const { HASH, SLOT: ACCESS_SLOT } = ACCESS.offset;
const { KEY_AT: KEY_FROM, KEY_BYTES: KEY_LENGTH, VALUE_AT: VALUE_FROM, VALUE_BYTES: VALUE_LENGTH } = KEY_RECORD.offset;
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
  /** Per packed call: its number in the records, its first access, its word offset in output_state. */
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
  #callOf = new Uint32Array(0);
  #packedOf = new Uint32Array(0);
  #firstAccess = new Uint32Array(0);
  #outAt = new Uint32Array(0);
  #fuelBefore = new Float64Array(0);
  #slotOf = new Uint32Array(0);

  /** First pass: orders the calls, and computes all sizes and offsets. Throws GPU_FAILED above MAX_SLOTS. */
  measure(block: GpuBlock, limits: PackLimits): PackedBlock {
    const calls = block.segments.reduce((sum, s) => sum + s.reduce((n, colour) => n + colour.length, 0), 0);
    this.#reserve(calls);
    const segments = this.#order(block, limits);
    const { records } = block;
    let keys = 0;
    let outputWords = 0;
    const { heads } = records;
    const callOf = this.#callOf;
    const firstAccess = this.#firstAccess;
    const outAt = this.#outAt;
    const fuelBefore = this.#fuelBefore;
    let fuel = 0;
    for (let i = 0; i < calls; i++) {
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
    const independent = block.independent === true;
    const slots = independent ? keys : records.keys.length / KEY_RECORD.words;
    if (slots > MAX_SLOTS) throw tooManyKeys(slots);
    for (let i = 0; i < calls; i++) this.#numberSlots(records, i, independent);
    const dispatches = segments.reduce((sum, s) => sum + s.dispatches.length, 0);
    const { sections, bytes } = layOut({
      tx_payloads: calls * CALL.words * 4,
      access_lists: keys * ACCESS.words * 4,
      state_map: slots * SLOT.words * 4,
      input_state: records.bytes.length,
      params: dispatches * PARAMS_STRIDE,
    });
    return {
      calls,
      segments,
      sections,
      bytes,
      callOf: this.#callOf,
      firstAccess: this.#firstAccess,
      outAt: this.#outAt,
      fuelBefore: this.#fuelBefore,
      packedOf: this.#packedOf,
      slotOf: this.#slotOf,
      accesses: keys,
      slots,
      outputWords,
    };
  }

  /** Second pass: writes all but the parameters into `target`, the mapped staging buffer, without reading from it. */
  write(block: GpuBlock, packed: PackedBlock, target: ArrayBuffer): void {
    const { sections, calls } = packed;
    const { records } = block;
    new Uint8Array(target, sections.input_state.at, sections.input_state.bytes).set(records.bytes);
    const payloads = wordsOf(target, sections.tx_payloads);
    const lists = wordsOf(target, sections.access_lists);
    for (let i = 0; i < calls; i++) this.#writeCall(records, i, payloads, lists);
    const map = wordsOf(target, sections.state_map);
    if (block.independent !== true) {
      for (let slot = 0; slot < packed.slots; slot++) writeSlot(records, slot, map, slot);
      return;
    }
    for (let i = 0; i < calls; i++) {
      const first = records.heads[this.#callOf[i] * HEAD_WORDS + HEAD_FIRST_ACCESS];
      for (let slot = this.#firstAccess[i]; slot < this.#firstAccess[i + 1]; slot++) {
        const access = (first + slot - this.#firstAccess[i]) * ACCESS_RECORD_WORDS;
        writeSlot(records, records.accesses[access + FROM_KEY], map, slot);
      }
    }
  }

  /** A slot for every key of the block, or for every access. */
  #numberSlots({ heads, accesses }: CallColumns, i: number, independent: boolean): void {
    const first = heads[this.#callOf[i] * HEAD_WORDS + HEAD_FIRST_ACCESS];
    const [from, to] = [this.#firstAccess[i], this.#firstAccess[i + 1]];
    for (let at = from; at < to; at++) {
      this.#slotOf[at] = independent ? at : accesses[(first + at - from) * ACCESS_RECORD_WORDS + FROM_KEY];
    }
  }

  #writeCall({ heads, accesses }: CallColumns, i: number, payloads: Uint32Array, lists: Uint32Array): void {
    const head = this.#callOf[i] * HEAD_WORDS;
    const at = i * CALL_WORDS;
    const fuel = heads[head + HEAD_FUEL];
    if (fuel > MAX_CALL_FUEL) throw new RangeError('fuel of a call is out of range');
    const firstAccess = this.#firstAccess[i];
    const count = heads[head + HEAD_ACCESSES];
    payloads[at + CONTEXT_AT] = heads[head + HEAD_CONTEXT_AT];
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
            callOf[next] = colour[member];
            packedOf[given + member] = next++;
          }
        }
        given += colour.length;
      }
      return { dispatches, first: start, end: next };
    });
  }

  #reserve(calls: number): void {
    if (this.#callOf.length > calls) return;
    const size = (calls + 1) * 2;
    this.#callOf = new Uint32Array(size);
    this.#packedOf = new Uint32Array(size);
    this.#firstAccess = new Uint32Array(size);
    this.#outAt = new Uint32Array(size);
    this.#fuelBefore = new Float64Array(size);
  }
}

/** Numbers of the calls of `colour` by program hash. */
function groupByProgram({ heads, programs }: CallColumns, colour: Uint32Array): Map<string, Uint32Array> {
  const count = colour.length;
  const numbers = new Map<string, number>();
  const groupOf = new Uint32Array(count);
  const sizes: number[] = [];
  // Adjacent calls mostly share their program.
  let lastProgram = -1;
  let group = -1;
  for (let i = 0; i < count; i++) {
    const program = heads[colour[i] * HEAD_WORDS + HEAD_PROGRAM];
    if (program !== lastProgram) {
      lastProgram = program;
      const hash = programs[program];
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
export function outputCapacity(expected: number): number {
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

/** The calls of `colour` that run program `hash`. */
function callsOf({ records }: GpuBlock, colour: Uint32Array, hash: string): Uint32Array {
  return colour.filter((call) => programOf(records, call) === hash);
}

/** Writes key number `key` of `records` to slot number `slot`. */
function writeSlot({ keys }: CallColumns, key: number, map: Uint32Array, slot: number): void {
  const from = key * KEY_RECORD.words;
  const at = slot * SLOT.words;
  map[at + SLOT.offset.KEY_AT] = keys[from + KEY_FROM] / 4;
  map[at + SLOT.offset.KEY_BYTES] = keys[from + KEY_LENGTH];
  map[at + SLOT.offset.VALUE] = keys[from + VALUE_LENGTH] === NONE ? NONE : keys[from + VALUE_FROM];
}

function tooManyKeys(keys: number): EnvironmentError {
  return new EnvironmentError('GPU_FAILED', 'a batch has more keys than the kernel can number', {
    facts: { keys, limit: MAX_SLOTS },
    hint: 'The CPU policies give the same state.',
  });
}

/** Words of `status_flags`: a result per call, then the address of what each access read. */
export function statusWords(packed: PackedBlock): number {
  return packed.calls * RESULT.words + packed.accesses;
}
