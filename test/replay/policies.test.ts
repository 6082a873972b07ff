import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ReplaySummary } from '../../src/replay/summary.js';
import { CHAIN, cli, lastLine, temporaryFolder } from '../helpers/cli.js';

const stored = readFileSync(join(CHAIN, 'roots.txt'), 'utf8');

async function replayChain(
  policy: string,
): Promise<{ summary: ReplaySummary; roots: string; dump: string; receipts: string }> {
  const folder = temporaryFolder();
  const db = join(folder, 'db');
  const roots = join(folder, 'roots.txt');
  const receipts = join(folder, 'receipts.jsonl');
  const run = await cli('replay', CHAIN, '--db', db, '--policy', policy, '--roots', roots, '--json');
  expect(run.stderr).not.toContain('INTERNAL');
  expect(run.status).toBe(0);
  const dump = await cli('dump', '--db', db, '--receipts', receipts);
  expect(dump.status).toBe(0);
  return {
    summary: lastLine(run) as unknown as ReplaySummary,
    roots: readFileSync(roots, 'utf8'),
    dump: dump.stdout,
    receipts: withoutExecution(readFileSync(receipts, 'utf8')),
  };
}

/** Receipts without what may differ between policies. */
function withoutExecution(jsonLines: string): string {
  return jsonLines
    .trim()
    .split('\n')
    .map((line) => {
      const { colour, executor, repaired, predicted, mispredicted, reason, ...rest } = JSON.parse(line) as Record<
        string,
        unknown
      >;
      return JSON.stringify(rest);
    })
    .join('\n');
}

test('the bundled chain has the stored roots, and the same state and receipts, on one thread and many', async () => {
  const sequential = await replayChain('sequential');
  expect(sequential.roots).toBe(stored);
  expect(sequential.summary.lane.txs).toBeGreaterThanOrEqual(2000);
  const cpu = await replayChain('cpu');
  expect(cpu.roots).toBe(stored);
  expect(cpu.dump).toBe(sequential.dump);
  expect(cpu.receipts).toBe(sequential.receipts);
});
