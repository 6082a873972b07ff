import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHAIN, temporaryFolder } from '../helpers/cli.js';
import { end, i32, loop, OP, op } from '../helpers/wasm-builder.js';
import { ascii, GuestBuilder, number, unreachable } from '../standard/guest-builder.js';
import { moduleFile, ROOTS, Running } from './running.js';

/** Logs in every block and in its view `talk`; view `hungry` takes all memory that it gets. */
function guest(): Uint8Array {
  const builder = new GuestBuilder();
  const [line, talk] = [builder.buffer(ascii('of a block')), builder.buffer(ascii('of \u001b[31ma view'))];
  const log = new Array(40).fill(builder.host('__log', line)).flat();
  return builder
    .start(log, builder.flush('k', 'v'))
    .view('talk', builder.host('__log', talk), number(talk))
    .view(
      'hungry',
      [loop(), i32(1), op(OP.memoryGrow), i32(-1), op(OP.i32Ne), op(OP.brIf, 0), end],
      unreachable,
      number(0),
    )
    .bytes();
}

/** The status of `GET /health` asked with a name for the host. */
async function statusFor(url: string, host: string): Promise<string> {
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(`GET /health HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString().split(' ', 2)[1];
}

test('a module logs within bounds; hungry views and foreign hosts are refused by code and counted', async () => {
  const folder = temporaryFolder();
  const args = ['--fixture', CHAIN, '--db', join(folder, 'a.db'), '--indexer', moduleFile(folder, guest())];
  const service = await Running.start(
    ...args,
    ...['--module-log-lines', '3', '--view-memory', '8', '--allow-host', 'index.example'],
  );
  await service.until('/status', ({ phase }) => phase === 'at-tip');
  const ofBlocks = service.lines.filter(({ msg, text }) => msg === 'module' && text === 'of a block');
  expect(ofBlocks.length).toBeGreaterThanOrEqual(3);
  expect(ofBlocks[0]).toMatchObject({ level: 'info', height: 0 });
  // The rest is counted.
  const all = 40 * ROOTS.length;
  const leftOut = /^warpshrew_module_log_left_out_total (\d+)$/m;
  let count = 0;
  while (count + ofBlocks.length < all) {
    count = Number(leftOut.exec(await service.text('/metrics'))?.[1]);
    ofBlocks.splice(0, ofBlocks.length, ...service.lines.filter(({ text }) => text === 'of a block'));
  }
  expect(count + ofBlocks.length).toBe(all);

  expect((await service.call('metashrew_view', 'talk', '0x')).result).toMatch(/^0x/);
  expect(await service.lineThat(({ view }) => view === 'talk')).toMatchObject({
    height: ROOTS.length - 1,
    text: 'of \u001b[31ma view',
  });
  expect((await service.call('metashrew_view', 'hungry', '0x')).error).toMatchObject({
    message: "View function error: View function failed: Failed to execute view function 'hungry'",
    data: { code: 'VIEW_MEMORY', limit: String(8 << 20) },
  });

  expect(await statusFor(service.url, 'index.example')).toBe('200');
  for (let i = 0; i < 2; i++) expect(await statusFor(service.url, 'evil.example')).toBe('403');
  expect(await service.text('/metrics')).toContain('\nwarpshrew_rpc_refused_total{code="RPC_HOST_REFUSED"} 2\n');
  expect(service.lines.filter(({ code }) => code === 'RPC_HOST_REFUSED')).toMatchObject([{ host: 'evil.example' }]);
  service.signal('SIGTERM');
  expect((await service.done()).status).toBe(0);
});
