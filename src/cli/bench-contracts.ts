import { UsageError } from '../errors/errors.js';
import { LIMITS } from '../program/limits.js';
import type { BlockBenchOptions, BlockReport } from '../selftest/bench/blocks.js';
import { benchContractBlock, benchContracts, type ContractRow } from '../selftest/bench/contracts/contracts.js';
import type { ContractCall } from '../selftest/bench/contracts/methods.js';
import type { Spread } from '../selftest/bench/spread.js';
import { type Columns, markdown, spread } from './bench-table.js';
import { readInputFile } from './files.js';

const MOST_FILES = 100;

export interface ContractOptions {
  readonly setup?: readonly ContractCall[];
  readonly call?: readonly ContractCall[];
  readonly rounds?: number;
  /** Transactions of a block that is measured beside the calls. */
  readonly block?: number;
  readonly json?: boolean;
}

interface ContractReport {
  readonly rows: readonly ContractRow[];
  readonly block: BlockReport | undefined;
}

/**
 * `warpshrew bench contracts FILE…`: calls in the lane beside the same calls on V8 alone. `blocks` are the options of
 * `--block`, and `table` makes text of its report. Throws USAGE_BENCH, FILE_*, WASM_*.
 */
export async function benchContractFiles(
  paths: readonly string[],
  options: ContractOptions,
  blocks: BlockBenchOptions,
  table: (report: BlockReport) => string,
): Promise<{ readonly text: string; readonly exitStatus: number }> {
  const { setup = [], call: calls = [], rounds = 2_000, block: count, json } = options;
  if (paths.length === 0 || paths.length > MOST_FILES) {
    throw new UsageError('USAGE_BENCH', `bench contracts takes 1 to ${MOST_FILES} files`, {
      facts: { files: paths.length },
      hint: 'warpshrew bench contracts FILE.wasm…',
    });
  }
  const unknown = [...setup, ...calls].find(({ contract }) => contract < 0 || contract >= paths.length);
  if (unknown !== undefined) {
    throw new UsageError('USAGE_BENCH', 'a message names a file that is not given', {
      facts: { message: unknown.name, files: paths.length },
      hint: 'Files count from 1, in their order on the command line.',
    });
  }
  const files = paths.map((path) => ({ name: nameOf(path), wasm: readInputFile(path, LIMITS.moduleBytes) }));
  const bench = { setup, calls, rounds, onProgress: blocks.onProgress };
  const rows = benchContracts(files, bench);
  const block = count === undefined ? undefined : await benchContractBlock(files, bench, count, blocks);
  const report: ContractReport = { rows, block };
  const text = json ? JSON.stringify(report) : [contractTable(rows), ...(block ? ['', table(block)] : [])].join('\n');
  const failed = [...rows, ...(block?.rows ?? [])].some(({ differences }) => differences > 0);
  return { text, exitStatus: failed ? 1 : 0 };
}

function nameOf(path: string): string {
  return (path.split('/').at(-1) ?? path).replace(/\.wasm$/, '');
}

const maybe = (figures: Spread | undefined): string => (figures === undefined ? '-' : spread(figures));
const COLUMNS: Columns<ContractRow> = [
  ['contract', (row) => row.contract],
  ['call', (row) => row.call],
  ['status', (row) => row.status],
  ['fuel', (row) => String(row.fuel)],
  ['frames', (row) => String(row.frames)],
  ['cold ms', (row) => String(row.coldMs)],
  ['lane µs', (row) => spread(row.lane)],
  ['run µs', (row) => spread(row.run)],
  ['V8 µs', (row) => maybe(row.bare)],
  ['execution µs', (row) => maybe(row.execution)],
  ['lane/V8', (row) => String(row.overBare ?? '-')],
  ['run/execution', (row) => String(row.overExecution ?? '-')],
  ['differences', (row) => String(row.differences)],
];

function contractTable(rows: readonly ContractRow[]): string {
  return [
    `Node ${process.versions.node}, V8 ${process.versions.v8}; medians (least–most)`,
    '',
    ...markdown(COLUMNS, rows, ['contract', 'call', 'status']),
  ].join('\n');
}
