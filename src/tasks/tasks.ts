/** Hashes, signatures and Merkle trees in batches: on all cores, or in the kernel, with the same answers. */
import { EnvironmentError, type ErrorCode } from '../errors/errors.js';
import type { HealthState, KernelCause, KernelTransition } from '../execute/health/kernel-health.js';
import { CpuBackend } from './cpu/pool.js';
import { levelAbove } from './cpu/run-work.js';
import { FastSide } from './health/fast-side.js';
import { KernelBackend } from './kernel/backend.js';
import { openTaskDevice } from './kernel/device.js';
import { LONGEST_MESSAGE, longestOf } from './kernel/segments.js';
import { sampleOf } from './sample.js';
import { readAddress } from './server/address.js';
import { RemoteBackend, type RemoteOptions } from './server/client.js';
import type { Priority } from './server/messages.js';
import { readToken } from './server/token.js';
import {
  type EcdsaBatch,
  ecdsaWork,
  forestWork,
  hashWork,
  type MerkleBuild,
  type SchnorrBatch,
  type Sha256Batch,
  schnorrWork,
} from './work/requests.js';
import { agrees, type Backend, hasShape, pickOf, unitsOf, type Work, type WorkAnswer } from './work/work.js';

const HASH = 32;

export interface MerkleAnswer {
  /** 32 bytes, wire order. */
  readonly root: Uint8Array;
  /**
   * Two different nodes next to each other are equal: the list of leaves could be a longer one's (CVE-2012-2459), and
   * no valid block has such a tree.
   */
  readonly mutated: boolean;
  /** If asked for: the levels above the leaves, the last one the root alone. */
  readonly levels: readonly Uint8Array[];
}

/** From which width on a batch goes to the kernel: messages, signatures or leaves. */
export interface LeastWidths {
  readonly sha256: number;
  readonly schnorr: number;
  readonly ecdsa: number;
  readonly merkle: number;
}

/** Below these the way to a GPU and back takes longer than all cores do (`node bench/tasks.mjs`). */
const LEAST: LeastWidths = { sha256: 2_048, schnorr: 512, ecdsa: 512, merkle: 4_096 };

export interface TasksOptions {
  /**
   * `cpu`; `gpu`: the kernel for batches that are wide enough, on the best GPU, also a software driver; `auto`: the
   * same, but never a software driver. A GPU that is not there, or fails, costs nothing but time: the CPU does it.
   */
  readonly backend: 'cpu' | 'gpu' | 'auto';
  /** Share of the kernel's answers that the CPU recomputes before any is given, in per cent (2); at least one. */
  readonly checkPercent?: number;
  /** Threads for wide batches; default: one for each core. 0: everything on the thread that asks. */
  readonly threads?: number;
  /** Longest wait for a segment of the kernel; default: 30 s on hardware, 10 minutes on a software driver. */
  readonly timeoutMs?: number;
  readonly least?: Partial<LeastWidths>;
  /** In the place of a GPU of this machine: that of `warpshrew gpu-server`. Not with `backend: 'cpu'`. */
  readonly gpuServer?: GpuServerChoice;
  /** Hears of every failure of the kernel; the CPU has done, or does, the batch. */
  readonly onFailure?: (error: unknown) => void;
  readonly onHealth?: (transition: KernelTransition) => void;
}

export interface GpuServerChoice {
  /** `unix:PATH` or `tcp:HOST:PORT`. */
  readonly address: string;
  /** File of the token that the server wants. */
  readonly tokenFile?: string;
  /** What its queue takes first: `tip`, then `sync` (default), then `bench`. */
  readonly priority?: Priority;
  /** Longest wait for its greeting, and for any answer while it has jobs, in milliseconds; default: 10 s and 60 s. */
  readonly connectMs?: number;
  readonly answerMs?: number;
}

