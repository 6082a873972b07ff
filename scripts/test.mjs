#!/usr/bin/env node
// `npm test` runs all tests with this; `npm test -- ARGS` runs vitest with ARGS. The tests of the folders below are
// short and change nothing that outlasts them in their process: they share two processes, and each module is loaded
// once, not once a file, which is more than a third of their time. Every other file gets a process of its own.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const TOGETHER = [
  'bitcoin',
  'chain',
  'fixtures',
  'follow',
  'lane',
  'plan',
  'program',
  'protocol',
  'rpc',
  'tidy',
  'util',
  'wasm',
].map((folder) => `test/${folder}/`);

const given = process.argv.slice(2);
const runs =
  given.length > 0
    ? [given]
    : [TOGETHER.flatMap((folder) => ['--exclude', `${folder}**`]), ['--no-isolate', ...TOGETHER]];
// Each runs, so that all that fails is seen at once.
const statuses = [];
for (const args of runs) statuses.push(await vitest(args));
process.exitCode = statuses.find((status) => status !== 0) ?? 0;

function vitest(args) {
  return new Promise((resolve, reject) => {
    const child = spawn('vitest', ['run', ...args], { stdio: 'inherit' });
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', forward).on('SIGTERM', forward);
    child.once('error', reject);
    child.once('exit', (status, signal) => {
      process.off('SIGINT', forward).off('SIGTERM', forward);
      // Whoever stops a run wants none after it.
      if (signal !== null || status > 128) process.exit(status ?? 128 + constants.signals[signal]);
      resolve(status);
    });
  });
}
