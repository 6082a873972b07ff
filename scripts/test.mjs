#!/usr/bin/env node
// `npm test` runs all tests with this; `npm test -- ARGS` runs vitest with ARGS. The tests of some folders share three
// processes (scripts/together.mjs says why). Every other file gets a process of its own.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { TOGETHER } from './together.mjs';

const given = process.argv.slice(2);
const runs =
  given.length > 0
    ? [given]
    : [TOGETHER.flatMap((folder) => ['--exclude', `${folder}**`]), ['--no-isolate', ...TOGETHER]];
// Both run, so that all that fails is seen at once; but whoever stops one wants none after it.
const statuses = [];
let stopped = false;
for (const args of runs) if (!stopped) statuses.push(await vitest(args));
process.exitCode = statuses.find((status) => status !== 0) ?? 0;

function vitest(args) {
  return new Promise((resolve, reject) => {
    const child = spawn('vitest', ['run', ...args], { stdio: 'inherit' });
    const stop = (signal) => {
      stopped = true;
      child.kill(signal);
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
    child.once('error', reject);
    child.once('exit', (status, signal) => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      resolve(status ?? 128 + constants.signals[signal]);
    });
  });
}
