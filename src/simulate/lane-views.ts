import { type ErrorFacts, errorOf, InternalError, ProgramError, type WarpshrewError } from '../errors/errors.js';
import { DEEP_STACK } from '../util/deep-thread.js';
import { type ViewLoad, ViewPool, type ViewPoolOptions } from '../views/pool.js';
import { TaskThread, type ThreadKind } from '../views/thread.js';
import type { LaneViewKind, LaneViewKinds, LaneViewReply, LaneViewSetup, LaneViewTask } from './protocol.js';

/** JavaScript heap of a thread: what the host holds of a transaction, not the memories of contracts. */
const HEAP_MB = 256;

export interface LaneViewsOptions extends LaneViewSetup, ViewPoolOptions {}

/**
 * Threads that run contracts over the lane's state at a height and keep nothing, for several clients: bounded in time
 * and answers like views of the standard module. What a contract may take is bounded by the lane's rules. Threads start
 * with the first task.
 */
export class LaneViews {
  readonly #pool: ViewPool<LaneViewTask, LaneViewReply>;

  constructor(options: LaneViewsOptions) {
    this.#pool = new ViewPool(() => new TaskThread(threadKind(options)), options);
  }

  get load(): ViewLoad {
    return this.#pool.load;
  }

  /**
   * The answer to a task. Rejects with what it threw, or ProgramError VIEW_BUSY (no thread for it), MODULE_TIMEOUT,
   * VIEW_MEMORY.
   */
  async run<K extends LaneViewKind>(
    kind: K,
    request: LaneViewKinds[K]['request'],
    client: string,
  ): Promise<LaneViewKinds[K]['answer']> {
    const reply = await this.#pool.call({ kind, request } as LaneViewTask, client);
    if (!('answer' in reply)) throw new InternalError('a reply of another kind from a thread for lane views');
    return reply.answer as LaneViewKinds[K]['answer'];
  }

  /** Ends the threads. Must be called before the store is closed. */
  close(): Promise<void> {
    return this.#pool.close();
  }
}

function threadKind({ storeHandle, answerBytes }: LaneViewSetup): ThreadKind<LaneViewTask, LaneViewReply, never> {
  const workerData: LaneViewSetup = { storeHandle, answerBytes };
  return {
    file: 'simulate/worker.js',
    options: () => ({ workerData, resourceLimits: { ...DEEP_STACK, maxOldGenerationSizeMb: HEAP_MB } }),
    isAside: (_): _ is never => false,
    onAside: () => undefined,
    failure: (reply) => ('failure' in reply ? errorOf(reply.failure) : undefined),
    endsAfter: () => false,
    timedOut: ({ kind, request }, limitMs) =>
      new ProgramError('MODULE_TIMEOUT', `the view ${kind} did not finish in time`, {
        facts: { height: request.height, limitMs },
        hint: 'Ask again; if it is too slow each time, the operator can raise the limit (--view-timeout).',
      }),
    broken,
    interrupted: () => new InternalError('the run of the contract was interrupted'),
    closed: () => new InternalError('the threads for views are closed'),
  };
}

function broken(cause: (Error & { code?: string }) | undefined, task: LaneViewTask | undefined): WarpshrewError {
  if (cause === undefined) return new InternalError('the thread of a lane view ended unexpectedly');
  if (cause.code !== 'ERR_WORKER_OUT_OF_MEMORY') {
    return new InternalError(`the thread of a lane view failed: ${cause.message}`, { cause });
  }
  const facts: ErrorFacts = task === undefined ? {} : { height: task.request.height };
  return new ProgramError('VIEW_MEMORY', 'the view exhausted the memory of its thread', { facts, cause });
}
