import { UsageError } from '../errors/errors.js';
import { type Policy, usesKernel } from '../lane/policy.js';
import { WORKLOAD_NAMES } from '../selftest/bench/block-workloads.js';
import { type Mix, readMix } from '../selftest/bench/load/mix.js';
import { BUDGET, type LoadReport, type LoadRow, type Percentiles } from '../selftest/bench/load/report.js';
import { runLoad } from '../selftest/bench/load/run.js';
import { runLine } from '../selftest/bench/machine.js';
import type { KernelSource } from '../tasks/server/kernel-source.js';
import { writeReport } from './bench-report.js';
import { type Columns, markdown } from './bench-table.js';
import { gpuIfThere } from './gpu-if-there.js';

export interface LoadCommand {
  /** Workloads and their shares, `claim=50,counter=30`. */
  readonly mix?: string;
  /** Transactions per second; as many as go if not given. */
  readonly rate?: number;
  readonly blocks?: number;
  readonly sizes?: readonly number[];
  readonly policies: readonly Policy[];
  readonly workers?: number;
  /** Where the report goes as JSON; nowhere if not given. */
  readonly out?: string;
  readonly json?: boolean;
  /** Where the kernel comes from. */
  readonly source: KernelSource;
  readonly onProgress: (line: string) => void;
}

const DEFAULT_MIX = 'mixed=80,claim=10,names=5,heavy=5';
const DEFAULT_BLOCKS = 30;

/**
 * `warpshrew bench load`: blocks of a mix that come at a pace, indexed as `index` does, under each policy. Exit status
 * 1 if a state root differs. Throws UsageError USAGE_BENCH, what the index throws, EnvironmentError ENV_UNWRITABLE.
 */
export async function benchLoad(command: LoadCommand): Promise<{ text: string; exitStatus: number }> {
  const mix = mixOf(command.mix ?? DEFAULT_MIX);
  const { blocks = DEFAULT_BLOCKS, sizes = [1_000], rate, out, json, ...more } = command;
  const usesGpu = command.policies.some((policy) => usesKernel(policy));
  const gpu = usesGpu ? await gpuIfThere('the policies gpu and balance are not measured', command.source) : undefined;
  try {
    const report = await runLoad({ ...more, mix, blocks, sizes, rate, gpu });
    if (out !== undefined) writeReport(out, 'load.json', `${JSON.stringify(report)}\n`);
    return { text: json ? JSON.stringify(report) : textOf(report), exitStatus: report.differences > 0 ? 1 : 0 };
  } finally {
    await gpu?.close();
  }
}

function mixOf(text: string): Mix {
  const mix = readMix(text);
  if (mix !== undefined) return mix;
  throw new UsageError('USAGE_BENCH', 'this is no mix of workloads', {
    facts: { mix: text },
    hint: `Name each once, as in claim=50,counter=30, not both mixed and general: ${WORKLOAD_NAMES.join(' ')}.`,
  });
}

const percentiles = ({ p50, p99 }: Percentiles): string => `${p50} / ${p99}`;

const COLUMNS: Columns<LoadRow> = [
  ['policy', ({ policy }) => policy],
  ['transactions a block', ({ size }) => String(size)],
  ['tx/s', ({ perSecond }) => String(perSecond)],
  ['held', ({ kept }) => (kept === null ? '' : kept ? 'yes' : 'no')],
  ['block ms p50 / p99', ({ blockMs }) => percentiles(blockMs)],
  ['lag ms p50 / p99', ({ lagMs }) => (lagMs === null ? '' : percentiles(lagMs))],
  ...BUDGET.map((part) => [`${part} µs`, ({ budget }: LoadRow) => String(budget[part])] as const),
  ['module beside µs', ({ beside }) => String(beside.standard)],
];

function textOf(report: LoadReport): string {
  const { mix, rate, rows, differences } = report;
  const sum = mix.reduce((all, { share }) => all + share, 0);
  const parts = mix.map(({ workload, share }) => `${workload} ${Math.round((100 * share) / sum)} %`);
  const pace = rate === null ? 'each block in its turn' : `${rate} tx/s`;
  return [
    `${runLine(report)}; ${differences} differences`,
    `${parts.join(', ')}; ${pace}; microseconds of the engine's thread a transaction`,
    '',
    ...markdown(COLUMNS, rows, ['policy', 'held']),
  ].join('\n');
}
