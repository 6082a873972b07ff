import { setTimeout as pause } from 'node:timers/promises';
import { EnvironmentError } from '../../errors/errors.js';
import type { KernelState } from '../../gpu/device/kernel-cache.js';
import { type KernelFailure, KernelFailures, type KernelStage } from '../../gpu/device/kernel-failures.js';
import { FEWEST_CALLS } from '../../gpu/device/kernel-limits.js';
import { TIMEOUT_MS } from '../../gpu/device/time-limit.js';
import { outputCapacity } from '../../gpu/pack/pack.js';
import { noTimings } from '../../gpu/pack/timings.js';
import type {
  DeviceExecutor,
  GpuBlock,
  GpuCall,
  GpuCallResult,
  GpuExecutor,
  GpuTimings,
  ReadbackRun,
  SegmentReadback,
} from '../../gpu/pack/types.js';
import { MOST_PIECE_CALLS } from '../../gpu/pieces/limits.js';
import { PieceRun } from '../../gpu/pieces/piece-run.js';
import { runIndependent } from '../../gpu/run-calls.js';
import { ACCESS_RECORD, CALL_RECORD, NONE, RESULT, stopCode } from '../../gpu/translate/layout.js';
import { BoundedCache } from '../../program/lru.js';
import type { Program } from '../../program/types.js';
import { fromHex } from '../../util/bytes.js';
import { addressText, type ServerAddress } from './address.js';
import { decodeReadback, encodeCalls } from './lane-columns.js';
import { ServerLink } from './link.js';
import type { Columns, Priority } from './messages.js';

/** Pieces of a block, and programs, that are with the server at a time. */
const PIECES_AT_A_TIME = 2;
const PROGRAMS_AT_A_TIME = 4;
/** How long a kernel that is being compiled is not asked for again. */
const ASK_AGAIN_MS = 100;
/** Programs of which something is known. */
const MOST_PROGRAMS = 4_096;
const CONNECT_MS = 10_000;

export interface RemoteExecutorOptions {
  readonly address: ServerAddress;
  readonly token: string | undefined;
  /** What the server's queue goes by. */
  readonly priority: () => Priority;
  /**
   * Longest wait for a piece of a block, and for any sign of the server, in milliseconds; default: as for a device of
   * this process.
   */
  readonly timeoutMs?: number | undefined;
}

interface Known {
  /** Calls that asked for a kernel so far. */
  calls: number;
  state: KernelState;
  /** Why there is no kernel. */
  reason: string;
  isAsking: boolean;
  askedAt: number;
  /** Whether the server has had its code. */
  isSent: boolean;
}

/**
 * The device of a GPU server in the place of one of this process. The server translates and compiles, for all of its
 * clients. Blocks are packed here and cut into pieces; of each the server gets the columns of calls, with the values
 * that keys have by then, and says what the kernel left. Nothing of a block stays there.
 */
export class RemoteExecutor implements DeviceExecutor {
  readonly adapter: GpuExecutor['adapter'];
  readonly timings: GpuTimings = noTimings();
  readonly #priority: () => Priority;
  readonly #link: ServerLink;
  readonly #timeoutMs: number;
  readonly #programs = new BoundedCache<Known>(MOST_PROGRAMS, MOST_PROGRAMS);
  readonly #failures = new KernelFailures();
  #asking = 0;
  #lost: EnvironmentError | undefined;

  /**
   * Rejects with EnvironmentError GPU_UNAVAILABLE if there is no server, it does not want this client, or it has no
   * device for calls of contracts.
   */
  static async connect(options: RemoteExecutorOptions): Promise<RemoteExecutor> {
    const { address, token, timeoutMs } = options;
    const answerMs = timeoutMs ?? TIMEOUT_MS.hardware;
    const link = await ServerLink.connect({ address, token, connectMs: CONNECT_MS, answerMs, countsAlive: true });
    if (link.lane === 'none') {
      link.close();
      const facts = { server: addressText(address) };
      throw new EnvironmentError('GPU_UNAVAILABLE', 'the GPU server has no device for calls of contracts', { facts });
    }
    return new RemoteExecutor(link, options);
  }

  private constructor(link: ServerLink, { address, priority, timeoutMs }: RemoteExecutorOptions) {
    this.#link = link;
    this.#priority = priority;
    const isSoftware = link.lane === 'software';
    this.#timeoutMs = timeoutMs ?? TIMEOUT_MS[isSoftware ? 'software' : 'hardware'];
    const description = `${link.adapter} (${addressText(address)})`;
    this.adapter = { vendor: 'GPU server', description, software: isSoftware };
  }

  supports(program: Program): ReturnType<GpuExecutor['supports']> {
    const { state, reason } = this.#known(program.hash);
    return state === 'none' ? { ok: false, reason } : { ok: true };
  }

