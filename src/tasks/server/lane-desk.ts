/** Calls of contracts at a GPU server: programs, which all clients share, and pieces of blocks. */
import { EnvironmentError } from '../../errors/errors.js';
import type { KernelTransition } from '../../execute/health/kernel-health.js';
import { FEWEST_CALLS } from '../../gpu/device/kernel-limits.js';
import type { DeviceExecutor, GpuBlock } from '../../gpu/pack/types.js';
import { BoundedCache } from '../../program/lru.js';
import { PreparedPrograms } from '../../program/prepare.js';
import type { Program } from '../../program/types.js';
import { toHex } from '../../util/bytes.js';
import { FastSide } from '../health/fast-side.js';
import { encodeReadback } from './lane-columns.js';
import type { Columns, LaneDevice, ProgramState } from './messages.js';

const HASH = 32;
/** Programs of all clients, and bytes of their code. */
const MOST_PROGRAMS = 4_096;
const MOST_PROGRAM_BYTES = 256 * 1024 * 1024;

export interface LaneDeskOptions {
  /** What `open` opens. */
  readonly device: LaneDevice;
  /** Opens the device; rejects where there is none. Asked when calls come, after the cool-down if it failed before. */
  readonly open: () => Promise<DeviceExecutor>;
  readonly onFailure?: (error: unknown) => void;
  readonly onHealth?: (transition: KernelTransition) => void;
}

export class LaneDesk {
  readonly device: LaneDevice;
  readonly #side: FastSide<DeviceExecutor>;
  readonly #prepared = new PreparedPrograms();
  readonly #programs = new BoundedCache<Program>(MOST_PROGRAMS, MOST_PROGRAM_BYTES);

  constructor(options: LaneDeskOptions) {
    this.device = options.device;
    this.#side = new FastSide(options);
  }

  /** The program with this hash, as far as a client has sent it. */
  readonly programOf = (hash: string): Program | undefined => this.#programs.get(hash);

  /**
   * State of the kernel of a program, whose code or hash `source` is; begins to compile it. Rejects with
   * EnvironmentError GPU_UNAVAILABLE.
   */
  async state(source: Uint8Array): Promise<{ readonly state: ProgramState; readonly reason: string }> {
    const executor = await this.#executor();
    let program: Program | undefined;
    try {
      program = source.length === HASH ? this.programOf(toHex(source)) : this.#keep(source);
    } catch (error) {
      // The lane refuses it, so nobody has calls of it but who makes them up.
      return { state: 'none', reason: error instanceof Error ? error.message : String(error) };
    }
    if (program === undefined) return { state: 'unknown', reason: '' };
    const state = executor.kernelState(program, FEWEST_CALLS);
    const supported = executor.supports(program);
    return { state, reason: state === 'none' && !supported.ok ? supported.reason : '' };
  }

  /** What the kernel left of a piece, as columns; none if a kernel is not compiled (any more). Rejects with GPU_…. */
  async run(piece: GpuBlock): Promise<Columns> {
    const executor = await this.#executor();
    for (const program of piece.programs.values()) {
      if (executor.kernelState(program, FEWEST_CALLS) !== 'ready') return [];
    }
    this.#side.begins();
    try {
      const columns = await leftOf(executor, piece);
      this.#side.succeeded(0);
      return columns;
    } catch (error) {
      await this.#side.failed(executor, error);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#side.close();
  }

  async #executor(): Promise<DeviceExecutor> {
    const executor = await this.#side.usable();
    if (executor !== undefined) return executor;
    const { why = 'there is none' } = this.#side.figures;
    throw new EnvironmentError('GPU_UNAVAILABLE', `the device for calls of contracts cannot be used now: ${why}`);
  }

  /** Its hash is computed here: no client can put other code under the hash of a contract. */
  #keep(source: Uint8Array): Program {
    const program = this.#prepared.prepare(source.slice());
    this.#programs.set(program.hash, program, program.sourceBytes);
    return program;
  }
}

/** Copies: the device's memory is mapped no longer than the piece is on it. */
async function leftOf(executor: DeviceExecutor, piece: GpuBlock): Promise<Columns> {
  const run = await executor.begin(piece);
  try {
    const { results, seen, output } = (await run.run(0)).readback;
    return encodeReadback({ results: results.slice(), seen: seen.slice(), output: output.slice() });
  } finally {
    run.close();
  }
}
