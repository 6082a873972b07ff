/** The fuel of each test in a file beside the sources: a change that makes calls dearer is seen in its diff. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { TestReport } from './run-tests.js';

/** A test whose fuel is not what the file says; undefined: it is not there. */
export interface FuelChange {
  readonly name: string;
  readonly before: number | undefined;
  readonly after: number | undefined;
}

const LINE = /^(\d{1,15}) {2}(.+)$/;

/** Fuel by test: the lines `FUEL  FILE: NAME`. */
export function readFuel(file: string): Map<string, number> {
  const known = new Map<string, number>();
  if (!existsSync(file)) return known;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, fuel, name] = LINE.exec(line) ?? [];
    if (name !== undefined) known.set(name, Number(fuel));
  }
  return known;
}

export function writeFuel(file: string, reports: readonly TestReport[]): void {
  const lines = [...fuelOf(reports)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, fuel]) => `${fuel}  ${name}\n`);
  writeFileSync(file, lines.join(''));
}

/** What is not as `known` says, by name. `partly`: not all tests ran, so that none is missed. */
export function fuelChanges(
  known: ReadonlyMap<string, number>,
  reports: readonly TestReport[],
  partly: boolean,
): FuelChange[] {
  const now = fuelOf(reports);
  const names = partly ? [...now.keys()] : [...new Set([...known.keys(), ...now.keys()])];
  return names
    .sort()
    .map((name) => ({ name, before: known.get(name), after: now.get(name) }))
    .filter(({ before, after }) => before !== after);
}

function fuelOf(reports: readonly TestReport[]): Map<string, number> {
  return new Map(
    reports.flatMap(({ file, name, fuel, failure }) =>
      fuel === undefined || failure !== undefined ? [] : [[`${file}: ${name}`, fuel] as const],
    ),
  );
}
