import { availableParallelism } from 'node:os';
import { benchKernel, type KernelReport, type KernelRow, type Spread } from '../bench/kernel.js';
import { SAMPLED_PROGRAMS } from '../bench/sample-calls.js';
import { UsageError } from '../errors.js';

/** `warpshrew bench gpu`: the kernel against V8, per program and number of messages. Throws USAGE_BENCH, GPU_UNAVAILABLE. */
export async function benchCommand(
  what: string,
  options: {
    readonly sizes: readonly number[];
    readonly rounds: number;
    readonly only?: string;
    readonly json?: boolean;
  },
): Promise<{ text: string; exitStatus: number }> {
  if (what !== 'gpu') {
    throw new UsageError('USAGE_BENCH', `no benchmark is called ${what}`, { hint: 'The benchmark is: gpu.' });
  }
  const wanted = options.only?.split(',');
  const programs = SAMPLED_PROGRAMS.filter((name) => wanted === undefined || wanted.includes(name));
  const unknown = wanted?.find((name) => !programs.some((known) => known === name));
  if (unknown !== undefined) {
    throw new UsageError('USAGE_BENCH', `no program is called ${unknown}`, { hint: SAMPLED_PROGRAMS.join(', ') });
  }
  const report = await benchKernel({
    counts: options.sizes,
    rounds: options.rounds,
    programs,
    threads: availableParallelism(),
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  const failed = report.rows.some((row) => row.differences > 0);
  return { text: options.json ? JSON.stringify(report) : table(report), exitStatus: failed ? 1 : 0 };
}

const ms = ({ median, least, most }: Spread): string => `${median} (${least}–${most})`;
const COLUMNS: readonly (readonly [string, (row: KernelRow) => string])[] = [
  ['program', (row) => row.program],
  ['n', (row) => String(row.count)],
  ['dry run µs', (row) => ms(row.dryRun)],
  ['record µs', (row) => ms(row.record)],
  ['pack ms', (row) => ms(row.pack)],
  ['upload ms', (row) => ms(row.upload)],
  ['kernel ms', (row) => ms(row.kernel)],
  ['readback ms', (row) => ms(row.readback)],
  ['apply ms', (row) => ms(row.apply)],
  ['end to end /s', (row) => String(row.endToEndPerSecond)],
  ['kernel /s', (row) => String(row.kernelPerSecond)],
  ['V8, 1 thread /s', (row) => String(row.v8PerSecond)],
  ['V8, all threads /s', (row) => String(row.poolPerSecond)],
  ['× 1 thread', (row) => String(row.timesV8)],
  ['pack + apply µs', (row) => String(row.packApplyMicroseconds)],
  ['PUNT', (row) => String(row.punted)],
  ['differences', (row) => String(row.differences)],
];

/** The report as Markdown. */
function table({ adapter, threads, compileMs, rows }: KernelReport): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `${adapter.vendor} ${adapter.description}, ${threads} threads; medians (least–most)`,
    `kernels compiled in ms: ${Object.entries(compileMs)
      .map(([name, took]) => `${name} ${took}`)
      .join(', ')}`,
    '',
    line(COLUMNS.map(([title]) => title)),
    line(COLUMNS.map(([title]) => (title === 'program' ? '---' : '---:'))),
    ...rows.map((row) => line(COLUMNS.map(([, cell]) => cell(row)))),
  ].join('\n');
}
