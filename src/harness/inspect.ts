/** What a module is and whether it would be created: for those who are about to deploy it. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { ProgramError, type WarpshrewError } from '../errors/errors.js';
import { WINDOWS } from '../gpu/device/kernel-cache.js';
import { KERNEL_LIMITS, tooLarge } from '../gpu/device/kernel-limits.js';
import { translateProgram } from '../gpu/translate/module.js';
import { codeKey } from '../lane/keys.js';
import { prepareProgram } from '../program/prepare.js';
import { ProgramRunner } from '../program/runner.js';
import type { Program } from '../program/types.js';
import { Metas } from '../simulate/meta.js';
import { concatBytes } from '../util/bytes.js';

/** Why something is refused: code, text, facts. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly hint: string | undefined;
}

export interface Inspection {
  readonly bytes: number;
  /** Of the envelope's body: gzip with node's default effort. */
  readonly gzipped: number;
  /** SHA-256 of the module, hex. */
  readonly hash: string;
  /** `NAME: TYPE`, as V8 reads the module; undefined if it cannot. */
  readonly imports: readonly string[] | undefined;
  readonly exports: readonly string[] | undefined;
  /** Undefined: a creation of it holds, if its first call does. */
  readonly refused: Refusal | undefined;
  /** What follows is undefined for a module that is refused. */
  readonly meta: { readonly json: unknown } | { readonly refused: Refusal } | undefined;
  /** Pages of memory at the start, and fuel that every call pays before its first instruction. */
  readonly pages: number | undefined;
  readonly entryFuel: number | undefined;
  readonly kernel: KernelVerdict | undefined;
  /** Reading and validating; instrumenting and compiling on V8; milliseconds. */
  readonly prepareMs: number;
  readonly compileMs: number | undefined;
}

/** Whether calls of the program can run in the kernel. */
export type KernelVerdict =
  | { readonly takes: true; readonly window: number }
  | { readonly takes: false; readonly reason: string };

/** Bytes of a window that a call needs beside its static data, at least. */
const ROOM = 1024;
const CONTRACT = { block: 2n, tx: 1n };

export function inspectModule(wasm: Uint8Array): Inspection {
  const hash = createHash('sha256').update(wasm).digest('hex');
  const shape = shapeOf(wasm);
  const head = { bytes: wasm.length, gzipped: gzipSync(wasm).length, hash, ...shape };
  const started = performance.now();
  let program: Program;
  try {
    program = prepareProgram(wasm);
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    const none = { meta: undefined, pages: undefined, entryFuel: undefined, kernel: undefined, compileMs: undefined };
    return { ...head, refused: refusalOf(error), ...none, prepareMs: performance.now() - started };
  }
  const prepareMs = performance.now() - started;
  const compiling = performance.now();
  new WebAssembly.Module(Uint8Array.from(program.instrumented));
  const compileMs = performance.now() - compiling;
  const { minPages: pages, entryFuel } = program;
  const meta = metaOf(wasm);
  return { ...head, refused: undefined, meta, pages, entryFuel, kernel: kernelVerdict(program), prepareMs, compileMs };
}

function shapeOf(wasm: Uint8Array): Pick<Inspection, 'imports' | 'exports'> {
  try {
    const module = new WebAssembly.Module(Uint8Array.from(wasm));
    return {
      imports: WebAssembly.Module.imports(module).map((each) => `${each.module}.${each.name}: ${each.kind}`),
      exports: WebAssembly.Module.exports(module).map(({ name, kind }) => `${name}: ${kind}`),
    };
  } catch {
    return { imports: undefined, exports: undefined };
  }
}

function refusalOf({ code, message, facts, hint }: WarpshrewError): Refusal {
  return {
    code,
    message,
    facts: Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, String(value)])),
    hint,
  };
}

function metaOf(wasm: Uint8Array): NonNullable<Inspection['meta']> {
  const code = concatBytes(Uint8Array.of(0), wasm);
  const state = { get: (key: string) => (key === codeKey(CONTRACT) ? code : undefined) };
  try {
    return { json: new Metas(new ProgramRunner()).of(CONTRACT, state) };
  } catch (error) {
    if (error instanceof ProgramError) return { refused: refusalOf(error) };
    throw error;
  }
}

/** Whether the kernel takes calls of a program: as the translator says, before any driver has seen it. */
export function kernelVerdict(program: Program): KernelVerdict {
  if (program.makesCalls) return { takes: false, reason: 'it calls other contracts, or built-ins' };
  for (const window of WINDOWS) {
    const translation = translateProgram(program, window);
    if (!translation.ok) return { takes: false, reason: translation.reason };
    const reason = tooLarge(translation.kernel.inlined, KERNEL_LIMITS.hardware);
    if (reason !== undefined) return { takes: false, reason };
    if (translation.kernel.room >= ROOM) return { takes: true, window: window.bytes };
  }
  return { takes: false, reason: 'its static data fill every window of memory' };
}
