import { Worker } from 'node:worker_threads';
import { InternalError, ProgramError, type WarpshrewError } from '../errors.js';
import { builtFile } from './built-file.js';
import { fromPlain, type WorkerReply, type WorkerRequest, type WorkerSetup } from './messages.js';

/** A request without the number that the worker thread gives it. */
export type WorkerTask = WorkerRequest extends infer R ? (R extends WorkerRequest ? Omit<R, 'id'> : never) : never;

/**
 * One worker thread that runs a module's blocks or views, one after the other. A run past its limit ends with the thread;
 * the next task starts a new one.
 */
export class ModuleWorker {
  private worker: Worker | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private nextId = 0;
  private closed = false;

  constructor(private readonly setup: WorkerSetup) {}

  /** Runs a task when those before it are done. The time limit counts from there. Rejects with ProgramError MODULE_TIMEOUT, or what the run threw. */
  call(task: WorkerTask, limitMs: number): Promise<WorkerReply> {
    const result = this.last.then(() => this.run(task, limitMs));
    this.last = result.catch(() => undefined);
    return result;
  }

  /** Ends the thread. Tasks that still wait are refused. */
  async close(): Promise<void> {
    this.closed = true;
    await this.stop();
    await this.last;
  }

  private run(task: WorkerTask, limitMs: number): Promise<WorkerReply> {
    if (this.closed) throw new InternalError('the standard lane is closed');
    this.worker ??= new Worker(builtFile('standard/worker.js'), { workerData: this.setup });
    const worker = this.worker;
    const id = this.nextId++;
    return new Promise<WorkerReply>((resolve, reject) => {
      const settle = (action: () => void) => {
        clearTimeout(timer);
        worker.removeAllListeners();
        // An idle worker does not keep the process alive.
        worker.unref();
        action();
      };
      const fail = (error: WarpshrewError) => {
        settle(() => {
          void this.stop().finally(() => reject(error));
        });
      };
      const timer = setTimeout(() => fail(timeout(task, limitMs)), limitMs);
      worker.on('message', (reply: WorkerReply) => {
        if (reply.id !== id) return;
        settle(() => (reply.kind === 'failed' ? reject(failure(reply)) : resolve(reply)));
      });
      worker.on('error', (cause: Error & { code?: string }) => {
        fail(
          cause.code === 'ERR_WORKER_OUT_OF_MEMORY'
            ? new ProgramError('MODULE_OUT_OF_MEMORY', 'the module used up the memory of its thread', {
                facts: { height: task.height },
                cause,
              })
            : new InternalError(`the thread of the standard lane failed: ${cause.message}`, { cause }),
        );
      });
      worker.on('exit', () => fail(new InternalError('the thread of the standard lane ended in the middle of a run')));
      worker.ref();
      worker.postMessage({ ...task, id });
    });
  }

  private async stop(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }
}

function timeout(task: WorkerTask, limitMs: number): ProgramError {
  const what =
    task.kind === 'block'
      ? 'the module did not finish the block in time'
      : `the view ${task.name} did not finish in time`;
  return new ProgramError('MODULE_TIMEOUT', what, {
    facts: { height: task.height, limitMs },
    hint: 'the module may loop for ever; if it is only slow, raise the limit',
  });
}

function failure(reply: WorkerReply & { kind: 'failed' }): WarpshrewError {
  return reply.error ? fromPlain(reply.error) : new InternalError(`the standard lane failed: ${reply.text}`);
}
