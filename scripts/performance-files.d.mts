export const RESULTS: string;
export function readReports(folder?: string): [file: string, report: unknown][];
export function addReport(path: string, folder?: string): string;
