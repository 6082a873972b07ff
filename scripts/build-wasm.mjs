// Compiles wasm/ to dist/wasm/. With an argument, the output goes to that folder instead of dist/wasm.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileWasm, WASM_TARGETS } from './build/wasm-targets.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = process.argv[2] ?? join(root, 'dist/wasm');

for (const target of WASM_TARGETS) {
  const complaint = await compileWasm(root, target, join(out, target.target));
  if (complaint === undefined) continue;
  process.stderr.write(`build-wasm: ${complaint}\n`);
  process.exit(1);
}
