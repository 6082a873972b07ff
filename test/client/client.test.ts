import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MethodName, type ParamsOf, RpcFailure, WarpshrewClient } from '../../src/client/index.js';
import { METHOD_NAMES } from '../../src/client/methods.js';
import { openRpcDocument } from '../../src/rpc/openrpc/document.js';
import { VERSION } from '../../src/util/version.js';
import { fault } from '../helpers/json-schema.js';
import { serveExample } from '../rpc/example-store.js';
import { block, temporaryFolder } from '../store/helpers.js';

const TXID = 'dc88647943d680de525ddb752f4b51467408a011d224ca8c78b40ce3541a26e9';

/** One call of each method that the example server answers. */
const CALLS: { readonly [M in MethodName]?: ParamsOf<M> } = {
  metashrew_height: [],
  metashrew_getblockhash: [100],
  metashrew_stateroot: ['latest'],
  metashrew_view: ['echo', '0x00', 101],
  metashrew_snapshot: [],
  warpshrew_getreceipt: [TXID],
  warpshrew_getplan: [],
  warpshrew_getgraph: [101],
  warpshrew_getroots: [101],
  warpshrew_getstorage: ['2:1', '0x636170'],
  warpshrew_getsheet: [`${TXID}:0`],
  warpshrew_getvalue: ['P', '0x00', 100],
  warpshrew_getproof: ['S', '0x746970', null],
  warpshrew_trace: [TXID, { steps: false }],
  warpshrew_listcontracts: [{ from: 100 }],
  warpshrew_liststorage: ['2:1', { prefix: '63' }],
  warpshrew_listholders: ['2:1'],
  warpshrew_listbalances: ['2:1'],
  warpshrew_listreceipts: [{ contract: '2:1', status: 'OK' }],
  warpshrew_listoutputs: [{ address: 'bcrt1qqurswpc8qurswpc8qurswpc8qurswpc8dxm0gk', unspent: true }],
  warpshrew_listhistory: [{ script: `0014${'07'.repeat(20)}` }],
  warpshrew_listassets: [{ script: `0014${'07'.repeat(20)}` }],
  warpshrew_gettransaction: [TXID],
  warpshrew_getoutpoint: [`${TXID}:0`],
  warpshrew_simulate: [{ target: '2:1', inputs: [1] }],
  warpshrew_getmeta: ['2:1'],
  'rpc.discover': [],
};
/** Methods that the example server refuses, as it says. */
const REFUSED: { readonly [M in MethodName]?: ParamsOf<M> } = {
  metashrew_preview: ['0x', 'echo', '0x'],
  metashrew_prefixroot: ['nosuch'],
  warpshrew_getconflicts: ['2:1'],
};

describe('warpshrew/client', () => {
  let example: Awaited<ReturnType<typeof serveExample>>;
  let client: WarpshrewClient;
  const document = openRpcDocument(VERSION);
  beforeAll(async () => {
    example = await serveExample(temporaryFolder());
    client = new WarpshrewClient(example.server.url);
  });
  afterAll(() => example.close());

  it.each([...METHOD_NAMES])('calls %s, and what it gets is what its type says', async (method) => {
    const params = CALLS[method];
    const { schema } = document.methods.find(({ name }) => name === method)?.result ?? { schema: {} };
    if (params !== undefined) {
      const result = await client.call(method, ...(params as ParamsOf<typeof method>));
      expect(fault(result, schema, document.components.schemas)).toBeUndefined();
      return;
    }
    const refused = REFUSED[method];
    if (refused === undefined) throw new Error(`${method} is called nowhere: add it to CALLS`);
    await expect(client.call(method, ...(refused as ParamsOf<typeof method>))).rejects.toMatchObject({
      code: method === 'metashrew_prefixroot' ? 'PREFIX_NOT_FOUND' : 'RPC_NOT_SUPPORTED',
    });
  });

  it('gives results by their types', async () => {
    const { messages } = await client.call('warpshrew_getreceipt', TXID);
    const height: string = await client.call('metashrew_height');
    expect([messages[0].target, height]).toEqual(['2:1', '101']);
  });

  it('gives all items of a listing, page after page', async () => {
    for (let height = 102; height < 110; height++) example.store.commitBlock(block(height));
    const found: number[] = [];
    for await (const { height } of client.items('warpshrew_listreceipts', { contract: '2:1', limit: 3 })) {
      found.push(height);
    }
    expect(found).toEqual([100, 101, 101, 102, 103, 104, 105, 106, 107, 108, 109]);
    const keys: string[] = [];
    for await (const { key } of client.items('warpshrew_liststorage', '2:1')) keys.push(key);
    for await (const { key } of client.items('warpshrew_liststorage', '2:1', undefined)) keys.push(key);
    expect(keys).toEqual(['0x636170', '0x636170']);
    example.store.rollback(101);
  });

  it('rejects with what the server says', async () => {
    const failure = await client.call('metashrew_getblockhash', 7_000_000).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RpcFailure);
    expect(failure).toMatchObject({ code: 'BLOCK_NOT_INDEXED', hint: expect.stringContaining('metashrew_height') });
    const [height, refused] = await client.batch<MethodName>([
      { method: 'metashrew_height', params: [] },
      { method: 'warpshrew_getsheet', params: ['x'] },
    ]);
    expect(height).toBe('101');
    expect(refused).toMatchObject({ code: 'RPC_BAD_OUTPOINT' });
    const many = Array.from({ length: 1_001 }, () => ({ method: 'metashrew_height' as const, params: [] as [] }));
    await expect(client.batch(many)).rejects.toMatchObject({ code: 'RPC_BATCH_SIZE' });
    expect(await client.batch([])).toEqual([]);
    const elsewhere = new WarpshrewClient(example.server.url, {
      fetch: async () => new Response('<html>', { status: 502 }),
    });
    await expect(elsewhere.call('metashrew_height')).rejects.toMatchObject({ code: 'HTTP' });
  });

  it('gives up on a server that does not answer', async () => {
    const never: typeof fetch = (_, options) =>
      new Promise((_resolve, reject) =>
        options?.signal?.addEventListener('abort', () => reject(options.signal?.reason)),
      );
    const slow = new WarpshrewClient('http://127.0.0.1:1', { fetch: never, timeoutMs: 20 });
    await expect(slow.call('metashrew_height')).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});
