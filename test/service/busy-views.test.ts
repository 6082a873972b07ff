import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHAIN, temporaryFolder } from '../helpers/cli.js';
import { i32, loop, OP, op } from '../helpers/wasm-builder.js';
import { ascii, GuestBuilder, number } from '../standard/guest-builder.js';
import { moduleFile, Running } from './running.js';

test('with every view thread busy, a view is refused over JSON-RPC and counted; all else is answered', async () => {
  const folder = temporaryFolder();
  const guest = new GuestBuilder();
  const ok = guest.buffer(ascii('ok'));
  guest
    .start(guest.flush('k', 'v'))
    .view('spin', [loop(), op(OP.br, 0), op(OP.end), i32(0)])
    .view('ok', number(ok));
  const args = ['--fixture', CHAIN, '--db', join(folder, 'a.db'), '--indexer', moduleFile(folder, guest.bytes())];
  const service = await Running.start(...args, '--view-workers', '1', '--view-queue', '0', '--view-timeout', '3600000');
  expect((await service.call('metashrew_view', 'ok', '0x')).result).toBe('0x6f6b');
  // Until the end of the test, which ends the service.
  service.call('metashrew_view', 'spin', '0x').catch(() => undefined);
  await service.until('/status', ({ threads }) => JSON.stringify(threads).includes('"running":1'));
  expect((await service.call('metashrew_view', 'ok', '0x')).error).toMatchObject({
    code: -32000,
    data: { code: 'VIEW_BUSY', waiting: '0' },
  });
  expect(await service.text('/metrics')).toContain('\nwarpshrew_views_refused_total 1\n');
  expect((await service.call('metashrew_height')).error).toBeUndefined();
});
