import { createHash } from 'node:crypto';
import { type ErrorFacts, ProgramError } from '../errors/errors.js';
import { EMPTY_BYTES } from '../util/bytes.js';
import { FlushedPairs } from './flushed-pairs.js';
import { Guest, type StandardRead, type StandardReadMany } from './guest.js';
import { limitMemory } from './memory-limit.js';
import type { SecondaryRead } from './secondary.js';

/** Largest module that is compiled: several times the largest in use. */
const MAX_MODULE_BYTES = 64 * 1024 * 1024;

/**
 * What a module may export to have its reads done together: called in the instance of a block before `_start`, again
 * and again until the list that it returns is empty (docs/programs.md). A host that does not know it calls `_start`
 * only.
 */
const READ_AHEAD = '__read_ahead';
const MOST_ROUNDS = 16;
const NO_VIEWS: readonly string[] = ['_start', READ_AHEAD];

/** Result of running one block. Without `error` the flushes are the block's writes; with it nothing may be kept. */
export interface ModuleRun {
  /** Buffers as handed to `__flush`, all of which decode. */
  readonly flushes: readonly Uint8Array[];
  readonly pairCount: number;
  readonly error: ProgramError | undefined;
  /** Final size of the module's memory. */
  readonly memoryBytes: number;
}

/** Limits of a view. */
export interface ViewLimits {
  /** Bytes of the module's memory, which holds the view's input, work and answer. */
  readonly memoryBytes: number;
  readonly answerBytes: number;
}

/**
 * Share of its limit that a memory must have reached for the limit to be the reason of a failure: allocators double.
 */
const NEAR_LIMIT = 1 / 4;

/**
 * Part of a view's memory that what a block of a preview flushes may take: the host holds it beside the view's own.
 */
const PREVIEW_SHARE = 1 / 4;

/** Result of a view. */
export interface ViewRun {
  readonly output: Uint8Array;
  /** Final size of the module's memory. */
  readonly memoryBytes: number;
}

export interface ModuleOptions {
  /** Receives the module's log lines; they are dropped without it. */
  log?: (text: string) => void;
  /** Maximum bytes of a line passed to `log`; all if not given. */
  logBytes?: number;
  /** Reads other indexes; a module that wants to fails without it. */
  secondary?: SecondaryRead;
  /** Bounds of views; none if not given. Requires a module compiled with {@link StandardModule.compileForViews}. */
  views?: ViewLimits;
}

/**
 * A Metashrew module, compiled and checked: it runs once per block, each time in a fresh instance. Whatever it lacks or
 * does wrong is an error with a stable code, never a fault of the host.
 */
export class StandardModule {
  readonly #options: ModuleOptions;

  private constructor(
    readonly compiled: WebAssembly.Module,
    /** SHA-256 of the WASM, hex. */
    readonly hash: string,
    options: ModuleOptions,
  ) {
    this.#options = options;
  }

  /**
   * Compiles a module. Throws ProgramError MODULE_INVALID (not WASM that this engine runs), MODULE_IMPORT_UNSUPPORTED
   * (it imports a memory, table, global or tag) or MODULE_NO_START (`_start` or `memory` is not exported).
   */
  static load(bytes: Uint8Array, options: ModuleOptions = {}): StandardModule {
    if (bytes.length > MAX_MODULE_BYTES) {
      throw new ProgramError('MODULE_INVALID', 'the module is larger than 64 MiB', { facts: { bytes: bytes.length } });
    }
    let compiled: WebAssembly.Module;
    try {
      compiled = new WebAssembly.Module(Uint8Array.from(bytes));
    } catch (cause) {
      throw new ProgramError('MODULE_INVALID', `the module does not compile: ${(cause as Error).message}`, {
        cause,
        hint: 'give the path of a Metashrew indexer compiled to WASM',
      });
    }
    checkInterface(compiled);
    return new StandardModule(compiled, hashOf(bytes), options);
  }

  /**
   * Compiles a module that `load` accepted so that its memory is bounded. Throws ProgramError VIEW_MEMORY if it begins
   * larger.
   */
  static compileForViews(bytes: Uint8Array, { memoryBytes }: ViewLimits): WebAssembly.Module {
    return new WebAssembly.Module(Uint8Array.from(limitMemory(bytes, memoryBytes)));
  }

  /** A module that `load` accepted in another thread. */
  static adopt(compiled: WebAssembly.Module, hash: string, options: ModuleOptions = {}): StandardModule {
    return new StandardModule(compiled, hash, options);
  }

