// From which size on the kernel wins: the figures, the files that come of them, and the page in a browser.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Browser } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { openChromium } from '../../scripts/chromium.mjs';
import { benchThreshold } from '../../src/cli/bench-threshold.js';
import { thresholdPage } from '../../src/selftest/bench/threshold/page.js';
import { readReport } from '../../src/selftest/bench/threshold/read-report.js';
import {
  crossingsOf,
  csvOf,
  pointOf,
  ratiosOf,
  type ThresholdReport,
  type ThresholdWay,
} from '../../src/selftest/bench/threshold/report.js';
import { cli, temporaryFolder } from '../helpers/cli.js';

type Medians = Readonly<Record<number, readonly [one: number, all: number, kernel: number]>>;

function pointsOf(program: string, medians: Medians): ThresholdReport['points'] {
  return Object.entries(medians).flatMap(([count, times]) =>
    (['one thread', 'all threads', 'kernel'] as const).map((way: ThresholdWay, i) =>
      pointOf({ program, count: Number(count), way }, [times[i] * 9], [times[i], times[i] * 2, times[i] / 2]),
    ),
  );
}

function reportOf(run: string, points: ThresholdReport['points'], processor = 'a processor'): ThresholdReport {
  const machine = { processor, threads: 4, node: 'v20', adapter: 'a GPU' };
  const crossings = crossingsOf(points);
  const [at, version] = ['2030-01-01T00:00:00.000Z', '1'];
  return { format: 'warpshrew-threshold-1', run, at, version, machine, points, crossings, differences: 0 };
}

const MINT: Medians = { 16: [1, 2, 4], 256: [16, 6, 5], 4096: [256, 80, 20] };

describe('where the kernel begins to win', () => {
  it('is the size from which on it takes less at every larger one', () => {
    // At 16 it wins by luck.
    const lucky: Medians = { 16: [5, 5, 4], 256: [6, 3, 5], 4096: [90, 70, 80] };
    expect(crossingsOf([...pointsOf('mint', MINT), ...pointsOf('amm', lucky)])).toEqual([
      { program: 'mint', way: 'one thread', count: 256 },
      { program: 'mint', way: 'all threads', count: 256 },
      { program: 'amm', way: 'one thread', count: 16 },
      { program: 'amm', way: 'all threads', count: undefined },
    ]);
    const unmeasured = pointsOf('mint', MINT).filter(({ way }) => way !== 'kernel');
    expect(crossingsOf(unmeasured)).toEqual([]);
  });

  it('is found from medians; a tenth of the samples take longer than p90', () => {
    const samples = Array.from({ length: 20 }, (_, i) => 20 - i);
    const point = pointOf({ program: 'mint', count: 1, way: 'kernel' }, [99, 98], samples);
    expect(point).toMatchObject({ warmUp: [99, 98], samples, median: 11, p90: 19, least: 1, most: 20 });
  });
});

describe('policies over blocks of the same messages', () => {
  const pointsAt = (count: number, ways: Readonly<Record<string, readonly number[]>>): ThresholdReport['points'] =>
    Object.entries(ways).map(([way, samples]) =>
      pointOf({ program: 'mint', count, way: way as ThresholdWay }, [], samples),
    );

  it('are compared round by round with the one that has the best median', () => {
    const points = [
      ...pointsOf('mint', MINT),
      ...pointsAt(16, {
        'block: sequential': [10, 30, 10],
        'block: auto': [20, 20, 10],
        'block: balance': [10, 20, 40],
        'block: cpu': [9, 40, 41],
        'block: gpu': [20, 30, 20],
      }),
      ...pointsAt(256, { 'block: sequential': [10], 'block: auto': [8], 'block: cpu': [4], 'block: balance': [5] }),
      ...pointsAt(4_096, { 'block: sequential': [10], 'block: cpu': [4] }),
    ];
    expect(ratiosOf(points)).toEqual([
      // 10/20, 30/20, 10/10 of sequential; 20/10, 30/20, 20/40 of gpu.
      { program: 'mint', count: 16, auto: 1, balance: 1.5 },
      { program: 'mint', count: 256, auto: 0.5, balance: undefined },
    ]);
    expect(ratiosOf(pointsOf('mint', MINT))).toEqual([]);
    const page = thresholdPage(reportOf('c3', points));
    expect(page).toContain('blocks of 16: auto is 1 times as fast as the best policy, balance 1.5 times');
    expect(page).toContain('data-line="block: balance"');
  });

  it('are measured on request, with the batches', async () => {
    const given = ['bench', 'threshold', '--only', 'probe', '--sizes', '4', '--rounds', '2', '--json', '--with-blocks'];
    const { status, stdout } = await cli(...given, '--policies', 'cpu,auto');
    expect(status).toBe(0);
    const report = readReport(stdout);
    const blocks = report?.points.filter(({ way }) => way.startsWith('block: ')) ?? [];
    expect(blocks.map(({ way }) => way)).toEqual(['block: sequential', 'block: auto', 'block: cpu']);
    expect(blocks.map(({ samples }) => samples.length)).toEqual([2, 2, 2]);
    expect(ratiosOf(report?.points ?? [])).toMatchObject([{ program: 'probe', count: 4 }]);
  });
});

