import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_BLOCK_LENGTH } from '../../src/bitcoin/limits.js';
import { MOST_INCOMING } from '../../src/simulate/request.js';
import { temporaryFolder } from '../store/helpers.js';
import { EXAMPLE_META } from './example-contract.js';
import { serveExample } from './example-store.js';

interface Reply {
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly data: Record<string, string> };
}

const MOST = ((1n << 128n) - 1n).toString();
const OVER = (1n << 128n).toString();
/** Of a batch: JSON may have 100,000 commas. */
const MANY = 99_900;

describe('views of the lane over JSON-RPC', () => {
  let example: Awaited<ReturnType<typeof serveExample>>;
  const defects: unknown[] = [];
  beforeAll(async () => {
    example = await serveExample(temporaryFolder(), { onDefect: (error) => defects.push(error) });
  });
  afterAll(() => example.close());

  const call = async (method: string, params: unknown): Promise<Reply> => {
    const answer = await fetch(example.server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    expect(answer.status).toBe(200);
    return (await answer.json()) as Reply;
  };
  const simulate = (request: unknown): Promise<Reply> => call('warpshrew_simulate', [request]);

  it('a simulation sees the state at its height, the tip if none is given, and leaves the state alone', async () => {
    const before = example.store.rawContent();
    const request = { target: '2:1', inputs: ['1'] };
    const raised = [{ contract: '2:1', key: '636170', before: '0200', after: '0300' }];
    for (const height of [undefined, null, 'latest', 101, '101']) {
      expect((await simulate({ ...request, height })).result).toMatchObject({
        height: 101,
        status: 'OK',
        storage: raised,
      });
    }
    expect((await simulate({ ...request, height: 100 })).result).toMatchObject({
      ...{ height: 100, status: 'REJECTED', error: 'no code at the target', storage: [] },
    });
    expect(example.store.rawContent()).toEqual(before);
  });

  it('the object may stand for the array, for this method alone', async () => {
    expect((await call('warpshrew_simulate', { target: '2:1' })).result).toMatchObject({ status: 'OK' });
    expect((await call('warpshrew_getmeta', { id: '2:1' })).error?.data.code).toBe('RPC_WRONG_TYPE');
    expect((await call('warpshrew_simulate', {})).error?.data.code).toBe('RPC_BAD_SIMULATION');
  });

  it('numbers may be as large as they get', async () => {
    const { result } = await simulate({ target: `2:${MOST}`, inputs: [MOST, 0, Number.MAX_SAFE_INTEGER] });
    expect(result).toMatchObject({ status: 'REJECTED', error: 'no code at the target' });
    const given = await simulate({ target: '2:1', incoming: { [`${MOST}:${MOST}`]: MOST, '2:1': 1 } });
    expect(given.result).toMatchObject({
      status: 'OK',
      balances: [
        { asset: '2:1', before: '0', after: '1' },
        { asset: `${MOST}:${MOST}`, before: '0', after: MOST },
      ],
    });
  });

  const bad: readonly (readonly [unknown, string])[] = [
    [undefined, 'RPC_WRONG_TYPE'],
    ['2:1', 'RPC_WRONG_TYPE'],
    [['2:1'], 'RPC_WRONG_TYPE'],
    [7, 'RPC_WRONG_TYPE'],
    [{}, 'RPC_BAD_SIMULATION'],
    [{ target: null }, 'RPC_BAD_SIMULATION'],
    [{ inputs: [1] }, 'RPC_BAD_SIMULATION'],
    [{ transaction: '00', inputs: [1] }, 'RPC_BAD_SIMULATION'],
    [{ transaction: '00', protostone: 1 }, 'RPC_BAD_SIMULATION'],
    [{ target: '2:1', gas: 1 }, 'RPC_BAD_SIMULATION'],
    [{ target: '2:1', ['x'.repeat(100_000)]: 1 }, 'RPC_BAD_SIMULATION'],
    [JSON.parse('{"target":"2:1","__proto__":{"height":1}}'), 'RPC_BAD_SIMULATION'],
    [{ target: '2:1', protostone: 99 }, 'RPC_BAD_SIMULATION'],
    [
      {
        target: '2:1',
        incoming: Object.fromEntries(Array.from({ length: MOST_INCOMING + 1 }, (_, i) => [`2:${i}`, 1])),
      },
      'RPC_BAD_SIMULATION',
    ],
    [{ target: '2:1', incoming: { '2:1': MOST, '2:01': 1 } }, 'RPC_BAD_SIMULATION'],
    [{ target: 2 }, 'RPC_WRONG_TYPE'],
    [{ target: '2' }, 'RPC_BAD_ID'],
    [{ target: `2:${OVER}` }, 'RPC_BAD_ID'],
    [{ target: '9'.repeat(1_000_000) }, 'RPC_BAD_ID'],
    [{ target: '2:1', inputs: {} }, 'RPC_WRONG_TYPE'],
    [{ target: '2:1', inputs: '1' }, 'RPC_WRONG_TYPE'],
    ...[-1, 1.5, 2 ** 53, '', '-1', '0x1', OVER, '9'.repeat(1_000_000), [1], {}, null, true].flatMap(
      (number): [unknown, string][] => [
        [{ target: '2:1', inputs: [number] }, 'RPC_BAD_AMOUNT'],
        [{ target: '2:1', incoming: { '2:1': number } }, 'RPC_BAD_AMOUNT'],
      ],
    ),
    [{ target: '2:1', incoming: [] }, 'RPC_WRONG_TYPE'],
    [{ target: '2:1', incoming: { '': 1 } }, 'RPC_BAD_ID'],
    [{ target: '2:1', height: 102 }, 'BLOCK_NOT_INDEXED'],
    [{ target: '2:1', height: 99 }, 'BLOCK_NOT_INDEXED'],
    [{ target: '2:1', height: 1.5 }, 'RPC_BAD_HEIGHT'],
    [{ target: '2:1', height: {} }, 'RPC_BAD_HEIGHT'],
    [{ target: '2:1', transaction: 1 }, 'RPC_WRONG_TYPE'],
    [{ target: '2:1', transaction: '0' }, 'RPC_BAD_HEX'],
    [{ target: '2:1', transaction: '' }, 'TX_TRUNCATED'],
    [{ target: '2:1', transaction: '00' }, 'TX_TRUNCATED'],
    [{ target: '2:1', transaction: '00'.repeat(1_000) }, 'TX_MALFORMED'],
    [{ target: '2:1', transaction: 'ff'.repeat(MAX_BLOCK_LENGTH) }, 'TX_TRUNCATED'],
    [{ transaction: 'ff'.repeat(MAX_BLOCK_LENGTH + 1) }, 'TX_TOO_LARGE'],
    [{ target: '2:1', block: 'zz' }, 'RPC_BAD_HEX'],
  ];
  it.each(bad.map(([request, code], i) => [i, code, request] as const))(
    'refuses request %i with %s',
    async (_, code, request) => {
      const { error } = await simulate(request);
      expect(error?.data.code).toBe(code);
      expect(JSON.stringify(error).length).toBeLessThan(1_000);
      if (!code.startsWith('TX_') && code !== 'BLOCK_NOT_INDEXED') expect(error?.code).toBe(-32602);
    },
  );

  it('as many inputs as a body may have are calldata of a large transaction', async () => {
    const { result } = await simulate({ target: '2:1', inputs: Array.from({ length: MANY }, () => MOST) });
    expect(result).toMatchObject({ status: 'OK', messages: [{ data: '6c6966746564' }] });
    expect(Number(result?.fuelLimit)).toBeGreaterThan(50 * 1_900_000);
  });

  it('as many assets as a transaction may write can come in', async () => {
    const incoming = Object.fromEntries(Array.from({ length: MOST_INCOMING }, (_, i) => [`2:${i}`, 1]));
    const { result } = await simulate({ target: '2:1', incoming });
    expect(result).toMatchObject({ status: 'OK' });
    expect(result?.balances).toHaveLength(MOST_INCOMING);
  });

  it('a client with hundreds of simulations holds up no other one, and each is answered', async () => {
    const many = Array.from({ length: 300 }, () => simulate({ target: '2:1' }));
    const statuses = (await Promise.all(many)).map(({ result, error }) => result?.status ?? error?.data.code);
    expect(new Set(statuses)).toSatisfy((all: Set<unknown>) => all.has('OK') && !all.has('INTERNAL'));
    expect((await simulate({ target: '2:1' })).result).toMatchObject({ status: 'OK' });
  });

  it('getmeta takes an id and a height', async () => {
    for (const params of [['2:1'], ['2:1', 101], ['2:1', 'latest'], ['2:1', null]]) {
      expect((await call('warpshrew_getmeta', params)).result).toEqual(JSON.parse(EXAMPLE_META));
    }
    const codes: readonly (readonly [unknown[], string])[] = [
      [[], 'RPC_WRONG_COUNT'],
      [['2:1', 101, 1], 'RPC_WRONG_COUNT'],
      [[21], 'RPC_WRONG_TYPE'],
      [['21'], 'RPC_BAD_ID'],
      [['2:1', 102], 'BLOCK_NOT_INDEXED'],
      [['2:1', 100], 'CONTRACT_NOT_FOUND'],
      [['2:2'], 'CONTRACT_NOT_FOUND'],
    ];
    for (const [params, code] of codes) expect((await call('warpshrew_getmeta', params)).error?.data.code).toBe(code);
  });

  it('answered nothing with a defect', () => {
    expect(defects).toEqual([]);
  });
});

it('a server without threads for them says so', async () => {
  const example = await serveExample(temporaryFolder(), { backend: { laneView: undefined } });
  try {
    for (const [method, params] of [
      ['warpshrew_simulate', [{ target: '2:1' }]],
      ['warpshrew_getmeta', ['2:1']],
    ]) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
      const answer = await fetch(example.server.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      expect(await answer.json()).toMatchObject({ error: { data: { code: 'RPC_NOT_SUPPORTED' } } });
    }
  } finally {
    await example.close();
  }
});