  /**
   * Runs `_start` on one raw block in a fresh instance. Reads see `read` only: what this run flushed stays invisible to
   * it. The run fails if `_start` traps, aborts or does not return, if it never flushes, or if a flush does not decode.
   * `readMany`: reads what `read` does; where it is given, a module that can say what it is going to read is asked.
   */
  runBlock(raw: Uint8Array, height: number, read: StandardRead, readMany?: StandardReadMany): ModuleRun {
    const { log, logBytes, secondary } = this.#options;
    const guest = new Guest(raw, height, read, 'stored', log, logBytes, secondary);
    const error = this.#startBlock(guest, readMany);
    if (guest.hostError !== undefined) throw guest.hostError;
    const { pairCount, memoryBytes } = guest;
    return { flushes: error ? [] : guest.flushes, pairCount, error, memoryBytes };
  }

  /**
   * Runs `_start` on a block that is never stored, as {@link runBlock} does but within the limits of views. Throws
   * ProgramError PREVIEW_FAILED with the module's own code among its facts, or VIEW_MEMORY.
   */
  runPreviewBlock(
    raw: Uint8Array,
    height: number,
    read: StandardRead,
    readMany?: StandardReadMany,
  ): { readonly pairs: FlushedPairs; readonly memoryBytes: number } {
    const { log, logBytes, secondary } = this.#options;
    const heldBytes = this.#viewMemory * PREVIEW_SHARE;
    const guest = new Guest(raw, height, read, { heldBytes }, log, logBytes, secondary);
    const error = this.#startBlock(guest, readMany);
    if (guest.hostError !== undefined) throw guest.hostError;
    const { flushes, pairCount, memoryBytes } = guest;
    if (error === undefined) return { pairs: FlushedPairs.of(flushes, pairCount), memoryBytes };
    if (this.#ranOutOfMemory(guest, error))
      throw this.#memoryError('the block of the preview', guest, error, { height });
    throw new ProgramError('PREVIEW_FAILED', `the module failed on the block of the preview: ${error.message}`, {
      facts: { height, reason: error.code },
      hint: 'Give the block as a node serialises it, and the height of the block before it.',
      cause: error,
    });
  }

  /** Throws ProgramError VIEW_NOT_FOUND where the module exports no function of that name that could be a view. */
  checkView(name: string): void {
    const isFunction = ({ kind, name: exported }: WebAssembly.ModuleExportDescriptor): boolean =>
      kind === 'function' && exported === name;
    const found = !NO_VIEWS.includes(name) && WebAssembly.Module.exports(this.compiled).some(isFunction);
    if (!found) throw viewNotFound(name);
  }

  #startBlock(guest: Guest, readMany: StandardReadMany | undefined): ProgramError | undefined {
    try {
      const { exports } = this.#instantiate(guest);
      if (readMany !== undefined) readAhead(exports, guest, readMany);
      const start = exports._start as () => void;
      start();
    } catch (thrown) {
      return guest.explain(thrown, 'MODULE_TRAPPED', 'the module');
    }
    if (guest.failure === undefined && guest.flushes.length === 0) {
      return new ProgramError('MODULE_NOT_FLUSHED', 'the module ended without flushing: the block is not indexed');
    }
    return guest.failure;
  }

  /**
   * Runs a view in a fresh instance at `height`; its flushes are ignored. An invalid result pointer gives no bytes.
   * Throws ProgramError VIEW_NOT_FOUND (no exported function without parameters of that name), VIEW_FAILED, and where
   * there are limits VIEW_MEMORY or VIEW_ANSWER_TOO_LARGE.
   */
  runView(name: string, input: Uint8Array, height: number, read: StandardRead): ViewRun {
    const { log, logBytes, secondary } = this.#options;
    const guest = new Guest(input, height, read, 'ignored', log, logBytes, secondary);
    let result: unknown;
    try {
      const { exports } = this.#instantiate(guest);
      const view = Object.hasOwn(exports, name) ? exports[name] : undefined;
      if (typeof view !== 'function' || view.length !== 0 || NO_VIEWS.includes(name)) throw viewNotFound(name);
      result = view();
    } catch (thrown) {
      if (thrown instanceof ProgramError) throw thrown;
      throw this.#viewFailure(name, guest, guest.explain(thrown, 'VIEW_FAILED', 'the view'));
    }
    if (guest.failure) throw this.#viewFailure(name, guest, guest.failure);
    if (typeof result !== 'number') throw viewNotFound(name);
    const output = guest.buffer(result) ?? EMPTY_BYTES;
    const limit = this.#options.views?.answerBytes ?? Number.POSITIVE_INFINITY;
    if (output.length > limit) {
      throw new ProgramError('VIEW_ANSWER_TOO_LARGE', `the answer of view '${name}' is too large`, {
        facts: { view: name, bytes: output.length, limit },
        hint: 'Ask for less at a time; the operator can allow more (--view-answer-bytes).',
      });
    }
    return { output: output.slice(), memoryBytes: guest.memoryBytes };
  }

