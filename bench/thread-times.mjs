// Threads of a process, as Linux counts them.
import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts the time of threads in hundredths of a second. */
const TICKS = 100;

/** Threads that have run: name, niceness, seconds of processor time; the longest first. */
export function threadTimes(pid) {
  const threads = readdirSync(`/proc/${pid}/task`).map((task) => {
    const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8');
    const [, name, rest] = /\((.*)\) (.*)/s.exec(stat);
    const fields = rest.split(' ');
    return { name, niceness: Number(fields[16]), seconds: (Number(fields[11]) + Number(fields[12])) / TICKS };
  });
  return threads.filter(({ seconds }) => seconds >= 0.05).sort((a, b) => b.seconds - a.seconds);
}
