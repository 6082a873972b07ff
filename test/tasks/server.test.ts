import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, onTestFinished, vi } from 'vitest';
import { runWork } from '../../src/tasks/cpu/run-work.js';
import { FastSide } from '../../src/tasks/health/fast-side.js';
import { readAddress } from '../../src/tasks/server/address.js';
import { Connection } from '../../src/tasks/server/connection.js';
import { FrameReader, frameHead } from '../../src/tasks/server/frames.js';
import { JobQueue } from '../../src/tasks/server/job-queue.js';
import { decodeMessage, encodeMessage, type Message } from '../../src/tasks/server/messages.js';
import { startTaskServer, type TaskServer, type TaskServerOptions } from '../../src/tasks/server/server.js';
import { type GpuServerChoice, Tasks } from '../../src/tasks/tasks.js';
import type { Backend, Work, WorkAnswer } from '../../src/tasks/work/work.js';
import { concatBytes, u32Bytes } from '../../src/util/bytes.js';
import { temporaryFolder } from '../helpers/cli.js';
import * as cases from './cases.js';

const TOKEN = 'a token of the tests, long enough';

interface Running {
  readonly server: TaskServer;
  readonly address: string;
  readonly tokenFile: string;
  readonly folder: string;
  readonly dropped: string[];
}