describe('reports', () => {
  const report = reportOf('ab12', pointsOf('mint', MINT));

  it('are read back as they were written, and not at all if they are damaged', () => {
    const text = JSON.stringify(report);
    expect(readReport(text)).toEqual(report);
    for (const damaged of ['', '[]', 'null', text.slice(0, -2), text.replace('"median":1,', '"median":-1,')]) {
      expect(readReport(damaged)).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(report)), (value, member) => {
        // Whatever it is, it is taken or refused, and what is taken can be drawn.
        const read = readReport(JSON.stringify({ ...report, [member]: value }));
        if (read !== undefined) expect(thresholdPage(read)).toContain('</html>');
      }),
    );
  });

  it('are refused where two are wanted and one is something else', async () => {
    const folder = temporaryFolder();
    const [a, b] = [join(folder, 'a.json'), join(folder, 'b.json')];
    writeFileSync(a, JSON.stringify(report));
    writeFileSync(b, '{}');
    const command = { programs: [], sizes: [], rounds: 1, compare: true, out: folder, onProgress: () => {} };
    await expect(benchThreshold([a], command)).rejects.toMatchObject({ code: 'USAGE_BENCH' });
    await expect(benchThreshold([a, b], command)).rejects.toMatchObject({ code: 'USAGE_BENCH', facts: { path: b } });
    expect((await benchThreshold([a, a], command)).text).toContain('threshold-compared.html');
  });
});

it('a run leaves JSON, CSV and a page that say the same', async () => {
  const out = join(temporaryFolder(), 'new');
  const given = ['bench', 'threshold', '--only', 'mint', '--sizes', '2,8', '--rounds', '3', '--out', out];
  const { status, stdout } = await cli(...given);
  expect(status).toBe(0);
  const report = readReport(readFileSync(join(out, 'threshold.json'), 'utf8')) as ThresholdReport;
  const ways = new Set(report.points.map(({ way }) => way));
  expect(ways).toContain('one thread');
  expect(ways).toContain('all threads');
  expect(report.points.map(({ samples }) => samples.length)).toEqual(report.points.map(() => 3));
  expect(report.points.every(({ warmUp }) => warmUp.length === 3)).toBe(true);
  expect(report.differences).toBe(0);
  expect(readFileSync(join(out, 'threshold.csv'), 'utf8')).toBe(csvOf(report));
  expect(readFileSync(join(out, 'threshold.html'), 'utf8')).toBe(thresholdPage(report));
  for (const { median } of report.points) expect(stdout).toContain(` ${median} `);
});

const opened = await openChromium();
if (typeof opened === 'string') process.stderr.write(`the page of bench threshold is not opened: ${opened}\n`);

describe.skipIf(typeof opened === 'string')('the page in a browser without a network', () => {
  it('draws a line for each way of each report, and has the numbers of the CSV', async () => {
    const browser = opened as Browser;
    const evil = '<img src=x onerror="document.title=1">';
    const [first, second] = [reportOf('a1', pointsOf('mint', MINT)), reportOf('b2', pointsOf(evil, MINT), evil)];
    const path = join(temporaryFolder(), 'page.html');
    writeFileSync(path, thresholdPage(first, second));
    const context = await browser.newContext({ offline: true });
    try {
      const page = await context.newPage();
      const asked: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      await page.goto(`file://${path}`);
      expect(asked).toEqual([`file://${path}`]);
      expect(await page.title()).toBe('Where the kernel begins to win');
      const cells = await page.$$eval('tbody tr', (rows) =>
        rows.map((row) => Array.from(row.querySelectorAll('td'), (cell) => cell.textContent)),
      );
      const csv = [first, second].flatMap((report) => csvOf(report).trim().split('\n').slice(1));
      expect(cells).toEqual(csv.map((line) => line.split(',').slice(0, 9)));
      const lines = await page.$$eval('svg g[data-line]', (groups) =>
        groups.map((group) => {
          const { width, height } = group.getBoundingClientRect();
          return { points: group.querySelectorAll('circle').length, seen: width > 50 && height > 10 };
        }),
      );
      expect(lines).toEqual(new Array(6).fill({ points: 3, seen: true }));
    } finally {
      await context.close();
      await browser.close();
    }
  });
});
