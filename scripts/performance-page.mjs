/** docs/performance.md from reports of benchmarks: what was measured, and on which machine. */

/** What there are reports of, in the order of the page. */
const KINDS = {
  'warpshrew-load-1': loadSection,
  'warpshrew-blocks-1': blocksSection,
  'warpshrew-contention-1': contentionSection,
  'warpshrew-threshold-1': thresholdSection,
  'warpshrew-tasks-1': tasksSection,
  'warpshrew-tasks-overlap-1': overlapSection,
  'warpshrew-gpu-server-1': serverSection,
};
const FORMATS = Object.keys(KINDS);

const number = (value) => value.toLocaleString('en', { maximumFractionDigits: 2 });
const rounded = (value) => number(value >= 100 ? Math.round(value) : Math.round(value * 10) / 10);

/**
 * The page; `reports` by name of their file, in any order. The last run of a kind on a machine is the only one. Throws
 * if one is no report of a kind that is known.
 */
export function performancePage(reports) {
  const machines = new Map();
  for (const [file, report] of reports) {
    if (!FORMATS.includes(report?.format)) throw new Error(`${file} is no report of a benchmark`);
    const name = machineName(report.machine);
    machines.set(name, [...(machines.get(name) ?? []), report]);
  }
  const sections = [...machines]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, own]) =>
      [`## ${name}`, ...own.sort(inOrder).map((report) => KINDS[report.format](report))].join('\n\n'),
    );
  return `${[HEAD, ...sections].join('\n\n')}\n`;
}

const HEAD = `# Performance

This page is made by \`node scripts/performance.mjs\` from the reports in \`bench/results/\`, those of the last runs:
each table says what ran, when, and on which machine. They are figures, not promises: a machine that is busy with
something else is slower, and figures of two machines do not tell two versions apart.
[gpu-executor.md](gpu-executor.md#measuring) says how each benchmark measures, and the first lines of the script how
these reports are made anew.`;

/** Names of the tasks, where a report has not all of them. */
function tasksOf({ format, rows }) {
  if (format !== 'warpshrew-tasks-1') return '';
  const tasks = [...new Set(rows.map(({ task }) => task))].sort();
  return tasks.length === 4 ? '' : ` ${tasks.join(' ')}`;
}

/** The name of a report's file: one for each kind and machine. */
export function reportFile(report) {
  if (!FORMATS.includes(report?.format)) throw new Error('this is no report of a benchmark');
  const kind = report.format.replace(/^warpshrew-|-1$/g, '');
  const pace = report.rate == null ? '' : `-at-${report.rate}`;
  const { processor, threads, adapter } = report.machine;
  const words = `${kind}${pace}${tasksOf(report)} ${processor} ${threads} ${adapter ?? 'no gpu'}`;
  return `${words
    .toLowerCase()
    .replaceAll(/\([a-z]+\)/g, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/-$/, '')}.json`;
}

const median = (values) => Number([...values].sort((a, b) => a - b)[values.length >> 1].toFixed(3));

function slimmedOverlap({ traces: _, ...report }) {
  const slim = ({ apart, overlapping, ...of }) => ({ ...of, apart: median(apart), overlapping: median(overlapping) });
  return { ...report, sizes: report.sizes.map(slim), eight: slim(report.eight) };
}

/** Without where the server listened: the GPU is that of the machine. */
function slimmedServer({ rounds: _, machine, indexers, ...report }) {
  const adapter = machine.adapter.replace(/^GPU server /, '').replace(/ \(\S+\)$/, '');
  const own = indexers.map(({ adapter: __, ...indexer }) => indexer);
  return { ...report, machine: { ...machine, adapter }, indexers: own };
}

/** Of a report of tasks what `newer` has not measured anew on that machine; undefined: they do not meet. */
export function withoutTasks(report, newer) {
  const isTasks = [report, newer].every(({ format }) => format === 'warpshrew-tasks-1');
  if (!isTasks || machineName(report.machine) !== machineName(newer.machine)) return undefined;
  const anew = new Set(newer.rows.map(({ task }) => task));
  if (!report.rows.some(({ task }) => anew.has(task))) return undefined;
  const sweeps = Object.entries(report.sweeps).filter(([task]) => !anew.has(task));
  return { ...report, rows: report.rows.filter(({ task }) => !anew.has(task)), sweeps: Object.fromEntries(sweeps) };
}

