import { createHash } from 'node:crypto';
import { ProgramError } from '../errors/errors.js';
import { decodeBodies, readModule } from './decode.js';
import { encodeRawModule } from './encode.js';
import { type Instrumented, instrumentForEngine, instrumentModule } from './instrument.js';
import { MANY_PAGES } from './lending.js';
import { BoundedCache } from './lru.js';
import type { WasmModule } from './module.js';
import { entryFuel } from './prices.js';
import { decideReuse, extentOf, type Reuse, withReset } from './reuse.js';
import { CALL_KINDS, type Program } from './types.js';
import { type Admitted, validateModule } from './validate.js';

/** Programs kept at once, and bytes of their code as it came. */
const CACHED_PROGRAMS = 1_024;
const CACHED_BYTES = 64 * 1024 * 1024;
/** Refusals kept at once; each counts a little, since only its text is kept. */
const CACHED_REFUSALS = 4_096;
const REFUSAL_BYTES = 512;
/** Size of a program apart from its bytes: its hash and what it is made of. */
const PROGRAM_BYTES = 1_024;
/**
 * What is known of admitted modules, kept for far more of them than programs: with that, one runs again without its
 * validation, and without being instrumented if its compiled code is still at hand.
 */
const ADMITTED_MODULES = 65_536;
const ADMITTED_BYTES = 16 * 1024 * 1024;
const ADMITTED_ENTRY_BYTES = 512;
const IMAGE_BYTES = 64;
/** Instrumented code kept, for the engine that compiles it soon after. */
const INSTRUMENTED_PROGRAMS = 64;
const INSTRUMENTED_BYTES = 8 * 1024 * 1024;
/** Decoded modules kept, and bytes of their sources: a second use by the translator follows soon. */
const DECODED_PROGRAMS = 4;
const DECODED_BYTES = 2 * 1024 * 1024;

interface Kept {
  readonly programs: number;
  readonly bytes: number;
  readonly admitted: number;
  readonly refusals: number;
}

/** All that is known of an admitted module but its bytes. */
interface Admission
  extends Admitted,
    Pick<Program, 'sourceBytes' | 'entryFuel' | 'imports' | 'minPages' | 'makesCalls' | 'fitsLent'> {
  readonly dataSegments: number;
  /** What only its instrumented code tells: most programs are interpreted, and never have any. */
  forEngine: ForEngine | undefined;
}

type ForEngine = Pick<Program, 'reuse' | 'compiledBytes' | 'lendsFirst'>;

/** Gives the bytes of a module whenever they are asked for. */
type Source = () => Uint8Array;

/** Results of preparing, by the code's SHA-256. */
export class PreparedPrograms {
  readonly #programs: BoundedCache<Program>;
  readonly #admitted = new BoundedCache<Admission>(ADMITTED_MODULES, ADMITTED_BYTES);
  readonly #refusals = new BoundedCache<ProgramError>(CACHED_REFUSALS, CACHED_REFUSALS * REFUSAL_BYTES);

  constructor(maxPrograms = CACHED_PROGRAMS, maxBytes = CACHED_BYTES) {
    this.#programs = new BoundedCache(maxPrograms, maxBytes);
  }

  /**
   * The pipeline for a program of any origin: read, validate, and instrument once V8 runs it. A refused module is not
   * looked at again either. `hash` is the SHA-256 of `wasm`, for callers who know it. Throws {@link ProgramError}
   * (`WASM_*`) if lane rules 3 refuse the module. `wasm` must not be changed afterwards.
   */
  prepare(wasm: Uint8Array, hash = hashOf(wasm)): Program {
    const known = this.#programs.get(hash);
    if (known) return known;
    const refused = this.#refusals.get(hash);
    if (refused) throw refused;
    try {
      const program = programOf(() => wasm, hash, this.#admissionOf(wasm, hash));
      this.#programs.set(hash, program, programBytes(program));
      return program;
    } catch (error) {
      if (error instanceof ProgramError) this.#refusals.set(hash, error, REFUSAL_BYTES);
      throw error;
    }
  }

  /**
   * The program of a module that was admitted before, by its SHA-256 (hex): `source` gives its bytes whenever they are
   * asked for. Undefined if that it was admitted is not remembered.
   */
  admitted(hash: string, source: Source): Program | undefined {
    const admission = this.#admitted.get(hash);
    return admission && programOf(source, hash, admission);
  }

  /** The program of the module with that SHA-256 (hex), if it is kept. */
  known(hash: string): Program | undefined {
    return this.#programs.get(hash);
  }

  /** Looks at a module unless the same bytes were admitted before. */
  #admissionOf(wasm: Uint8Array, hash: string): Admission {
    const known = this.#admitted.get(hash);
    const admission = known ?? admit(wasm);
    if (known === undefined) this.#admitted.set(hash, admission, admissionBytes(admission));
    return admission;
  }

