#!/usr/bin/env node
// `node scripts/check-contracts.mjs FOLDER [--json FILE] [--only TEXT]`: which contract builds of a folder the lane
// admits, why not, what preparing and compiling them takes, whether the kernel's translator takes them, and how one
// call of each opcode ends that their `__meta` names. Ends with status 1 if anything ends in an error of the project's
// own. Needs `npm run build`.
import { fileURLToPath } from 'node:url';
import { runWithDeepStack } from './deep-stack.mjs';

const main = fileURLToPath(new URL('../dist/testing/contracts/check-main.js', import.meta.url));
process.exitCode = await runWithDeepStack([main, ...process.argv.slice(2)]);
