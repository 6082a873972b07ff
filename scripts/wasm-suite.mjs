#!/usr/bin/env node
// `node scripts/deep-stack.mjs scripts/wasm-suite.mjs FOLDER [--kernel] [--only NAME,…] [--json]`: runs the scripts of
// a checkout of the official test suite (github.com/WebAssembly/testsuite) that lies beside the project. Every module
// that the lane's rules admit runs through instrumentation on V8, with --kernel through the kernel too (under
// scripts/software-gpu.mjs without a GPU). Needs `npm run build`.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import wabt from 'wabt';

const [folder, ...flags] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node scripts/deep-stack.mjs scripts/wasm-suite.mjs FOLDER [--kernel] [--only NAME,…] [--json]');
  process.exit(2);
}
const only = flags.includes('--only') ? flags[flags.indexOf('--only') + 1]?.split(',') : undefined;
const { runScript } = await import('../dist/testing/wasm-suite/suite.js');
const { openGpuExecutor } = await import('../dist/gpu/gpu-executor.js');
const { parseWat } = await wabt();

function toBinary(text) {
  const module = parseWat('module.wat', text, { bulk_memory: true, multi_value: true, reference_types: true });
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

const list = (counts) =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join('; ');
let failed = false;
for (const file of readdirSync(folder).sort()) {
  const name = file.replace(/\.wast$/, '');
  if (name === file || (only !== undefined && !only.includes(name))) continue;
  // An executor keeps the kernels of the programs that it has seen.
  const lane = flags.includes('--kernel') ? await openGpuExecutor({ patient: true }) : undefined;
  try {
    const counts = await runScript(readFileSync(join(folder, file), 'utf8'), { toBinary, lane });
    failed ||= counts.wrong > 0 || counts.thrown > 0;
    if (flags.includes('--json')) console.log(JSON.stringify({ name, ...counts }));
    else {
      const { run, ranInKernel, priced, wrong, thrown, refusedRightly, refused, punts, passedOver } = counts;
      console.log(
        `${name}: ${run} run, ${ranInKernel} in the kernel, ${priced} priced, ${wrong} wrong, ` +
          `${thrown} thrown, ${refusedRightly} invalid modules refused; ` +
          `refused by the rules: ${list(refused) || 'none'}; left to the CPU: ${list(punts) || 'none'};` +
          ` passed over: ${list(passedOver) || 'none'}`,
      );
      for (const text of [...counts.wrongs, ...counts.throws]) console.log(`  ${text}`);
    }
  } catch (error) {
    failed ||= !(error instanceof RangeError);
    console.log(`${name}: not read: ${error.message}`);
  } finally {
    await lane?.close();
  }
}
process.exitCode = failed ? 1 : 0;