  kernelState(program: Program, calls: number): KernelState {
    // What begins then says that the server is lost.
    if (this.#dead !== undefined) return 'ready';
    const known = this.#known(program.hash);
    if (known.state !== 'waiting') return known.state;
    known.calls += calls;
    const isDue = performance.now() - known.askedAt >= ASK_AGAIN_MS;
    if (known.calls >= FEWEST_CALLS && !known.isAsking && isDue && this.#asking < PROGRAMS_AT_A_TIME) {
      void this.#ask(program, known);
    }
    return 'waiting';
  }

  async prepare(program: Program): Promise<void> {
    while (this.kernelState(program, FEWEST_CALLS) === 'waiting') await pause(ASK_AGAIN_MS / 2);
  }

  dropKernel(hash: string, stage: KernelStage, error: unknown): void {
    const known = this.#known(hash);
    if (known.state === 'none') return;
    known.state = 'none';
    known.reason = this.#failures.add(hash, stage, error);
  }

  get kernelFailures(): GpuExecutor['kernelFailures'] {
    const { count, last } = this.#failures;
    return { count, last };
  }

  onKernelFailure(listener: (failure: KernelFailure) => void): void {
    this.#failures.listener = listener;
  }

  async begin(block: GpuBlock): Promise<ReadbackRun> {
    if (this.#dead !== undefined) throw this.#dead;
    const started = performance.now();
    const run = new PieceRun(block, {
      mostCalls: () => MOST_PIECE_CALLS,
      atATime: PIECES_AT_A_TIME,
      run: (piece) => this.#runPiece(piece),
    });
    this.timings.packMs += performance.now() - started;
    return run;
  }

  run(calls: readonly GpuCall[]): Promise<GpuCallResult[]> {
    return runIndependent(calls, {
      supports: (program) => this.supports(program).ok,
      compile: async (program) => {
        await this.prepare(program);
        return this.supports(program).ok;
      },
      firstWindow: () => 0,
      // The server looks after that.
      skipWindow: () => undefined,
      begin: (block) => this.begin(block),
    });
  }

  async close(): Promise<void> {
    this.#link.close();
  }

  get #dead(): EnvironmentError | undefined {
    return this.#link.dead ?? this.#lost;
  }

  #known(hash: string): Known {
    let known = this.#programs.get(hash);
    if (known === undefined) {
      known = { calls: 0, state: 'waiting', reason: '', isAsking: false, askedAt: -Infinity, isSent: false };
      this.#programs.set(hash, known, 1);
    }
    return known;
  }

  /** Asks the server for the kernel of `program`. */
  async #ask(program: Program, known: Known): Promise<void> {
    known.isAsking = true;
    this.#asking++;
    try {
      const source = known.isSent ? fromHex(program.hash) : program.source;
      const { state, reason } = await this.#link.ask((id) => ({ kind: 'program', id, source }), this.#timeoutMs);
      known.isSent = state !== 'unknown';
      if (known.state !== 'waiting') return;
      known.state = state === 'unknown' ? 'waiting' : state;
      known.reason = reason.slice(0, 500);
    } catch (error) {
      this.#failed(error);
    } finally {
      known.askedAt = performance.now();
      known.isAsking = false;
      this.#asking--;
    }
  }

  async #runPiece(piece: GpuBlock): Promise<SegmentReadback> {
    const priority = this.#priority();
    const { seed } = piece;
    const started = performance.now();
    const columns = encodeCalls(piece);
    this.timings.bytesUp += bytesOf(columns);
    let left: Columns;
    try {
      const reply = await this.#link.ask((id) => ({ kind: 'calls', id, priority, seed, columns }), this.#timeoutMs);
      left = reply.columns;
    } catch (error) {
      throw this.#failed(error);
    }
    this.timings.deviceMs += performance.now() - started;
    this.timings.bytesDown += bytesOf(left);
    this.timings.dispatches++;
    if (left.length === 0) return this.#notReady(piece);
    const readback = decodeReadback(left);
    if (readback === undefined) throw new EnvironmentError('GPU_FAILED', 'the GPU server sent no outcomes');
    return readback;
  }

  /** The server has lost a kernel that it had: threads run the calls, and it is asked again. */
  #notReady({ programs, records: { heads, accesses, count } }: GpuBlock): SegmentReadback {
    for (const hash of programs.keys()) {
      const known = this.#known(hash);
      if (known.state === 'ready') known.state = 'waiting';
    }
    const results = new Uint32Array(count * RESULT.words);
    let words = 0;
    for (let call = 0; call < count; call++) {
      results[call * RESULT.words + RESULT.offset.STATUS] = stopCode('PUNT', 0);
      results[call * RESULT.words + RESULT.offset.BYTES] = NONE;
      words += outputCapacity(heads[call * CALL_RECORD.words + CALL_RECORD.offset.EXPECTED_BYTES]);
    }
    return { results, seen: new Uint32Array(accesses.length / ACCESS_RECORD.words), output: new Uint8Array(4 * words) };
  }

  /** A server whose device is lost is of no more use than one that is lost itself. */
  #failed(error: unknown): unknown {
    if (!(error instanceof EnvironmentError)) return error;
    if (error.code !== 'GPU_UNAVAILABLE' && error.code !== 'GPU_DEVICE_LOST') return error;
    this.#lost ??= new EnvironmentError('GPU_DEVICE_LOST', error.message, { facts: error.facts, cause: error });
    return this.#lost;
  }
}

function bytesOf(columns: Columns): number {
  return columns.reduce((sum, { length }) => sum + length, 0);
}
