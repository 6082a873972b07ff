import { randomBytes } from 'node:crypto';

/** A name for one run of a process or benchmark, to tell its logs, metrics and reports from those of others. */
export function newRunId(): string {
  return randomBytes(6).toString('hex');
}
