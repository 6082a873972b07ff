import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_BATCH } from '../../src/rpc/handler.js';
import { startRpcServer } from '../../src/rpc/server.js';
import { proofFromJson } from '../../src/store/proof/json.js';
import { refutationOf } from '../../src/store/proof/key-proof.js';
import { fromHex, toHex } from '../../src/util/bytes.js';
import { withinShape } from '../../src/util/json-shape.js';
import { bytes, receipt, temporaryFolder } from '../store/helpers.js';
import { serveExample } from './example-store.js';

type Reply = { id: unknown; result?: unknown; error?: { code: number; message: string; data: Record<string, string> } };
const JSON_TYPE = { 'content-type': 'application/json' };

describe('over the example chain', () => {
  const defects: unknown[] = [];
  let url = '';
  let example: Awaited<ReturnType<typeof serveExample>>;
  beforeAll(async () => {
    example = await serveExample(temporaryFolder(), { onDefect: (error) => defects.push(error) });
    url = example.server.url;
  });
  afterAll(() => example.close());

  const post = (body: string | Blob, headers: Record<string, string> = JSON_TYPE) =>
    fetch(url, { method: 'POST', headers, body });
  const call = async (method: string, ...params: unknown[]): Promise<Reply> => {
    const response = await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
    expect(response.status).toBe(200);
    return (await response.json()) as Reply;
  };
  const result = async (method: string, ...params: unknown[]) => (await call(method, ...params)).result;
  const error = async (method: string, ...params: unknown[]) => (await call(method, ...params)).error;

  it.each(['metashrew_getblockhash', 'metashrew_stateroot'])(
    '%s takes a height as number, as string and as latest',
    async (method) => {
      const at100 = await result(method, 100);
      expect(at100).toMatch(/^0x[0-9a-f]{64}$/);
      expect(await result(method, '100')).toBe(at100);
      expect(await result(method, '100:whatever')).toBe(at100);
      const at101 = await result(method, 101);
      expect(at101).not.toBe(at100);
      for (const latest of [['latest'], ['pending'], [null], []]) expect(await result(method, ...latest)).toBe(at101);
      for (const above of [99, 102, '4294967295']) {
        expect(await error(method, above)).toMatchObject({ code: -32000, data: { code: 'BLOCK_NOT_INDEXED' } });
      }
    },
  );

  it('metashrew_stateroot is the standard root', async () => {
    expect(await result('metashrew_stateroot', 101)).toBe(`0x${example.store.roots(101)?.standard}`);
  });

  it.each(['0x64', -1, 1.5, '', 'abc', '1e2', 4294967296, '99999999999', {}, [], true])(
    'height %j is invalid',
    async (height) => {
      expect(await error('metashrew_view', 'echo', '0x', height)).toMatchObject({
        code: -32602,
        message: expect.stringContaining('Invalid height'),
        data: { code: 'RPC_BAD_HEIGHT' },
      });
    },
  );

  it('a view gets the height asked for, above the tip too, and the tip by default', async () => {
    expect(await result('metashrew_view', 'echo', '0xDEADbeef', 100)).toBe('0x64000000deadbeef');
    expect(await result('metashrew_view', 'echo', 'ff', '200')).toBe('0xc8000000ff');
    expect(await result('metashrew_view', 'echo', '')).toBe('0x65000000');
  });

  it('a view that is missing or fails is told apart, with code and hint', async () => {
    expect(await error('metashrew_view', 'nosuch', '0x', 'latest')).toEqual({
      code: -32000,
      message: "View function error: View function failed: Failed to get view function 'nosuch'",
      data: { code: 'VIEW_NOT_FOUND', hint: 'Look at its documentation.', reason: 'the module exports no such view' },
    });
    expect(await error('metashrew_view', 'fail', '0x')).toMatchObject({
      message: "View function error: View function failed: Failed to execute view function 'fail'",
      data: { code: 'VIEW_FAILED' },
    });
  });

  it.each([
    ['metashrew_nosuch', [], -32601, 'RPC_METHOD_NOT_FOUND'],
    ['constructor', [], -32601, 'RPC_METHOD_NOT_FOUND'],
    ['metashrew_view', ['echo'], -32602, 'RPC_WRONG_COUNT'],
    ['metashrew_view', [1, '0x'], -32602, 'RPC_WRONG_TYPE'],
    ['metashrew_view', ['echo', '0xabc'], -32602, 'RPC_BAD_HEX'],
    ['metashrew_view', ['echo', 'zz'], -32602, 'RPC_BAD_HEX'],
    ['metashrew_preview', ['0x', 'echo', '0x'], -32000, 'RPC_NOT_SUPPORTED'],
    ['metashrew_snapshot', [1], -32602, 'RPC_WRONG_COUNT'],
    ['warpshrew_getreceipt', ['00'], -32602, 'RPC_BAD_TXID'],
    ['warpshrew_getreceipt', ['00'.repeat(32)], -32000, 'RECEIPT_NOT_FOUND'],
    ['warpshrew_getplan', [102], -32000, 'BLOCK_NOT_INDEXED'],
    ['warpshrew_getplan', [5], -32000, 'BLOCK_NOT_INDEXED'],
    ['warpshrew_getstorage', ['2', '0x'], -32602, 'RPC_BAD_ID'],
    ['warpshrew_getstorage', ['2:1', '0x', 102], -32000, 'BLOCK_NOT_INDEXED'],
    ['warpshrew_getproof', ['S'], -32602, 'RPC_WRONG_COUNT'],
    ['warpshrew_getproof', ['s', '0x'], -32602, 'RPC_BAD_NAMESPACE'],
    ['warpshrew_getproof', [1, '0x'], -32602, 'RPC_WRONG_TYPE'],
    ['warpshrew_getproof', ['S', '0x0'], -32602, 'RPC_BAD_HEX'],
    ['warpshrew_getproof', ['S', '0x', 102], -32000, 'BLOCK_NOT_INDEXED'],
    ['warpshrew_getproof', ['S', '0x', 99], -32000, 'BLOCK_NOT_INDEXED'],
    ['warpshrew_getsheet', [`${'00'.repeat(32)}`], -32602, 'RPC_BAD_OUTPOINT'],
    ['warpshrew_getsheet', [`${'00'.repeat(32)}:4294967296`], -32602, 'RPC_BAD_OUTPOINT'],
  ])('%s %j answers %i %s with a hint', async (method, params, code, stable) => {
    const answer = await error(method, ...params);
    expect(answer).toMatchObject({ code, data: { code: stable, hint: expect.stringMatching(/\.$/) } });
  });

  it('proofs of present and absent keys of both namespaces hold under the root of /health', async () => {
    const { stateRoot } = (await (await fetch(`${url}/health`)).json()) as { stateRoot: string };
    for (const [namespace, key, present] of [
      ['S', bytes('tip'), true],
      ['S', bytes('absent'), false],
      ['P', bytes('absent'), false],
      ['P', [...example.store.entriesAt('P', new Uint8Array(0))][0][0], true],
    ] as const) {
      const proof = proofFromJson(await result('warpshrew_getproof', namespace, toHex(key)));
      expect(refutationOf(proof, { namespace, key, height: 101, root: fromHex(stateRoot) })).toBeUndefined();
      expect(proof.value).toEqual(example.store.getLatest(namespace, key));
      expect(proof.value !== undefined).toBe(present);
    }
  });

  it('a receipt names lane, status, executor, colour, fuel, sets and error', async () => {
    expect(await result('warpshrew_getreceipt', receipt(101, 0).txid.toUpperCase())).toMatchObject({
      lane: 'parallel',
      status: 'OK',
      error: null,
      undone: null,
      executor: 'cpu',
      colour: 1,
      fuel: 1234,
      reads: ['aa'],
      writes: ['bb'],
    });
    const status = async (index: number) => {
      const { status, error } = (await result('warpshrew_getreceipt', receipt(101, index).txid)) as Record<
        string,
        unknown
      >;
      return { status, error };
    };
    expect(await status(3)).toEqual({ status: 'REVERT', error: 'abort' });
    expect(await status(4)).toEqual({ status: 'UNDONE', error: 'overflow' });
  });

  it('storage and sheets are read at any height', async () => {
    const cap = `0x${Buffer.from('cap').toString('hex')}`;
    expect(await result('warpshrew_getstorage', '2:1', cap, 100)).toBe('0x0100');
    expect(await result('warpshrew_getstorage', '2:1', cap)).toBe('0x0200');
    expect(await result('warpshrew_getstorage', '2:1', cap, 99)).toBeNull();
    expect(await result('warpshrew_getstorage', '2:2', cap)).toBeNull();
    const outpoint = `${receipt(101, 0).txid}:0`;
    expect(await result('warpshrew_getsheet', outpoint)).toEqual({ '2:1': '1000' });
    expect(await result('warpshrew_getsheet', outpoint, 100)).toEqual({});
  });

  it('a batch is answered in order, errors inside it included', async () => {
    const requests = [
      { id: 'a', method: 'metashrew_height' },
      7,
      { id: { x: [1] }, method: 'nosuch', params: [] },
      { method: 'metashrew_height', params: [] },
      { id: 5, method: 'metashrew_height', params: { a: 1 } },
    ];
    const replies = (await (await post(JSON.stringify(requests))).json()) as Reply[];
    expect(replies.map(({ id }) => id)).toEqual(['a', null, { x: [1] }, null, 5]);
    expect(replies.map((reply) => reply.result ?? reply.error?.code)).toEqual(['101', -32600, -32601, '101', -32602]);
  });

  it('a batch of 1,000 is answered, one of 1,001 or 0 is refused as a whole', async () => {
    const batch = (size: number) => JSON.stringify(new Array(size).fill({ id: 1, method: 'metashrew_height' }));
    expect(await (await post(batch(MAX_BATCH))).json()).toHaveLength(1_000);
    for (const size of [0, MAX_BATCH + 1]) {
      const reply = (await (await post(batch(size))).json()) as Reply;
      expect(reply).toMatchObject({ id: null, error: { code: -32600, data: { code: 'RPC_BATCH_SIZE' } } });
    }
  });

  it.each(['', '{', '[1,', 'nonsense', '['.repeat(100_000), `[${'1,'.repeat(200_000)}1]`])(
    'a body that is no JSON, or too deep or wide, is 400 (%#)',
    async (body) => {
      expect((await post(body)).status).toBe(400);
    },
  );

  it('bytes that are not UTF-8 are 400', async () => {
    expect((await post(new Blob([Uint8Array.of(0x22, 0xff, 0x22)]))).status).toBe(400);
  });

  it('a JSON value that is no object is an invalid request', async () => {
    for (const body of ['7', 'null', '"x"', '{}', '{"method":5}']) {
      expect(((await (await post(body)).json()) as Reply).error?.code).toBe(-32600);
    }
  });

  it('another content type is 400, other methods 405, other paths 404', async () => {
    expect((await post('{}', { 'content-type': 'text/plain' })).status).toBe(400);
    expect(
      (await post('{"method":"metashrew_height"}', { 'content-type': 'application/json; charset=utf-8' })).status,
    ).toBe(200);
    expect((await fetch(url)).status).toBe(405);
    expect((await fetch(`${url}/health`, { method: 'POST', body: '{}' })).status).toBe(405);
    expect((await fetch(`${url}/other`)).status).toBe(404);
  });

  it('a body of 17 MiB is taken, one above 64 MiB is 413, said or not', async () => {
    const large = JSON.stringify({ id: 1, method: 'metashrew_view', params: ['echo', '00'.repeat(17 << 19)] });
    const reply = (await (await post(large)).json()) as { result: string };
    expect(reply.result.length).toBe(2 + 8 + (17 << 20));
    expect((await rawPost(`content-length: ${(64 << 20) + 1}\r\n\r\n`)).startsWith('HTTP/1.1 413')).toBe(true);
    const chunk = `100000\r\n${' '.repeat(1 << 20)}\r\n`;
    const chunked = `transfer-encoding: chunked\r\n\r\n${chunk.repeat(65)}0\r\n\r\n`;
    expect((await rawPost(chunked)).startsWith('HTTP/1.1 413')).toBe(true);
  });

  /** What the server answers to a POST whose headers and body go out as given. */
  function rawPost(rest: string): Promise<string> {
    return new Promise((done, failed) => {
      const socket = connect(example.server.port, '127.0.0.1', () => {
        socket.write(`POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${rest}`);
      });
      socket.on('error', failed);
      socket.once('data', (data) => {
        socket.destroy();
        done(data.toString());
      });
    });
  }

  it('a client that leaves in the middle of its body is no defect', async () => {
    await new Promise<void>((done) => {
      const socket = connect(example.server.port, '127.0.0.1', () => {
        socket.write(
          'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
          () => {
            socket.destroy();
            done();
          },
        );
      });
    });
    expect(await result('metashrew_height')).toBe('101');
    expect(defects).toEqual([]);
  });

  it('health tells height and state root', async () => {
    const response = await fetch(`${url}/health`);
    const roots = example.store.roots(101);
    expect(await response.json()).toEqual({
      status: 'ok',
      height: 101,
      stateRoot: roots?.state,
      standardRoot: roots?.standard,
      laneRoot: roots?.lane,
    });
  });

  it('pages of this machine may read answers, others not', async () => {
    const allowed = async (origin: string) =>
      (await fetch(`${url}/health`, { headers: { origin } })).headers.get('access-control-allow-origin');
    for (const origin of ['http://localhost:3000', 'https://127.0.0.1', 'http://[::1]:1'])
      expect(await allowed(origin)).toBe(origin);
    for (const origin of ['http://example.com', 'http://localhost.example.com', 'null'])
      expect(await allowed(origin)).toBeNull();
  });
});

