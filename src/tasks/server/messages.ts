/**
 * What frames between a client and a GPU server hold. Numbers are little-endian. The first byte is the kind:
 *   hello    version u8, token (UTF-8, the rest)
 *   welcome  version u8, what runs calls of contracts u8, name of the adapter (UTF-8, the rest)
 *   job      priority u8, kind of work u8, flags u8, id u32, height u32, columns
 *   answer   mutated u8, 0 u8, 0 u8, id u32, 0 u32, columns (answer, then levels)
 *   failure  0 u8, 0 u8, 0 u8, id u32, 0 u32, columns (code, text)
 *   program  0 u8, 0 u8, 0 u8, id u32, 0 u32, column (WASM, or the 32 bytes of its hash to ask once more)
 *   state    state u8, 0 u8, 0 u8, id u32, 0 u32, column (why there is no kernel)
 *   calls    priority u8, 0 u8, 0 u8, id u32, seed u32, columns (see lane-columns.ts)
 *   outcomes 0 u8, 0 u8, 0 u8, id u32, 0 u32, columns (results, addresses that were read, results' bytes)
 *   alive    nothing: the server works on what the client waits for
 * Columns: their number u32, the length u32 of each, then their bytes.
 */
import { InputError } from '../../errors/errors.js';
import { readU32, writeU32 } from '../../util/bytes.js';
import { columnsFit, hashWork } from '../work/requests.js';
import type { Work, WorkAnswer } from '../work/work.js';

const KINDS = {
  hello: 1,
  welcome: 2,
  job: 3,
  answer: 4,
  failure: 5,
  program: 6,
  state: 7,
  calls: 8,
  outcomes: 9,
  alive: 10,
} as const;
export const VERSION = 2;
export const PRIORITIES = ['tip', 'sync', 'bench'] as const;
export type Priority = (typeof PRIORITIES)[number];
/** What a server runs calls of contracts on. */
const LANE_DEVICES = ['none', 'hardware', 'software'] as const;
export type LaneDevice = (typeof LANE_DEVICES)[number];
/** `unknown`: of a hash that the server has no program for. */
const PROGRAM_STATES = ['ready', 'waiting', 'none', 'unknown'] as const;
export type ProgramState = (typeof PROGRAM_STATES)[number];
const WORKS = ['sha256', 'schnorr', 'ecdsa', 'forest'] as const;

/** Most bytes of a frame, of a job's columns, and most columns. */
export const MOST_FRAME = 40 * 1024 * 1024;
export const MOST_JOB_BYTES = 16 * 1024 * 1024;
export const MOST_JOB_HASHES = 2 ** 18;
export const MOST_JOB_SIGNATURES = 65_536;
const MOST_COLUMNS = 32;
/** A job's trees are not higher: 2^14 leaves are a job's bytes divided by 32. */
const MOST_HEIGHT = 14;
const FIXED = 12;

/** Columns of calls, and what they left. Over the memory of the frame. */
export type Columns = readonly Uint8Array[];

export type Message =
  | { readonly kind: 'hello'; readonly version: number; readonly token: string }
  | { readonly kind: 'welcome'; readonly version: number; readonly lane: LaneDevice; readonly adapter: string }
  | { readonly kind: 'job'; readonly id: number; readonly priority: Priority; readonly work: Work }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: WorkAnswer }
  | { readonly kind: 'failure'; readonly id: number; readonly code: string; readonly text: string }
  | { readonly kind: 'program'; readonly id: number; readonly source: Uint8Array }
  | { readonly kind: 'state'; readonly id: number; readonly state: ProgramState; readonly reason: string }
  | {
      readonly kind: 'calls';
      readonly id: number;
      readonly priority: Priority;
      readonly seed: number;
      readonly columns: Columns;
    }
  | { readonly kind: 'outcomes'; readonly id: number; readonly columns: Columns }
  | { readonly kind: 'alive' };

/** The parts of a frame, which are not copied. */
export function encodeMessage(message: Message): Uint8Array[] {
  switch (message.kind) {
    case 'hello':
      return [Uint8Array.of(KINDS.hello, message.version), Buffer.from(message.token)];
    case 'welcome': {
      const lane = LANE_DEVICES.indexOf(message.lane);
      return [Uint8Array.of(KINDS.welcome, message.version, lane), Buffer.from(message.adapter)];
    }
    case 'job': {
      const { work } = message;
      const flags = work.kind === 'sha256' ? work.twice : work.kind === 'forest' && work.wantsLevels;
      const height = work.kind === 'forest' ? work.height : 0;
      const bytes = [PRIORITIES.indexOf(message.priority), WORKS.indexOf(work.kind), flags ? 1 : 0];
      return fixed(KINDS.job, bytes, message.id, height, columnsOf(work));
    }
    case 'answer': {
      const { bytes, levels, mutated } = message.answer;
      return fixed(KINDS.answer, [mutated ? 1 : 0, 0, 0], message.id, 0, [bytes, ...levels]);
    }
    case 'failure':
      return fixed(KINDS.failure, [0, 0, 0], message.id, 0, [Buffer.from(message.code), Buffer.from(message.text)]);
    case 'program':
      return fixed(KINDS.program, [0, 0, 0], message.id, 0, [message.source]);
    case 'state': {
      const state = PROGRAM_STATES.indexOf(message.state);
      return fixed(KINDS.state, [state, 0, 0], message.id, 0, [Buffer.from(message.reason)]);
    }
    case 'calls': {
      const bytes = [PRIORITIES.indexOf(message.priority), 0, 0];
      return fixed(KINDS.calls, bytes, message.id, message.seed, message.columns);
    }
    case 'outcomes':
      return fixed(KINDS.outcomes, [0, 0, 0], message.id, 0, message.columns);
    case 'alive':
      return [Uint8Array.of(KINDS.alive, 0)];
  }
}

