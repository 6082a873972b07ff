import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addSettings } from '../../src/cli/settings.js';
import { readConfig } from '../../src/service/config.js';
import { variableOf } from '../../src/service/option.js';
import { OPTIONS } from '../../src/service/options.js';
import { ROOT } from '../helpers/cli.js';
import { idleMetrics } from '../service/idle-metrics.js';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const alerts = read('deploy/alerts.yaml');

/** What a service tells, by name; histograms under the names that queries use. */
async function metricNames(): Promise<Set<string>> {
  const text = await idleMetrics();
  const names = new Set<string>();
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)/gm)) {
    for (const of of type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]) names.add(of);
  }
  return names;
}

/** Words of the language of queries. */
const WORDS = ['and', 'or', 'unless', 'on', 'by', 'group_left', 'sum', 'max', 'min'];

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly description?: string;
    readonly datasource?: { readonly uid: string };
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly query: string }[] };
}

/** The names of metrics in a query: what is neither function, operator, label, duration nor number. */
function metricsOf(query: string): string[] {
  const bare = query
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\bby \([^)]*\)/g, ' ');
  const words = [...bare.matchAll(/\b[a-z_][a-z0-9_]*\b(?! *\()/g)].map(([word]) => word);
  return words.filter((word) => !WORDS.includes(word));
}

describe('deploy/', () => {
  it('alerts ask for metrics that there are, and for one at least', async () => {
    const names = await metricNames();
    const queries = [...alerts.matchAll(/^ {8}expr: (.*)$/gm)].map(([, query]) => query);
    expect(queries.length).toBe([...alerts.matchAll(/^ {6}- alert: Warpshrew[A-Za-z]+$/gm)].length);
    expect(queries.length).toBeGreaterThan(10);
    for (const query of queries) {
      const asked = metricsOf(query);
      expect(asked.length, query).toBeGreaterThan(0);
      // `up` is of Prometheus itself.
      for (const name of asked) if (name !== 'up') expect(names, query).toContain(name);
      expect(query.split('(').length, query).toBe(query.split(')').length);
    }
    expect(queries.join(' ')).toContain('warpshrew_failed == 1');
    expect([...alerts.matchAll(/^ {10}summary: ["'].*\.["']$/gm)]).toHaveLength(queries.length);
  });

  it('the dashboard asks for metrics that there are, in panels that have each their place', async () => {
    const names = await metricNames();
    const { panels, templating } = JSON.parse(read('deploy/grafana/warpshrew-dashboard.json')) as Dashboard;
    const shown = panels.filter(({ type }) => type !== 'row');
    expect(shown.length).toBeGreaterThan(20);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const [, uid] = /^ {4}uid: (\S+)$/m.exec(read('deploy/grafana/datasources.yaml')) ?? [];
    expect(templating.list[0].query).toBe('label_values(warpshrew_info, instance)');
    for (const { title, description, datasource, targets = [] } of shown) {
      expect(datasource?.uid, title).toBe(uid);
      expect(description, title).toMatch(/\.$/);
      expect(targets.length, title).toBeGreaterThan(0);
      for (const { expr } of targets) {
        const asked = metricsOf(expr);
        expect(asked.length, expr).toBeGreaterThan(0);
        for (const name of asked) expect(names, expr).toContain(name);
        expect(expr.split('(').length, expr).toBe(expr.split(')').length);
      }
    }
    const places = panels.map(({ gridPos: { x, y, w, h } }) => ({ x, y, right: x + w, bottom: y + h }));
    expect(Math.max(...places.map(({ right }) => right))).toBeLessThanOrEqual(24);
    const meet = places.filter((a, i) =>
      places.slice(0, i).some((b) => a.x < b.right && b.x < a.right && a.y < b.bottom && b.y < a.bottom),
    );
    expect(meet).toEqual([]);
  });

  it('what tells metrics apart finds them, and a wrong one', () => {
    expect(metricsOf('sum by (a, le) (rate(x_total{code!="B c"}[1h])) / y_bytes > 0.5 and z == 1')).toEqual([
      'x_total',
      'y_bytes',
      'z',
    ]);
  });

  it('the unit starts with settings that are there, and ends when indexing has failed', () => {
    const unit = read('deploy/warpshrew.service');
    const [, command] = /^ExecStart=\/usr\/bin\/node \/opt\/warpshrew\/dist\/cli\.js index (.*)$/m.exec(unit) ?? [];
    const parsed = addSettings(new Command()).exitOverride();
    parsed.parse(['node', 'warpshrew', ...command.split(' ')]);
    const flags = { ...parsed.opts(), config: join(ROOT, 'deploy/warpshrew.json') };
    expect(parsed.opts()).toMatchObject({ config: '/etc/warpshrew.json' });
    const { settings, problems, notes } = readConfig({ flags, environment: {} });
    expect({ problems, notes }).toEqual({ problems: [], notes: [] });
    expect(settings).toMatchObject({ network: 'mainnet', exitOnFailure: true, snapshotInterval: 1_000 });
    // Everything that it writes lies in the folder that systemd makes for it.
    expect(unit).toContain('\nStateDirectory=warpshrew\n');
    for (const path of [settings.db, settings.snapshotDirectory]) expect(path).toMatch(/^\/var\/lib\/warpshrew\//);
  });

  it('compose.yaml ends a container whose index has failed, and lets Prometheus ask for metrics', () => {
    const compose = read('compose.yaml');
    const variables = Object.fromEntries(
      [...compose.matchAll(/^ {6}(WARPSHREW_[A-Z_]+): (.*)$/gm)].map(([, name, value]) => [name, value]),
    );
    const known = new Set(Object.keys(OPTIONS).map(variableOf));
    for (const name of Object.keys(variables)) expect(known).toContain(name);
    expect(variables).toMatchObject({ WARPSHREW_EXIT_ON_FAILURE: '"true"', WARPSHREW_ALLOW_HOST: 'warpshrew' });
    // The service that is asked, and the files that are mounted, are there.
    const [, target] = /targets: \[["']([^:]+):8080["']\]/.exec(read('deploy/prometheus.yaml')) ?? [];
    expect(compose).toContain(`\n  ${target}:\n`);
    for (const [, file] of compose.matchAll(/\.\/(deploy\/[a-z./-]+):/g)) expect(read(file).length).toBeGreaterThan(0);
  });

  it('is in the package', () => {
    const { files } = JSON.parse(read('package.json')) as { files: string[] };
    expect(files).toEqual(expect.arrayContaining(['deploy', 'compose.yaml', 'docs']));
  });
});
