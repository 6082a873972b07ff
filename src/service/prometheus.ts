/** What `/metrics` answers, in Prometheus' text format: figures of one moment, and prom-client's of the process. */
import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';

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