describe('settings', () => {
  it('CORS takes any origin, or a list, and answers the preflight with methods and headers', async () => {
    for (const [cors, origin, allowed] of [
      ['*', 'http://example.com', '*'],
      ['http://a.example, http://b.example/', 'http://b.example', 'http://b.example'],
      ['http://a.example', 'http://localhost', null],
    ] as const) {
      const { server, close } = await serveExample(temporaryFolder(), { cors });
      const headers = {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      };
      const response = await fetch(server.url, { method: 'OPTIONS', headers });
      expect(response.status).toBe(204);
      expect(response.headers.get('access-control-allow-origin')).toBe(allowed);
      expect(response.headers.get('access-control-allow-headers')).toBe(allowed && 'content-type');
      await close();
    }
  });

  it('an empty store has height "0", no hashes, and views at height 0', async () => {
    const { server, close } = await serveExample(temporaryFolder(), { fill: false });
    const call = async (method: string, ...params: unknown[]) => {
      const body = JSON.stringify({ id: 1, method, params });
      return (await (await fetch(server.url, { method: 'POST', headers: JSON_TYPE, body })).json()) as Reply;
    };
    expect((await call('metashrew_height')).result).toBe('0');
    expect((await call('metashrew_view', 'echo', '0x')).result).toBe('0x00000000');
    for (const method of ['metashrew_getblockhash', 'metashrew_stateroot', 'warpshrew_getplan']) {
      expect((await call(method)).error?.data.code).toBe('BLOCK_NOT_INDEXED');
    }
    expect(await (await fetch(`${server.url}/health`)).json()).toEqual({
      status: 'ok',
      height: null,
      stateRoot: null,
      standardRoot: null,
      laneRoot: null,
    });
    await close();
  });

  it('a defect is reported to the operator and not told to the client', async () => {
    const defects: unknown[] = [];
    const view = () => Promise.reject(new TypeError('secret'));
    const { server, close } = await serveExample(temporaryFolder(), {
      backend: { view },
      onDefect: (e) => defects.push(e),
    });
    const body = JSON.stringify({ id: 1, method: 'metashrew_view', params: ['echo', ''] });
    const response = await fetch(server.url, { method: 'POST', headers: JSON_TYPE, body });
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ error: { code: -32000, data: { code: 'INTERNAL' } } });
    expect(text).not.toContain('secret');
    expect(defects).toHaveLength(1);
    await close();
  });

  it('a port in use is told by code', async () => {
    const { server, store, close } = await serveExample(temporaryFolder());
    const backend = { store, view: async () => new Uint8Array(0) };
    const second = startRpcServer({ host: '127.0.0.1', port: server.port, backend });
    await expect(second).rejects.toMatchObject({ code: 'ENV_PORT_IN_USE', exitStatus: 5 });
    await expect(startRpcServer({ host: '203.0.113.1', port: 0, backend })).rejects.toMatchObject({
      code: 'ENV_LISTEN_FAILED',
    });
    await close();
  });

  it('closing lets an answer under way finish and takes no more', async () => {
    let start: () => void = () => {};
    let finish: (output: Uint8Array) => void = () => {};
    const started = new Promise<void>((done) => {
      start = done;
    });
    const view = () => {
      start();
      return new Promise<Uint8Array>((done) => {
        finish = done;
      });
    };
    const { server, store } = await serveExample(temporaryFolder(), { backend: { view } });
    const body = JSON.stringify({ id: 1, method: 'metashrew_view', params: ['echo', ''] });
    const answer = fetch(server.url, { method: 'POST', headers: JSON_TYPE, body });
    await started;
    const closed = server.close();
    await expect(fetch(`${server.url}/health`)).rejects.toThrow();
    finish(Uint8Array.of(1));
    expect(await (await answer).json()).toMatchObject({ result: '0x01' });
    await closed;
    await store.close();
  });
});

describe('the bounds of JSON text', () => {
  const within = (text: string, depth = 3, separators = 3) => withinShape(bytes(text), depth, separators);
  it('count brackets and commas outside strings only', () => {
    expect(within('[[[1]]]')).toBe(true);
    expect(within('[[[[1]]]]')).toBe(false);
    expect(within('[[],[],{}]')).toBe(true);
    expect(within('[1,2,3,4]')).toBe(true);
    expect(within('[1,2,3,4,5]')).toBe(false);
    expect(within('["[[[[,,,,,\\"[[[[,,,,"]')).toBe(true);
    expect(within('["\\\\",[[[1]]]]')).toBe(false);
    expect(within('["\\\\\\"",[[1]]]')).toBe(true);
    expect(within('"never ended [[[[')).toBe(true);
  });
});
