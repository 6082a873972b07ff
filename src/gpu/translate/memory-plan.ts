import { LIMITS } from '../../program/limits.js';
import type { WasmModule } from '../../program/module.js';
import { OP } from '../../program/opcodes.js';
import { kernelText } from '../intrinsics/kernel-text.js';
import { Unsupported } from './unsupported.js';

/** How much linear memory an invocation holds, and where. */
export interface MemoryWindow {
  readonly bytes: number;
  readonly place: 'private' | 'storage';
  /**
   * Begins at the static data instead of address 0, unless a stack lies below it: compilers leave the lowest addresses
   * unused, so that null pointers differ from all others.
   */
  readonly fromData?: boolean;
}

/** A passive data segment in `program_data`. */
export interface PlacedSegment {
  readonly firstWord: number;
  readonly bytes: number;
}

/** The linear memory of one kernel, and the content of the buffer `program_data`. */
export interface MemoryPlan {
  readonly window: MemoryWindow;
  /** First byte of memory inside the window. */
  readonly first: number;
  /** Bytes of the window after the static data and after the initial value of every pointer. */
  readonly room: number;
  /** Pages at the start; `grows`: whether memory.grow can add any. */
  readonly pages: number;
  /** Bytes that memory always has: an access below this needs no check. */
  readonly leastBytes: number;
  readonly grows: boolean;
  /** The static data, a zero word, then the passive data segments, each followed by a zero word. */
  readonly programData: Uint32Array;
  readonly segments: ReadonlyMap<number, PlacedSegment>;
  readonly wgsl: string;
}

/** Memory instructions in the code that can be reached. */
export interface MemoryUse {
  readonly grow: boolean;
  /** Segments that memory.init names. */
  readonly initialised: ReadonlySet<number>;
  /** Segments that data.drop names. */
  readonly dropped: ReadonlySet<number>;
}

const PAGE_BYTES = 65_536;
const START_ALIGNMENT = 16;
/** Part of the window below a pointer that starts far up: a stack grows down from it; data and heap lie above. */
const BELOW_ANCHOR = 1 / 4;
/** A pointer that starts above this part of the window is far up. */
const LOW_PART = 7 / 8;

/**
 * Lays out the memory of a program. The window begins at address 0 (but see {@link MemoryWindow.fromData}), unless the
 * program's stack or heap pointer (the initial value of a mutable global, or a constant that it is set to) starts far
 * up in it or above: then the window is placed around the highest of these. Throws {@link Unsupported} if a data
 * segment is out of bounds: instantiation fails, as the CPU will report.
 */
export function planMemory(module: WasmModule, window: MemoryWindow, use: MemoryUse): MemoryPlan {
  const pages = module.memory?.minPages ?? 0;
  const maxPages = module.memory?.maxPages ?? LIMITS.memoryPages;
  const grows = use.grow && maxPages > pages;
  const image = staticImage(module, pages * PAGE_BYTES);
  const { first, anchor } = windowStart(module, window, pages * PAGE_BYTES, image.first);
  const end = first + window.bytes;
  const imageEnd = image.first + image.bytes.length;
  const far = image.bytes.length > 0 && (image.first < first || imageEnd > end);
  const { segments, words } = placeSegments(module, use.initialised, image.bytes.length / 4 + 1);
  const programData = new Uint32Array(words);
  const out = new Uint8Array(programData.buffer);
  out.set(image.bytes);
  for (const [index, { firstWord, bytes }] of segments) {
    if (bytes > 0) out.set(module.dataSegments[index]?.bytes ?? [], firstWord * 4);
  }
  const copyFirst = Math.max(first, image.first) / 4;
  const constants: readonly [string, number][] = [
    ['WINDOW_FIRST', first / 4],
    ['WINDOW_BYTES', window.bytes],
    ['WINDOW_WORDS', window.bytes / 4],
    ['IMAGE_FIRST', image.first / 4],
    ['IMAGE_WORDS', image.bytes.length / 4],
    ['MAX_PAGES', grows ? maxPages : pages],
  ];
  const wgsl = [
    ...constants.map(([name, value]) => `const ${name} = ${value}u;`),
    `${grows ? 'var<private> MEMORY_BYTES: u32' : 'const MEMORY_BYTES'} = ${pages * PAGE_BYTES}u;`,
    ...[...segments].map(
      ([i, { bytes }]) => `${use.dropped.has(i) ? `var<private> segment${i}: u32` : `const segment${i}`} = ${bytes}u;`,
    ),
    beyondMemory(pages),
    kernelText(window.place === 'private' ? 'memory-private' : 'memory-storage'),
    kernelText(far ? 'memory-far' : 'memory-near'),
    kernelText('memory'),
    layImage(programData, image.first / 4, copyFirst, Math.min(end, imageEnd) / 4, first / 4),
    ...(segments.size > 0 ? [kernelText('memory-init')] : []),
    ...(grows ? [kernelText('memory-grow')] : []),
  ].join('\n');
  const room = far ? 0 : Math.max(0, end - Math.max(imageEnd, anchor));
  return { window, first, room, pages, leastBytes: pages * PAGE_BYTES, grows, programData, segments, wgsl };
}

