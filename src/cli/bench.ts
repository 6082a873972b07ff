import { UsageError } from '../errors.js';
import { type BenchRow, benchGpu } from '../gpu/bench.js';

/** `warpshrew bench gpu`: the kernel against one V8 thread, per program and number of messages. Throws USAGE_BENCH, GPU_UNAVAILABLE. */
export async function benchCommand(
  what: string,
  options: { readonly sizes: readonly number[]; readonly rounds: number; readonly json?: boolean },
): Promise<{ text: string; exitStatus: number }> {
  if (what !== 'gpu') {
    throw new UsageError('USAGE_BENCH', `no benchmark is called ${what}`, { hint: 'The benchmark is: gpu.' });
  }
  const report = await benchGpu({
    counts: options.sizes,
    rounds: options.rounds,
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  const failed = report.rows.some((row) => row.differences > 0);
  return { text: options.json ? JSON.stringify(report) : table(report.rows), exitStatus: failed ? 1 : 0 };
}

/** A Markdown table of the rows. */
function table(rows: readonly BenchRow[]): string {
  const columns = Object.keys(rows[0] ?? {}) as (keyof BenchRow)[];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns),
    line(columns.map((column) => (column === 'program' ? '---' : '---:'))),
    ...rows.map((row) => line(columns.map((column) => String(row[column])))),
  ].join('\n');
}
