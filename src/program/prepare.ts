import { createHash } from 'node:crypto';
import { decodeBodies, readModule } from './decode.js';
import { encodeModule } from './encode.js';
import { instrumentModule } from './instrument.js';
import { BoundedCache } from './lru.js';
import { entryFuel } from './prices.js';
import { decideReuse, withReset } from './reuse.js';
import type { Program } from './types.js';
import { validateModule } from './validate.js';

/** Programs kept at once. Decoded instructions take several times the bytes of the WASM, hence the small sum. */
const CACHED_PROGRAMS = 256;
const CACHED_BYTES = 32 * 1024 * 1024;

const cache = new BoundedCache<Program>(CACHED_PROGRAMS, CACHED_BYTES);

/**
 * The pipeline for a program, whoever wrote it: decode, validate, instrument. Cached by the code's SHA-256.
 * Throws {@link ProgramError} (`WASM_*`) if lane rules 3 refuse the module. `wasm` must not be changed afterwards.
 */
export function prepareProgram(wasm: Uint8Array): Program {
  const hash = createHash('sha256').update(wasm).digest('hex');
  const known = cache.get(hash);
  if (known) return known;
  const program = buildProgram(wasm, hash);
  cache.set(hash, program, program.instrumented.length);
  return program;
}

/** Prepares a program, whatever was prepared before. */
export function buildProgram(wasm: Uint8Array, hash = createHash('sha256').update(wasm).digest('hex')): Program {
  const source = readModule(wasm);
  const slots = validateModule(source);
  const module = instrumentModule(decodeBodies(source), slots);
  const reuse = decideReuse(module);
  return {
    hash,
    source: wasm,
    instrumented: encodeModule(reuse.reusable ? withReset(module) : module),
    module,
    entryFuel: entryFuel(module),
    reuse,
    imports: new Set(source.imports.map((i) => i.name)),
  };
}