/**
 * WGSL test whether an access of at most 8 bytes leaves memory. Only a memory that may be empty needs the long form.
 */
function beyondMemory(pages: number): string {
  const text =
    pages > 0 ? 'at > MEMORY_BYTES - size' : '(at > MEMORY_BYTES) | (MEMORY_BYTES - min(at, MEMORY_BYTES) < size)';
  return `fn beyond_memory(at: u32, size: u32) -> bool {\n  return ${text};\n}\n`;
}

/** The bytes from the first to the last that active data segments set, in whole words. */
function staticImage(module: WasmModule, memoryBytes: number): { first: number; bytes: Uint8Array } {
  const active: { at: number; bytes: Uint8Array }[] = [];
  for (const { mode, offset, bytes } of module.dataSegments) {
    if (mode !== 'active') continue;
    const at = offset?.kind === 'i32' ? offset.value >>> 0 : Number.NaN;
    if (!(at + bytes.length <= memoryBytes)) throw new Unsupported('a data segment out of bounds');
    if (bytes.length > 0) active.push({ at, bytes });
  }
  const first = active.reduce((least, { at }) => Math.min(least, at), active[0]?.at ?? 0) & ~3;
  const end = active.reduce((most, { at, bytes }) => Math.max(most, at + bytes.length), 0);
  if (end - first > MAX_IMAGE_BYTES) throw new Unsupported(`static data spread over ${end - first} bytes`);
  const image = new Uint8Array(Math.ceil((end - first) / 4) * 4);
  for (const { at, bytes } of active) image.set(bytes, at - first);
  return { first, bytes: image };
}

const MAX_IMAGE_BYTES = 4 * 1024 * 1024;
const MAX_SEGMENTS = 256;

/** Places of the data segments that memory.init names. Active ones are included: they are empty after instantiation. */
function placeSegments(
  module: WasmModule,
  named: ReadonlySet<number>,
  from: number,
): { readonly segments: ReadonlyMap<number, PlacedSegment>; readonly words: number } {
  if (named.size > MAX_SEGMENTS) throw new Unsupported(`memory.init of more than ${MAX_SEGMENTS} segments`);
  const segments = new Map<number, PlacedSegment>();
  let words = from;
  for (const index of named) {
    const segment = module.dataSegments[index];
    const bytes = segment?.mode === 'passive' ? segment.bytes.length : 0;
    segments.set(index, { firstWord: words, bytes });
    words += Math.ceil(bytes / 4) + 1;
  }
  return { segments, words };
}

/**
 * First byte of the window, and the highest initial pointer. A pointer that starts below the static data is the
 * stack's, which grows down to 0.
 */
function windowStart(
  module: WasmModule,
  { bytes, fromData }: MemoryWindow,
  memoryBytes: number,
  imageStart: number,
): { readonly first: number; readonly anchor: number } {
  let anchor = 0;
  let first = fromData ? imageStart & ~(START_ALIGNMENT - 1) : 0;
  for (const pointer of pointerGlobals(module)) {
    if (pointer === 0 || pointer > memoryBytes) continue;
    anchor = Math.max(anchor, pointer);
    if (pointer <= imageStart) first = 0;
  }
  const last = Math.max(0, memoryBytes - bytes);
  if (anchor - first > bytes * LOW_PART) {
    first = Math.max(0, Math.floor(anchor - bytes * BELOW_ANCHOR) & ~(START_ALIGNMENT - 1));
  }
  return { first: Math.min(first, last), anchor };
}

/** Most words of static data that are set by code; more are copied from `program_data`. */
const IMAGE_AS_CODE = 128;

/**
 * WGSL function that copies the static data, words `from` to `to` of memory, into a window of zeros. A few words are
 * stored as constants, which need no loads.
 */
function layImage(data: Uint32Array, imageFirst: number, from: number, to: number, windowFirst: number): string {
  const stores: string[] = [];
  for (let word = from; word < to; word++) {
    const value = data[word - imageFirst];
    if (value !== 0) stores.push(`  set_word(${word - windowFirst}u, ${value}u);`);
    if (stores.length > IMAGE_AS_CODE) break;
  }
  const loop = [
    `  for (var i = ${from}u; i < ${to}u; i++) {`,
    `    set_word(i - ${windowFirst}u, program_data[i - ${imageFirst}u]);`,
    '  }',
  ];
  return ['fn lay_image() {', ...(stores.length > IMAGE_AS_CODE ? loop : stores), '}', ''].join('\n');
}

/** Values at which pointers in mutable globals may start: initial values, and constants that the globals are set to. */
function pointerGlobals(module: WasmModule): number[] {
  const found = new Set<number>();
  const counters = new Set(module.exports.filter((e) => e.kind === 'global').map((e) => e.index));
  module.globals.forEach(({ type, mutable, init }, i) => {
    if (type === 'i32' && mutable && !counters.has(i) && init.kind === 'i32') found.add(init.value >>> 0);
  });
  for (const { code } of module.functions) {
    code.forEach((instruction, i) => {
      const before = code[i - 1];
      if (instruction.op !== OP.globalSet || counters.has(instruction.a ?? 0) || before?.op !== OP.i32Const) return;
      found.add((before.a ?? 0) >>> 0);
    });
  }
  return [...found];
}
