import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHAIN, temporaryFolder } from '../helpers/cli.js';
import { ROOTS, Running } from './running.js';

const TIP = ROOTS.length - 1;
const PROBE = '2:4';

test('a service that indexes answers simulations, counts them, and ends although many are under way', async () => {
  const db = join(temporaryFolder(), 'a.db');
  const service = await Running.start('--fixture', CHAIN, '--db', db, '--view-workers', '1', '--view-queue', '2');
  const simulate = (request: object) => service.call('warpshrew_simulate', request);
  await service.until('/health', ({ height }) => height === TIP);
  expect((await simulate({ target: '2:1', inputs: [99] })).result).toMatchObject({
    ...{ height: TIP, status: 'OK', messages: [{ data: '636c61696d' }] },
  });
  expect((await service.call('warpshrew_getmeta', '2:1')).error).toMatchObject({ data: { code: 'META_MISSING' } });
  expect((await service.get('/status')).body.threads).toMatchObject({
    laneViews: { threads: 1, running: 0, waiting: 0, refused: 0, interrupted: 0 },
  });
  const metrics = await service.text('/metrics');
  expect(metrics).toContain('\nwarpshrew_lane_views_running 0\n');
  expect(metrics).toContain('\nwarpshrew_rpc_requests_total{method="warpshrew_simulate",outcome="ok"} 1\n');

  const busy = Array.from({ length: 50 }, () =>
    simulate({ target: PROBE, inputs: [3], height: TIP }).then(
      ({ result, error }) => (error === undefined ? result : error),
      () => 'gone',
    ),
  );
  await service.until('/status', ({ threads }) => !JSON.stringify(threads).includes('"refused":0,"interrupted":0}}'));
  service.signal('SIGTERM');
  expect((await service.done()).status).toBe(0);
  for (const end of await Promise.all(busy)) {
    expect(
      end === 'gone' || JSON.stringify(end).match(/"OUT_OF_FUEL"|"VIEW_BUSY"|"INTERNAL"|"RPC_/) !== null,
      JSON.stringify(end),
    ).toBe(true);
  }
});
