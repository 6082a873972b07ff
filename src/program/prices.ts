/**
 * What a run costs beside its host calls (env.ts has those): lane rules 5. The kernel's constants and
 * the table of docs/lane-rules.md come from here too.
 */
import type { WasmModule } from './module.js';

/** A frame's entry, charged before its segments are laid out. */
export const ENTRY = {
  /** Per page of the declared minimum of memory. */
  page: 5_000,
  /** Per started 4 bytes of active data. */
  dataWord: 1,
  /** Per active segment, of data or of elements. */
  segment: 200,
  /** Per element of active element segments. */
  element: 30,
  /** Per element of the table's declared minimum. */
  tableElement: 4,
} as const;

/** Bulk instructions, beside the 1 of every instruction. */
export const BULK = {
  /** memory.copy, memory.fill and memory.init: 1 for each started 16 bytes, as a shift. */
  memoryShift: 4,
  /** table.copy, table.init, table.fill and table.grow: per element. */
  tableElement: 4,
  /** memory.grow: at once, and per page asked for. */
  grow: 1_000,
  growPage: 5_000,
} as const;

/** What `__execute` returns. */
export const RESULT_FUEL = {
  /** Per byte of the storage map as returned, its count included. */
  mapByte: 100,
  /** Per entry of the storage map, as declared. */
  entry: 5_000,
  /** Per transfer, those of nothing included. */
  transfer: 500,
  /** Bytes of data beside the map for 1. */
  dataBytes: 8,
} as const;

/** A call of another contract, beside what every call of `__call` and its like costs (env.ts). */
export const CALL_FUEL = {
  /** Per byte of the checkpoint as given. */
  checkpointByte: 100,
  /** Per entry of the checkpoint, as declared. */
  entry: 5_000,
  /** Per triple of the parcel. */
  triple: 500,
  /** Bytes of cellpack and parcel together for 1. */
  bytes: 8,
  /** A built-in contract, beside that. */
  builtIn: 1_000,
  /** Bytes that it gives for 1. */
  builtInBytes: 8,
} as const;

/**
 * What a frame of the module pays before anything of it is laid out; instrumentation changes nothing that counts. Below
 * 2^31 for every module within the limits.
 */
export function entryFuel(module: Pick<WasmModule, 'memory' | 'table' | 'dataSegments' | 'elements'>): number {
  let segments = 0;
  let dataBytes = 0;
  let elements = 0;
  for (const { mode, bytes } of module.dataSegments) {
    if (mode !== 'active') continue;
    segments++;
    dataBytes += bytes.length;
  }
  for (const { mode, items } of module.elements) {
    if (mode !== 'active') continue;
    segments++;
    elements += items.length;
  }
  return (
    ENTRY.page * (module.memory?.minPages ?? 0) +
    ENTRY.dataWord * Math.ceil(dataBytes / 4) +
    ENTRY.segment * segments +
    ENTRY.element * elements +
    ENTRY.tableElement * (module.table?.min ?? 0)
  );
}

/** What a result costs, in one charge. At most some 3.4e9: below 2^32, which the kernel relies on. */
export function resultFuel(result: {
  mapBytes: number;
  entries: number;
  transfers: number;
  dataBytes: number;
}): number {
  return (
    RESULT_FUEL.mapByte * result.mapBytes +
    RESULT_FUEL.entry * result.entries +
    RESULT_FUEL.transfer * result.transfers +
    Math.ceil(result.dataBytes / RESULT_FUEL.dataBytes)
  );
}
