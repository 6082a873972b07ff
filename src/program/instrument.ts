import { Additions } from './additions.js';
import {
  GLOBAL_BYTES,
  GLOBAL_FUEL,
  GLOBAL_HIGH,
  GLOBAL_LOW,
  GLOBAL_PAGES,
  GLOBAL_REFERENCES,
  GLOBAL_ROOM,
  GLOBAL_STACK,
  GLOBAL_WHY,
} from './counters.js';
import { make } from './decode-code.js';
import { Erasure, type TableUse, wantsErasure } from './erasure.js';
import { HIDDEN_BYTES, HIDDEN_PAGES } from './hidden-page.js';
import { BodyInstrumenter } from './instrument-body.js';
import type { Counters } from './instrument-code.js';
import { windowOf } from './lent-code.js';
import { LENT_PAGES } from './lent-memory.js';
import { LIMITS } from './limits.js';
import type { ElementSegment, ExportDefinition, GlobalDefinition, RawModule } from './module.js';
import { OP } from './opcodes.js';
import { extentOf, type StateChanges } from './reuse.js';

export interface Instrumented {
  readonly module: RawModule;
  /** The effects of the module's own code on its state; the counters are not among the globals. */
  readonly changes: StateChanges;
}

/** Functions that live code takes references of: they must stay declared although most exports go. */
function declared(references: ReadonlySet<number>): ElementSegment[] {
  if (references.size === 0) return [];
  const items = [...references].sort((x, y) => x - y).map((index) => ({ kind: 'ref.func', index }) as const);
  return [{ mode: 'declarative', table: 0, offset: undefined, items }];
}

function atMost(max: number | undefined, limit: number): number {
  return max === undefined || max > limit ? limit : max;
}

/** Indices of the globals that instrumentation adds, behind those of the source. */
interface Added {
  readonly counters: Counters;
  readonly references: number;
  readonly tableSize: number;
}

/** Who runs the instrumented module. */
export type Runs = 'kernel' | 'engine' | 'engine, in a lent memory';

function addedTo({ globals }: RawModule, runs: Runs): Added {
  const first = globals.length;
  const pages = runs === 'kernel' ? undefined : first + 3;
  const at = first + 4;
  const lent = runs === 'engine, in a lent memory' ? { bytes: at, low: at + 1, high: at + 2, room: at + 3 } : undefined;
  const next = (lent?.room ?? pages ?? first + 2) + 1;
  const counters = { fuel: first, stack: first + 1, why: first + 2, pages, lent };
  return { counters, references: next, tableSize: next + 1 };
}

const number = (value: number, mutable = true): GlobalDefinition => {
  return { type: 'i32', mutable, init: { kind: 'i32', value } };
};

/** First values of the globals of a program in a lent memory: its window begins as its static data. */
function lentGlobalsOf({ memory, dataSegments }: RawModule, erasure: Erasure | undefined): GlobalDefinition[] {
  const data = extentOf(dataSegments);
  const hidden = erasure === undefined ? 0 : HIDDEN_BYTES;
  const window = windowOf(data.start + hidden, data.end + hidden);
  return [number((memory?.minPages ?? 0) << 16), ...window.map((value) => number(value))];
}

function globalsOf(
  source: RawModule,
  { pages, lent }: Counters,
  memoryMax: number,
  erasure: Erasure | undefined,
): GlobalDefinition[] {
  const counters = [
    ...[number(0), number(0), number(0)],
    ...(pages === undefined ? [] : [number(memoryMax)]),
    ...(lent === undefined ? [] : lentGlobalsOf(source, erasure)),
  ];
  if (erasure === undefined) return [...source.globals, ...counters];
  const size = erasure.sizeGlobal === undefined ? [] : [number(source.table?.min ?? 0)];
  return [...erasure.globals(source.globals), ...counters, number(erasure.references, false), ...size];
}

/**
 * Puts fuel and the stack budget into a valid module (lane rules 3, 4 and 5). The result has no start section (the
 * function is called first thing by the exported `__execute`), a memory of at most 512 pages, a table of at most 4,096
 * elements, three more globals, no dead code, and exports only `memory`, `__execute`, `__meta` and the three globals.
 * `slots` are those of each function's frame, as `validateModule` gives them. For an engine there is a global more: how
 * far its memory may grow.
 */
