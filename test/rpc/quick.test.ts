import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, test } from 'vitest';
import { PlainRequests } from '../../src/rpc/plain-request.js';
import { StoredAnswers } from '../../src/rpc/stored-answers.js';
import { block, receipt, temporaryFolder } from '../store/helpers.js';
import { serveExample } from './example-store.js';

const TXID = receipt(101, 0).txid;
const HEIGHT = '{"jsonrpc":"2.0","id":1,"method":"metashrew_height","params":[]}';
const VIEW = '{"id":2,"method":"metashrew_view","params":["echo","0x07"]}';
const BODIES = [
  HEIGHT,
  VIEW,
  `{"id":"é☃","method":"warpshrew_getreceipt","params":["${TXID}"]}`,
  `{"params":["${TXID.toUpperCase()}"],"method":"warpshrew_getreceipt","id":12345678901234567890}`,
  `{"id":1.0,"method":"warpshrew_getreceipt","params":["${'00'.repeat(32)}"]}`,
  '{"method":"warpshrew_getreceipt","params":[]}',
  '{"id":null,"method":"metashrew_stateroot","params":["latest"]}',
  '{"id":{"a":[1e400]},"method":"metashrew_getblockhash","params":[100]}',
  '{"id":7,"method":"metashrew_view","params":["fail",""]}',
  '{"id":7,"method":"no_such_method"}',
  '{"id":7,"method":"metashrew_height","params":{}}',
  '{"id":7,"method":"__proto__"}',
  ' {"id" : 7 , "id":8, "method":"metashrew_height"}\n',
  '{"id":7,"m\\u0065thod":"metashrew_height"}',
  '7',
  'null',
  '[]',
  `[${HEIGHT},${VIEW}]`,
  '{"id":1',
  '\u00ff',
  '\ufeff{"id":1,"method":"metashrew_height"}',
  `{"id":1,"method":"metashrew_height","params":${'['.repeat(20)}${']'.repeat(20)}}`,
  `{"id":"${'x'.repeat(20_000)}","method":"metashrew_height"}`,
];

function post(body: string | Buffer, more = ''): Buffer {
  const bytes = Buffer.from(body);
  const head = `POST / HTTP/1.1\r\nhost: localhost\r\n${more}content-type: application/json\r\n`;
  return Buffer.concat([Buffer.from(`${head}content-length: ${bytes.length}\r\n\r\n`), bytes]);
}

type Answer = { status: number; headers: string[]; body: string };

/** Answers as they come over a connection. */
async function* answersOf(socket: Socket): AsyncGenerator<Answer, void, void> {
  let text = '';
  for await (const part of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    text += part.toString('latin1');
    for (;;) {
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) break;
      const [first, ...headers] = text.slice(0, end).split('\r\n');
      const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end));
      const last = length === null ? text.indexOf('\r\n0\r\n\r\n', end) : end + 4 + Number(length[1]);
      if (last < 0 || last > text.length) break;
      const raw = text.slice(end + 4, last);
      // In chunks, each behind its length.
      const body = length === null ? raw.replace(/(^|\r\n)[0-9a-f]+\r\n/g, '') : raw;
      text = text.slice(length === null ? last + 7 : last);
      yield { status: Number(first.split(' ')[1]), headers, body: Buffer.from(body, 'latin1').toString() };
    }
  }
}

