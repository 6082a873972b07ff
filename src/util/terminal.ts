import { isatty, WriteStream } from 'node:tty';
import { isMainThread } from 'node:worker_threads';

const STDERR = 2;
let own: WriteStream | undefined;

/** The terminal that stderr goes to, if it is one. A worker thread's own `process.stderr` never says that it is. */
export function terminal(): NodeJS.WriteStream | undefined {
  if (!isatty(STDERR)) return undefined;
  if (isMainThread) return process.stderr;
  own ??= new WriteStream(STDERR);
  return own;
}
