// What the worst modules inside the limits of docs/lane-rules.md, section 3, take a compiler: V8's baseline compiler
// (Liftoff) and its optimising one (TurboFan), each in a process of its own that compiles every function at once. One
// line each: processor time, greatest memory of the process, how it ended. Exit status 1 if a compiler refuses a
// module, ends its process or takes more than 60 s of wall time.
//   npm run build && node bench/attacks/compile.mjs [PART-OF-A-NAME]   (WARPSHREW_NODE names another node binary)
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProgram } from '../../dist/program/prepare.js';
import { COMPILED } from './modules.mjs';

const node = process.env.WARPSHREW_NODE ?? process.execPath;
const eager = ['--no-wasm-lazy-compilation', '--no-wasm-tier-up', '--no-wasm-dynamic-tiering'];
const COMPILERS = { Liftoff: ['--liftoff', ...eager], TurboFan: ['--no-liftoff', ...eager] };
const script = `
  const wasm = require('node:fs').readFileSync(process.argv[1]);
  const before = process.cpuUsage();
  new WebAssembly.Module(wasm);
  const { user, system } = process.cpuUsage(before);
  const { maxRSS } = process.resourceUsage();
  console.log(((user + system) / 1e6).toFixed(2) + ' s ' + Math.round(maxRSS / 1024) + ' MiB');
`;

const folder = mkdtempSync(join(tmpdir(), 'warpshrew-compile-'));
let failed = false;
for (const [name, make] of Object.entries(COMPILED)) {
  if (process.argv[2] !== undefined && !name.includes(process.argv[2])) continue;
  const { instrumented, source } = buildProgram(Uint8Array.from(make()));
  const file = join(folder, 'module.wasm');
  writeFileSync(file, instrumented);
  const figures = Object.entries(COMPILERS).map(([compiler, flags]) => {
    const run = spawnSync(node, [...flags, '-e', script, file], { encoding: 'utf8', timeout: 60_000 });
    failed ||= run.status !== 0;
    const end =
      run.status === 0 ? run.stdout.trim() : `ended with ${run.signal ?? run.status} ${run.stderr.slice(0, 200)}`;
    return `${compiler} ${end}`;
  });
  console.log(`${name.padEnd(42)} ${source.length} B  ${figures.join('  ')}`);
}
rmSync(folder, { recursive: true, force: true });
process.exitCode = failed ? 1 : 0;
