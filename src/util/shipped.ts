/**
 * Address of what the program reads or starts at run time: worker scripts, WASM, kernel texts, the bundled chain. All
 * of it lies under dist/, so that a clone, the npm package and the container image find it in one way. Sources that a
 * test runner loads without building them find it there as well.
 *
 * @param path relative to dist/, e.g. `kernels/main.wgsl`
 */
export function shipped(path: string): URL {
  return new URL(import.meta.url.endsWith('.ts') ? `../../dist/${path}` : `../${path}`, import.meta.url);
}
