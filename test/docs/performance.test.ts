import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addReport, readReports } from '../../scripts/performance-files.mjs';
import { performancePage, reportFile, slimmed } from '../../scripts/performance-page.mjs';
import type { LoadReport } from '../../src/selftest/bench/load/report.js';
import { crossingsOf, pointOf, type ThresholdReport } from '../../src/selftest/bench/threshold/report.js';
import { ROOT, temporaryFolder } from '../helpers/cli.js';

const KINDS = ['load', 'blocks', 'contention', 'threshold', 'tasks', 'tasks-overlap', 'gpu-server'];

const page = (): string => readFileSync(join(ROOT, 'docs/performance.md'), 'utf8');

const RUN = {
  run: 'ab12',
  at: '2030-01-02T03:04:05.000Z',
  version: '1.2.3',
  machine: { processor: 'Acme(R) 9', threads: 4, node: 'v22.1.0', adapter: undefined },
};
const LOAD: LoadReport = {
  format: 'warpshrew-load-1',
  ...RUN,
  mix: [
    { workload: 'claim', share: 1 },
    { workload: 'heavy', share: 3 },
  ],
  rate: 2_000,
  rows: [
    {
      policy: 'auto',
      size: 1_000,
      blocks: 30,
      perSecond: 1_234,
      blockMs: { p50: 10.04, p99: 150.6, most: 200 },
      lagMs: { p50: 11, p99: 12, most: 13 },
      kept: false,
      budget: {
        ...{ reading: 1, scan: 2, planning: 3, execution: 40.55, hashing: 5, storage: 6, waiting: 0, other: 0.04 },
      },
      beside: { standard: 1, ahead: 1 },
      executors: { reuse: 0, gpu: 0, cpu: 0, sequential: 30_000 },
      stateRoot: '00',
    },
  ],
  differences: 0,
};
const times = (medianMs: number) => ({ samples: [medianMs], medianMs, minMs: medianMs, maxMs: medianMs });
const TASKS = {
  format: 'warpshrew-tasks-1',
  ...RUN,
  machine: { ...RUN.machine, adapter: 'a GPU' },
  rows: [
    { task: 'ecdsa', n: 1_024, kernel: times(2), one: times(50), all: times(12.5), overOne: 25, overAll: 6.25 },
    { task: 'sha256', n: 64, kernel: times(2), one: times(1), all: times(1), overOne: 0.5, overAll: 0.5 },
  ],
  sweeps: {
    ecdsa: {
      ...{ oneUs: 48.8, wanted: 20, wantedFrom: 1_024, beatsAllFrom: 256 },
      sweep: [{ n: 256, kernel: times(1), all: times(3), overOne: 12 }],
    },
    sha256: { oneUs: 15, wanted: 10, sweep: [] },
  },
  differences: 0,
};
const points = (['one thread', 'kernel'] as const).map((way, i) =>
  pointOf({ program: 'mint', count: 64, way }, [9], [4 - i, 5 - i]),
);
const THRESHOLD: ThresholdReport = {
  format: 'warpshrew-threshold-1',
  ...RUN,
  machine: { ...RUN.machine, adapter: 'a GPU' },
  points,
  crossings: crossingsOf(points),
  differences: 0,
};

describe('docs/performance.md', () => {
  it('is what the reports say (if not: node scripts/performance.mjs)', () => {
    const reports = readReports();
    const formats = new Set(reports.map(([, report]) => (report as { format: string }).format));
    expect(formats).toEqual(new Set(KINDS.map((kind) => `warpshrew-${kind}-1`)));
    expect(page()).toBe(performancePage(reports));
    for (const [file, report] of reports) expect(file).toBe(reportFile(report as LoadReport));
  });

  it('tells of each machine apart what ran there, when, and its figures', () => {
    const text = performancePage([
      ['b', THRESHOLD],
      ['a', LOAD],
    ]);
    const of = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('#'));
    expect(of(text)).toEqual([
      '# Performance',
      '## Acme(R) 9, 4 threads, a GPU',
      '### Where the kernel begins to win',
      '## Acme(R) 9, 4 threads, no GPU',
      '### A load of blocks: 2,000 transactions a second come',
    ]);
    expect(text).toContain(
      'Run `ab12` of 2030-01-02, version 1.2.3, Node 22.1.0; results that differ between the ways: 0.',
    );
    expect(text).toContain('Blocks of claim 25 %, heavy 75 %');
    expect(text).toContain(
      '\n| auto | 1,000 | 1,234, not held | 10 / 151 | 11 / 12 | 1 | 2 | 3 | 40.6 | 5 | 6 | 0 | 0 |\n',
    );
    expect(text).toContain('\n- `mint`: the kernel takes less than one thread from 64 messages on\n');
    expect(text).toContain('\n| mint | 64 | 5 (5) | 4 (4) |\n');
  });

  it('tells from which width on the kernel runs a batch task faster', () => {
    const text = performancePage([['tasks.json', TASKS]]);
    expect(text).toContain('\n- `ecdsa`: faster than all cores from 256 on, 20 times one core from 1,024 on\n');
    const none = 'at none of the widths measured';
    expect(text).toContain(`\n- \`sha256\`: faster than all cores ${none}, 10 times one core ${none}\n`);
    expect(text).toContain('\n| ecdsa | 1,024 | 50 | 12.5 | 2 | 25 | 6.3 |\n');
    expect(JSON.stringify(slimmed(TASKS))).not.toContain('samples');
    expect(performancePage([['tasks.json', slimmed(TASKS)]])).toBe(text);
  });

  it('takes no file that is no report', () => {
    for (const none of [null, {}, { ...LOAD, format: 'warpshrew-load-2' }]) {
      expect(() => performancePage([['x.json', none]])).toThrow('x.json');
    }
  });
});

