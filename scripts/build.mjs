// Builds everything a user runs: the AssemblyScript programs, the TypeScript sources and the kernel texts beside them.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
function step(script, ...args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
rmSync(`${root}/dist`, { recursive: true, force: true });
step('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json');
if (existsSync(`${root}/kernels`)) cpSync(`${root}/kernels`, `${root}/dist/kernels`, { recursive: true });
step('scripts/build-wasm.mjs');