export function instrumentModule(source: RawModule, slots: Uint32Array, runs: Runs = 'kernel'): Instrumented {
  return instrument(source, slots, runs, undefined).instrumented;
}

/**
 * The same for V8. A program that changes its table or holds
 * references has them as numbers (erasure.ts), and exports how many functions it has references of. `lent`: it imports
 * a memory of at most {@link LENT_PAGES} and checks each access itself (lent-code.ts).
 */
export function instrumentForEngine(source: RawModule, slots: Uint32Array, lent = false): Instrumented {
  const runs = lent ? 'engine, in a lent memory' : 'engine';
  const { instrumented, use } = instrument(source, slots, runs, undefined);
  return wantsErasure(source, use) ? instrument(source, slots, runs, use).instrumented : instrumented;
}

function instrument(
  source: RawModule,
  slots: Uint32Array,
  runs: Runs,
  erased: TableUse | undefined,
): { readonly instrumented: Instrumented; readonly use: TableUse } {
  const added = addedTo(source, runs);
  const { counters } = added;
  const memoryMax = atMost(source.memory?.maxPages, LIMITS.memoryPages);
  const hiddenPages = erased === undefined ? 0 : HIDDEN_PAGES;
  const additions = new Additions(source, counters, memoryMax, hiddenPages);
  const erasure = erased && new Erasure(source, erased, erased.grows ? added.tableSize : undefined);
  const instrumenter = new BodyInstrumenter(source, additions, erasure);
  const bodies = source.bodies.map((body, i) => instrumenter.instrument(body, slots[i]));
  const exports = exportsOf(source, additions, added, erasure !== undefined);
  const { memory, table } = source;
  const module: RawModule = {
    ...source,
    bytes: additions.code.view(),
    types: additions.types,
    bodies: [...bodies, ...additions.bodies],
    globals: globalsOf(source, counters, memoryMax, erasure),
    exports,
    elements: [...source.elements, ...declared(instrumenter.references)],
    start: undefined,
    memory:
      counters.lent !== undefined
        ? { minPages: (memory?.minPages ?? 0) + hiddenPages, maxPages: LENT_PAGES, imported: true }
        : memory && { minPages: memory.minPages + hiddenPages, maxPages: memoryMax + hiddenPages },
    table: table && { min: table.min, max: atMost(table.max, LIMITS.tableElements) },
    ...erasure?.parts,
  };
  const { changes } = instrumenter;
  const globals = erased?.grows ? new Set([...changes.globals, added.tableSize]) : changes.globals;
  return { instrumented: { module, changes: { ...changes, globals } }, use: instrumenter.tableUse };
}

function exportsOf(source: RawModule, additions: Additions, added: Added, erased: boolean): ExportDefinition[] {
  const { counters } = added;
  let exports: ExportDefinition[] = source.exports.filter(
    (e) => e.name === 'memory' || ((e.name === '__execute' || e.name === '__meta') && e.kind === 'func'),
  );
  const execute = exports.find((e) => e.name === '__execute');
  if (source.start !== undefined && execute) {
    const code = [make(OP.call, source.start), make(OP.call, execute.index), make(OP.end)];
    const index = additions.addFunction({ params: [], results: ['i32'] }, [], code);
    exports = exports.map((e) => (e === execute ? { ...e, index } : e));
  }
  exports.push(
    { name: GLOBAL_FUEL, kind: 'global', index: counters.fuel },
    { name: GLOBAL_STACK, kind: 'global', index: counters.stack },
    { name: GLOBAL_WHY, kind: 'global', index: counters.why },
  );
  if (counters.pages !== undefined) exports.push({ name: GLOBAL_PAGES, kind: 'global', index: counters.pages });
  const { lent } = counters;
  if (lent !== undefined) {
    exports.push(
      { name: GLOBAL_BYTES, kind: 'global', index: lent.bytes },
      { name: GLOBAL_LOW, kind: 'global', index: lent.low },
      { name: GLOBAL_HIGH, kind: 'global', index: lent.high },
      { name: GLOBAL_ROOM, kind: 'global', index: lent.room },
    );
  }
  if (erased) exports.push({ name: GLOBAL_REFERENCES, kind: 'global', index: added.references });
  return exports;
}