/** Throws InputError TASK_MALFORMED for whatever is not exactly a message. */
export function decodeMessage(frame: Uint8Array): Message {
  if (frame.length < 2) throw malformed('a frame without content');
  if (frame[0] === KINDS.hello) return { kind: 'hello', version: frame[1], token: textOf(frame.subarray(2)) };
  if (frame[0] === KINDS.alive) return { kind: 'alive' };
  if (frame[0] === KINDS.welcome) {
    // A server of another version may say something else there.
    const lane = LANE_DEVICES.at(frame[2] ?? 0) ?? 'none';
    return { kind: 'welcome', version: frame[1], lane, adapter: textOf(frame.subarray(3)) };
  }
  if (frame.length < FIXED + 4) throw malformed('a frame that ends too early');
  const id = readU32(frame, 4);
  const columns = columnsIn(frame);
  switch (frame[0]) {
    case KINDS.job:
      return { kind: 'job', id, priority: priorityIn(frame), work: workIn(frame, columns) };
    case KINDS.calls:
      return { kind: 'calls', id, priority: priorityIn(frame), seed: readU32(frame, 8), columns };
    case KINDS.outcomes:
      return { kind: 'outcomes', id, columns };
    case KINDS.program: {
      if (columns.length !== 1) throw malformed('no program');
      return { kind: 'program', id, source: columns[0] };
    }
    case KINDS.state: {
      const state = PROGRAM_STATES.at(frame[1]);
      if (state === undefined || columns.length !== 1) throw malformed('no such state');
      return { kind: 'state', id, state, reason: textOf(columns[0]) };
    }
    case KINDS.answer: {
      const [bytes, ...levels] = columns;
      if (bytes === undefined) throw malformed('an answer without content');
      return { kind: 'answer', id, answer: { bytes, levels, mutated: frame[1] !== 0 } };
    }
    case KINDS.failure: {
      const [code, text] = columns;
      if (columns.length !== 2) throw malformed('a failure without a text');
      return { kind: 'failure', id, code: textOf(code), text: textOf(text) };
    }
    default:
      throw malformed('no such kind of frame');
  }
}

function priorityIn(frame: Uint8Array): Priority {
  const priority = PRIORITIES.at(frame[1]);
  if (priority === undefined) throw malformed('no such priority');
  return priority;
}

function workIn(frame: Uint8Array, columns: readonly Uint8Array[]): Work {
  const kind = WORKS.at(frame[2]);
  const flag = frame[3] !== 0;
  const height = readU32(frame, 8);
  if (kind === 'sha256') {
    const [offsets, bytes] = columns;
    if (columns.length !== 2 || offsets.length < 8 || offsets.length % 4 !== 0) throw malformed('no messages');
    const own = offsets.slice();
    return hashWork({ bytes, offsets: new Uint32Array(own.buffer, 0, own.length / 4), twice: flag });
  }
  if (kind === 'forest') {
    const [leaves] = columns;
    const isTree = columns.length === 1 && leaves.length > 0 && leaves.length % 32 === 0;
    if (!isTree || height < 1 || height > MOST_HEIGHT) throw malformed('no trees');
    return { kind, leaves, height, wantsLevels: flag };
  }
  if ((kind !== 'schnorr' && kind !== 'ecdsa') || !columnsFit(kind, columns))
    throw malformed('no columns of signatures');
  return { kind, columns };
}

function columnsOf(work: Work): readonly Uint8Array[] {
  switch (work.kind) {
    case 'sha256': {
      const { buffer, byteOffset, byteLength } = work.offsets;
      return [new Uint8Array(buffer, byteOffset, byteLength), work.bytes];
    }
    case 'forest':
      return [work.leaves];
    default:
      return work.columns;
  }
}

function fixed(
  kind: number,
  bytes: readonly number[],
  id: number,
  height: number,
  columns: readonly Uint8Array[],
): Uint8Array[] {
  const head = new Uint8Array(FIXED + 4 * (columns.length + 1));
  head.set([kind, ...bytes]);
  writeU32(head, 4, id);
  writeU32(head, 8, height);
  writeU32(head, FIXED, columns.length);
  columns.forEach(({ length }, i) => {
    writeU32(head, FIXED + 4 * (i + 1), length);
  });
  return [head, ...columns];
}

/** Over the memory of the frame, which they fill to its end. */
function columnsIn(frame: Uint8Array): Uint8Array[] {
  const count = readU32(frame, FIXED);
  let at = FIXED + 4 * (count + 1);
  if (count > MOST_COLUMNS || at > frame.length) throw malformed('too many columns');
  const columns: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const length = readU32(frame, FIXED + 4 * (i + 1));
    if (length > frame.length - at) throw malformed('a column that ends too early');
    columns.push(frame.subarray(at, at + length));
    at += length;
  }
  if (at !== frame.length) throw malformed('bytes behind the last column');
  return columns;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

function malformed(message: string): InputError {
  return new InputError('TASK_MALFORMED', `a message of a GPU server: ${message}`);
}
