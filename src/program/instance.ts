/** One V8 instance of a program. */

import { GLOBAL_FUEL, GLOBAL_PAGES, GLOBAL_REFERENCES, GLOBAL_STACK, GLOBAL_WHY } from './counters.js';
import { type Frame, hasAllPages, MESSAGE_FRAME } from './frame.js';
import { GuestMemory, type LentView, lentViewOf } from './guest-memory.js';
import { HIDDEN_PAGES } from './hidden-page.js';
import { HostFunctions } from './host-functions.js';
import type { LentMemory } from './lent-memory.js';
import type { ProgramRun, RunInner } from './program-run.js';
import type { ReturnBuffer } from './return-buffer.js';
import { RESET } from './reuse.js';
import type { RunState } from './run-state.js';
import type { Program } from './types.js';
import { type HostCallWatch, watchedImports } from './watched-imports.js';

/** Longer results are not copied out of the memory of their run, but where making another instance takes longer. */
const COPIED_RESULT_BYTES = 256 * 1024;
const COPIED_BYTES_A_REFERENCE = 1024;

interface Image {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** The images of a program are the same in all of its instances. */
const images = new WeakMap<Program, readonly Image[]>();

/** Those of `program`, whose segments were just laid out in `memory`. */
function imagesOf(program: Program, memory: GuestMemory): readonly Image[] {
  const known = images.get(program);
  if (known !== undefined || !program.reuse.reusable) return known ?? [];
  const { withHidden } = memory;
  const made = program.reuse.images.map(({ start, end }) => ({ start, bytes: withHidden.slice(start, end) }));
  images.set(program, made);
  return made;
}

/**
 * An instance, with the parts that a run needs. `begin` gives it the state of a fresh one (lane rules 4), as long as
 * `canServeAgain` said so after the run before.
 */
export class ProgramInstance implements ProgramRun {
  readonly functions: HostFunctions;
  readonly exports: WebAssembly.Exports;
  readonly execute: () => number;
  readonly fuel: WebAssembly.Global;
  readonly why: WebAssembly.Global;
  /** Bytes of memory that it began with. */
  readonly memoryBytes: number;
  /** Bytes that it takes beside its code: its memory, and the images of its data. */
  readonly keptBytes: number;
  /** Functions that it holds references of (erasure.ts): making another instance takes longer the more they are. */
  readonly references: number;
  /** Fuel that the frames inside this run have used. */
  fuelInside = 0;
  readonly #memory: GuestMemory;
  readonly #stack: WebAssembly.Global;
  readonly #reset: ((fuel: number) => void) | undefined;
  readonly #images: readonly Image[];
  readonly #pages: WebAssembly.Global;
  /** Pages that its memory may ever have. */
  readonly #mostPages: number;
  #used = false;
  #frame: Frame = MESSAGE_FRAME;

  readonly #lent: LentMemory | undefined;
  readonly #view: LentView | undefined;
  readonly #hides: boolean;

  /**
   * `lent`: the memory it runs in, for a `module` made to be lent one (`instrumentedToLend`) of a program whose
   * segments of data are known to be in bounds. `watch` hears of its host calls. `returned`: of all frames of a runner.
   * Throws `WebAssembly.RuntimeError` if a segment is out of bounds, `RangeError` if there is no memory to be had.
   */
  constructor(
    program: Program,
    module: WebAssembly.Module,
    runInner: RunInner,
    lent?: LentMemory,
    watch?: HostCallWatch,
    returned?: ReturnBuffer,
  ) {
    this.#lent = lent;
    // Segments are laid out at once.
    lent?.clear();
    lent?.reserve(program.minPages + HIDDEN_PAGES);
    this.functions = new HostFunctions((...call) => runInner(this, ...call), returned);
    const { exports } = new WebAssembly.Instance(module, {
      env: { ...watchedImports(this.functions, watch), ...(lent && { memory: lent.memory }) },
    });
    this.exports = exports;
    const counter = (name: string): WebAssembly.Global => exports[name] as WebAssembly.Global;
    this.fuel = counter(GLOBAL_FUEL);
    this.why = counter(GLOBAL_WHY);
    this.#stack = counter(GLOBAL_STACK);
    this.#pages = counter(GLOBAL_PAGES);
    this.#mostPages = this.#pages.value as number;
    this.#view = lent && lentViewOf(exports);
    const references = exports[GLOBAL_REFERENCES] as WebAssembly.Global | undefined;
    this.references = (references?.value as number | undefined) ?? 0;
    this.#hides = references !== undefined;
    // A program in a lent memory may export none, and then has none to be seen.
    const memory = lent?.memory ?? (exports.memory as WebAssembly.Memory);
    this.#memory = new GuestMemory(memory, this.fuel, this.#view, this.#hides);
    this.functions.attach(this.#memory);
    this.execute = exports.__execute as () => number;
    this.#reset = exports[RESET] as ((fuel: number) => void) | undefined;
    const { bytes } = this.#memory;
    this.memoryBytes = bytes.length;
    this.#noteUse();
    this.#images = imagesOf(program, this.#memory);
    this.keptBytes = this.#images.reduce((sum, image) => sum + image.bytes.length, this.memoryBytes);
  }

  /**
   * Makes it ready for one run in `frame`. In a lent memory, one that cannot serve again begins before anyone else has
   * the memory.
   */
  begin(host: RunState, fuel: number, frame = MESSAGE_FRAME): void {
    this.functions.begin(host, frame.depth);
    this.#frame = frame;
    this.fuelInside = 0;
    if ((this.#used || this.#lent !== undefined) && this.#reset !== undefined) {
      this.#lent?.clear();
      this.#reset(fuel);
      if (this.#images.length > 0) this.#layOut(this.#memory.withHidden);
      if (frame !== MESSAGE_FRAME) this.#stack.value = frame.slots;
    } else {
      this.fuel.value = fuel;
      this.#stack.value = frame.slots;
    }
    if (!hasAllPages(frame)) this.#pages.value = Math.min(frame.pages, this.#mostPages);
    this.#used = true;
  }

  /** What a run that it calls now may take. */
  get frameInside(): Frame {
    const { depth, pages } = this.#frame;
    const own = this.#memory.bytes.length >>> 16;
    return { depth: depth + 1, slots: this.#stack.value as number, pages: pages - own };
  }

  #layOut(memory: Uint8Array): void {
    for (const { start, bytes } of this.#images) memory.set(bytes, start);
  }

  /** The run is over. */
  finish(): void {
    this.functions.finish();
    this.#noteUse();
  }

  /** Tells the lender which part of its memory is not clear. */
  #noteUse(): void {
    if (this.#lent === undefined || this.#view === undefined) return;
    const { low, high } = this.#view;
    this.#lent.used((low.value as number) >>> 0, high.value as number, this.#hides);
  }

  /** Results of up to so many bytes are copied out: another instance takes longer the more references it holds. */
  get copiedBytes(): number {
    return COPIED_RESULT_BYTES + COPIED_BYTES_A_REFERENCE * this.references;
  }

  /** Bytes that the memory has grown by. */
  get grownBytes(): number {
    return this.#memory.bytes.length - this.memoryBytes;
  }

  /** Whether `begin` can undo all that the run did. No memory of its own can be made smaller again. */
  get canServeAgain(): boolean {
    return this.#reset !== undefined && (this.#lent !== undefined || this.grownBytes === 0);
  }
}
