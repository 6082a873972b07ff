import { mkdirSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { compileScript } from '../harness/compile.js';

/**
 * `warpshrew compile FILE.ts`: one contract, with the allocator that the SDK needs. Throws what {@link compileScript}
 * does.
 */
export async function compileCommand(
  file: string,
  { out }: { readonly out?: string },
): Promise<{ text: string; exitStatus: number }> {
  const name = basename(file, '.ts');
  const target = resolve(out ?? `${name}.wasm`);
  mkdirSync(dirname(target), { recursive: true });
  await compileScript(process.cwd(), name, resolve(file), target);
  return { text: target, exitStatus: 0 };
}
