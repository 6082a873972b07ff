import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../bench/call-trees.mjs', import.meta.url));

it('bench/call-trees.mjs runs hostile trees of calls with one result on one thread and on workers', () => {
  const args = [SCRIPT, '--messages', '60', '--workers', '1', '--first', '1', '--lenient', '--json'];
  const { messages, statuses, failed, cpu, rows } = JSON.parse(
    execFileSync(process.execPath, args, { encoding: 'utf8' }),
  );
  expect({ messages, failed, cpu }).toEqual({ messages: 60, failed: undefined, cpu: { differences: 0 } });
  // Some succeed, and some end at a limit.
  expect(statuses.OK).toBeGreaterThan(0);
  expect(Object.keys(statuses).length).toBeGreaterThan(1);
  expect(rows.length).toBeGreaterThan(10);
}, 120_000);
