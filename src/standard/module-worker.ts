import { type ErrorFacts, errorOf, InternalError, ProgramError, type WarpshrewError } from '../errors/errors.js';
import { TaskThread, type ThreadKind } from '../views/thread.js';
import type { GuestLine } from './guest-log.js';
import {
  fromPlain,
  type WorkerLine,
  type WorkerReply,
  type WorkerRequest,
  type WorkerSetup,
} from './worker-protocol.js';

/** JavaScript heap of a thread for views: what the host holds for a module, not the module's own memory. */
const VIEW_HEAP_MB = 256;
/** Largest memory of a view that its thread keeps for the next one. */
const KEPT_MEMORY_BYTES = 128 << 20;

/** A request without its id, which the thread assigns. */
export type WorkerTask = WorkerRequest extends infer R ? (R extends WorkerRequest ? Omit<R, 'id'> : never) : never;

/** One worker thread that runs a module's blocks or views. */
export type ModuleWorker = TaskThread<WorkerTask, WorkerReply, WorkerLine>;

/** `setup` is called when the first thread starts. `onLog` is called with what the module logs. */
export function moduleWorker(
  setup: () => WorkerSetup,
  onLog: (line: GuestLine) => void = () => undefined,
): ModuleWorker {
  const kind: ThreadKind<WorkerTask, WorkerReply, WorkerLine> = {
    file: 'standard/worker.js',
    options: () => {
      const workerData = setup();
      return {
        workerData,
        resourceLimits: workerData.views === undefined ? {} : { maxOldGenerationSizeMb: VIEW_HEAP_MB },
      };
    },
    isAside: (message) => message.kind === 'log',
    onAside: ({ line }) => onLog(line),
    failure: (reply) => (reply.kind === 'failed' ? failureOfReply(reply) : undefined),
    endsAfter: (reply) => reply.kind === 'view' && reply.memoryBytes > KEPT_MEMORY_BYTES,
    timedOut: timeout,
    broken: threadError,
    interrupted: () => new InternalError('the run of the module was interrupted'),
    closed: () => new InternalError('the standard indexer is closed'),
  };
  return new TaskThread(kind);
}

function threadError(cause: (Error & { code?: string }) | undefined, task: WorkerTask | undefined): WarpshrewError {
  if (cause === undefined) return new InternalError('the thread of the standard module ended unexpectedly');
  if (cause.code !== 'ERR_WORKER_OUT_OF_MEMORY') {
    return new InternalError(`the thread of the standard module failed: ${cause.message}`, { cause });
  }
  const facts: ErrorFacts = task === undefined ? {} : { height: task.height };
  if (task !== undefined && task.kind !== 'block') {
    return new ProgramError('VIEW_MEMORY', 'the view exhausted the memory of its thread', { facts, cause });
  }
  return new ProgramError('MODULE_OUT_OF_MEMORY', 'the module exhausted the memory of its thread', { facts, cause });
}

function timeout(task: WorkerTask, limitMs: number): ProgramError {
  const what =
    task.kind === 'block' ? 'the module did not finish the block' : `the ${task.kind} ${task.name} did not end`;
  return new ProgramError('MODULE_TIMEOUT', `${what} in time`, {
    facts: { height: task.height, limitMs },
    hint: 'the module may loop for ever; if it is only slow, raise the limit',
  });
}

function failureOfReply(reply: WorkerReply & { kind: 'failed' }): WarpshrewError {
  if (reply.fault === undefined) return fromPlain(reply.error);
  // An error of the database that the module reads keeps its code.
  if (reply.fault.kind !== 'internal') return errorOf(reply.fault);
  return new InternalError(`the standard module failed: ${reply.fault.message}`);
}
