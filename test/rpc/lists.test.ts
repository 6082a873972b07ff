import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { block, temporaryFolder } from '../store/helpers.js';
import { serveExample } from './example-store.js';

interface Reply {
  readonly result?: { readonly height: number; readonly items: object[]; readonly cursor: string | null };
  readonly error?: { readonly code: number; readonly message: string; readonly data: Record<string, string> };
}

describe('listings over JSON-RPC', () => {
  let example: Awaited<ReturnType<typeof serveExample>>;
  const defects: unknown[] = [];
  beforeAll(async () => {
    example = await serveExample(temporaryFolder(), { onDefect: (error) => defects.push(error) });
  });
  afterAll(async () => {
    await example.close();
    expect(defects).toEqual([]);
  });

  const call = async (method: string, params: unknown): Promise<Reply> => {
    const answer = await fetch(example.server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    expect(answer.status).toBe(200);
    return (await answer.json()) as Reply;
  };
  const codeOf = async (method: string, params: unknown): Promise<string | undefined> =>
    (await call(method, params)).error?.data.code;

  it('a cursor gives the next page of the same height, whatever has been indexed since', async () => {
    const first = (await call('warpshrew_listreceipts', [{ limit: 2 }])).result;
    expect(first?.items).toMatchObject([
      { height: 100, index: 0 },
      { height: 101, index: 0 },
    ]);
    const cursor = first?.cursor;
    const rest = { height: 101, items: [{ index: 3 }, { index: 4, status: 'UNDONE' }], cursor: null };
    expect((await call('warpshrew_listreceipts', [{ cursor }])).result).toMatchObject(rest);
    example.store.commitBlock(block(102));
    try {
      expect((await call('warpshrew_listreceipts', { cursor, height: 101 })).result).toMatchObject(rest);
      expect((await call('warpshrew_listreceipts', [])).result?.items).toHaveLength(5);
      expect((await call('warpshrew_listreceipts', [{ height: 100 }])).result?.items).toHaveLength(1);
      // The receipts of a block, backwards.
      const backwards = { block: 101, reverse: true, status: 'OK' };
      expect((await call('warpshrew_listreceipts', [backwards])).result?.items).toMatchObject([{ index: 0 }]);
    } finally {
      example.store.rollback(101);
    }
  });

  it('a cursor of a block that was undone is refused, and so is one of another listing or height', async () => {
    example.store.commitBlock(block(102));
    const { cursor } = (await call('warpshrew_listreceipts', [{ limit: 1 }])).result ?? {};
    expect(await codeOf('warpshrew_listreceipts', [{ cursor, contract: '2:1' }])).toBe('RPC_BAD_CURSOR');
    expect(await codeOf('warpshrew_listreceipts', [{ cursor, height: 101 }])).toBe('RPC_BAD_CURSOR');
    expect(await codeOf('warpshrew_listcontracts', [{ cursor }])).toBe('RPC_BAD_CURSOR');
    example.store.rollback(101);
    expect(await codeOf('warpshrew_listreceipts', [{ cursor }])).toBe('STORE_LIST_UNDONE');
  });

  const HASH = 'ab'.repeat(32);
  const BAD: readonly (readonly [string, unknown, string])[] = [
    ['warpshrew_listcontracts', [{ nosuch: 1 }], 'RPC_WRONG_TYPE'],
    ['warpshrew_listcontracts', [1], 'RPC_WRONG_TYPE'],
    ['warpshrew_listcontracts', [{}, {}], 'RPC_WRONG_COUNT'],
    ['warpshrew_listcontracts', [{ codeHash: '0x00' }], 'RPC_BAD_HEX'],
    ['warpshrew_listcontracts', [{ cloneOf: 'x' }], 'RPC_BAD_ID'],
    ['warpshrew_listcontracts', [{ from: -1 }], 'RPC_BAD_HEIGHT'],
    ['warpshrew_listcontracts', [{ height: 102 }], 'BLOCK_NOT_INDEXED'],
    ['warpshrew_liststorage', [], 'RPC_WRONG_COUNT'],
    ['warpshrew_liststorage', ['2:1', { prefix: 'x' }], 'RPC_BAD_HEX'],
    ['warpshrew_liststorage', ['2:1', { limit: 0 }], 'RPC_WRONG_TYPE'],
    ['warpshrew_liststorage', ['2:1', { limit: 1_001 }], 'RPC_WRONG_TYPE'],
    ['warpshrew_liststorage', ['2:1', { limit: '5' }], 'RPC_WRONG_TYPE'],
    ['warpshrew_liststorage', ['2:1', { cursor: 5 }], 'RPC_WRONG_TYPE'],
    ['warpshrew_liststorage', ['2:1', { cursor: 'zz' }], 'RPC_BAD_CURSOR'],
    ['warpshrew_liststorage', ['2:1', { cursor: '' }], 'RPC_BAD_CURSOR'],
    ['warpshrew_liststorage', ['2:1', { cursor: '02'.repeat(60) }], 'RPC_BAD_CURSOR'],
    ['warpshrew_liststorage', ['2:1', { cursor: '01'.repeat(60) }], 'RPC_BAD_CURSOR'],
    ['warpshrew_liststorage', ['2:1', { cursor: '01'.repeat(3_000) }], 'RPC_BAD_CURSOR'],
    ['warpshrew_listholders', ['2'], 'RPC_BAD_ID'],
    ['warpshrew_listbalances', [{}], 'RPC_WRONG_TYPE'],
    ['warpshrew_listreceipts', [{ status: 'GOOD' }], 'RPC_WRONG_TYPE'],
    ['warpshrew_listreceipts', [{ reverse: 1 }], 'RPC_WRONG_TYPE'],
    ['warpshrew_listreceipts', [{ block: 100, to: 101 }], 'RPC_WRONG_TYPE'],
    ['warpshrew_listoutputs', [], 'RPC_WRONG_COUNT'],
    ['warpshrew_listoutputs', [{}], 'RPC_WRONG_TYPE'],
    ['warpshrew_listoutputs', [null], 'RPC_WRONG_TYPE'],
    ['warpshrew_listoutputs', [[]], 'RPC_WRONG_TYPE'],
    ['warpshrew_listoutputs', [{ script: '51' }, {}], 'RPC_WRONG_COUNT'],
    ['warpshrew_listoutputs', [{ script: '51', scriptHash: HASH }], 'RPC_WRONG_TYPE'],
    ['warpshrew_listoutputs', [{ script: 51 }], 'RPC_WRONG_TYPE'],
    ['warpshrew_listoutputs', [{ script: '0x5' }], 'RPC_BAD_HEX'],
    ['warpshrew_listoutputs', [{ script: '6a00' }], 'RPC_BAD_SCRIPT'],
    ['warpshrew_listoutputs', [{ script: '51'.repeat(10_001) }], 'RPC_BAD_SCRIPT'],
    ['warpshrew_listoutputs', [{ scriptHash: HASH.slice(2) }], 'RPC_BAD_HEX'],
    ['warpshrew_listoutputs', [{ scriptHash: HASH.repeat(1_000) }], 'RPC_BAD_HEX'],
    ['warpshrew_listoutputs', [{ address: 'x'.repeat(100_000) }], 'RPC_BAD_ADDRESS'],
    ['warpshrew_listoutputs', [{ address: { toString: 1 } }], 'RPC_WRONG_TYPE'],
    ['warpshrew_listoutputs', [{ scriptHash: HASH, unspent: 'yes' }], 'RPC_WRONG_TYPE'],
    ['warpshrew_listoutputs', [{ scriptHash: HASH, limit: 1e9 }], 'RPC_WRONG_TYPE'],
    ['warpshrew_listoutputs', [{ scriptHash: HASH, limit: 1.5 }], 'RPC_WRONG_TYPE'],
    ['warpshrew_listoutputs', [{ scriptHash: HASH, height: 102 }], 'BLOCK_NOT_INDEXED'],
    ['warpshrew_listoutputs', [{ scriptHash: HASH, height: 2 ** 32 }], 'RPC_BAD_HEIGHT'],
    ['warpshrew_listoutputs', [{ scriptHash: HASH, cursor: '01'.repeat(53) }], 'RPC_BAD_CURSOR'],
    ['warpshrew_listhistory', [{ scriptHash: HASH, unspent: true }], 'RPC_WRONG_TYPE'],
    ['warpshrew_listhistory', [{ scriptHash: HASH, height: -1 }], 'RPC_BAD_HEIGHT'],
    ['warpshrew_listhistory', [{ scriptHash: HASH, cursor: {} }], 'RPC_WRONG_TYPE'],
    ['warpshrew_listassets', [{ scriptHash: HASH, reverse: true }], 'RPC_WRONG_TYPE'],
    ['warpshrew_listassets', [{ scriptHash: HASH, height: 99 }], 'BLOCK_NOT_INDEXED'],
    ['warpshrew_listassets', [{ scriptHash: HASH, limit: -1 }], 'RPC_WRONG_TYPE'],
    ['warpshrew_gettransaction', ['00'], 'RPC_BAD_TXID'],
    ['warpshrew_getoutpoint', ['00:0'], 'RPC_BAD_OUTPOINT'],
  ];
  it.each(BAD)('%s %j is refused', async (method, params, code) => {
    expect(await codeOf(method, params)).toBe(code);
  });

  it('a prefix that is longer than any key is refused, before it takes the thread of all clients', async () => {
    // Going on behind a cursor, the server made a text of the whole prefix: 16 MiB took it many seconds.
    const cursor = '01'.repeat(60);
    const long = { prefix: '00'.repeat(1_025), cursor };
    expect(await codeOf('warpshrew_liststorage', ['2:1', long])).toBe('RPC_BAD_HEX');
    const longest = { prefix: '00'.repeat(1_024) };
    expect((await call('warpshrew_liststorage', ['2:1', longest])).result).toMatchObject({ items: [], cursor: null });
  });

  it('a changed place of a cursor shows no receipts of other heights than were asked for', async () => {
    for (const contract of [undefined, '2:1']) {
      const asked = { height: 100, limit: 1, reverse: true, contract };
      const { cursor } = (await call('warpshrew_listreceipts', [asked])).result ?? {};
      const above = `${String(cursor).slice(0, 82)}ffffffffffffffff`;
      const found = (await call('warpshrew_listreceipts', [{ ...asked, cursor: above, limit: 10 }])).result?.items;
      expect(found).toMatchObject([{ height: 100 }]);

      const late = { from: 101, limit: 1, contract };
      const more = (await call('warpshrew_listreceipts', [late])).result?.cursor;
      const below = `${String(more).slice(0, 82)}0000000000000000`;
      const items = (await call('warpshrew_listreceipts', [{ ...late, cursor: below, limit: 10 }])).result?.items;
      expect(items?.length).toBeGreaterThan(0);
      for (const item of items ?? []) expect(item).toMatchObject({ height: 101 });
    }
  });

  it('a changed place of a cursor finds nothing outside of the listing', async () => {
    const contracts = (await call('warpshrew_listholders', ['2:1', { limit: 1 }])).result;
    const text = String(contracts?.cursor);
    // The place is the key of a sheet; `store/` lies behind it.
    const elsewhere = text.slice(0, 82) + Buffer.from('store/').toString('hex');
    expect(await codeOf('warpshrew_listholders', ['2:1', { cursor: elsewhere }])).toBe('RPC_BAD_CURSOR');
  });
});
