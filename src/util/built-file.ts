/** Address of a file under dist/, also for sources that a test runner loads without building them. */
export function builtFile(path: string): URL {
  return new URL(import.meta.url.endsWith('.ts') ? `../../dist/${path}` : `../${path}`, import.meta.url);
}
