/** A thread of the pool benchmark: makes its calls, reports it, and runs them all on each request. */
import { parentPort, workerData } from 'node:worker_threads';
import { prepareProgram } from '../../program/prepare.js';
import { ProgramRunner } from '../../program/runner.js';
import { builtPrograms } from '../../util/built-wasm.js';
import { runOnV8 } from './calls-on-v8.js';
import type { PoolTask } from './pool.js';
import { SAMPLES } from './sample-calls.js';

const { program, count } = workerData as PoolTask;
const runner = new ProgramRunner();
const calls = SAMPLES[program].calls(prepareProgram(builtPrograms()[program]), count);
const runAll = (): void => {
  for (const call of calls) runOnV8(runner, call);
};
runAll();
parentPort?.on('message', () => {
  runAll();
  parentPort?.postMessage('done');
});
parentPort?.postMessage('ready');
