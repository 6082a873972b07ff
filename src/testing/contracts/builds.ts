/** Contract builds of a folder: what other people's compilers made, or the project's own. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Larger files are no contracts: the rules admit modules of at most 2 MiB. */
const MOST_BYTES = 16 << 20;
const MOST_BUILDS = 10_000;

export interface Build {
  /** File name without its ending. */
  readonly name: string;
  readonly wasm: Uint8Array;
  /** SHA-256, hex. */
  readonly hash: string;
}

/**
 * The `*.wasm` and `*.wasm.gz` files of `folder` and the folders in it, by name; of files with the same module the
 * first. Throws RangeError if there are more than 10,000.
 */
export function readBuilds(folder: string): Build[] {
  const builds = new Map<string, Build>();
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.wasm(\.gz)?$/.test(path))
    .sort();
  if (paths.length > MOST_BUILDS) throw new RangeError(`${folder} has more than ${MOST_BUILDS} builds`);
  for (const path of paths) {
    const file = join(folder, path);
    if (!statSync(file).isFile() || statSync(file).size > MOST_BYTES) continue;
    const bytes = readFileSync(file);
    const wasm = new Uint8Array(path.endsWith('.gz') ? gunzipSync(bytes, { maxOutputLength: MOST_BYTES }) : bytes);
    const hash = createHash('sha256').update(wasm).digest('hex');
    const name = (path.split(/[/\\]/).pop() ?? path).replace(/\.wasm(\.gz)?$/, '');
    if (!builds.has(hash)) builds.set(hash, { name, wasm, hash });
  }
  return [...builds.values()];
}

/** Imports and exports that an Alkanes contract has; the rest of what lies in public folders is something else. */
export function looksLikeContract(wasm: Uint8Array): boolean {
  try {
    const module = new WebAssembly.Module(Uint8Array.from(wasm));
    const exports = WebAssembly.Module.exports(module).map(({ name }) => name);
    const imports = WebAssembly.Module.imports(module);
    return (
      exports.includes('memory') &&
      (exports.includes('__execute') || exports.includes('__meta')) &&
      !exports.includes('_start') &&
      imports.every(({ module: from, kind }) => from === 'env' && kind === 'function')
    );
  } catch {
    return false;
  }
}
