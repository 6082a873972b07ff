/** Threads that run contracts (lane rules 4). */
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, type ResourceLimits, Worker } from 'node:worker_threads';

/** Bytes of stack that a contract finds at least. The slot budget bounds what one takes by a small part of it. */
export const STACK_BYTES = 64 * 2 ** 20;
/** Options of a worker thread that runs contracts: the stack includes a reserve for the callers of a contract. */
export const DEEP_STACK: ResourceLimits = { stackSizeMb: 72 };

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * For the file that a process was started with, `url` its address: whether it already runs on a thread with {@link
 * DEEP_STACK}. If not, this runs it again on one, with the same arguments, to its end, takes over its exit status, and
 * gives false. That thread hears no signals and has no stdin. `endsItself`: a first signal does not end the process,
 * {@link passedSignal} tells that thread of it. Rethrows its errors.
 */
export async function onDeepThread(url: string, endsItself = false): Promise<boolean> {
  if (!isMainThread) return true;
  const thread = new Worker(fileURLToPath(url), { argv: process.argv.slice(2), resourceLimits: DEEP_STACK });
  const pass = (signal: NodeJS.Signals): void => thread.postMessage(signal);
  if (endsItself) for (const signal of SIGNALS) process.once(signal, pass);
  process.exitCode = await new Promise<number>((resolve, reject) => {
    thread.once('error', reject);
    thread.once('exit', resolve);
  });
  return false;
}

/** On a thread of {@link onDeepThread}: resolves when the process is asked to end. */
export function passedSignal(): Promise<void> {
  return new Promise((resolve) => {
    parentPort?.once('message', () => resolve());
    parentPort?.unref();
  });
}
