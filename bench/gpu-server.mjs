#!/usr/bin/env node
// Two indexers that share the GPU of one server, after `npm run build`: how much faster they are at once than one after
// the other. node bench/gpu-server.mjs [--workloads ledger,claim] [--transactions 5000] [--blocks 10] [--rounds 5]
// [--workers N] [--most-seconds 90] [--json FILE] [--gpu-server ADDRESS (one that runs; otherwise one is started)].
// Every round runs so many blocks of the first indexer alone, of the second alone, and of both at once; the ratio is
// the sum of the first two over the third. Exit status 1 if a state root is not that of the sequential executor, or if
// the kernel was not measured: it has failed, or ran none of an indexer's calls. On a machine without a GPU:
// npm run software-gpu -- node bench/gpu-server.mjs --workloads claim,mint --transactions 200 --blocks 2 --rounds 3
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { deepStackCommand } from '../scripts/deep-stack.mjs';

const { benchRun } = await import('../dist/selftest/bench/machine.js');
const { spreadOf } = await import('../dist/selftest/bench/spread.js');

const CHILD = fileURLToPath(new URL('gpu-server-child.mjs', import.meta.url));
const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const { values: options } = parseArgs({
  options: {
    workloads: { type: 'string', default: 'ledger,claim' },
    transactions: { type: 'string', default: '5000' },
    blocks: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '5' },
    workers: { type: 'string' },
    'most-seconds': { type: 'string', default: '90' },
    'gpu-server': { type: 'string' },
    json: { type: 'string' },
  },
});
const names = options.workloads.split(',');
const blocks = Number(options.blocks);
const threads = options.workers ?? String(Math.max(1, Math.floor(availableParallelism() / 2) - 1));
const folder = mkdtempSync(join(tmpdir(), 'warpshrew-bench-'));
const children = [];

function start(command, args, stdio) {
  const child = spawn(command, args, { stdio });
  children.push(child);
  return child;
}

async function startServer() {
  const address = `unix:${join(folder, 'gpu')}`;
  const server = start(process.execPath, [CLI, 'gpu-server', '--listen', address], ['ignore', 'pipe', 'inherit']);
  for (let said = ''; !said.includes('GPU server on'); ) {
    const [text] = await Promise.race([once(server.stdout, 'data'), once(server, 'exit').then(() => [undefined])]);
    if (text === undefined) throw new Error('there is no GPU server: see above');
    said += text;
  }
  return address;
}

/** Resolves with what a child says next; rejects if it ends. */
function answerOf(child) {
  return new Promise((resolve, reject) => {
    const onExit = (status) => reject(new Error(`an indexer has ended with status ${status}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}

async function run(indexers) {
  const started = performance.now();
  for (const indexer of indexers) indexer.child.send({ blocks });
  const ended = await Promise.all(indexers.map(({ child }) => answerOf(child)));
  ended.forEach(({ differences, gpuFailures, inKernel }, i) => {
    indexers[i].differences += differences;
    indexers[i].gpuFailures = gpuFailures;
    indexers[i].inKernel = inKernel;
  });
  return performance.now() - started;
}

try {
  if (names.length !== 2) throw new Error('--workloads takes two names');
  const address = options['gpu-server'] ?? (await startServer());
  const indexers = [];
  for (const [i, name] of names.entries()) {
    const args = [CHILD, join(folder, `db${i}`), address, name, options.transactions, threads];
    const child = start(...deepStackCommand(args), ['ignore', 'inherit', 'inherit', 'ipc']);
    const { adapter, sequentialMs } = await answerOf(child);
    indexers.push({ name, child, adapter, sequentialMs, differences: 0, gpuFailures: 0, inKernel: 0 });
    process.stderr.write(
      `${name}: its kernels are compiled, one block at a time takes ${sequentialMs.toFixed(0)} ms\n`,
    );
  }
  const [first, second] = indexers;
  // Each has compiled its own code, and the device its clock up.
  await run(indexers);
  const rounds = [];
  const begun = performance.now();
  for (let round = 0; round < Number(options.rounds); round++) {
    // What the machine does otherwise hits all three alike.
    const alone = [await run([first]), await run([second])];
    const together = await run(indexers);
    rounds.push({ alone, together, ratio: (alone[0] + alone[1]) / together });
    process.stderr.write(
      `round ${round}: ${alone.map((ms) => ms.toFixed(0)).join(' + ')} ms, at once ${together.toFixed(0)} ms\n`,
    );
    if (performance.now() - begun > 1_000 * Number(options['most-seconds'])) break;
  }
  const differences = first.differences + second.differences;
  const adapter = {
    vendor: 'GPU server',
    description: first.adapter,
    software: /swiftshader|llvmpipe/i.test(first.adapter),
  };
  const report = {
    format: 'warpshrew-gpu-server-1',
    ...benchRun({ adapter }),
    transactions: Number(options.transactions),
    blocks,
    workers: Number(threads),
    indexers: indexers.map(({ child, ...figures }) => figures),
    ratio: spreadOf(rounds.map(({ ratio }) => ratio)),
    rounds,
    differences,
  };
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report)}\n`);
  const { median, least, most } = report.ratio;
  const numbers = (key) => indexers.map((indexer) => `${indexer.name} ${indexer[key]}`).join(', ');
  console.log(first.adapter);
  console.log(
    `${blocks} blocks of ${options.transactions} transactions each, ${threads} workers each, ${rounds.length} rounds`,
  );
  console.log(`alone one after the other / at once: ${median} (${least} to ${most})`);
  console.log(`calls of the last run in the kernel: ${numbers('inKernel')}; its failures: ${numbers('gpuFailures')}`);
  console.log(`state roots other than the sequential executor's: ${differences}`);
  const isKernel = indexers.every(({ inKernel, gpuFailures }) => inKernel > 0 && gpuFailures === 0);
  process.exitCode = differences > 0 || !isKernel ? 1 : 0;
} finally {
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
  rmSync(folder, { recursive: true, force: true });
}