/** A report without the times of each single block or round, which take most of its room. */
export function slimmed(report) {
  if (report.format === 'warpshrew-tasks-1') {
    const slim = ({ samples: _, ...figures }) => figures;
    const rows = report.rows.map((row) => ({
      ...row,
      kernel: slim(row.kernel),
      one: slim(row.one),
      all: slim(row.all),
    }));
    const sweeps = Object.entries(report.sweeps).map(([task, { sweep, ...found }]) => [
      task,
      { ...found, sweep: sweep.map((step) => ({ ...step, kernel: slim(step.kernel), all: slim(step.all) })) },
    ]);
    return { ...report, rows, sweeps: Object.fromEntries(sweeps) };
  }
  if (report.format === 'warpshrew-tasks-overlap-1') return slimmedOverlap(report);
  if (report.format === 'warpshrew-gpu-server-1') return slimmedServer(report);
  if (report.format !== 'warpshrew-blocks-1' && report.format !== 'warpshrew-contention-1') return report;
  const rows = report.rows.map((row) => ({ ...row, ways: row.ways.map(({ blocks: _, ...way }) => way) }));
  return { ...report, rows };
}

function machineName({ processor, threads, adapter }) {
  return `${processor}, ${threads} threads, ${adapter ?? 'no GPU'}`;
}

function inOrder(a, b) {
  return FORMATS.indexOf(a.format) - FORMATS.indexOf(b.format) || (a.rate ?? 0) - (b.rate ?? 0);
}

function ofRun({ run, at, version, machine, ...report }) {
  const differences = report.differences ?? report.rows.reduce((sum, row) => sum + row.differences, 0);
  const what = `Run \`${run}\` of ${at.slice(0, 10)}, version ${version}, Node ${machine.node.slice(1)}`;
  return `${what}; results that differ between the ways: ${differences}.`;
}

function table(columns, rows, words = 1) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const marks = columns.map((_, i) => (i < words ? '---' : '---:'));
  return [line(columns), line(marks), ...rows.map(line)].join('\n');
}

function loadSection(report) {
  const { mix, rate, rows } = report;
  const sum = mix.reduce((all, { share }) => all + share, 0);
  const parts = mix.map(({ workload, share }) => `${workload} ${Math.round((100 * share) / sum)} %`).join(', ');
  const pace = rate === null ? 'as many as go' : `${number(rate)} transactions a second come`;
  const between = ({ p50, p99 }) => `${rounded(p50)} / ${rounded(p99)}`;
  const budget = Object.keys(rows[0]?.budget ?? {});
  const cells = rows.map((row) => [
    row.policy,
    number(row.size),
    `${number(row.perSecond)}${row.kept === false ? ', not held' : ''}`,
    between(row.blockMs),
    row.lagMs === null ? '-' : between(row.lagMs),
    ...budget.map((part) => rounded(row.budget[part])),
  ]);
  const columns = ['policy', 'transactions a block', 'tx/s', 'block ms p50 / p99', 'lag ms p50 / p99', ...budget];
  return [
    `### A load of blocks: ${pace}`,
    `${ofRun(report)} Blocks of ${parts}, indexed as \`index\` does.`,
    "The last columns are microseconds of the engine's thread a lane transaction.",
    table(columns, cells),
  ].join('\n\n');
}

function blocksSection(report) {
  return [
    '### Whole blocks, by workload',
    `${ofRun(report)} Medians, from the bytes of a block until it is stored.`,
    blockTable(report, (row) => [row.workload, number(row.count)], ['workload', 'transactions']),
  ].join('\n\n');
}

function contentionSection(report) {
  return [
    '### Calls of which some change one counter',
    `${ofRun(report)} Medians, with predicted reads and without.`,
    blockTable(report, (row) => [row.workload, number(row.count)], ['calls', 'transactions']),
  ].join('\n\n');
}