describe('plain requests', () => {
  let example: Awaited<ReturnType<typeof serveExample>>;
  beforeAll(async () => {
    example = await serveExample(temporaryFolder(), { onDefect: (error) => expect.fail(String(error)) });
  });
  afterAll(() => example.close());

  async function open(): Promise<{ socket: Socket; answers: AsyncGenerator<Answer, void, void> }> {
    const socket = connect({ host: '127.0.0.1', port: example.server.port });
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return { socket, answers: answersOf(socket) };
  }

  async function ask(...pieces: readonly Buffer[]): Promise<Answer> {
    const { socket, answers } = await open();
    for (const piece of pieces) {
      socket.write(piece);
      await new Promise((next) => setImmediate(next));
    }
    const { value } = await answers.next();
    socket.destroy();
    if (!value) throw new Error('no answer');
    return value;
  }

  it.each(BODIES)('%j is answered as over the HTTP server of Node', async (body) => {
    const [quick, again, slow] = [
      await ask(post(body)),
      await ask(post(body)),
      await ask(post(body, 'x-other: 1\r\n')),
    ];
    expect(quick.body).toBe(slow.body);
    // A second may have passed between them.
    const undated = ({ headers, ...rest }: Answer) => ({
      ...rest,
      headers: headers.map((h) => h.replace(/^Date: .*/, 'Date')),
    });
    expect(undated(again)).toEqual(undated(quick));
    expect(quick.status).toBe(slow.status);
    const named = ({ headers }: Answer) =>
      headers
        .map((header) => header.split(':')[0].toLowerCase())
        .filter((name) => !/^(content-length|transfer)/.test(name));
    expect(named(quick)).toEqual(named(slow));
  });

  it('are the same in whatever pieces they come', async () => {
    const whole = post(HEIGHT);
    for (let at = 1; at < whole.length; at += 7) {
      expect((await ask(whole.subarray(0, at), whole.subarray(at))).body).toContain('"result":"101"');
    }
  });

  it('may be followed by others of any kind on their connection, which are answered in order', async () => {
    const { socket, answers } = await open();
    const bodies: string[] = [];
    const send = async (bytes: Buffer, count: number): Promise<void> => {
      socket.write(bytes);
      for (let i = 0; i < count; i++) bodies.push((await answers.next()).value?.body ?? '');
    };
    await send(post(HEIGHT), 1);
    await send(post(VIEW), 1);
    await send(Buffer.concat([post(HEIGHT), post(VIEW), post(HEIGHT)]), 3);
    await send(post(HEIGHT), 1);
    await send(Buffer.concat([post(VIEW), post(HEIGHT).subarray(0, 20)]), 1);
    await send(post(HEIGHT).subarray(20), 1);
    await send(Buffer.from('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n'), 1);
    await send(post(HEIGHT), 1);
    const height = '"101"';
    const view = '"0x6500000007"';
    const expected = [height, view, height, view, height, height, view, height, '"status":"ok"', height];
    for (const [i, part] of expected.entries()) expect(bodies[i]).toContain(part);
    expect(bodies).toHaveLength(expected.length);
  });

  it('that come while a view runs are answered behind it', async () => {
    const { socket, answers } = await open();
    socket.write(post(VIEW));
    await new Promise((next) => setImmediate(next));
    socket.write(post(HEIGHT));
    expect((await answers.next()).value?.body).toContain('"id":2');
    expect((await answers.next()).value?.body).toContain('"id":1');
    socket.end();
    expect((await answers.next()).done).toBe(true);
  });

  it('of a flood on one connection do not keep the server from others', async () => {
    const { socket } = await open();
    // Nothing of it is read; the server stops reading, too.
    socket.pause();
    const more = (): void => {
      while (socket.write(post(HEIGHT)));
    };
    socket.on('drain', more);
    more();
    for (let i = 0; i < 20; i++) expect((await ask(post(HEIGHT))).body).toContain('"101"');
  });

  it('are refused like others where the host is foreign', async () => {
    const foreign = Buffer.from(post(HEIGHT).toString().replace('localhost', 'evil.example'));
    expect(await ask(foreign)).toMatchObject({ status: 403, body: expect.stringContaining('RPC_HOST_REFUSED') });
  });
});

test('a server that closes ends idle connections at once, and others behind their answers', async () => {
  const waits: (() => void)[] = [];
  const view = (): Promise<Uint8Array> => new Promise((done) => waits.push(() => done(Uint8Array.of(9))));
  const example = await serveExample(temporaryFolder(), { backend: { view } });
  const [idle, busy] = [0, 1].map(() => connect({ host: '127.0.0.1', port: example.server.port }));
  idle.write(post(HEIGHT));
  await once(idle, 'data');
  busy.write(post(VIEW));
  await expect.poll(() => waits.length, { timeout: 3_600_000 }).toBe(1);
  const closed = example.server.close();
  await once(idle.resume(), 'close');
  const answers = answersOf(busy);
  waits[0]();
  expect((await answers.next()).value).toMatchObject({
    body: '{"jsonrpc":"2.0","id":2,"result":"0x09"}',
    headers: expect.arrayContaining(['Connection: close']),
  });
  busy.destroy();
  await closed;
  await example.close();
});

test('answers from what is stored are those of the moment, whatever is stored and undone', async () => {
  const { server, store, close } = await serveExample(temporaryFolder());
  onTestFinished(close);
  const ask = async (method: string, ...params: unknown[]): Promise<unknown> => {
    const body = JSON.stringify({ id: 1, method, params });
    const headers = { 'content-type': 'application/json' };
    const { result, error } = await (await fetch(server.url, { method: 'POST', headers, body })).json();
    return result ?? error.data.code;
  };
  const { txid } = receipt(102, 0);
  for (let round = 0; round < 3; round++) {
    expect(await ask('metashrew_height')).toBe('101');
    expect(await ask('metashrew_stateroot', 'latest')).toBe(`0x${store.roots(101)?.standard}`);
    expect(await ask('warpshrew_getreceipt', txid)).toBe('RECEIPT_NOT_FOUND');
    const index = round + 3;
    store.commitBlock({ ...block(102, { tip: `${round}` }), receipts: [receipt(102, 0, { index })] });
    for (let again = 0; again < 2; again++) {
      expect(await ask('metashrew_height')).toBe('102');
      expect(await ask('metashrew_stateroot')).toBe(`0x${store.roots(102)?.standard}`);
      expect(await ask('warpshrew_getreceipt', txid)).toMatchObject({ height: 102, index });
    }
    store.rollback(101);
  }
});

