/** Prometheus' text exposition format, version 0.0.4. */

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [value: number, labels?: Labels];

/** Gathers the families of one answer. Families appear in the order of the calls. */
export class Exposition {
  readonly #lines: string[] = [];
  readonly #common: Labels;

  /** `common` is put on every sample. */
  constructor(common: Labels = {}) {
    this.#common = common;
  }

  gauge(name: string, help: string, ...samples: readonly Sample[]): this {
    return this.#family(name, 'gauge', help, samples);
  }

  counter(name: string, help: string, ...samples: readonly Sample[]): this {
    return this.#family(name, 'counter', help, samples);
  }

  histogram(name: string, help: string, of: ReadonlyMap<string, Histogram>, label: string): this {
    this.#head(name, 'histogram', help);
    for (const [value, histogram] of of) {
      for (const [bound, count] of histogram.cumulative())
        this.#sample(`${name}_bucket`, count, { [label]: value, le: bound });
      this.#sample(`${name}_sum`, histogram.sum, { [label]: value });
      this.#sample(`${name}_count`, histogram.count, { [label]: value });
    }
    return this;
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  #family(name: string, type: string, help: string, samples: readonly Sample[]): this {
    this.#head(name, type, help);
    for (const [value, labels] of samples) this.#sample(name, value, labels);
    return this;
  }

  #head(name: string, type: string, help: string): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }

  #sample(name: string, value: number, labels: Labels = {}): void {
    const shown = Object.entries({ ...this.#common, ...labels }).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
    this.#lines.push(`${name}${shown.length === 0 ? '' : `{${shown.join(',')}}`} ${value}`);
  }
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** Counts of values below fixed bounds. */
export class Histogram {
  sum = 0;
  count = 0;
  readonly #counts: number[];
  readonly #bounds: readonly number[];

  /** `bounds` ascending; what is above the last is counted, too. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;

    this.#counts = new Array<number>(bounds.length).fill(0);
  }

  observe(value: number): void {
    this.sum += value;
    this.count++;
    const at = this.#bounds.findIndex((bound) => value <= bound);
    if (at >= 0) this.#counts[at]++;
  }

  /** Bound and number of values not above it, `+Inf` last. */
  *cumulative(): Generator<readonly [bound: string, count: number]> {
    let sum = 0;
    for (const [i, bound] of this.#bounds.entries()) {
      sum += this.#counts[i];
      yield [String(bound), sum];
    }
    yield ['+Inf', this.count];
  }
}