  /** Programs and bytes of them that are kept, modules known to be valid, and refusals. */
  get kept(): Kept {
    const { size: programs, weight: bytes } = this.#programs;
    return { programs, bytes, admitted: this.#admitted.size, refusals: this.#refusals.size };
  }
}

/** One per thread; results are pure, so it is never wrong. */
const prepared = new PreparedPrograms();

/** Prepares a program, or gives what an earlier call gave or threw: see {@link PreparedPrograms.prepare}. */
export function prepareProgram(wasm: Uint8Array, hash?: string): Program {
  return prepared.prepare(wasm, hash);
}

/** A prepared program by the SHA-256 of its module (hex); undefined if it is not kept. */
export function knownProgram(hash: string): Program | undefined {
  return prepared.known(hash);
}

/** A program that was admitted before, by the SHA-256 of its module (hex): see {@link PreparedPrograms.admitted}. */
export function admittedProgram(hash: string, source: Source): Program | undefined {
  return prepared.admitted(hash, source);
}

function hashOf(wasm: Uint8Array): string {
  return createHash('sha256').update(wasm).digest('hex');
}

/** Bytes that keeping `program` takes. */
export function programBytes({ sourceBytes }: Program): number {
  return sourceBytes + PROGRAM_BYTES;
}

function admissionBytes({ slots, dataSegments }: Admission): number {
  return ADMITTED_ENTRY_BYTES + slots.byteLength + IMAGE_BYTES * dataSegments;
}

/** One of each per thread; whatever they hold can be made again from the module. */
const instrumented = new BoundedCache<Uint8Array>(INSTRUMENTED_PROGRAMS, INSTRUMENTED_BYTES);
const decoded = new BoundedCache<WasmModule>(DECODED_PROGRAMS, DECODED_BYTES);

/** The instrumented module of an admitted one, decoded on each use: it takes many times its bytes. */
function decodedModule(hash: string, source: Source, slots: Uint32Array): WasmModule {
  const known = decoded.get(hash);
  if (known) return known;
  const raw = instrumentModule(readModule(source()), slots).module;
  const module = decodeBodies(raw);
  decoded.set(hash, module, raw.bytes.length);
  return module;
}

/** The bytes of an instrumented module, for V8. */
function encoded({ module, changes }: Instrumented, reuse: Reuse): Uint8Array {
  return encodeRawModule(reuse.reusable ? withReset(module, changes) : module);
}

/** What stands behind the hash of a program that is instrumented for a lent memory. */
const TO_LEND = ' to lend';

function instrumentedModule(hash: string, source: Source, admission: Admission, toLend: boolean): Uint8Array {
  const { reuse } = forEngineOf(hash, source, admission);
  const key = toLend ? hash + TO_LEND : hash;
  const known = instrumented.get(key);
  if (known) return known;
  const bytes = encoded(instrumentForEngine(readModule(source()), admission.slots, toLend), reuse);
  instrumented.set(key, bytes, bytes.length);
  return bytes;
}

/** Prepares a program, whatever was prepared before. */
export function buildProgram(wasm: Uint8Array, hash = hashOf(wasm)): Program {
  return programOf(() => wasm, hash, admit(wasm));
}

function admit(wasm: Uint8Array): Admission {
  const source = readModule(wasm);
  const minPages = source.memory?.minPages ?? 0;
  const imports = new Set(source.imports.map((i) => i.name));
  return {
    ...validateModule(source),
    ...{ imports, minPages },
    sourceBytes: wasm.length,
    entryFuel: entryFuel(source),
    dataSegments: source.dataSegments.length,
    fitsLent: extentOf(source.dataSegments).end <= minPages << 16,
    makesCalls: CALL_KINDS.some((kind) => imports.has(`__${kind}`)),
    forEngine: undefined,
  };
}

function forEngineOf(hash: string, source: Source, admission: Admission): ForEngine {
  admission.forEngine ??= instrumentFirst(hash, source, admission);
  return admission.forEngine;
}

/** Instruments a module, for the memory that its first run on V8 is likely to have. */
function instrumentFirst(hash: string, source: Source, admission: Admission): ForEngine {
  const { slots, codeBytes, minPages, fitsLent } = admission;
  const toLend = fitsLent && minPages >= MANY_PAGES;
  const made = instrumentForEngine(readModule(source()), slots, toLend);
  const reuse = decideReuse(made.module, made.changes);
  const bytes = encoded(made, reuse);
  instrumented.set(toLend ? hash + TO_LEND : hash, bytes, bytes.length);
  return { reuse, compiledBytes: bytes.length + codeBytes, lendsFirst: reuse.reusable && toLend };
}

function programOf(source: Source, hash: string, admission: Admission): Program {
  const { slots, sideBytes, sourceBytes, entryFuel, imports, minPages, fitsLent, makesCalls } = admission;
  return {
    ...{ hash, sourceBytes, slots, sideBytes, entryFuel, imports },
    ...{ minPages, fitsLent, makesCalls },
    get source(): Uint8Array {
      return source();
    },
    get reuse(): Reuse {
      return forEngineOf(hash, source, admission).reuse;
    },
    get compiledBytes(): number {
      return forEngineOf(hash, source, admission).compiledBytes;
    },
    get lendsFirst(): boolean {
      return forEngineOf(hash, source, admission).lendsFirst;
    },
    get instrumented(): Uint8Array {
      return instrumentedModule(hash, source, admission, false);
    },
    get instrumentedToLend(): Uint8Array {
      return instrumentedModule(hash, source, admission, true);
    },
    get module(): WasmModule {
      return decodedModule(hash, source, slots);
    },
  };
}
