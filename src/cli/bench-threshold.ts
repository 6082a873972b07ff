import { UsageError } from '../errors/errors.js';
import type { Policy } from '../lane/policy.js';
import { runLine } from '../selftest/bench/machine.js';
import { measureThreshold } from '../selftest/bench/threshold/measure.js';
import { thresholdPage } from '../selftest/bench/threshold/page.js';
import { readReport } from '../selftest/bench/threshold/read-report.js';
import { csvOf, ratiosOf, type ThresholdPoint, type ThresholdReport } from '../selftest/bench/threshold/report.js';
import type { ProgramName } from '../util/built-wasm.js';
import { writeReport } from './bench-report.js';
import { type Columns, markdown } from './bench-table.js';
import { readInputFile } from './files.js';
import { gpuIfThere } from './gpu-if-there.js';

const MOST_REPORT_BYTES = 64 << 20;

export interface ThresholdCommand {
  readonly programs: readonly ProgramName[];
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Under these, whole blocks of the messages are measured as well. */
  readonly policies?: readonly Policy[];
  /** Where the report goes as JSON, CSV and a page; nowhere if not given. */
  readonly out?: string;
  /** Two reports are drawn side by side, and nothing is measured. */
  readonly compare?: boolean;
  readonly json?: boolean;
  readonly onProgress: (line: string) => void;
}

interface ThresholdEnd {
  readonly text: string;
  readonly exitStatus: number;
}

/**
 * `warpshrew bench threshold`: from which number of messages on the kernel is faster, by program. Exit status 1 if a
 * result of the kernel is not V8's. Throws USAGE_BENCH, FILE_*.
 */
export async function benchThreshold(files: readonly string[], command: ThresholdCommand): Promise<ThresholdEnd> {
  if (command.compare === true) return compare(files, command);
  const { programs, sizes, rounds, policies, onProgress, out, json } = command;
  const gpu = await gpuIfThere('the kernel is not measured');
  try {
    const report = await measureThreshold({ programs, counts: sizes, rounds, policies, gpu, onProgress });
    if (out !== undefined) {
      writeReport(out, 'threshold.json', `${JSON.stringify(report)}\n`);
      writeReport(out, 'threshold.csv', csvOf(report));
      writeReport(out, 'threshold.html', thresholdPage(report));
    }
    return { text: json ? JSON.stringify(report) : textOf(report), exitStatus: report.differences > 0 ? 1 : 0 };
  } finally {
    await gpu?.close();
  }
}

function compare(files: readonly string[], { out }: ThresholdCommand): ThresholdEnd {
  if (files.length !== 2 || out === undefined) {
    throw new UsageError('USAGE_BENCH', 'bench threshold --compare takes two reports and a folder for the page', {
      facts: { files: files.length },
      hint: 'warpshrew bench threshold --compare A.json B.json --out FOLDER',
    });
  }
  const [first, second] = files.map((path) => {
    const report = readReport(new TextDecoder().decode(readInputFile(path, MOST_REPORT_BYTES)));
    if (report !== undefined) return report;
    throw new UsageError('USAGE_BENCH', 'this file is no report of bench threshold, or a damaged one', {
      facts: { path },
      hint: 'Give a threshold.json that `bench threshold --out` has written.',
    });
  });
  const page = writeReport(out, 'threshold-compared.html', thresholdPage(first, second));
  return { text: [textOf(first), '', textOf(second), '', `drawn side by side in ${page}`].join('\n'), exitStatus: 0 };
}

const COLUMNS: Columns<ThresholdPoint> = [
  ['program', ({ program }) => program],
  ['n', ({ count }) => String(count)],
  ['way', ({ way }) => way],
  ['median ms', ({ median }) => String(median)],
  ['p90 ms', ({ p90 }) => String(p90)],
  ['least ms', ({ least }) => String(least)],
  ['most ms', ({ most }) => String(most)],
  ['samples', ({ samples }) => String(samples.length)],
  ['warm-up ms', ({ warmUp }) => warmUp.join(' ')],
];

function textOf(report: ThresholdReport): string {
  const { points, crossings, differences } = report;
  return [
    `${runLine(report)}; ${differences} differences`,
    '',
    ...markdown(COLUMNS, points, ['program', 'way']),
    '',
    ...crossings.map(({ program, way, count }) =>
      count === undefined
        ? `${program}: the kernel is not faster than ${way} at any of these sizes`
        : `${program}: the kernel is faster than ${way} from ${count} messages on`,
    ),
    ...ratiosOf(points).map(({ program, count, auto, balance }) => {
      const said = [
        ...(auto === undefined ? [] : [`auto ${auto} x the best policy`]),
        ...(balance === undefined ? [] : [`balance ${balance} x the better of cpu and gpu`]),
      ];
      return `${program}, blocks of ${count}: ${said.join(', ')}`;
    }),
  ].join('\n');
}