/** A server whose kernel is `run`, on a Unix socket if nothing else is asked for. */
async function running(
  run: (work: Work) => Promise<WorkAnswer> = async (work) => runWork(work),
  over: Partial<TaskServerOptions> & { readonly tcp?: boolean } = {},
): Promise<Running> {
  const folder = temporaryFolder();
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`);
  const dropped: string[] = [];
  const backend: Backend = { run, close: async () => {} };
  const server = await startTaskServer({
    address: readAddress(over.tcp === true ? 'tcp:127.0.0.1:0' : `unix:${join(folder, 'gpu')}`),
    token: over.tcp === true ? TOKEN : undefined,
    fast: new FastSide({ open: async () => backend }),
    adapter: 'a test',
    jobs: 2,
    mostBytes: 2 ** 28,
    onDropped: (why) => dropped.push(why),
    ...over,
  });
  onTestFinished(() => server.close());
  return { server, address: server.address, tokenFile, folder, dropped };
}

/** Tasks over a server; whatever fails is answered by the CPU, and seen in the figures. */
function client(choice: GpuServerChoice, checkPercent = 2): Tasks {
  const least = { sha256: 1, schnorr: 1, ecdsa: 1, merkle: 1 };
  const tasks = new Tasks({ backend: 'gpu', threads: 0, checkPercent, least, gpuServer: choice });
  onTestFinished(() => tasks.close());
  return tasks;
}

/** A bare connection: what it hears, and when it ends. */
async function raw(address: string): Promise<{ readonly socket: Socket; readonly ended: Promise<unknown> }> {
  const to = readAddress(address);
  const socket = connect(to.kind === 'unix' ? { path: to.path } : to);
  const ended = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  socket.resume();
  await new Promise((resolve) => socket.once('connect', resolve));
  onTestFinished(() => void socket.destroy());
  return { socket, ended };
}

const frame = (message: Message): Uint8Array => {
  const parts = encodeMessage(message);
  return concatBytes(frameHead(parts), ...parts);
};
const hello = (token = ''): Uint8Array => frame({ kind: 'hello', version: 2, token });

it.each([false, true])('all four tasks through a server (TCP: %s) have the answers of the CPU', async (tcp) => {
  const { address, tokenFile, server } = await running(undefined, { tcp });
  const tasks = client({ address, tokenFile });
  const { batch, parts } = cases.messages(500);
  expect(await tasks.sha256({ ...batch, twice: true })).toEqual(cases.digests(parts, true));
  const schnorr = cases.schnorrRows(20, 'server');
  expect(await tasks.schnorr(schnorr.batch)).toEqual(schnorr.expected);
  const ecdsa = cases.ecdsaRows(20, 'server');
  expect(await tasks.ecdsa(ecdsa.batch)).toEqual(ecdsa.expected);
  const leaves = cases.leavesOf(5_001);
  const levels = cases.levelsOf(leaves);
  const tree = { root: levels.at(-1) ?? leaves, levels, mutated: false };
  expect(cases.shown(await tasks.merkle({ leaves, levels: true }))).toEqual(cases.shown(tree));
  expect(tasks.figures).toMatchObject({ kernelBatches: 4, fallbacks: 0, adapter: `${address}: a test` });
  expect(server.figures).toMatchObject({ clients: 1, waiting: 0, done: 4, failed: 0 });
});

it('what a server says is checked: a wrong answer is answered by the CPU', async () => {
  const { address } = await running(async (work) => {
    const answer = runWork(work);
    return { ...answer, bytes: answer.bytes.map((byte) => byte ^ 1) };
  });
  const tasks = client({ address });
  const { batch, expected } = cases.schnorrRows(20, 'liar');
  expect(await tasks.schnorr(batch)).toEqual(expected);
  expect(tasks.figures).toMatchObject({ fallbacks: 1, lastFailure: 'GPU_MISMATCH' });
});

it('without the token, or with another one, there is no server on TCP', async () => {
  const { address, folder, dropped, tokenFile } = await running(undefined, { tcp: true });
  const other = join(folder, 'other');
  writeFileSync(other, 'another token, as long as it must be');
  const { batch, expected } = cases.schnorrRows(3, 'token');
  for (const choice of [{ address }, { address, tokenFile: other }]) {
    const tasks = client(choice);
    expect(await tasks.schnorr(batch)).toEqual(expected);
    expect(tasks.figures).toMatchObject({ fallbacks: 1, lastFailure: 'GPU_UNAVAILABLE' });
  }
  expect(dropped).toEqual(['the token is wrong', 'the token is wrong']);
  expect(await client({ address, tokenFile }).schnorr(batch)).toEqual(expected);
  await expect(running(undefined, { address: readAddress('tcp:127.0.0.1:0') })).rejects.toMatchObject({
    code: 'USAGE_GPU_SERVER',
  });
  writeFileSync(other, 'short');
  expect(() => client({ address, tokenFile: other })).toThrow(expect.objectContaining({ code: 'USAGE_GPU_SERVER' }));
  expect(() => client({ address: 'http://127.0.0.1' })).toThrow(expect.objectContaining({ code: 'USAGE_GPU_SERVER' }));
});

it('a Unix socket is for its own user alone, and takes the place of one that nobody listens on', async () => {
  const first = await running();
  const path = first.address.slice('unix:'.length);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await expect(running(undefined, { address: readAddress(first.address) })).rejects.toMatchObject({
    code: 'ENV_PORT_IN_USE',
  });
  // A file that is no socket is not deleted.
  const file = join(first.folder, 'file');
  writeFileSync(file, 'mine');
  await expect(running(undefined, { address: readAddress(`unix:${file}`) })).rejects.toMatchObject({
    code: 'ENV_PORT_IN_USE',
  });
  expect(existsSync(file)).toBe(true);
  chmodSync(file, 0o600);
});

it('hostile frames end their connection before anything is allocated, and nobody else is hurt', async () => {
  const { address, dropped, server } = await running();
  const { batch, expected } = cases.schnorrRows(6, 'hostile');
  const row = { kind: 'schnorr', columns: [32, 32, 64].map((length) => new Uint8Array(length)) } as const;
  const job = frame({ kind: 'job', id: 1, priority: 'sync', work: row });
  const withByte = (at: number, value: number): Uint8Array => job.map((byte, i) => (i === at ? value : byte));
  const other = (work: Work): Uint8Array => frame({ kind: 'job', id: 0, priority: 'tip', work });
  const hashes = (offsets: Uint32Array): Uint8Array =>
    other({ kind: 'sha256', bytes: new Uint8Array(4), offsets, twice: false });
  const answer = { bytes: new Uint8Array(1), levels: [], mutated: false };
  const hostile: readonly (readonly [why: string, ...parts: Uint8Array[]])[] = [
    ['a frame of 4294967295 bytes', u32Bytes(2 ** 32 - 1)],
    ['a frame of 1000 bytes', u32Bytes(1_000), new Uint8Array(1_000)],
    ['without content', u32Bytes(0)],
    ['out of turn', job],
    ['version 9', frame({ kind: 'hello', version: 9, token: '' })],
    ['out of turn', hello(), hello()],
    ['a frame of 4294967295 bytes', hello(), u32Bytes(2 ** 32 - 1)],
    ['a frame of 42991616 bytes', hello(), u32Bytes(41 * 2 ** 20)],
    ['without content', hello(), u32Bytes(0)],
    ['ends too early', hello(), u32Bytes(3), Uint8Array.of(3, 0, 0)],
    // Kind of frame, priority, kind of work, number of columns, length of a column.
    ['no such kind', hello(), withByte(4, 99)],
    ['no such priority', hello(), withByte(5, 3)],
    ['no columns', hello(), withByte(6, 4)],
    ['no columns', hello(), withByte(6, 2)],
    ['too many columns', hello(), withByte(16, 200)],
    ['bytes behind', hello(), withByte(16, 2)],
    ['bytes behind', hello(), withByte(20, 31)],
    ['a column that ends too early', hello(), withByte(23, 255)],
    ['out of turn', hello(), frame({ kind: 'answer', id: 0, answer })],
    ['no trees', hello(), other({ kind: 'forest', leaves: new Uint8Array(64), height: 99, wantsLevels: false })],
    ['outside of the bytes', hello(), hashes(Uint32Array.of(0, 9))],
    ['below the one before', hello(), hashes(Uint32Array.of(0, 3, 2))],
    ['too many units', hello(), hashes(new Uint32Array(2 ** 18 + 2))],
  ];
  for (const [i, [why, ...parts]] of hostile.entries()) {
    const { socket, ended } = await raw(address);
    for (const part of parts) socket.write(part);
    await ended;
    expect([dropped.length, dropped.at(-1)], `${i}`).toEqual([i + 1, expect.stringContaining(why)]);
  }
  const tasks = client({ address });
  expect(await tasks.schnorr(batch)).toEqual(expected);
  expect(tasks.figures).toMatchObject({ kernelBatches: 1, failures: 0 });
  expect(server.figures.done).toBe(1);
});

it('a stranger that drips its greeting is dropped as one that is silent: it takes a place that others want', () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(1_000);
  onTestFinished(() => now.mockRestore());
  const gone: (string | undefined)[] = [];
  const socket = new Socket();
  onTestFinished(() => void socket.destroy());
  const connection = new Connection(socket, {
    token: TOKEN,
    adapter: 'a test',
    lane: 'none',
    programOf: () => undefined,
    askState: () => undefined,
    reserve: () => true,
    release: () => undefined,
    add: () => undefined,
    gone: (_, why) => gone.push(why),
  });
  const greeting = hello(TOKEN);
  for (let second = 0; second <= 30; second++) {
    now.mockReturnValue(1_000 + 1_000 * second);
    socket.emit('data', greeting.subarray(second, second + 1));
    connection.look();
  }
  expect(gone).toEqual([]);
  now.mockReturnValue(32_000);
  socket.emit('data', greeting.subarray(31, 32));
  connection.look();
  expect(gone).toEqual(['it has stalled']);
});

it('frames come through however they are cut, and wait until there is room', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      fc.integer({ min: 40, max: 90 }),
      (bodies, cuts, room) => {
        const got: Uint8Array[] = [];
        let free = room;
        let granted = 0;
        const held: number[] = [];
        const reader = new FrameReader({
          most: 40,
          reserve: (bytes) => {
            if (bytes > free) return false;
            free -= bytes;
            held.push(bytes);
            granted++;
            return true;
          },
          take: (body) => {
            got.push(body);
            expect(got.length).toBeLessThanOrEqual(granted);
          },
          tooLong: () => expect.unreachable(),
        });
        const all = concatBytes(...bodies.flatMap((body) => [u32Bytes(body.length), body]));
        for (let at = 0, c = 0; at < all.length; c++) {
          const end = Math.min(all.length, at + cuts[c % cuts.length]);
          let mayGoOn = reader.push(all.subarray(at, end));
          while (!mayGoOn) {
            free += held.shift() ?? 0;
            mayGoOn = reader.resume();
          }
          at = end;
        }
        expect(got.map((body) => [...body])).toEqual(bodies.map((body) => [...body]));
        expect(reader.isInside).toBe(false);
      },
    ),
  );
});

it('any bytes are a message or are refused, and messages come back as they were', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      try {
        decodeMessage(bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: 'TASK_MALFORMED' });
      }
    }),
  );
  const answer = { bytes: Uint8Array.of(1, 2), levels: [Uint8Array.of(3), new Uint8Array(0)], mutated: true };
  for (const message of [
    { kind: 'answer', id: 2 ** 32 - 1, answer },
    { kind: 'failure', id: 5, code: 'GPU_FAILED', text: 'why' },
    { kind: 'welcome', version: 2, lane: 'software', adapter: 'ä' },
    { kind: 'program', id: 3, source: Uint8Array.of(1, 2, 3) },
    { kind: 'state', id: 3, state: 'none', reason: 'why' },
    { kind: 'calls', id: 4, priority: 'tip', seed: 7, columns: [Uint8Array.of(1), new Uint8Array(0)] },
    { kind: 'outcomes', id: 4, columns: [] },
    { kind: 'alive' },
    {
      kind: 'job',
      id: 1,
      priority: 'bench',
      work: { kind: 'forest', leaves: cases.leavesOf(3), height: 2, wantsLevels: true },
    },
    {
      kind: 'job',
      id: 1,
      priority: 'tip',
      work: { kind: 'sha256', bytes: Uint8Array.of(1), offsets: Uint32Array.of(0, 1), twice: true },
    },
  ] satisfies Message[]) {
    expect(decodeMessage(concatBytes(...encodeMessage(message)))).toEqual(message);
  }
});

it('jobs of a better priority go first, and among equals each client has its turn', () => {
  const queue = new JobQueue<string, number>();
  for (let i = 0; i < 4; i++) queue.add('greedy', 'sync', i);
  queue.add('modest', 'sync', 10);
  queue.add('modest', 'sync', 11);
  queue.add('bench', 'bench', 20);
  queue.add('late', 'tip', 30);
  queue.add('gone', 'tip', 40);
  expect(queue.size).toBe(9);
  queue.forget('gone');
  const taken: number[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) taken.push(next.job);
  expect(taken).toEqual([30, 0, 10, 1, 11, 2, 3, 20]);
  expect(queue.size).toBe(0);
});

it('no more jobs run at a time than may, none starves, and a client that is killed leaves nothing behind', async () => {
  let now = 0;
  let most = 0;
  const started: (() => void)[] = [];
  const { address, server } = await running(
    async (work) => {
      most = Math.max(most, ++now);
      await new Promise<void>((resolve) => started.push(resolve));
      now--;
      return runWork(work);
    },
    { jobs: 2, mostBytes: 4_000 },
  );
  const rows = cases.schnorrRows(9, 'many');
  const asks = Array.from({ length: 5 }, () => client({ address }));
  const answers = asks.map((tasks) => tasks.schnorr(rows.batch));
  // It has a job in the queue, and another one half sent, and goes.
  const { socket, ended } = await raw(address);
  const work = { kind: 'schnorr', columns: [32, 32, 64].map((length) => new Uint8Array(length)) } as const;
  const job = frame({ kind: 'job', id: 1, priority: 'bench', work });
  socket.write(concatBytes(hello(), job, job.subarray(0, 100)));
  await vi.waitFor(() => expect(server.figures.clients).toBe(6), { timeout: 600_000 });
  socket.destroy();
  await ended;
  await vi.waitFor(() => expect(server.figures.clients).toBe(5), { timeout: 600_000 });
  const release = setInterval(() => started.shift()?.(), 5);
  for (const answer of answers) expect(await answer).toEqual(rows.expected);
  clearInterval(release);
  expect(most).toBeLessThanOrEqual(2);
  for (const tasks of asks) expect(tasks.figures).toMatchObject({ kernelBatches: 1, failures: 0 });
});

it('a server that greets and then says nothing, or nonsense, is a device that is lost', async () => {
  const { batch, expected } = cases.schnorrRows(6, 'silent');
  const welcome = frame({ kind: 'welcome', version: 2, lane: 'none', adapter: 'silent' });
  const nonsense = [
    new Uint8Array(0),
    u32Bytes(2 ** 32 - 1),
    concatBytes(u32Bytes(3), Uint8Array.of(9, 9, 9)),
    frame({ kind: 'failure', id: 77, code: 'GPU_FAILED', text: 'of another' }),
    hello(),
  ];
  for (const [i, answer] of nonsense.entries()) {
    const path = join(temporaryFolder(), 'gpu');
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write(welcome);
        socket.on('data', () => socket.write(answer));
      });
    }).listen(path);
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const tasks = client({ address: `unix:${path}`, connectMs: 3_600_000, answerMs: i === 0 ? 200 : 3_600_000 });
    expect(await tasks.schnorr(batch)).toEqual(expected);
    expect(tasks.figures, `${i}`).toMatchObject({ fallbacks: 1, lastFailure: 'GPU_DEVICE_LOST', kernel: 'unhealthy' });
  }
});
