import { createHash } from 'node:crypto';
import { ProgramError } from '../errors/errors.js';
import { decodeBodies, readModule } from './decode.js';
import { encodeRawModule } from './encode.js';
import { instrumentForEngine, instrumentModule } from './instrument.js';
import { BoundedCache } from './lru.js';
import type { RawModule, WasmModule } from './module.js';
import { entryFuel } from './prices.js';
import { decideReuse, withReset } from './reuse.js';
import type { Program } from './types.js';
import { validateModule } from './validate.js';

/** Programs kept at once, and bytes of them: the code as it came and instrumented. Decoded code is not kept. */
const CACHED_PROGRAMS = 256;
const CACHED_BYTES = 64 * 1024 * 1024;
/** Refusals kept at once; each counts a little, since only its text is kept. */
const CACHED_REFUSALS = 4_096;
const REFUSAL_BYTES = 512;
/** Size of a program apart from its bytes: hash, names of imports, the slots of its frames. */
const PROGRAM_BYTES = 4_096;
/**
 * Slots of the frames of admitted modules kept at once, and bytes of them: far more modules than programs, since they
 * are all that is needed to prepare one again without its validation.
 */
const ADMITTED_MODULES = 65_536;
const ADMITTED_BYTES = 8 * 1024 * 1024;
const ADMITTED_ENTRY_BYTES = 256;
/** Decoded modules kept, and bytes of their sources: a second use by the translator follows soon. */
const DECODED_PROGRAMS = 4;
const DECODED_BYTES = 2 * 1024 * 1024;

interface Kept {
  readonly programs: number;
  readonly bytes: number;
  readonly admitted: number;
  readonly refusals: number;
}

/** Results of preparing, by the code's SHA-256. */
export class PreparedPrograms {
  readonly #programs: BoundedCache<Program>;
  readonly #admitted = new BoundedCache<Uint32Array>(ADMITTED_MODULES, ADMITTED_BYTES);
  readonly #refusals = new BoundedCache<ProgramError>(CACHED_REFUSALS, CACHED_REFUSALS * REFUSAL_BYTES);

  constructor(maxPrograms = CACHED_PROGRAMS, maxBytes = CACHED_BYTES) {
    this.#programs = new BoundedCache(maxPrograms, maxBytes);
  }

  /**
   * The pipeline for a program of any origin: read, validate, instrument. A refused module is not looked at again
   * either. `hash` is the SHA-256 of `wasm`, for callers who know it. Throws {@link ProgramError} (`WASM_*`) if lane
   * rules 3 refuse the module. `wasm` must not be changed afterwards.
   */
  prepare(wasm: Uint8Array, hash = hashOf(wasm)): Program {
    const known = this.#programs.get(hash);
    if (known) return known;
    const refused = this.#refusals.get(hash);
    if (refused) throw refused;
    try {
      const program = build(wasm, hash, this.#slotsOf(hash));
      this.#programs.set(hash, program, programBytes(program));
      return program;
    } catch (error) {
      if (error instanceof ProgramError) this.#refusals.set(hash, error, REFUSAL_BYTES);
      throw error;
    }
  }

  /** Validates a module unless the same bytes were admitted before. */
  #slotsOf(hash: string): (source: RawModule) => Uint32Array {
    return (source) => {
      const known = this.#admitted.get(hash);
      const slots = known ?? validateModule(source);
      if (known === undefined) this.#admitted.set(hash, slots, slots.byteLength + ADMITTED_ENTRY_BYTES);
      return slots;
    };
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

function hashOf(wasm: Uint8Array): string {
  return createHash('sha256').update(wasm).digest('hex');
}

/** Bytes that keeping `program` takes. */
export function programBytes({ source, instrumented }: Program): number {
  return source.length + instrumented.length + PROGRAM_BYTES;
}

const decoded = new BoundedCache<WasmModule>(DECODED_PROGRAMS, DECODED_BYTES);

/** The instrumented module of an admitted one, decoded on each use: it takes many times its bytes. */
function decodedModule(hash: string, wasm: Uint8Array, slots: Uint32Array): WasmModule {
  const known = decoded.get(hash);
  if (known) return known;
  const raw = instrumentModule(readModule(wasm), slots).module;
  const module = decodeBodies(raw);
  decoded.set(hash, module, raw.bytes.length);
  return module;
}

/** Prepares a program, whatever was prepared before. */
export function buildProgram(wasm: Uint8Array, hash = hashOf(wasm)): Program {
  return build(wasm, hash, validateModule);
}

function build(wasm: Uint8Array, hash: string, slotsOf: (source: RawModule) => Uint32Array): Program {
  const source: RawModule = readModule(wasm);
  const slots = slotsOf(source);
  const { module, changes } = instrumentForEngine(source, slots);
  const reuse = decideReuse(module, changes);
  return {
    hash,
    source: wasm,
    instrumented: encodeRawModule(reuse.reusable ? withReset(module, changes) : module),
    get instrumentedToLend(): Uint8Array {
      const lent = instrumentForEngine(readModule(wasm), slots, true);
      return encodeRawModule(reuse.reusable ? withReset(lent.module, lent.changes) : lent.module);
    },
    get module(): WasmModule {
      return decodedModule(hash, wasm, slots);
    },
    entryFuel: entryFuel(source),
    reuse,
    imports: new Set(source.imports.map((i) => i.name)),
  };
}
