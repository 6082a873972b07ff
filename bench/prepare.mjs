// How fast a thread prepares programs: read, validate, instrument and encode, for modules that people write and for the
// ones inside the limits that take longest. One line each: bytes, megabytes a second of processor time, bytes of the
// instrumented module.
//   npm run build && node bench/prepare.mjs [ROUNDS]   (the target is 10 MB/s a core)
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildProgram } from '../dist/program/prepare.js';
import { MODULES } from './attacks/modules.mjs';

const rounds = Number(process.argv[2] ?? 5);
const folder = join(import.meta.dirname, '../dist/wasm/programs');
const modules = { ...MODULES };
for (const name of readdirSync(folder).filter((file) => file.endsWith('.wasm'))) {
  modules[name] = () => readFileSync(join(folder, name));
}

for (const [name, make] of Object.entries(modules)) {
  const wasm = Uint8Array.from(make());
  // Small modules many times a round, so that a round takes long enough to be measured.
  const times = Math.max(1, Math.ceil(1_000_000 / wasm.length));
  let best = Number.POSITIVE_INFINITY;
  let program;
  for (let round = 0; round < rounds; round++) {
    const start = process.cpuUsage();
    for (let i = 0; i < times; i++) program = buildProgram(wasm);
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1e3 / times);
  }
  const speed = (wasm.length / 1e3 / best).toFixed(1);
  console.log(`${name.padEnd(34)} ${wasm.length} B ${speed} MB/s ${program.instrumented.length} B instrumented`);
}
