// Hostile clients for bench/serving.mjs: each begins at once, and gives what ends it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const head = (length) =>
  `POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
const post = (body) => head(body.length) + body;
const VIEW = '{"id":1,"method":"metashrew_view","params":["tipheight","0x","latest"]}';
const HEIGHT = '{"id":1,"method":"metashrew_height","params":[]}';
const HUGE = `[${Array.from({ length: 1000 }, () => HEIGHT).join(',')}]`;

/** What each does with a connection: bytes to send first, and again and again; whether it reads, and comes again. */
export const KINDS = {
  'bodies held open': { connections: 200, first: head(1 << 20) + ' '.repeat(512 << 10), reads: true },
  'answers not read': { connections: 100, first: post(HUGE), again: post(HUGE), reads: false },
  'floods of views': { connections: 200, first: post(VIEW), again: post(VIEW), reads: true },
  'floods of batches': { connections: 100, first: post(HUGE), again: post(HUGE), reads: true },
  'too much pipelined': { connections: 50, first: post(HEIGHT).repeat(500), reads: true },
  'readers of events': {
    connections: 200,
    first: 'GET /events?from=0 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n',
    reads: false,
  },
};

/** In a process of their own: they do not share a thread with what measures. */
function attack(kind) {
  return async ({ port, address }) => {
    const script = fileURLToPath(new URL('./hostile-child.mjs', import.meta.url));
    const child = spawn(process.execPath, [script, JSON.stringify({ kind, port, address })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    await Promise.race([once(child.stdout, 'data'), ended]);
    return async () => {
      child.kill('SIGKILL');
      await ended;
    };
  };
}

export const HOSTILE = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, attack(kind)]));
