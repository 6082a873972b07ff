/**
 * Hashes the trees of a block in a thread of its own, while the block's rows are written: the roots are needed last.
 * All calls are synchronous. If the thread has not begun by the time when the roots are wanted, as on a machine that
 * has no core for it, the caller's thread hashes.
 */
import { availableParallelism } from 'node:os';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { InternalError } from '../../errors/errors.js';
import { shipped } from '../../util/shipped.js';
import { CONTROL_WORDS, FAILED, type HashJob, IDLE, JOB, POSTED, STATE, TAKEN } from './hash-job.js';
import type { StateTree } from './state-tree.js';
import { treeModule } from './tree-instance.js';

/** How long a job that was begun is waited for, in milliseconds: a thread that is gone would never end it. */
const PATIENCE_MS = 600_000;

interface HashThread {
  readonly control: Int32Array;
  readonly port: MessagePort;
  readonly worker: Worker;
}

export class TreeHasher {
  #thread: HashThread | undefined;
  /** The thread could not be started, or ended: every tree is hashed where it is asked for. */
  #lost = availableParallelism() < 2;
  #trees: readonly StateTree[] = [];
  #number = 0;
  readonly #onLost: (cause: unknown) => void;

  /** `onLost`: called once if the thread is there no more. */
  constructor(
    onLost: (cause: unknown) => void = () => undefined,
    readonly patienceMs = PATIENCE_MS,
  ) {
    this.#onLost = onLost;
  }

  /** Begins to hash `trees`, none of which may be used before {@link end}. */
  begin(trees: readonly StateTree[]): void {
    this.abandon();
    this.#trees = trees;
    const thread = this.#running();
    if (thread === undefined) return;
    const job: HashJob = { number: ++this.#number, memories: trees.map((tree) => tree.handOver()) };
    thread.port.postMessage(job);
    Atomics.store(thread.control, JOB, job.number);
    Atomics.store(thread.control, STATE, POSTED);
    Atomics.notify(thread.control, STATE);
  }

  /**
   * The trees given to {@link begin} are hashed then; returns whether the thread did it. Throws InternalError if it
   * failed: the trees are undefined.
   */
  end(): boolean {
    const trees = this.#trees;
    this.#trees = [];
    const state = this.#settle();
    if (state === FAILED) throw new InternalError('the state tree could not be hashed');
    for (const tree of trees) {
      if (state === IDLE) tree.hash();
      else tree.takeBack();
    }
    return state !== IDLE;
  }

  /** Waits for what was begun, if anything was, and forgets it: its trees are undefined. */
  abandon(): void {
    this.#trees = [];
    this.#settle();
  }

  async close(): Promise<void> {
    this.abandon();
    this.#lost = true;
    const thread = this.#thread;
    this.#thread = undefined;
    thread?.port.close();
    await thread?.worker.terminate();
  }

  /** How the last job ended: {@link IDLE} if nobody began it. */
  #settle(): number {
    if (this.#thread === undefined) return IDLE;
    const { control } = this.#thread;
    if (Atomics.compareExchange(control, STATE, POSTED, IDLE) === POSTED) return IDLE;
    if (Atomics.wait(control, STATE, TAKEN, this.patienceMs) !== 'timed-out') {
      return Atomics.exchange(control, STATE, IDLE);
    }
    void this.#thread.worker.terminate();
    this.#thread = undefined;
    this.#lose(new InternalError('the thread that hashes state trees does not answer'));
    return FAILED;
  }

  #running(): HashThread | undefined {
    if (this.#lost) return undefined;
    try {
      this.#thread ??= this.#start();
    } catch (error) {
      this.#lose(error);
    }
    return this.#thread;
  }

  #start(): HashThread {
    const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_WORDS));
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(shipped('store/tree/hash-thread.js'), {
      workerData: { control, port: port2, module: treeModule() },
      transferList: [port2],
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 64 },
    });
    worker.once('error', (error) => this.#lose(error));
    worker.unref();
    port1.unref();
    return { control, port: port1, worker };
  }

  #lose(cause: unknown): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#onLost(cause);
  }
}
