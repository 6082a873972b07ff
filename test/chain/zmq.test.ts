import { expect, it, onTestFinished } from 'vitest';
import { REAL_CLOCK } from '../../src/chain/clock.js';
import { ZmqNotifier, type ZmqOptions } from '../../src/chain/zmq.js';
import { FakePublisher, frame, message } from './fake-publisher.js';

const HASH = new Uint8Array(32).fill(5);
const SEQUENCE = Uint8Array.of(1, 0, 0, 0);
const never = new AbortController().signal;
/** Waits a hundredth of what it is asked to. */
const hasty = { ...REAL_CLOCK, sleep: (ms: number, signal?: AbortSignal) => REAL_CLOCK.sleep(ms / 100, signal) };

function subscribe(options: ZmqOptions): ZmqNotifier {
  const notifier = new ZmqNotifier({ clock: hasty, ...options });
  onTestFinished(() => notifier.close());
  return notifier;
}

async function subscribed(options: Partial<ZmqOptions> = {}) {
  const publisher = await FakePublisher.start();
  const notifier = subscribe({ endpoints: [publisher.endpoint], ...options });
  await expect.poll(() => publisher.topics).toEqual(['hashblock', 'sequence']);
  return { publisher, notifier, told: () => notifier.statistics[0].notifications };
}

const label = (letter: string): Uint8Array => Buffer.concat([HASH, Buffer.from(letter)]);

it('blocks that come and go are told, and nothing else', async () => {
  const { publisher, notifier, told } = await subscribed();
  const woken = notifier.next(never);
  publisher.send(message('hashblock', HASH, SEQUENCE));
  await woken;
  for (const letter of ['C', 'D', 'A', 'R']) publisher.send(message('sequence', label(letter), SEQUENCE));
  publisher.send(message('hashblock', HASH.subarray(1), SEQUENCE));
  publisher.send(message('hashblock'));
  publisher.send(message('rawblock', HASH));
  publisher.send(Buffer.from('\x04\x06\x04PING\0', 'latin1'));
  publisher.send(message('hashblock', HASH, SEQUENCE));
  await expect.poll(told).toBe(4);
  expect(notifier.statistics[0]).toMatchObject({ connected: true, connects: 1, failures: 0 });
});

it('messages are put together from whatever pieces they come in', async () => {
  const { publisher, told } = await subscribed();
  const bytes = Buffer.concat([
    message('hashblock', HASH, SEQUENCE),
    frame('hashblock', true, true),
    frame(HASH, false, true),
  ]);
  for (let at = 0; at < bytes.length; at += 3) {
    publisher.send(bytes.subarray(at, at + 3));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(told).toBe(2);
});

it('an endpoint that is lost is told once and connected to again, and who waits is woken then', async () => {
  const logs: string[] = [];
  const { publisher, notifier, told } = await subscribed({ log: (text) => logs.push(text) });
  const { port } = publisher;
  await publisher.stop();
  await expect.poll(() => notifier.statistics[0].failures).toBeGreaterThan(2);
  expect([notifier.connected, logs.length]).toEqual([false, 1]);
  const woken = notifier.next(never);
  await publisher.listen(port);
  await woken;
  expect([notifier.connected, logs.length, notifier.statistics[0].connects]).toEqual([true, 2, 2]);
  await expect.poll(() => publisher.topics.length).toBe(4);
  publisher.send(message('hashblock', HASH, SEQUENCE));
  await expect.poll(told).toBe(1);
});

it('an endpoint that was never there is told once', async () => {
  const publisher = await FakePublisher.start();
  const { endpoint } = publisher;
  await publisher.stop();
  const logs: string[] = [];
  const notifier = subscribe({ endpoints: [endpoint], log: (text) => logs.push(text) });
  await expect.poll(() => notifier.statistics[0].failures).toBeGreaterThan(2);
  expect(logs.length).toBe(1);
});

const GREETING = (version: number, mechanism: string): Buffer => {
  const bytes = Buffer.alloc(64);
  bytes.set([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, version]);
  bytes.set(Buffer.from(mechanism), 12);
  return bytes;
};
const READY = Buffer.from('\x04\x06\x05READY', 'latin1');
const after = (...parts: Buffer[]): Buffer => Buffer.concat([GREETING(3, 'NULL'), ...parts]);

it.each([
  ['speaks another protocol', Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
  ['speaks another protocol', Buffer.from(`\xff${'a'.repeat(20)}`, 'latin1')],
  ['version of ZMTP', GREETING(2, 'NULL')],
  ['security mechanism', GREETING(3, 'CURVE')],
  ['before READY', after(message('hashblock', HASH))],
  ['unknown flags', after(READY, Buffer.from([0x80, 0]))],
  ['longer than', after(READY, Buffer.from([2, 0, 0, 1, 0, 0, 0, 0, 0]))],
  ['longer than', after(READY, Buffer.from([2, 0, 0, 0, 0, 0, 0, 0x10, 0x01]))],
  ['parts', after(READY, message(...'123456789'))],
  ['refuses', after(Buffer.from('\x04\x07\x05ERROR\0', 'latin1'))],
])('a peer is left that %s (case %#)', async (why, bytes) => {
  const publisher = await FakePublisher.start();
  publisher.instead = bytes;
  const logs: unknown[] = [];
  const notifier = subscribe({ endpoints: [publisher.endpoint], log: (_text, facts) => logs.push(facts.why) });
  await expect.poll(() => notifier.statistics[0].failures).toBeGreaterThan(0);
  expect(logs[0]).toContain(why);
  expect(notifier.statistics[0].notifications).toBe(0);
});

it('a peer is left that never greets', async () => {
  const publisher = await FakePublisher.start();
  publisher.mute = true;
  const notifier = subscribe({ endpoints: [publisher.endpoint], handshakeMs: 20 });
  await expect.poll(() => publisher.connections).toBeGreaterThan(1);
  expect(notifier.connected).toBe(false);
});

it('several endpoints count as one', async () => {
  const [a, b] = [await FakePublisher.start(), await FakePublisher.start()];
  const notifier = subscribe({ endpoints: [a.endpoint, b.endpoint] });
  await expect.poll(() => [...a.topics, ...b.topics].length).toBe(4);
  const before = notifier.notifications;
  a.send(message('hashblock', HASH));
  b.send(message('sequence', label('C')));
  await expect.poll(() => notifier.notifications).toBe(before + 2);
  await a.stop();
  await expect.poll(() => notifier.statistics[0].connected).toBe(false);
  expect(notifier.connected).toBe(true);
});

it('closing ends all waiting', async () => {
  const { notifier } = await subscribed();
  const abort = new AbortController();
  const waits = [notifier.next(never), notifier.next(abort.signal)];
  abort.abort();
  await waits[1];
  await notifier.close();
  await waits[0];
  expect(notifier.connected).toBe(false);
});

it.each(['127.0.0.1:28332', 'ipc:///tmp/x', 'tcp://*:28332x', 'tcp://host:0', 'tcp://host:65536', 'tcp://::1:28332'])(
  'the endpoint %s is refused',
  (endpoint) => {
    const make = (): ZmqNotifier => new ZmqNotifier({ endpoints: ['tcp://[::1]:1', endpoint] });
    expect(make).toThrow(expect.objectContaining({ code: 'USAGE_ZMQ_ENDPOINT' }));
  },
);