export interface TasksFigures {
  /** What the fast side runs on; undefined: nothing was opened so far, or it is lost. */
  readonly adapter: string | undefined;
  /** Whether the kernel may be used; `none` on the CPU alone. */
  readonly kernel: HealthState | 'none';
  /** Why it was last changed. */
  readonly why: string | undefined;
  /** Batches that the kernel answered. */
  readonly kernelBatches: number;
  /** Batches that the CPU answered: those too narrow for the kernel, and fallbacks. */
  readonly cpuBatches: number;
  /** Batches wide enough for the kernel that the CPU answered. */
  readonly fallbacks: number;
  /** Units (messages, signatures, subtrees) that the CPU has confirmed. */
  readonly checkedUnits: number;
  readonly failures: number;
  readonly lastFailure: ErrorCode | undefined;
  readonly causes: Readonly<Record<KernelCause, number>> | undefined;
  /** Threads that died; the thread that asked did their work. */
  readonly lostThreads: number;
}

/** Where the fast side comes from if not from a GPU of this machine. */
export interface FastSource {
  readonly open: () => Promise<Backend>;
  readonly nameOf: () => string | undefined;
  /** Milliseconds of a clock that never goes back; that of the process if not given. */
  readonly now?: () => number;
}

/**
 * Batches of hashes, signatures and Merkle trees. Every method may be called while another one is under way; columns
 * must not change meanwhile. All throw InputError TASK_MALFORMED if columns do not fit each other or exceed a bound
 * (2^24 messages or leaves, 2^22 signatures, 1 GiB of messages), before anything is allocated, and InternalError if a
 * library of this machine fails.
 */
export class Tasks {
  readonly #cpu: CpuBackend;
  readonly #fast: FastSide<Backend> | undefined;
  readonly #least: LeastWidths;
  readonly #checkPercent: number;
  readonly #source: FastSource | undefined;
  #kernelBatches = 0;
  #cpuBatches = 0;
  #fallbacks = 0;
  #checkedUnits = 0;

  /** Opens nothing yet. Throws UsageError USAGE_GPU_SERVER. `source`: in the place of any GPU. */
  constructor(options: TasksOptions, source?: FastSource) {
    const { backend, checkPercent = 2, threads, least, onFailure, onHealth } = options;
    this.#cpu = new CpuBackend(threads);
    this.#least = { ...LEAST, ...least };
    this.#checkPercent = checkPercent;
    this.#source =
      backend === 'cpu'
        ? undefined
        : (source ?? (options.gpuServer === undefined ? gpuSource(options) : serverSource(options.gpuServer)));
    if (this.#source !== undefined) {
      this.#fast = new FastSide({ open: this.#source.open, onFailure, onHealth, now: this.#source.now });
    }
  }