test('a number beyond all is refused, also where it is kept what the tip has', async () => {
  const example = await serveExample(temporaryFolder());
  onTestFinished(example.close);
  const ask = async (method: string, params: string): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' };
    const body = `{"id":1,"method":"${method}","params":${params}}`;
    return (await fetch(example.server.url, { method: 'POST', headers, body })).json();
  };
  for (const method of ['metashrew_getblockhash', 'metashrew_stateroot', 'warpshrew_getroots']) {
    expect(await ask(method, '[null]')).toHaveProperty('result');
    for (const beyond of ['1e400', '-1e400']) {
      const refused = { error: { code: -32602, data: { code: 'RPC_BAD_HEIGHT' } } };
      expect(await ask(method, `[${beyond}]`)).toMatchObject(refused);
    }
  }
});

test('what was read while something was written is not kept, and what is kept is bounded', () => {
  const store = { version: 1 };
  const kept = new StoredAnswers(() => store.version);
  expect(kept.get('a')).toBeUndefined();
  kept.put('a', '1');
  expect(kept.get('a')).toBe('1');
  expect(kept.get('b')).toBeUndefined();
  store.version = 2;
  kept.put('b', 'of the old state');
  expect(kept.get('b')).toBeUndefined();
  expect(kept.get('a')).toBeUndefined();
  kept.put('long', 'x'.repeat(65_537));
  kept.put('x'.repeat(257), '1');
  expect([kept.get('long'), kept.get('x'.repeat(257))]).toEqual([undefined, undefined]);
  for (let i = 0; i < 200; i++) kept.put(`question ${i}`, 'x'.repeat(60_000));
  const there = Array.from({ length: 200 }, (_, i) => kept.get(`question ${i}`)).filter((text) => text !== undefined);
  expect(there.length).toBeGreaterThan(0);
  expect(there.length * 60_000).toBeLessThanOrEqual(8 << 20);
});

const PLAIN_HEAD = ['host: localhost', 'content-type: application/json', 'content-length: 3', 'user-agent: x y'];
const MORE = [
  'accept: */*',
  'connection: Keep-Alive',
  'connection: close',
  'Content-Length: 4',
  'content-length: +3',
  'transfer-encoding: chunked',
  'expect: 100-continue',
  'x-forwarded-for: 192.0.2.1',
  'X-Forwarded-For:192.0.2.2 ',
  'host: b',
  'accept : x',
  ' folded',
  'pragma:',
];
const ODD = ['\r', '\n', '\0', ' ', ':', 'x', '3', '\u00ff', '\t', '\r\n', ''];

/** Requests that are plain but for small changes. */
const requests = fc
  .record({
    line: fc.oneof(
      { weight: 9, arbitrary: fc.constant('POST / HTTP/1.1') },
      fc.constantFrom('POST / HTTP/1.0', 'POST /x HTTP/1.1', 'GET / HTTP/1.1', 'POST  / HTTP/1.1'),
    ),
    headers: fc.shuffledSubarray(PLAIN_HEAD, { minLength: 3 }),
    more: fc.subarray(MORE, { maxLength: 2 }),
    body: fc.oneof({ weight: 5, arbitrary: fc.constant('123') }, fc.constantFrom('12', '1234', '')),
    change: fc.option(fc.record({ at: fc.nat(150), gone: fc.nat(1), put: fc.constantFrom(...ODD) })),
  })
  .map(({ line, headers, more, body, change }) => {
    const text = `${[line, ...headers, ...more].join('\r\n')}\r\n\r\n${body}`;
    return change === null ? text : text.slice(0, change.at) + change.put + text.slice(change.at + change.gone);
  });

test('what is taken for a plain request is one for the parser of Node, and means the same', async () => {
  const server = createServer((request, response) => {
    const { host, 'x-forwarded-for': forwarded } = request.headers;
    const parts: Buffer[] = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString('latin1');
      const { method, url, httpVersion } = request;
      response.end(JSON.stringify({ method, url, httpVersion, host, forwarded, body }));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const plain = new PlainRequests();
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(requests, async (text) => {
      const bytes = Buffer.from(text, 'latin1');
      const read = plain.read(bytes);
      expect(plain.read(bytes)).toEqual(read);
      if (read === undefined) return;
      taken++;
      const socket = connect({ host: '127.0.0.1', port });
      socket.write(bytes.subarray(0, bytes.length - read.rest.length));
      const { value } = await answersOf(socket).next();
      socket.destroy();
      const { host, forwarded } = read;
      const body = read.body.toString('latin1');
      expect(body + read.rest.toString('latin1')).toBe(text.slice(text.indexOf('\r\n\r\n') + 4));
      const expected = { method: 'POST', url: '/', httpVersion: '1.1', host, forwarded, body };
      expect(JSON.parse(value?.body ?? '')).toEqual(JSON.parse(JSON.stringify(expected)));
    }),
    { seed: 1, numRuns: 5_000 },
  );
  expect(taken).toBeGreaterThan(50);
});
