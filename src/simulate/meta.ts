/** What a contract says of itself: the JSON that its export `__meta` gives. */
import { ProgramError } from '../errors/errors.js';
import type { CpuRunner } from '../execute/tasks/drive.js';
import { fuelOfBytes } from '../lane/allowance.js';
import { finalCode } from '../lane/creation.js';
import type { StateReader } from '../lane/types.js';
import { BoundedCache } from '../program/lru.js';
import { prepareProgram } from '../program/prepare.js';
import { refuseCall } from '../program/run-stop.js';
import { NO_TEXTS, type Program, type RunHost } from '../program/types.js';
import { formatId } from '../protocol/alkane-id.js';
import type { AlkaneId } from '../protocol/types.js';
import { EMPTY_BYTES } from '../util/bytes.js';
import { withinShape } from '../util/json-shape.js';
import { swapExports } from './swap-exports.js';

/** Of which contract; plain data that is sent to a thread. */
export interface MetaRequest {
  /** The state is that after this block. */
  readonly height: number;
  readonly id: AlkaneId;
}

/** Text of a contract about itself, at most: real ones have some thousand bytes. */
const MOST_BYTES = 1 << 20;
const MOST_DEPTH = 64;
const MOST_SEPARATORS = 100_000;
const KEPT = 1_024;
const KEPT_BYTES = 8 << 20;
/** What is kept of each beside its text, about. */
const ENTRY_BYTES = 512;

/** The zeros of an Alkanes context: no ids, no incoming, no inputs. */
const NO_CONTEXT = new Uint8Array(96);

/** `__meta` runs without state, so that what it gives depends on the code alone. */
const NOTHING: RunHost = {
  isDryRun: false,
  height: 0,
  context: NO_CONTEXT,
  transaction: EMPTY_BYTES,
  block: EMPTY_BYTES,
  storage: () => undefined,
  sequence: () => 1n,
  balance: () => EMPTY_BYTES,
  declareRead: () => undefined,
  declareWrite: () => undefined,
  texts: NO_TEXTS,
  call: refuseCall,
};

type Outcome = { readonly meta: unknown } | { readonly error: ProgramError };

/** Answers what contracts say of themselves; one per thread. */
export class Metas {
  readonly #runner: CpuRunner;
  /** By the hash of the code: what it gives never changes. */
  readonly #known = new BoundedCache<Outcome>(KEPT, KEPT_BYTES);

  constructor(runner: CpuRunner) {
    this.#runner = runner;
  }

  /**
   * The JSON of contract `id` in `state`; a clone says what the contract says whose code it has. Throws ProgramError
   * CONTRACT_NOT_FOUND, META_MISSING, META_FAILED or META_BAD_JSON.
   */
  of(id: AlkaneId, state: StateReader): unknown {
    const code = finalCode(id, state);
    if (code === undefined) {
      throw new ProgramError('CONTRACT_NOT_FOUND', 'there is no contract with that id', {
        facts: { id: formatId(id) },
      });
    }
    const { program } = code;
    let outcome = this.#known.get(program.hash);
    if (outcome === undefined) {
      const { weight, ...made } = this.#run(program);
      this.#known.set(program.hash, made, ENTRY_BYTES + weight);
      outcome = made;
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.meta;
  }

  #run(program: Program): Outcome & { readonly weight: number } {
    try {
      const text = this.#textOf(program);
      // A parsed text takes some times its bytes.
      return { meta: parsed(text, program), weight: 8 * text.length };
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      return { error, weight: 0 };
    }
  }

  /** Runs `__meta` as a message runs `__execute`: with its fuel, slots and pages, in fresh memory. */
  #textOf(program: Program): Uint8Array {
    const run = this.#runner.run(metaProgram(program), NOTHING, fuelOfBytes(0));
    if (run.status !== 'OK') throw failed(program, { status: run.status, reason: run.reason });
    if (run.result === undefined) throw failed(program, { reason: 'bad result pointer' });
    if (run.result.length > MOST_BYTES) throw failed(program, { bytes: run.result.length, limit: MOST_BYTES });
    return run.result;
  }
}

/** The program whose `__execute` is the `__meta` of another one. */
function metaProgram({ source, hash }: Program): Program {
  const swapped = swapExports(source, '__meta', '__execute');
  try {
    if (swapped !== undefined) return prepareProgram(swapped);
  } catch (error) {
    // It is no function () -> i32; all else of the module was admitted.
    if (!(error instanceof ProgramError) || error.code !== 'WASM_EXPORT') throw error;
  }
  throw new ProgramError('META_MISSING', 'the contract does not export `__meta`, a function () -> i32', {
    facts: { codeHash: hash },
    hint: 'Only contracts that were built with it say what they understand.',
  });
}

function failed({ hash }: Program, facts: Record<string, string | number>): ProgramError {
  return new ProgramError('META_FAILED', 'the `__meta` of the contract gave nothing', {
    facts: { codeHash: hash, ...facts },
    hint: 'It runs without state, with the fuel of a small transaction: see docs/contracts.md.',
  });
}

function parsed(text: Uint8Array, { hash }: Program): unknown {
  const bad = (reason: string): ProgramError =>
    new ProgramError('META_BAD_JSON', 'what the `__meta` of the contract gave is not JSON', {
      facts: { codeHash: hash, reason },
    });
  if (!withinShape(text, MOST_DEPTH, MOST_SEPARATORS)) throw bad('too deep or too wide');
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch (error) {
    throw bad(error instanceof Error ? error.message.slice(0, 100) : 'unknown');
  }
}