  /** 32 bytes for each message. */
  async sha256(batch: Sha256Batch): Promise<Uint8Array> {
    const work = hashWork(batch);
    const isWide = unitsOf(work) >= this.#least.sha256 && longestOf(work) <= LONGEST_MESSAGE;
    return (await this.#run(work, isWide)).bytes;
  }

  /** 1 for each valid signature, 0 for each other one. */
  async schnorr(batch: SchnorrBatch): Promise<Uint8Array> {
    const work = schnorrWork(batch);
    return (await this.#run(work, unitsOf(work) >= this.#least.schnorr)).bytes;
  }

  /** 1 for each signature that Bitcoin's consensus takes for valid, 0 for each other one. */
  async ecdsa(batch: EcdsaBatch): Promise<Uint8Array> {
    const work = ecdsaWork(batch);
    return (await this.#run(work, unitsOf(work) >= this.#least.ecdsa)).bytes;
  }

  async merkle(build: MerkleBuild): Promise<MerkleAnswer> {
    const work = forestWork(build);
    const isWide = work.height > 0 && work.leaves.length / HASH >= this.#least.merkle;
    const forest = await this.#run(work, isWide);
    const levels = [...forest.levels];
    let nodes = forest.bytes;
    let { mutated } = forest;
    // The way from the roots of some thousand trees to that of all is the CPU's.
    while (nodes.length > HASH) {
      const above = levelAbove(nodes);
      mutated ||= above.mutated;
      nodes = above.parents;
      if (work.wantsLevels) levels.push(nodes);
    }
    return { root: nodes.slice(), mutated, levels };
  }

  get figures(): TasksFigures {
    const fast = this.#fast?.figures;
    return {
      adapter: this.#source?.nameOf(),
      kernel: this.#fast?.state ?? 'none',
      why: fast?.why,
      kernelBatches: this.#kernelBatches,
      cpuBatches: this.#cpuBatches,
      fallbacks: this.#fallbacks,
      checkedUnits: this.#checkedUnits,
      failures: fast?.failures ?? 0,
      lastFailure: fast?.lastFailure,
      causes: fast?.causes,
      lostThreads: this.#cpu.lostThreads,
    };
  }

  /** Waits for the device; batches that are under way on threads are rejected. */
  async close(): Promise<void> {
    await this.#fast?.close();
    await this.#cpu.close();
  }

  async #run(work: Work, isWide: boolean): Promise<WorkAnswer> {
    if (unitsOf(work) === 0) return { bytes: new Uint8Array(0), levels: [], mutated: false };
    const answer = isWide && this.#fast !== undefined ? await this.#runFast(work, this.#fast) : undefined;
    if (answer !== undefined) {
      this.#kernelBatches++;
      return answer;
    }
    if (isWide && this.#fast !== undefined) this.#fallbacks++;
    this.#cpuBatches++;
    return this.#cpu.run(work);
  }

  /** Undefined if it failed, or may not be used: the CPU has to do it. */
  async #runFast(work: Work, fast: FastSide<Backend>): Promise<WorkAnswer | undefined> {
    const backend = await fast.usable();
    if (backend === undefined) return undefined;
    fast.begins();
    const running = backend.run(work);
    // Awaited below, perhaps after the check.
    running.catch(() => undefined);
    // By then the device has its first segments, and this thread is free to choose what the CPU does beside it.
    await new Promise((resolve) => setImmediate(resolve));
    const chosen = sampleOf(unitsOf(work), this.#checkPercent);
    const checking = chosen.length === 0 ? undefined : this.#cpu.run(pickOf(work, chosen), true);
    checking?.catch(() => undefined);
    let answer: WorkAnswer;
    try {
      answer = await running;
    } catch (error) {
      await fast.failed(backend, error);
      return undefined;
    }
    const again = await checking;
    const fits = hasShape(work, answer) && (again === undefined || agrees(work, chosen, answer, again));
    // Nothing is refused because the kernel says so: that two nodes are equal is seen by the CPU as well, or is not so.
    if (fits && !answer.mutated) {
      this.#checkedUnits += chosen.length;
      fast.succeeded(chosen.length);
      return answer;
    }
    const truth = await this.#cpu.run(work);
    if (fits && truth.mutated) {
      fast.succeeded(chosen.length);
      return truth;
    }
    await fast.failed(backend, mismatch(work));
    return undefined;
  }
}

function mismatch(work: Work): EnvironmentError {
  return new EnvironmentError('GPU_MISMATCH', 'the kernel and the CPU disagree on a batch', {
    facts: { task: work.kind, units: unitsOf(work) },
    hint: 'The CPU does all of it. Please report this with the kind of GPU and its driver.',
  });
}

function gpuSource({ backend, timeoutMs }: TasksOptions): FastSource {
  let name: string | undefined;
  const open = async (): Promise<Backend> => {
    name = undefined;
    const device = await openTaskDevice({ timeoutMs });
    const { vendor, description, software } = device.adapter;
    if (software && backend === 'auto') {
      await device.close();
      throw new EnvironmentError('GPU_UNAVAILABLE', 'the only GPU is a software driver, which is slower than the CPU');
    }
    name = `${vendor} ${description}`.trim();
    return new KernelBackend(device);
  };
  return { open, nameOf: () => name };
}

function serverSource(choice: GpuServerChoice): FastSource {
  const { address, tokenFile, priority = 'sync', connectMs = 10_000, answerMs = 60_000 } = choice;
  const token = tokenFile === undefined ? undefined : readToken(tokenFile);
  const options: RemoteOptions = { address: readAddress(address), token, priority, connectMs, answerMs };
  let name: string | undefined;
  const open = async (): Promise<Backend> => {
    name = undefined;
    const remote = await RemoteBackend.connect(options);
    name = `${address}: ${remote.adapter}`;
    return remote;
  };
  return { open, nameOf: () => name };
}
