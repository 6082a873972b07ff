#!/usr/bin/env node
// `node scripts/compare-indexer.mjs [--indexer FILE] [--contracts FOLDER] [--only TEXT] [--trees N] [--json FILE]
// [--log]`: the same messages over the same regtest blocks, once addressed 8:8 in the lane and once plainly through an
// Alkanes indexer build (a Metashrew module for regtest). Storage, balances, codes, sheets, data and statuses must
// agree but where a rule of docs/lane-rules.md says otherwise. Without --indexer the lane plays alone. Needs a build.
import { fileURLToPath } from 'node:url';
import { runWithDeepStack } from './deep-stack.mjs';

const main = fileURLToPath(new URL('../dist/testing/indexer/compare-main.js', import.meta.url));
process.exitCode = await runWithDeepStack([main, ...process.argv.slice(2)]);
