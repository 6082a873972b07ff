// The asking side of bench/serving.mjs, a process of its own: reads what to do as JSON from its argument, and prints
// what came of it as JSON. Bytes go over bare sockets, so that it takes as little of the machine as it can.
import { connect } from 'node:net';

const { port, seconds, connections, address, bodies, rate } = JSON.parse(process.argv[2]);
const requests = bodies.map((body) =>
  Buffer.from(
    `POST / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  ),
);
/** How long an answer is waited for at the end. */
const UNANSWERED_MS = 10_000;
const took = [];
let errors = 0;
let bytes = 0;
let next = 0;

/** Bytes of the answer that `data` begins with, 0 while there is more to come. */
function answerLength(data) {
  const end = data.indexOf('\r\n\r\n');
  if (end < 0) return 0;
  const head = data.latin1Slice(0, end);
  if (!head.startsWith('HTTP/1.1 200')) errors++;
  const length = /content-length: (\d+)/i.exec(head);
  if (length !== null) {
    const whole = end + 4 + Number(length[1]);
    return data.length >= whole ? whole : 0;
  }
  const last = data.indexOf('0\r\n\r\n', end + 4);
  return last < 0 ? 0 : last + 5;
}

/** Asks over one connection, one request at a time, until `until`; every `spacing` milliseconds if that is given. */
function client(until, spacing, offset) {
  return new Promise((done, failed) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: address, noDelay: true });
    let sent = 0;
    let left = Buffer.alloc(0);
    let due = performance.now() + offset;
    const ask = () => {
      sent = performance.now();
      if (sent >= until) return socket.destroy();
      socket.write(requests[next++ % requests.length]);
    };
    const later = () => {
      if (spacing === undefined) return ask();
      due += spacing;
      const early = due - performance.now();
      if (early > 0) setTimeout(ask, early);
      else ask();
    };
    socket.on('data', (part) => {
      left = left.length === 0 ? part : Buffer.concat([left, part]);
      const length = answerLength(left);
      if (length === 0) return;
      bytes += length;
      if (left.includes('"error":{')) errors++;
      left = Buffer.alloc(0);
      took.push(performance.now() - sent);
      later();
    });
    // An answer that never comes must not hold up the others.
    setTimeout(() => socket.destroy(), until + UNANSWERED_MS - performance.now()).unref();
    socket.on('connect', later);
    socket.on('error', failed);
    socket.on('close', done);
  });
}

const started = performance.now();
const spacing = rate === undefined ? undefined : (1000 * connections) / rate;
await Promise.all(
  Array.from({ length: connections }, (_, i) =>
    client(started + 1000 * seconds, spacing, spacing === undefined ? 0 : (i * spacing) / connections),
  ),
);
const sorted = Float64Array.from(took).sort();
const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
const { user, system } = process.cpuUsage();
const answer = {
  count: took.length,
  seconds: (performance.now() - started) / 1000,
  errors,
  bytes,
  p50: at(0.5),
  p99: at(0.99),
  p999: at(0.999),
  most: at(1),
  cpu: (user + system) / 1e6,
};
process.stdout.write(JSON.stringify(answer));
