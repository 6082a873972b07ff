import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** Lowest priority of Linux. */
const MOST = 19;

/** What {@link lowerThread} came to: the niceness of the thread now, or why it stays as it was. */
export type Niceness = { readonly niceness: number } | { readonly unchanged: string };

/**
 * Lowers the priority of the calling thread by `by` steps of niceness. Threads that it starts from then on begin with
 * its priority. Only Linux has a priority per thread: elsewhere this would be the whole process, and nothing is done.
 * Never throws.
 */
export function lowerThread(by: number, platform: NodeJS.Platform = process.platform): Niceness {
  if (platform !== 'linux') return { unchanged: `${platform} has no priority per thread` };
  try {
    // 0 is the calling thread, not the process: setpriority(2), "C library/kernel differences".
    if (by > 0) setPriority(0, Math.min(MOST, getPriority(0) + by));
    return { niceness: getPriority(0) };
  } catch (error) {
    return { unchanged: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Lowers the priority of every thread that the process has but for its main thread. Called before it starts any of its
 * own, those are the engine's helpers: they compile modules and collect garbage. Does nothing where {@link lowerThread}
 * does nothing. Never throws.
 */
export function lowerHelpers(by: number, platform: NodeJS.Platform = process.platform): void {
  if (platform !== 'linux' || by === 0) return;
  let threads: string[];
  try {
    threads = readdirSync('/proc/self/task');
  } catch {
    // A machine that hides /proc: lowerThread does not need it.
    return;
  }
  for (const thread of threads.map(Number)) {
    try {
      if (thread !== process.pid) setPriority(thread, Math.min(MOST, getPriority(thread) + by));
    } catch {
      // It has ended meanwhile.
    }
  }
}
