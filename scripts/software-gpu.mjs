#!/usr/bin/env node
// `node scripts/software-gpu.mjs CMD ARGS`: runs CMD with the bundled software GPU driver (SwiftShader), as
// `warpshrew software-gpu` does, and finds the commands of the installed packages. Needs `npm run build`.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = new URL('../dist/gpu/device/software-driver.js', import.meta.url);
const bin = fileURLToPath(new URL('../node_modules/.bin', import.meta.url));
const command = process.argv.slice(2);
if (command.length === 0) {
  console.error('usage: npm run software-gpu -- COMMAND [ARGUMENTS]');
  process.exitCode = 2;
} else if (!existsSync(built)) {
  console.error('software-gpu: build first: npm run build');
  process.exitCode = 2;
} else {
  const { runUnderSoftwareDriver } = await import(built.href);
  try {
    process.exitCode = await runUnderSoftwareDriver(command, [bin]);
  } catch (error) {
    console.error(error.explain?.() ?? error);
    process.exitCode = 5;
  }
}
