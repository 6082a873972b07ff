// Processes whose main thread runs contracts, which need 64 MiB of stack: tests, and the targets of a benchmark.
// (The program itself runs contracts on worker threads, which get their stack without help: src/util/deep-thread.ts.)
// `node scripts/deep-stack.mjs FILE ARGS` runs a script so. Plain JavaScript, because it must work before the build.
import { spawn } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/** Stack that V8 may use, and that the system must provide. A main thread's stack is set when its process starts. */
const V8_KIB = 72 * 1024;
const SYSTEM_KIB = 80 * 1024;

/** Options of node for a process that has the system's part already. */
export const DEEP_STACK_OPTIONS = [`--stack-size=${V8_KIB}`];

/** Whether processes started from here have the system's part; undefined where only Linux could tell. */
export function hasDeepStack() {
  if (process.platform !== 'linux') return undefined;
  const soft = /^Max stack size +(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return soft === 'unlimited' || Number(soft) >= SYSTEM_KIB * 1024;
}

/** Command and arguments for `spawn` that run node with `args` so. A user may raise this limit up to the hard one. */
export function deepStackCommand(args) {
  const ways = `raise it to ${SYSTEM_KIB} KiB (ulimit -Hs; docker run --ulimit stack=-1)`;
  const hint = `the hard limit of the stack is too small: ${ways}`;
  const script = `ulimit -S -s ${SYSTEM_KIB} 2>/dev/null || { echo "${hint}" >&2; exit 5; }; exec "$0" "$@"`;
  return ['/bin/sh', ['-c', script, process.execPath, ...DEEP_STACK_OPTIONS, ...args]];
}

/** Runs node with `args` so, on this process's own streams; gives its exit status (128 + signal number if killed). */
export function runWithDeepStack(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(...deepStackCommand(args), { stdio: 'inherit' });
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', forward).on('SIGTERM', forward);
    child.once('error', reject);
    child.once('exit', (status, signal) => resolve(status ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await runWithDeepStack(process.argv.slice(2));
}
