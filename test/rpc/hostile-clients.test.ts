import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { clientOf, clientRule } from '../../src/rpc/client.js';
import { MAX_PIPELINED } from '../../src/rpc/connections.js';
import { FairBudget } from '../../src/rpc/fair-budget.js';
import { FairTurns } from '../../src/rpc/fair-turns.js';
import { hostRule } from '../../src/rpc/hosts.js';
import { temporaryFolder } from '../store/helpers.js';
import { serveExample } from './example-store.js';

const MIB = 1 << 20;
/** Longer than any test. */
const LONG_MS = 3_600_000;
const HEIGHT = '{"id":1,"method":"metashrew_height"}';

type Example = Awaited<ReturnType<typeof serveExample>> & { refused: string[] };

async function serve(options: Parameters<typeof serveExample>[1]): Promise<Example> {
  const refused: string[] = [];
  const example = await serveExample(temporaryFolder(), { ...options, onRefused: (code) => refused.push(code) });
  onTestFinished(example.close);
  return { ...example, refused };
}

/** A connection of the client with an address of the loopback network. */
async function open({ server }: Example, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: server.port, localAddress });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const head = (length: number, host = 'localhost'): string =>
  `POST / HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
const request = (body: string): string => head(body.length) + body;

/** What comes until it holds `end`, or the connection ends. */
async function received(socket: Socket, end: string): Promise<string> {
  const parts: string[] = [];
  let last = '';
  for await (const part of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    parts.push(part.toString('latin1'));
    last = last.slice(-end.length) + parts.at(-1);
    if (last.includes(end)) break;
  }
  return parts.join('');
}

async function ask(socket: Socket, body: string, end: string): Promise<string> {
  socket.write(request(body));
  return received(socket, end);
}

/** A view with a request of so many bytes. */
const large = (bytes: number): string =>
  `{"id":1,"method":"metashrew_view","params":["echo","${'00'.repeat(bytes / 2)}"]}`;

test('large bodies held open keep out neither small requests nor the large ones of other clients', async () => {
  const example = await serve({ limits: { memoryBytes: 8 * MIB, transferTimeoutMs: LONG_MS } });
  const held: Socket[] = [];
  for (let i = 0; i < 4; i++) {
    const socket = await open(example);
    socket.write(head(64 * MIB));
    socket.write(Buffer.alloc(1.5 * MIB, 0x20));
    held.push(socket);
  }
  // Half of the memory holds two of them: the others are told so.
  const answers = held.map((socket) => received(socket, '}}'));
  const [first, second] = [await Promise.race(answers), await Promise.race(answers)];
  for (const answer of [first, second]) expect(answer).toMatch(/^HTTP\/1.1 503 [\s\S]*"RPC_BODIES_HELD"/);
  const own = await open(example);
  expect(await ask(own, HEIGHT, '}')).toContain('"result":"101"');
  expect(await ask(own, large(4 * MIB), '}}')).toContain('RPC_BODIES_HELD');
  const other = await open(example, '127.0.0.2');
  expect(await ask(other, large(2 * MIB), '"}')).toContain('"result":"0x65000000');
  expect(example.refused).toContain('RPC_BODIES_HELD');
});

test('a body that does not come in time is refused, and its memory is free again', async () => {
  const example = await serve({ limits: { memoryBytes: 8 * MIB, transferTimeoutMs: 300 } });
  const slow = await open(example);
  slow.write(head(64 * MIB));
  slow.write(Buffer.alloc(3.5 * MIB, 0x20));
  expect(await received(slow, '}}')).toMatch(/^HTTP\/1.1 408 [\s\S]*"RPC_BODY_TIMEOUT"/);
  expect(example.refused).toEqual(['RPC_BODY_TIMEOUT']);
  let answer = '';
  while (!answer.includes('"result":"0x')) answer = await ask(await open(example), large(3 * MIB), '"}');
});

/** An answer that is larger than what sockets take of it by themselves. */
const BIG = '{"id":7,"method":"metashrew_view","params":["big",""]}';
const bigView = async (): Promise<Uint8Array> => new Uint8Array(12 * MIB);

test('a client that does not take its answers gets no more large ones, while others get theirs', async () => {
  const example = await serve({
    backend: { view: bigView },
    limits: { memoryBytes: 60 * MIB, transferTimeoutMs: LONG_MS },
  });
  const deaf = await open(example);
  deaf.pause();
  deaf.write(request(BIG));
  // Until the answer to the first lies in the server.
  let answer = '';
  while (!answer.includes('RPC_ANSWERS_HELD')) answer = await ask(await open(example), BIG, '}');
  expect(answer).toContain('"id":7');
  expect(await ask(await open(example), HEIGHT, '}')).toContain('"result":"101"');
  const other = await open(example, '127.0.0.2');
  expect((await ask(other, BIG, '"}')).length).toBeGreaterThan(24 * MIB);
});

test('a client that does not take its answer in time is cut off, and the memory is free again', async () => {
  const example = await serve({
    backend: { view: bigView },
    limits: { memoryBytes: 60 * MIB, transferTimeoutMs: 500 },
  });
  const deaf = await open(example);
  deaf.pause();
  deaf.write(request(BIG));
  // Nothing is read of it: only the end of the connection is seen, as a write that fails.
  await new Promise<void>((ended) => {
    const writing = setInterval(() => deaf.write(' '), 20);
    deaf.once('close', () => {
      clearInterval(writing);
      ended();
    });
  });
  let answer = '';
  while (!answer.includes('"result":"0x')) answer = await ask(await open(example), BIG, '"}');
});

test('requests of one connection are answered in order, and too many ahead of their answers end it', async () => {
  const waits: (() => void)[] = [];
  const view = (name: string): Promise<Uint8Array> => new Promise((done) => waits.push(() => done(Buffer.from(name))));
  const example = await serve({ backend: { view } });
  const slow = (name: string): string => request(`{"id":"${name}","method":"metashrew_view","params":["${name}",""]}`);
  const ordered = await open(example);
  ordered.write(slow('first') + request(HEIGHT) + slow('second'));
  while (waits.length === 0) await new Promise((next) => setTimeout(next, 5));
  // The second has not begun: one connection does one thing at a time.
  expect(waits).toHaveLength(1);
  waits[0]();
  while (waits.length === 1) await new Promise((next) => setTimeout(next, 5));
  waits[1]();
  const text = await received(ordered, '"id":"second"');
  expect([...text.matchAll(/"id":("?\w+"?)/g)].map((match) => match[1])).toEqual(['"first"', '1', '"second"']);

  const within = await open(example);
  within.write(request(HEIGHT).repeat(MAX_PIPELINED));
  let answers = '';
  while (answers.split('"101"').length <= MAX_PIPELINED) answers += await received(within, '"101"');
  const flood = await open(example);
  flood.write(request(HEIGHT).repeat(500));
  await once(flood.resume(), 'close');
  // Once, however many came: and those that waited for their turn end with their connection, not at the limit of a
  // body.
  expect(example.refused).toEqual(['RPC_PIPELINE']);
});

test('one client cannot take all connections', async () => {
  const example = await serve({ limits: { connections: 6 } });
  const sockets = [await open(example), await open(example), await open(example)];
  const refused = await open(example);
  await once(refused.resume(), 'close');
  expect(example.refused).toEqual(['RPC_CONNECTIONS']);
  const other = await open(example, '127.0.0.2');
  expect(await ask(other, HEIGHT, '}')).toContain('"result":"101"');
  sockets[0].destroy();
  // One that has ended makes room for another.
  for (let answer = ''; !answer.includes('"101"'); ) answer = await ask(await open(example), HEIGHT, '}');
});

test('a foreign Host header is refused on every path and counted: its page must not read anything', async () => {
  const example = await serve({});
  const hosts = ['evil.example', 'evil.example:8080', 'localhost.evil.example', '127.0.0.1.evil.example', '', '[::1'];
  for (const host of hosts) {
    for (const start of ['POST / ', 'GET /health ', 'OPTIONS / ']) {
      const socket = await open(example);
      socket.write(head(HEIGHT.length, host).replace('POST / ', start) + HEIGHT);
      const answer = await received(socket, '}}');
      expect(answer).toMatch(/^HTTP\/1.1 403 [\s\S]*"RPC_HOST_REFUSED"/);
      expect(answer).not.toContain('101');
    }
  }
  expect(example.refused).toEqual(new Array(hosts.length * 3).fill('RPC_HOST_REFUSED'));
});

test('Host may be a name of the loopback, an address, what is listened on, or a name that is allowed', () => {
  const rule = hostRule('index.example, Other.Example', 'bound.example');
  for (const host of [undefined, 'localhost', 'LOCALHOST:8080', '127.0.0.1:1', '[::1]:8080', '192.0.2.7', '[fe80::1]'])
    expect(rule(host), host).toBe(true);
  for (const host of ['bound.example', 'index.example:443', 'other.example', 'localhost.'])
    expect(rule(host), host).toBe(true);
  for (const host of ['example', 'index.example.evil', 'x@localhost', 'localhost:8080:1', '1.2.3', '*']) {
    expect(rule(host), host).toBe(false);
  }
  expect(hostRule('*', '127.0.0.1')('any.example')).toBe(true);
});

test('turns go round the clients, however much one of them has waiting', async () => {
  const turns = new FairTurns();
  const order: string[] = [];
  const all: Promise<number>[] = [];
  for (let i = 0; i < 50; i++) all.push(turns.take('greedy').then(() => order.push('greedy')));
  for (const client of ['a', 'b'])
    for (let i = 0; i < 2; i++) all.push(turns.take(client).then(() => order.push(client)));
  await Promise.all(all);
  expect(order).toHaveLength(54);
  expect(order.slice(0, 6)).toEqual(['greedy', 'a', 'b', 'greedy', 'a', 'b']);
  await turns.take('late');
});

test('a budget gives one client half of it, and all together no more than all', () => {
  const budget = new FairBudget(100);
  expect(budget.take('a', 50)).toBe(true);
  expect(budget.take('a', 1)).toBe(false);
  expect(budget.take('b', 40)).toBe(true);
  expect(budget.take('c', 11)).toBe(false);
  budget.give('a', 50);
  expect(budget.take('c', 11)).toBe(true);
  expect(budget.take('a', 49)).toBe(true);
});

test('a client is an IPv4 address or a network of IPv6 addresses; proxies that are trusted name theirs', () => {
  expect(clientOf('::ffff:192.0.2.1')).toBe('192.0.2.1');
  expect(clientOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
  expect(clientOf('2001:db8:1:2::9')).toBe('2001:db8:1:2::/64');
  expect(clientOf('2001:db8::9')).toBe('2001:db8:0:0::/64');
  expect(clientOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  expect(clientOf('::1')).toBe('::1');
  const from = (remoteAddress: string, forwarded?: string) =>
    ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as never;
  const rule = clientRule('127.0.0.1, ::1');
  expect(rule(from('127.0.0.1', '203.0.113.9, 192.0.2.1'))).toBe('192.0.2.1');
  expect(rule(from('127.0.0.1'))).toBe('127.0.0.1');
  // Nobody else is believed.
  expect(rule(from('192.0.2.5', '192.0.2.1'))).toBe('192.0.2.5');
  expect(clientRule(undefined)(from('127.0.0.1', '192.0.2.1'))).toBe('127.0.0.1');
});
