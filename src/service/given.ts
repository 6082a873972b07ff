/** Where a setting comes from: `default`, `--flag`, `VARIABLE` or `FILE: key`. */
export type Origin = string;

/** Something about a setting, or about what was given for one. */
export interface Remark {
  readonly origin: Origin;
  readonly reason: string;
}

/** A value of a setting as it was given, not yet read. */
export interface Given {
  readonly origin: Origin;
  readonly raw: unknown;
}

/** The name under which commander gives a flag: `--node-url` → `nodeUrl`. */
export function camelOf(flag: string): string {
  return flag.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
