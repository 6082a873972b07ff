import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CredentialOptions } from '../../src/chain/node-credentials.js';
import { patienceWith } from '../../src/chain/node-errors.js';
import { NodeRpc, type NodeRpcOptions } from '../../src/chain/node-rpc.js';
import { WarpshrewError } from '../../src/errors/errors.js';
import type { Prank } from '../../src/testing/chains/fake-node.js';
import { still } from './clock.js';
import { errorOf, isPassing } from './errors.js';
import { drop, FakeNode, fail, hang, refuse } from './fake-node.js';
import { TLS } from './tls.js';

function client(node: FakeNode, options: Partial<NodeRpcOptions> = {}): NodeRpc {
  const rpc = new NodeRpc({ url: node.url, clock: still(), ...options });
  onTestFinished(() => rpc.close());
  return rpc;
}

function cookieFile(): string {
  const dir = mkdtempSync(join(tmpdir(), 'warpshrew-cookie-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, '.cookie');
}

describe('a call', () => {
  it('gives the result, and an error of the node with its code and message', async () => {
    const rpc = client(await FakeNode.start());
    expect(await rpc.call('echo', [1, 'two', true])).toEqual([1, 'two', true]);
    const error = await errorOf(rpc.call('no-such-method'));
    expect([error.code, error.facts.nodeCode, error.facts.method]).toEqual([
      'NODE_RPC_ERROR',
      -32601,
      'no-such-method',
    ]);
    expect(error.message).toContain('Method not found');
    expect(isPassing(error)).toBe(false);
  });

  it('goes over https with an authority of its own', async () => {
    const node = await FakeNode.start([], TLS);
    const url = node.url.replace('http', 'https');
    expect(await client(node, { url, ca: TLS.cert }).call('echo', ['safe'])).toEqual(['safe']);
    expect((await errorOf(client(node, { url, attempts: 1 }).call('echo'))).code).toBe('NODE_UNREACHABLE');
  });

  it('takes user and password from options or from the address, and shows the password nowhere', async () => {
    const node = await FakeNode.start();
    node.credentials = 'user:s3cr&t';
    const { port } = node;
    const both = [
      client(node, { user: 'user', password: 's3cr&t' }),
      client(node, { url: `http://user:s3cr%26t@127.0.0.1:${port}/` }),
    ];
    for (const rpc of both) {
      expect(await rpc.call('echo')).toEqual([]);
      expect(rpc.name).toBe(`http://127.0.0.1:${port}`);
    }
    node.credentials = 'another';
    for (const rpc of both) {
      const error = await errorOf(rpc.call('echo'));
      expect([error.code, isPassing(error)]).toEqual(['NODE_UNAUTHORISED', false]);
      expect(`${error.explain()}${error.stack}${inspect(rpc, { depth: 9 })}`).not.toMatch(
        /s3cr(&|%26)t|dXNlcjpzM2NyJnQ/,
      );
    }
  });

  it.each(['127.0.0.1:8332:x', 'ftp://a', 'http://u:hidden@', 'http://u:%zz-hidden@127.0.0.1'])(
    'refuses the address %s without repeating it',
    (url) => {
      const make = (): NodeRpc => new NodeRpc({ url });
      expect(make).toThrow(expect.objectContaining({ code: 'USAGE_NODE_URL' }));
      expect(make).not.toThrow(/hidden/);
    },
  );
});

describe('a cookie file', () => {
  it('is read again, once a call, when the node refuses', async () => {
    const node = await FakeNode.start();
    const path = cookieFile();
    const rpc = client(node, { cookieFile: path });
    writeFileSync(path, '__cookie__:first');
    node.credentials = '__cookie__:first';
    await rpc.call('echo');
    await rpc.call('echo');
    expect([node.requests.length, rpc.statistics.cookieReads]).toEqual([2, 0]);
    // The node starts again.
    node.credentials = '__cookie__:second';
    writeFileSync(path, '__cookie__:second\n');
    await rpc.call('echo');
    expect([node.requests.length, rpc.statistics.cookieReads]).toEqual([4, 1]);
    node.credentials = '__cookie__:third';
    expect((await errorOf(rpc.call('echo'))).code).toBe('NODE_UNAUTHORISED');
    expect(node.requests.length).toBe(6);
  });

  it('that is missing or malformed passes, as a node may be about to write it', async () => {
    const node = await FakeNode.start();
    const path = cookieFile();
    const clock = still();
    const rpc = client(node, { cookieFile: path, attempts: 3, clock });
    for (const text of [undefined, '', 'no colon', 'x'.repeat(5000)]) {
      if (text !== undefined) writeFileSync(path, text);
      const error = await errorOf(rpc.call('echo'));
      expect([error.code, isPassing(error), error.facts.attempts]).toEqual(['NODE_COOKIE_UNREADABLE', true, 3]);
    }
    expect(node.requests.length).toBe(0);
    expect(clock.waits.length).toBe(8);
  });
});

describe('credentials of the configuration', () => {
  it('that were corrected are taken up, and asked for only after a refusal', async () => {
    const node = await FakeNode.start();
    node.credentials = 'user:right';
    let configured: CredentialOptions | undefined = { user: 'user', password: 'wrong' };
    let reads = 0;
    const reread = (): CredentialOptions | undefined => {
      reads++;
      return configured;
    };
    const rpc = client(node, { ...configured, reread });
    expect((await errorOf(rpc.call('echo'))).code).toBe('NODE_UNAUTHORISED');
    // As a file that is being written.
    configured = undefined;
    expect((await errorOf(rpc.call('echo'))).code).toBe('NODE_UNAUTHORISED');
    configured = { user: 'user', password: 'right' };
    expect(await rpc.call('echo', [1])).toEqual([1]);
    expect(await rpc.call('echo', [2])).toEqual([2]);
    expect([reads, node.requests.length]).toEqual([3, 7]);
    // From a password to a cookie file.
    const cookie = cookieFile();
    writeFileSync(cookie, '__cookie__:new');
    node.credentials = '__cookie__:new';
    configured = { cookieFile: cookie };
    expect(await rpc.call('echo', [3])).toEqual([3]);
  });
});

describe('what an error says of the time after it', () => {
  const DAY = 86_400_000;
  const patience = async (prank: Prank, method = 'getblock'): Promise<[string, number]> => {
    const node = await FakeNode.start();
    node.prank = prank;
    const error = await errorOf(client(node, { attempts: 1 }).call(method));
    return [error.code, patienceWith(error, DAY)];
  };
  const EVER = Number.POSITIVE_INFINITY;

  it.each<[string, Prank, string, number]>([
    [
      'a block not downloaded yet (since 28)',
      fail(-1, 'Block not available (not fully downloaded)'),
      'NODE_BLOCK_MISSING',
      EVER,
    ],
    ['the same before', fail(-1, 'Block not found on disk'), 'NODE_BLOCK_MISSING', EVER],
    ['the same before that', fail(-32603, "Can't read block from disk"), 'NODE_BLOCK_MISSING', EVER],
    ['the same with another code', fail(-1, "Can't read block from disk"), 'NODE_BLOCK_MISSING', EVER],
    ['an unknown block', fail(-5, 'in whatever words'), 'NODE_BLOCK_MISSING', EVER],
    ['a pruned block', fail(-1, 'Block not available (pruned data)'), 'NODE_BLOCK_PRUNED', 0],
    ['an internal error', fail(-32603, 'std::bad_alloc'), 'NODE_RPC_ERROR', DAY],
    ['a method that is not allowed', fail(-32601, 'Method not found'), 'NODE_RPC_ERROR', DAY],
    ['a code that nobody knows', fail(-777, ''), 'NODE_RPC_ERROR', DAY],
    ['a 403 of a proxy', refuse(403, '<html>'), 'NODE_FORBIDDEN', DAY],
    ['a 404 of a proxy', refuse(404, 'nothing here'), 'NODE_BAD_RESPONSE', DAY],
    ['a page of a proxy', refuse(200, '<html>'), 'NODE_BAD_RESPONSE', DAY],
    ['an answer of neither', refuse(200, '{"id":0}'), 'NODE_BAD_RESPONSE', DAY],
    ['refused credentials', refuse(401), 'NODE_UNAUTHORISED', 600_000],
    ['too many requests', refuse(429), 'NODE_BUSY', EVER],
  ])('%s', async (_, prank, code, ms) => {
    expect(await patience(prank)).toEqual([code, ms]);
  });

  it('is nothing for what is no error of a node', () => {
    for (const error of [new TypeError('a defect'), new Error('x'), undefined])
      expect(patienceWith(error, DAY)).toBe(0);
  });
});

describe('a node in trouble', () => {
  it.each([
    ['drops the connection', drop, 'NODE_UNREACHABLE'],
    ['has a full work queue', refuse(503, 'Work queue depth exceeded'), 'NODE_BUSY'],
    ['is behind a proxy that lost it', refuse(502, '<html>Bad Gateway</html>'), 'NODE_BUSY'],
    ['is starting', fail(-28, 'Loading block index…'), 'NODE_WARMING_UP'],
  ])('that %s is asked again, and in the end given up', async (_name, prank, code) => {
    const node = await FakeNode.start();
    const clock = still();
    const rpc = client(node, { attempts: 4, backoffMs: 100, maxBackoffMs: 150, clock });
    node.pranks.push(prank, prank, prank);
    expect(await rpc.call('echo', ['at last'])).toEqual(['at last']);
    expect(clock.waits).toEqual([100, 150, 150]);
    expect(rpc.statistics.retries).toBe(3);
    node.pranks.push(prank, prank);
    expect(await rpc.batch('echo', [[1], [2]])).toEqual([{ result: [1] }, { result: [2] }]);
    node.prank = prank;
    const error = await errorOf(rpc.call('echo'));
    expect([error.code, isPassing(error), error.facts.attempts]).toEqual([code, true, 4]);
    expect((await errorOf(rpc.batch('echo', [[1]]))).code).toBe(code);
    expect(error.explain()).not.toContain('…');
  });

  it('that is not there is asked again until it is', async () => {
    const node = await FakeNode.start();
    const { port, url } = node;
    await node.stop();
    const clock = still();
    const sleep = async (ms: number): Promise<void> => {
      await clock.sleep(ms);
      if (clock.waits.length === 3) await node.listen(port);
    };
    const rpc = client(node, { url, clock: { ...clock, sleep } });
    expect(await rpc.call('echo', [1])).toEqual([1]);
    expect(clock.waits.length).toBe(3);
  });

  it('that never answers is given up after the time allowed', async () => {
    const node = await FakeNode.start();
    node.pranks.push(hang);
    const rpc = client(node, { timeoutMs: 100 });
    expect(await rpc.call('echo', [1])).toEqual([1]);
    node.prank = hang;
    const error = await errorOf(client(node, { timeoutMs: 20, attempts: 2 }).call('echo'));
    expect([error.code, isPassing(error)]).toEqual(['NODE_UNREACHABLE', true]);
  });
});

describe('an answer', () => {
  it('that is cut is asked for again', async () => {
    const node = await FakeNode.start();
    const rpc = client(node);
    node.pranks.push(
      ({ response }) => {
        response.writeHead(200, { 'content-length': 1000 });
        response.write('{"result":"abc');
        setTimeout(() => response.destroy(), 10);
        return true;
      },
      refuse(200, '{"result":"abc'),
    );
    expect(await rpc.call('echo', [1])).toEqual([1]);
    expect(rpc.statistics.retries).toBe(2);
  });

  it.each([
    ['no JSON', '<html>'],
    ['no object', '[]'],
    ['neither result nor error', '{}'],
    ['an error of another kind', '{"result":1,"error":"no"}'],
  ])('that is %s is refused', async (_name, text) => {
    const node = await FakeNode.start();
    node.prank = refuse(200, text);
    const error = await errorOf(client(node, { attempts: 2 }).call('echo'));
    expect([error.code, isPassing(error)]).toEqual(['NODE_BAD_RESPONSE', false]);
  });

  it('that is too long is not read to its end', async () => {
    const node = await FakeNode.start();
    let sent = 0;
    const closed = new Promise<void>((resolve) => {
      node.prank = ({ response }) => {
        response.writeHead(200);
        const more = (): void => {
          if (response.destroyed) {
            resolve();
            return;
          }
          sent += 1 << 16;
          response.write('x'.repeat(1 << 16), () => setImmediate(more));
        };
        more();
        return true;
      };
    });
    const error = await errorOf(client(node).call('echo', [], { maxBytes: 1 << 20 }));
    expect(error.code).toBe('NODE_BAD_RESPONSE');
    await closed;
    expect(node.requests.length).toBe(1);
    expect(sent).toBeLessThan(64 << 20);
  });
});

describe('an answer of hex', () => {
  const bytesOf = async (text: string, status = 200): Promise<Uint8Array> => {
    const node = await FakeNode.start();
    node.prank = refuse(status, text);
    return client(node, { attempts: 1 }).callBytes('x');
  };

  it.each([
    '{"result":"00ffA1","error":null,"id":0}',
    '{ "jsonrpc": "2.0", "result" : "00ffA1", "id": 0 }',
    '{"id":0,"more":{"result":""},"result":"00ffA1"}',
  ])('is decoded, however it is written: %s', async (text) => {
    expect(await bytesOf(text)).toEqual(Uint8Array.of(0, 255, 161));
  });

  it.each([
    ['{"result":"00f","error":null}', 'NODE_BAD_RESPONSE'],
    ['{"result":"00zz","error":null}', 'NODE_BAD_RESPONSE'],
    [String.raw`{"result":"00\"00","error":null}`, 'NODE_BAD_RESPONSE'],
    ['{"result":"00ff', 'NODE_BAD_RESPONSE'],
    ['{"result":7}', 'NODE_BAD_RESPONSE'],
    ['{"result":null,"error":{"code":-5,"message":"Block not found"}}', 'NODE_RPC_ERROR'],
    ['{"error":{"code":-5,"message":"no","data":{"result":"00"}}}', 'NODE_RPC_ERROR'],
  ])('is refused if it is none: %s', async (text, code) => {
    expect((await errorOf(bytesOf(text))).code).toBe(code);
  });
});

describe('a batch', () => {
  it('is put in order, and its calls fail one by one', async () => {
    const node = await FakeNode.start();
    const rpc = client(node);
    node.pranks.push(
      refuse(
        200,
        JSON.stringify([
          { id: 2, result: 'c' },
          { id: 0, result: 'a' },
          { id: 1, error: { code: -8, message: 'no' } },
        ]),
      ),
    );
    const [a, b, c] = await rpc.batch('x', [[], [], []]);
    expect([a, c]).toEqual([{ result: 'a' }, { result: 'c' }]);
    expect('error' in b && b.error.facts.nodeCode).toBe(-8);
    expect(await rpc.batch('x', [])).toEqual([]);
    expect(node.requests.length).toBe(1);
  });

  it.each([
    ['too few', [{ id: 0, result: 1 }]],
    ['too many', [0, 1, 2].map((id) => ({ id, result: 1 }))],
    ['one twice', [0, 0].map((id) => ({ id, result: 1 }))],
    ['one that was not asked for', [0, 7].map((id) => ({ id, result: 1 }))],
    ['no objects', [1, 2]],
    ['an object', { id: 0, result: 1 }],
  ])('with answers that are %s is refused', async (_name, answers) => {
    const node = await FakeNode.start();
    node.prank = refuse(200, JSON.stringify(answers));
    expect((await errorOf(client(node, { attempts: 1 }).batch('x', [[], []]))).code).toBe('NODE_BAD_RESPONSE');
  });
});

describe('many calls', () => {
  it('run a few at a time', async () => {
    const node = await FakeNode.start();
    node.delayMs = 10;
    const rpc = client(node, { concurrency: 3 });
    const results = await Promise.all(Array.from({ length: 30 }, (_, i) => rpc.call('echo', [i])));
    expect(results).toEqual(Array.from({ length: 30 }, (_, i) => [i]));
    expect(node.mostRunning).toBe(3);
  });

  it('end as soon as their signal is aborted: waiting, under way, or between attempts', async () => {
    const node = await FakeNode.start();
    node.prank = hang;
    const abort = new AbortController();
    const { signal } = abort;
    const rpc = client(node, { concurrency: 1 });
    const reason = new Error('enough');
    const calls = [rpc.call('echo', [1], { signal }), rpc.call('echo', [2], { signal })];
    const busy = await FakeNode.start();
    busy.prank = refuse(503);
    const backingOff = client(busy, {
      clock: {
        now: () => 0,
        random: () => 0,
        sleep: (_ms, own) => new Promise((resolve) => own?.addEventListener('abort', () => resolve())),
      },
    });
    calls.push(backingOff.call('echo', [3], { signal }));
    await expect.poll(() => node.requests.length + busy.requests.length).toBe(2);
    abort.abort(reason);
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome.status === 'rejected' && outcome.reason).toBe(reason);
    }
    await expect(rpc.call('echo', [], { signal })).rejects.toBe(reason);
    // The place of the aborted calls is free again.
    node.prank = undefined;
    expect(await rpc.call('echo', [4])).toEqual([4]);
  });

  it('that fail are WarpshrewErrors', async () => {
    const node = await FakeNode.start();
    node.prank = refuse(403);
    await expect(client(node).call('echo')).rejects.toBeInstanceOf(WarpshrewError);
  });
});
