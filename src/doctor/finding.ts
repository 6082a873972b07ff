/** What `warpshrew doctor` says of one thing that it has looked at. */

export const AREAS = ['program', 'gpu', 'database', 'node'] as const;
export type Area = (typeof AREAS)[number];

/** `skipped`: the settings do not ask for it, or what it needs was not there. */
export type Verdict = 'ok' | 'warning' | 'failure' | 'skipped';

export interface Finding {
  readonly area: Area;
  /** What was looked at, in a few words. */
  readonly what: string;
  readonly verdict: Verdict;
  /** What was found. */
  readonly found: string;
  /** What to do about it; for warnings and failures. */
  readonly todo?: string;
}

/** Makes the findings of one area. */
export class Findings {
  readonly list: Finding[] = [];

  constructor(readonly area: Area) {}

  ok(what: string, found: string): void {
    this.list.push({ area: this.area, what, verdict: 'ok', found });
  }

  skipped(what: string, found: string): void {
    this.list.push({ area: this.area, what, verdict: 'skipped', found });
  }

  warning(what: string, found: string, todo: string): void {
    this.list.push({ area: this.area, what, verdict: 'warning', found, todo });
  }

  failure(what: string, found: string, todo: string): void {
    this.list.push({ area: this.area, what, verdict: 'failure', found, todo });
  }
}
