import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHAIN, temporaryFolder } from '../helpers/cli.js';
import { Running } from './running.js';

/** Claims a leaf that an earlier transaction of block 114 has claimed. */
const TXID = 'c37c9b7e9e976d972ff31760e59e1a9e928e397b6a910e51b1357d09203118c3';

test('a service that follows a chain runs a mined transaction again, with the block from its source', async () => {
  const db = join(temporaryFolder(), 'db');
  const service = await Running.start('--fixture', CHAIN, '--db', db);
  await service.until('/status', ({ phase }) => phase === 'at-tip');
  const { result } = await service.call('warpshrew_trace', TXID, { steps: true });
  expect(result).toMatchObject({ txid: TXID, height: 114, status: 'REVERT', waits: { afterTotal: 1 } });
  const { run } = result as { run: { steps: { call: string; stop: string | null }[]; stepTotal: number } };
  expect(run.steps.length).toBe(run.stepTotal);
  expect(run.steps.at(-1)).toMatchObject({ call: 'abort', stop: 'abort' });
  for (const none of [[TXID], [TXID, null], [TXID, {}], [TXID, { steps: false }]]) {
    expect((await service.call('warpshrew_trace', ...none)).result).toMatchObject({ txid: TXID, run: null });
  }
  for (const [code, ...wrong] of [
    ['RPC_WRONG_COUNT'],
    ['RPC_WRONG_COUNT', TXID, {}, 1],
    ['RPC_BAD_TXID', 'ab'],
    ['RPC_WRONG_TYPE', TXID, true],
    ['RPC_WRONG_TYPE', TXID, { steps: 1 }],
    ['RPC_WRONG_TYPE', TXID, { step: true }],
    ['RECEIPT_NOT_FOUND', '00'.repeat(32), { steps: true }],
  ]) {
    expect((await service.call('warpshrew_trace', ...wrong)).error).toMatchObject({ data: { code } });
  }
  service.signal('SIGTERM');
  expect((await service.done()).status).toBe(0);
});
