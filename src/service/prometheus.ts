/** What `/metrics` answers, in Prometheus' text format: figures of one moment, and prom-client's of the process. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, type Metric, Registry } from 'prom-client';
import type { Distributions } from '../lane/distribution.js';

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

export type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [value: number, labels?: Labels];

let ofProcess: readonly Metric[] | undefined;

/** Metrics of the process: one set, as its observers of the event loop and of garbage collection stay for good. */
export function processMetrics(): readonly Metric[] {
  if (ofProcess === undefined) {
    const register = new Registry();
    collectDefaultMetrics({ register });
    ofProcess = register.getMetricsAsArray().flatMap(({ name }) => register.getSingleMetric(name) ?? []);
  }
  return ofProcess;
}

/** A histogram that shows given counts in place of its own. */
class CountedHistogram extends Histogram {
  /** What is known of a histogram before anything is counted. */
  readonly #none: Histogram;
  readonly #name: string;
  readonly #label: string;
  readonly #bounds: readonly number[];
  readonly #of: Readonly<Distributions>;

  constructor(name: string, help: string, label: string, bounds: readonly number[], of: Readonly<Distributions>) {
    super({ name, help, labelNames: [label], buckets: [...bounds], registers: [] });
    this.#name = name;
    this.#none = new Histogram({ name, help, labelNames: [label], registers: [] });
    this.#label = label;
    this.#bounds = bounds;
    this.#of = of;
  }

  override async get(): ReturnType<Histogram['get']> {
    const values = Object.entries(this.#of).flatMap(([value, { counts, sum }]) => this.#values(value, counts, sum));
    return { ...(await this.#none.get()), values };
  }

  /** What the registry asks for in the place of {@link get}, if it is there. */
  getForPromString(): ReturnType<Histogram['get']> {
    return this.get();
  }

  #values(value: string, counts: readonly number[], sum: number): Awaited<ReturnType<Histogram['get']>>['values'] {
    const labels = { [this.#label]: value };
    const name = this.#name;
    let count = 0;
    const buckets = counts.map((more, range) => {
      count += more;
      const le = this.#bounds[range] ?? '+Inf';
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}

/** One answer. Families appear in the order of the calls. */
export class MetricsPage {
  readonly #registry = new Registry();

  /** `common` is put on every sample. */
  constructor(common: Labels = {}) {
    this.#registry.setDefaultLabels(common);
  }

  gauge(name: string, help: string, ...samples: readonly Sample[]): this {
    const gauge = new Gauge({ name, help, labelNames: labelNames(samples), registers: [] });
    // A new metric without labels has the value 0.
    if (samples.length === 0) gauge.remove();
    for (const [value, labels = {}] of samples) gauge.set(labels, value);
    return this.add(gauge);
  }

  counter(name: string, help: string, ...samples: readonly Sample[]): this {
    const counter = new Counter({ name, help, labelNames: labelNames(samples), registers: [] });
    if (samples.length === 0) counter.remove();
    for (const [value, labels = {}] of samples) counter.inc(labels, value);
    return this.add(counter);
  }

  /** A histogram of what was counted elsewhere, by value of `label`; `bounds` are those that it was counted with. */
  histogram(name: string, help: string, label: string, bounds: readonly number[], of: Readonly<Distributions>): this {
    return this.add(new CountedHistogram(name, help, label, bounds, of));
  }

  /** A metric that counts by itself. */
  add(metric: Metric): this {
    this.#registry.registerMetric(metric);
    return this;
  }

  addAll(metrics: readonly Metric[]): this {
    for (const metric of metrics) this.add(metric);
    return this;
  }

  /** The text; `of` are added at the end. */
  text(of: readonly Metric[] = []): Promise<string> {
    this.addAll(of);
    return this.#registry.metrics();
  }
}

function labelNames(samples: readonly Sample[]): string[] {
  return [...new Set(samples.flatMap(([, labels]) => Object.keys(labels ?? {})))];
}
