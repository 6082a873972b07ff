// Processor time so far, in seconds (Linux).
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Of the whole machine, and of the process `pid`. */
export function processorTime(pid) {
  const machine = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000;
  const fields = /\) (.*)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))[1].split(' ');
  return { machine, process: (Number(fields[11]) + Number(fields[12])) / 100 };
}
