#!/usr/bin/env node
// What `npm test` does before its tests: builds what is out of date and lints, at the same time. The build leaves types
// unchecked, because lint looks at those of the sources, of the explorer and of the tests. Both run to their ends, so
// that all that is wrong is seen at once; exits with the status of what failed.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const statuses = await Promise.all([npmRun('build', '--', '--unchecked'), npmRun('lint')]);
process.exitCode = statuses.find((status) => status !== 0) ?? 0;

function npmRun(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', ['run', '--silent', ...args], { stdio: 'inherit' });
    const stop = (signal) => child.kill(signal);
    process.on('SIGINT', stop).on('SIGTERM', stop);
    child.once('error', reject);
    child.once('exit', (status, signal) => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      resolve(status ?? 128 + constants.signals[signal]);
    });
  });
}