  #viewFailure(name: string, guest: Guest, error: ProgramError): ProgramError {
    if (!this.#ranOutOfMemory(guest, error)) {
      return new ProgramError('VIEW_FAILED', `Failed to execute view function '${name}': ${error.message}`, {
        facts: { view: name },
        cause: error,
      });
    }
    return this.#memoryError(`view '${name}'`, guest, error, { view: name });
  }

  get #viewMemory(): number {
    return this.#options.views?.memoryBytes ?? Number.POSITIVE_INFINITY;
  }

  /** A module does not report that it could not grow its memory: it traps or aborts instead. */
  #ranOutOfMemory({ memoryBytes }: Guest, error: ProgramError): boolean {
    const atLimit = memoryBytes >= this.#viewMemory * NEAR_LIMIT && !(error.cause instanceof RangeError);
    return error.code === 'VIEW_MEMORY' || atLimit;
  }

  #memoryError(what: string, { memoryBytes }: Guest, error: ProgramError, facts: ErrorFacts): ProgramError {
    const limit = this.#viewMemory;
    return new ProgramError('VIEW_MEMORY', `${what} ran out of memory: ${error.message}`, {
      facts: { ...facts, memoryBytes, ...(Number.isFinite(limit) && { limit }) },
      hint: 'Ask for less at a time; the operator can allow more (--view-memory).',
      cause: error,
    });
  }

  #instantiate(guest: Guest): WebAssembly.Instance {
    const known = guest.imports();
    // Without a prototype: a module may import from one that is called `__proto__`.
    const imports = Object.create(null) as Record<string, Record<string, WebAssembly.ImportValue>>;
    for (const { module, name } of WebAssembly.Module.imports(this.compiled)) {
      imports[module] ??= Object.create(null) as Record<string, WebAssembly.ImportValue>;
      const ours = module === 'env' && Object.hasOwn(known, name) ? known[name] : undefined;
      imports[module][name] = ours ?? unknownImport(module, name);
    }
    const instance = new WebAssembly.Instance(this.compiled, imports);
    guest.memory = instance.exports.memory as WebAssembly.Memory;
    return instance;
  }
}

function viewNotFound(name: string): ProgramError {
  return new ProgramError('VIEW_NOT_FOUND', `Failed to get view function '${name}'`, { facts: { view: name } });
}

function readAhead(exports: WebAssembly.Exports, guest: Guest, readMany: StandardReadMany): void {
  const name = exports[READ_AHEAD];
  if (typeof name !== 'function' || name.length !== 0) return;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const list: unknown = name();
    if (typeof list !== 'number' || guest.readAhead(list, readMany) === 0) return;
  }
}

/** SHA-256 of a module's bytes, hex: a store records it to remember which module built it. */
export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** An unknown import traps when it is called, not before: many modules never call theirs. */
function unknownImport(module: string, name: string): () => never {
  return () => {
    throw new WebAssembly.RuntimeError(`it called ${module}.${name}, which this host does not offer`);
  };
}

function checkInterface(compiled: WebAssembly.Module): void {
  for (const { module, name, kind } of WebAssembly.Module.imports(compiled)) {
    if (kind !== 'function') {
      throw new ProgramError('MODULE_IMPORT_UNSUPPORTED', `the module imports the ${kind} ${module}.${name}`, {
        facts: { module, name, kind },
        hint: 'a Metashrew module brings its own memory and imports functions only',
      });
    }
  }
  const exports = WebAssembly.Module.exports(compiled);
  for (const [name, kind] of [
    ['_start', 'function'],
    ['memory', 'memory'],
  ]) {
    if (!exports.some((entry) => entry.name === name && entry.kind === kind)) {
      throw new ProgramError('MODULE_NO_START', `the module does not export the ${kind} ${name}`, {
        hint: 'a Metashrew module exports `_start` and `memory`; a contract of the parallel lane is not one',
      });
    }
  }
}
