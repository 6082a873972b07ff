/** A report of `bench load`, `blocks`, `contention` or `threshold`, as its command has written it. */
export type Report = { readonly format: string };

export function performancePage(reports: Iterable<readonly [file: string, report: unknown]>): string;
export function reportFile(report: Report): string;
export function slimmed(report: Report): Report;
