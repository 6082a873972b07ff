import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli, temporaryFolder } from '../helpers/cli.js';
import { Running, storedRoots } from './running.js';
import { SLOW_HEIGHT, writeSlowChain } from './slow-chain.js';

/** Several milliseconds each: together far more than what is asked of the service meanwhile, on a busy machine too. */
const CALLS = 6_000;

test('a slow block shows on all pages and in the log; a signal drops it whole while its thread is busy', async () => {
  const folder = temporaryFolder();
  const [chain, db] = [join(folder, 'chain'), join(folder, 'a.db')];
  const txids = writeSlowChain(chain, CALLS);
  const service = await Running.start(
    ...['--fixture', chain, '--db', db, '--policy', 'sequential', '--slow-block', '200', '--stop-timeout', '300'],
  );
  await service.until('/ready', (body, status) => {
    return status === 503 && JSON.stringify(body.reasons).includes(`BLOCK_SLOW: block ${SLOW_HEIGHT} takes`);
  });
  expect((await service.get('/health')).body).toMatchObject({ status: 'degraded', codes: ['BLOCK_SLOW'] });
  const shown = (await service.get('/status')).body.block as Record<string, unknown>;
  expect(shown).toMatchObject({ height: SLOW_HEIGHT, seconds: expect.any(Number) });
  // On a busy machine others are slow, too.
  const line = await service.lineThat(({ msg, height }) => msg === 'a block takes long' && height === SLOW_HEIGHT);
  expect(line).toMatchObject({ level: 'warn', code: 'BLOCK_SLOW' });
  // Position 0 is the coinbase.
  for (const of of [shown, line]) expect(of.txid).toBe(txids[Number(of.index) - 1]);
  const seconds = /^warpshrew_block_seconds (\S+)$/m.exec(await service.text('/metrics'))?.[1];
  expect(Number(seconds)).toBeGreaterThan(0.2);
  service.signal('SIGTERM');
  expect((await service.done()).status).toBe(0);
  const dropped = await service.line('the block under way was dropped: it did not finish in time');
  expect(dropped.height).toBe(SLOW_HEIGHT);
  expect(txids).toContain(dropped.txid);
  expect(await storedRoots(db)).toHaveLength(SLOW_HEIGHT);
  // Nothing is half there, and the next run goes on.
  const check = await cli('db', 'check', '--db', db);
  expect(check.status, check.stdout).toBe(0);
});
