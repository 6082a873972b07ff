import type { TestReport } from './run-tests.js';

/** Puts the reports of threads together that each ran a part of a test. */
export class ReportParts {
  readonly #waiting = new Map<string, TestReport[]>();

  /** The report of the whole test, if this was its last part. */
  whole(report: TestReport): TestReport[] {
    if (report.parts === 1) return [report];
    const name = `${report.file}: ${report.name}`;
    const parts = [...(this.#waiting.get(name) ?? []), report];
    this.#waiting.set(name, parts);
    if (parts.length < report.parts) return [];
    this.#waiting.delete(name);
    return [joined(parts)];
  }
}

function joined(parts: readonly TestReport[]): TestReport {
  const sum = (of: (part: TestReport) => number | undefined): number =>
    parts.reduce((all, part) => all + (of(part) ?? 0), 0);
  const [first] = parts;
  const found = parts.flatMap(({ direct }) => (direct === undefined ? [] : [direct]));
  const total = (of: (figures: (typeof found)[number]) => number): number =>
    found.reduce((all, figures) => all + of(figures), 0);
  return {
    ...first,
    ms: Math.max(...parts.map(({ ms }) => ms)),
    failure: parts.find(({ failure }) => failure !== undefined)?.failure,
    calls: sum(({ calls }) => calls),
    // Each counts the processor time of the whole process.
    callsPerSecond: Math.max(...parts.map(({ callsPerSecond = 0 }) => callsPerSecond)),
    conflicts: parts.find(({ conflicts }) => conflicts !== undefined)?.conflicts,
    direct: {
      calls: total(({ calls }) => calls),
      ms: Math.max(...found.map(({ ms }) => ms)),
      timed: total(({ timed }) => timed),
      kernel: total(({ kernel }) => kernel),
      punted: total(({ punted }) => punted),
      compared: total(({ compared }) => compared),
      unfit: total(({ unfit }) => unfit),
      why: found.find(({ why }) => why !== undefined)?.why,
    },
  };
}
