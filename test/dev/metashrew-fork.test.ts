import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { DevService } from '../../src/dev/dev-service.js';
import { askRpc } from '../../src/rpc/ask-rpc.js';

const TIP = 849_250;
const HASH = `0x${'ab'.repeat(32)}`;
const ERROR = { code: -32000 };

/** A host that has the methods of Metashrew and no others; its one view gives its height and input. */
async function host(unknown: object = { ...ERROR, message: 'Generic error: Method not found' }) {
  const asked: unknown[][] = [];
  const server = createServer(async (request, response) => {
    const { id, method, params } = JSON.parse(Buffer.concat(await request.toArray()).toString()) as {
      id: number;
      method: string;
      params: unknown[];
    };
    if (method === 'metashrew_view') asked.push(params);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer(method, params) }));
  });
  const answer = (method: string, [first, input, height]: unknown[]): object => {
    if (method === 'metashrew_height') return { result: String(TIP) };
    if (method === 'metashrew_getblockhash') return { result: HASH };
    if (method !== 'metashrew_view') return { error: unknown };
    if (first === 'echo') return { result: `0x${Number(height).toString(16).padStart(8, '0')}${String(input)}` };
    const view = `View function error: View function failed: Failed to get view function '${String(first)}'`;
    return { error: { ...ERROR, message: view } };
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function forked(url: string, height: number | undefined): Promise<DevService> {
  const service = await DevService.start({
    ...{ host: '127.0.0.1', port: 0, nodePort: 0, explorer: false, fork: { url, height } },
  });
  onTestFinished(() => service.close());
  return service;
}

test('views of a Metashrew host are those of the fork, asked for once, and none is made up above it', async () => {
  const { url, asked } = await host();
  const { server } = await forked(url, TIP - 50);
  const ask = (method: string, ...params: unknown[]): Promise<unknown> => askRpc(server.url, method, params);
  expect(await ask('metashrew_height')).toBe(String(TIP - 40));
  for (const height of [TIP - 50, TIP - 60, TIP - 60]) {
    expect(await ask('metashrew_view', 'echo', '0xbeef', height)).toBe(`0x000${height.toString(16)}beef`);
  }
  expect(asked).toEqual([TIP - 50, TIP - 60].map((height) => ['echo', 'beef', height]));
  for (const height of [TIP - 49, 'latest']) {
    const above = { code: 'ENV_RPC_FAILED', facts: { serverCode: 'ENV_ABOVE_FORK' } };
    await expect(ask('metashrew_view', 'echo', '0x', height)).rejects.toMatchObject(above);
  }
  const unknown = { facts: { serverCode: 'VIEW_NOT_FOUND' } };
  await expect(ask('metashrew_view', 'nosuch', '0x', TIP - 50)).rejects.toMatchObject(unknown);
  expect(asked).toHaveLength(3);
  expect(await ask('warpshrew_simulate', { target: '2:1' })).toMatchObject({ status: 'REJECTED' });
  expect(await ask('warpshrew_listcontracts')).toMatchObject({ items: [] });
});

test('hosts of both wordings are known, the newest block is the default, a height above it is refused', async () => {
  const { url } = await host({ code: -32601, message: "Method 'warpshrew_getvalue' not found", data: null });
  expect((await forked(url, undefined)).index.views?.base.height).toBe(TIP);
  await expect(forked(url, TIP + 1)).rejects.toMatchObject({ code: 'ENV_RPC_FAILED' });
  const broken = await host({ ...ERROR, message: 'Storage error: disk' });
  await expect(forked(broken.url, TIP)).rejects.toMatchObject({ code: 'ENV_RPC_FAILED' });
});
