import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { lowerThread } from '../../src/util/niceness.js';
import { shipped } from '../../src/util/shipped.js';
import { CHAIN, temporaryFolder } from '../helpers/cli.js';
import { Running } from './running.js';

/** Niceness of the threads of a process by their ids: field 19 of stat, proc(5). */
function nicenessOf(process: number | 'self'): Map<number, number> {
  const folder = `/proc/${process}/task`;
  return new Map(
    readdirSync(folder).map((thread) => {
      const stat = readFileSync(join(folder, thread, 'stat'), 'utf8');
      return [Number(thread), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])];
    }),
  );
}

/** Says its thread's id; lowers it, then does the same in a thread that it starts. */
const LOWERING = `
  const { parentPort, Worker, workerData } = require('node:worker_threads');
  const { readlinkSync } = require('node:fs');
  const tell = (text) => parentPort.postMessage(text);
  import(workerData).then(({ lowerThread }) => {
    tell(JSON.stringify([readlinkSync('/proc/thread-self'), lowerThread(3)]));
    const inner = "const { parentPort } = require('node:worker_threads');" +
      "parentPort.postMessage(require('node:fs').readlinkSync('/proc/thread-self')); setInterval(() => {}, 1000);";
    new Worker(inner, { eval: true }).on('message', (link) => tell(JSON.stringify([link])));
  });
`;

describe.runIf(process.platform === 'linux')('priorities of threads', () => {
  const usual = getPriority(0);
  const lowered = (by: number): number => Math.min(19, usual + by);

  test('a thread lowers itself and what it starts, and no other thread', async () => {
    const worker = new Worker(LOWERING, { eval: true, workerData: shipped('util/niceness.js').href });
    try {
      const [outer, result] = JSON.parse(String((await once(worker, 'message'))[0]));
      const [inner] = JSON.parse(String((await once(worker, 'message'))[0]));
      expect(result).toEqual({ niceness: lowered(3) });
      const found = nicenessOf('self');
      const idOf = (link: string): number => Number(link.split('/').pop());
      expect([found.get(idOf(outer)), found.get(idOf(inner))]).toEqual([lowered(3), lowered(3)]);
      expect(found.get(idOf(readlinkSync('/proc/thread-self')))).toBe(usual);
    } finally {
      await worker.terminate();
    }
  });

  test('the service indexes at a lower priority than it answers', async () => {
    const db = join(temporaryFolder(), 'a.db');
    const service = await Running.start('--fixture', CHAIN, '--db', db, '--index-niceness', '10');
    // Then every thread has been started.
    await service.until('/health', (body) => Number(body.height) >= 1);
    const found = nicenessOf(service.pid);
    expect(found.get(service.pid)).toBe(usual);
    const threads = [...found.values()];
    expect(new Set(threads)).toEqual(new Set([usual, lowered(10)]));
    // The server's and those of the views; the engine's, the module's and the lane's.
    expect(threads.filter((niceness) => niceness === usual).length).toBeGreaterThanOrEqual(3);
    expect(threads.filter((niceness) => niceness === lowered(10)).length).toBeGreaterThanOrEqual(3);
    expect((await service.get('/status')).body.threads).toEqual({
      indexing: { niceness: lowered(10) },
      views: { threads: 2, running: 0, waiting: 0, refused: 0, interrupted: 0 },
      laneViews: { threads: 2, running: 0, waiting: 0, refused: 0, interrupted: 0 },
    });
  });

  test('with --index-niceness 0 all threads have one priority', async () => {
    const db = join(temporaryFolder(), 'a.db');
    const service = await Running.start('--fixture', CHAIN, '--db', db, '--index-niceness', '0');
    await service.until('/health', (body) => Number(body.height) >= 1);
    expect(new Set(nicenessOf(service.pid).values())).toEqual(new Set([usual]));
  });
});

test('where threads have no priority of their own, nothing is done and the reason is given', () => {
  expect(lowerThread(5, 'darwin')).toEqual({ unchanged: 'darwin has no priority per thread' });
});