describe('a new report', () => {
  it('takes the place of the one of its kind, pace and machine, and of no other', () => {
    const folder = temporaryFolder();
    const add = (report: object): string => {
      const path = join(temporaryFolder(), 'report.json');
      writeFileSync(path, JSON.stringify(report));
      return addReport(path, folder);
    };
    expect(add(LOAD)).toBe('load-at-2000-acme-9-4-no-gpu.json');
    add({ ...LOAD, rate: null });
    add(THRESHOLD);
    add({ ...LOAD, run: 'cd34' });
    expect(readdirSync(folder)).toHaveLength(3);
    const runs = readReports(folder).map(([, report]) => (report as LoadReport).run);
    expect(runs).toContain('cd34');
  });

  it('of some tasks takes the place of these alone', () => {
    const folder = temporaryFolder();
    const path = join(temporaryFolder(), 'report.json');
    const add = (report: object): string => {
      writeFileSync(path, JSON.stringify(report));
      return addReport(path, folder);
    };
    expect(add(TASKS)).toBe('tasks-ecdsa-sha256-acme-9-4-a-gpu.json');
    const [, hashes] = TASKS.rows;
    const { sha256 } = TASKS.sweeps;
    const anew = { ...TASKS, run: 'ef56', rows: [{ ...hashes, n: 128 }], sweeps: { sha256 } };
    expect(add(anew)).toBe('tasks-sha256-acme-9-4-a-gpu.json');
    const text = performancePage(readReports(folder));
    expect(text.match(/sha256 \| \d+/g)).toEqual(['sha256 | 128']);
    expect(text).toContain('| ecdsa | 1,024 |');
    expect(readdirSync(folder)).toEqual(['tasks-ecdsa-acme-9-4-a-gpu.json', 'tasks-sha256-acme-9-4-a-gpu.json']);
  });

  it('of a server does not say where it listened', () => {
    const machine = { ...RUN.machine, adapter: 'GPU server a GPU (unix:/somewhere/gpu)' };
    const indexers = [{ name: 'claim', adapter: 'a GPU (unix:/somewhere/gpu)', inKernel: 5, gpuFailures: 0 }];
    const ratio = { median: 1.7, least: 1.5, most: 1.8 };
    const report = { format: 'warpshrew-gpu-server-1', ...RUN, machine, indexers, ratio, rounds: [], differences: 0 };
    const slim = slimmed({ ...report, blocks: 6, transactions: 5_000, workers: 7 } as object as LoadReport);
    expect(JSON.stringify(slim)).not.toContain('somewhere');
    const text = performancePage([['server.json', slim]]);
    expect(text).toContain('## Acme(R) 9, 4 threads, a GPU');
    expect(text).toContain('1.7 times (1.5 to 1.8)');
  });

  it('leaves the times of each single block behind', () => {
    const way = { policy: 'cpu', wall: { median: 1, least: 1, most: 1 }, blocks: [{ ms: 1, mode: 'workers' }] };
    const { blocks: _, ...rest } = way;
    const report = { format: 'warpshrew-blocks-1', rows: [{ workload: 'mint', ways: [way] }] };
    expect(slimmed(report)).toEqual({ ...report, rows: [{ workload: 'mint', ways: [rest] }] });
    expect(slimmed(LOAD)).toBe(LOAD);
  });
});
