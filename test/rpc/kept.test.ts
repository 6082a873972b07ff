import { afterAll, beforeAll, expect, it } from 'vitest';
import { openLaneViews } from '../../src/cli/served.js';
import { startRpcServer } from '../../src/rpc/server.js';
import { Store } from '../../src/store/store.js';
import { u32Bytes } from '../../src/util/bytes.js';
import { block, OPTIONS, temporaryFolder } from '../store/helpers.js';

let store: Store;
let lane: ReturnType<typeof openLaneViews>;
let server: Awaited<ReturnType<typeof startRpcServer>>;
/** What happens while a view runs. */
let meanwhile: () => void = () => undefined;

/** A store that keeps the state of its tip and of the block below, 7 and 6. */
beforeAll(async () => {
  store = await Store.open(temporaryFolder(), { ...OPTIONS, keepUndo: 1, history: 1 });
  for (let height = 0; height < 8; height++) store.commitBlock(block(height, { a: `${height}` }));
  const view = async (_name: string, _input: Uint8Array, height: number): Promise<Uint8Array> => {
    meanwhile();
    return u32Bytes(height);
  };
  lane = openLaneViews(store);
  server = await startRpcServer({
    host: '127.0.0.1',
    port: 0,
    backend: { store, view, laneView: (kind, request, client) => lane.run(kind, request, client) },
  });
});
afterAll(async () => {
  await server.close();
  await lane.close();
  await store.close();
});

async function call(method: string, params: unknown[]): Promise<unknown> {
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  return response.json();
}

const pruned = (height: number, lowest: number) =>
  expect.objectContaining({
    error: expect.objectContaining({
      code: -32000,
      data: expect.objectContaining({ code: 'STORE_HISTORY_PRUNED', height: `${height}`, lowest: `${lowest}` }),
    }),
  });

it.each([
  ['metashrew_view', ['echo', '0x'], '0x06000000'],
  ['warpshrew_getstorage', ['2:1', '0x'], null],
  ['warpshrew_getsheet', [`${'00'.repeat(32)}:0`], {}],
])(
  '%s answers at the heights whose state is kept, and names the lowest of them below',
  async (method, params, result) => {
    expect(await call(method, [...params, 6])).toMatchObject({ result });
    expect(await call(method, [...params, 5])).toEqual(pruned(5, 6));
    expect(await call(method, [...params, 0])).toEqual(pruned(0, 6));
  },
);

it('views of the lane answer at these heights alone, too', async () => {
  const simulate = (height: number) => call('warpshrew_simulate', [{ target: '2:1', height }]);
  const meta = (height: number) => call('warpshrew_getmeta', ['2:1', height]);
  expect(await simulate(6)).toMatchObject({ result: { height: 6, status: 'REJECTED' } });
  expect(await meta(6)).toMatchObject({ error: { data: { code: 'CONTRACT_NOT_FOUND' } } });
  for (const height of [5, 0]) for (const ask of [simulate, meta]) expect(await ask(height)).toEqual(pruned(height, 6));
});

it('hashes, roots and plans are answered at every height', async () => {
  for (const method of ['metashrew_getblockhash', 'metashrew_stateroot', 'warpshrew_getplan']) {
    expect(await call(method, [0])).toHaveProperty('result');
  }
});

it('a view whose state goes while it runs gives no answer', async () => {
  meanwhile = () => void store.commitBlock(block(8, { a: '8' }));
  expect(await call('metashrew_view', ['echo', '0x', 6])).toEqual(pruned(6, 7));
});