function blockTable({ rows }, first, names) {
  const wayName = ({ policy, predictReads }) => (predictReads ? policy : `${policy}, unpredicted`);
  const ways = [...new Set(rows.flatMap((row) => row.ways.map(wayName)))];
  const cells = rows.map((row) => {
    const found = new Map(row.ways.map((way) => [wayName(way), way]));
    const ms = ways.map((name) => (found.has(name) ? rounded(found.get(name).wall.median) : '-'));
    return [...first(row), ...ms, row.auto == null ? '-' : number(row.auto.overBest.median)];
  });
  return table([...names, ...ways.map((name) => `${name} ms`), 'auto / best'], cells);
}

function thresholdSection(report) {
  const { points, crossings } = report;
  const ways = [...new Set(points.map(({ way }) => way))];
  const groups = new Map();
  for (const point of points) {
    const key = `${point.program} ${point.count}`;
    groups.set(key, [...(groups.get(key) ?? []), point]);
  }
  const cells = [...groups.values()].map((own) => [
    own[0].program,
    number(own[0].count),
    ...ways.map((way) => {
      const point = own.find((other) => other.way === way);
      return point === undefined ? '-' : `${number(point.median)} (${number(point.p90)})`;
    }),
  ]);
  const lines = crossings.map(({ program, way, count }) =>
    count == null
      ? `- \`${program}\`: the kernel takes no less than ${way} at any of these sizes`
      : `- \`${program}\`: the kernel takes less than ${way} from ${number(count)} messages on`,
  );
  return [
    '### Where the kernel begins to win',
    `${ofRun(report)} Milliseconds of a batch: median (90th percentile).`,
    ...(lines.length > 0 ? [lines.join('\n')] : []),
    table(['program', 'messages', ...ways], cells),
  ].join('\n\n');
}

function tasksSection(report) {
  const { rows, sweeps } = report;
  const cells = rows.map(({ task, n, one, all, kernel, overOne, overAll }) => [
    task,
    number(n),
    ...[one, all, kernel].map(({ medianMs }) => number(medianMs)),
    ...[overOne, overAll].map(rounded),
  ]);
  const from = (width) => (width == null ? 'at none of the widths measured' : `from ${number(width)} on`);
  const lines = Object.entries(sweeps).map(
    ([task, { wanted, wantedFrom, beatsAllFrom }]) =>
      `- \`${task}\`: faster than all cores ${from(beatsAllFrom)}, ${wanted} times one core ${from(wantedFrom)}`,
  );
  const columns = ['task', 'inputs', 'one core ms', 'all cores ms', 'kernel ms', '× one core', '× all cores'];
  return [
    '### Batch tasks',
    `${ofRun(report)} Medians, from columns to answers, packing and readback included; the tree takes leaves.`,
    lines.join('\n'),
    table(columns, cells),
  ].join('\n\n');
}

function overlapSection(report) {
  const { eight, sizes } = report;
  const row = ({ segmentBytes, bytes, messages, apart, overlapping }) => [
    number((segmentBytes ?? bytes / 8) / 1_024),
    number(messages),
    number(apart),
    number(overlapping),
    number(apart / overlapping),
  ];
  return [
    '### Segments of hashes that overlap',
    [
      ofRun({ ...report, differences: report.wrong }),
      `Messages of ${report.message} bytes, medians. The first row is eight segments.`,
    ].join(' '),
    table(
      ['KiB a segment', 'messages', 'one after the other ms', 'overlapping ms', 'faster by'],
      [eight, ...sizes].map(row),
    ),
  ].join('\n\n');
}

function serverSection(report) {
  const { indexers, ratio, blocks, transactions, workers } = report;
  return [
    '### Two indexers and one GPU server',
    `${ofRun(report)} ${blocks} blocks of ${number(transactions)} transactions for each, ${workers} workers each.`,
    [
      `Alone one after the other, they take ${number(ratio.median)} times`,
      `(${number(ratio.least)} to ${number(ratio.most)}) as long as both at once.`,
    ].join(' '),
    table(
      ['indexer', 'calls in the kernel', 'failures of the kernel'],
      indexers.map(({ name, inKernel, gpuFailures }) => [name, number(inKernel), number(gpuFailures)]),
    ),
  ].join('\n\n');
}
