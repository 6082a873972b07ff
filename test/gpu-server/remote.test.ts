// Calls of contracts over a server whose device is V8: what comes back, and what broken servers do.
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { EnvironmentError } from '../../src/errors/errors.js';
import { FIRST_COOL_DOWN_MS } from '../../src/execute/health/kernel-health.js';
import type { KernelState } from '../../src/gpu/device/kernel-cache.js';
import { CALL_RECORD, WRITTEN_ADDRESS } from '../../src/gpu/translate/layout.js';
import { applyWrites } from '../../src/selftest/fuzz/fuzz.js';
import { readAddress } from '../../src/tasks/server/address.js';
import { FrameReader } from '../../src/tasks/server/frames.js';
import { ServerLink } from '../../src/tasks/server/link.js';
import { decodeMessage, type Message } from '../../src/tasks/server/messages.js';
import type { RemoteExecutor } from '../../src/tasks/server/remote-executor.js';
import { FAULTS } from '../../src/testing/gpu-faults/faulty-gpu.js';
import { V8Device } from '../../src/testing/gpu-server/v8-device.js';
import { makeEngine, message, sourceOf } from '../execute/engines.js';
import { drill } from '../execute/health/drill.js';
import { temporaryFolder } from '../helpers/cli.js';
import { call, makeBlock, World } from '../lane/world.js';
import { connected, frame, runBlock, running, someBlock, somePiece } from './support.js';

it.each(['remote 0', 'remote 1', 'remote 2', 'remote 3', 'remote 4'])('a drill over a server, %s', async (seed) => {
  const device = new V8Device();
  const { address, server } = await running(device);
  const openGpu = (): Promise<RemoteExecutor> => connected(address);
  expect(FAULTS).toContain(await drill({ seed, openGpu, programs: ['probe', 'mint', 'ledger'] }));
  expect(device.calls).toBeGreaterThan(0);
  expect(server.figures.failed).toBe(0);
});

it('two clients share programs; columns go up and down, and nothing is left behind', async () => {
  const device = new V8Device();
  const { address, server } = await running(device, 1);
  const asked: string[] = [];
  device.kernelState = (program) => {
    asked.push(program.hash);
    return 'ready';
  };
  const [first, second] = [await connected(address), await connected(address)];
  const ran = await Promise.all([runBlock(first), runBlock(second)]);
  for (const { statistics, health } of ran) {
    expect(statistics.executors).toMatchObject({ gpu: 12 });
    expect(health).toMatchObject({ gpu: 'healthy', gpuFailures: 0 });
  }
  expect(new Set(asked).size).toBe(1);
  expect(first.timings.bytesUp).toBeGreaterThan(12 * 4 * CALL_RECORD.words);
  expect(first.timings.bytesDown).toBeGreaterThan(12 * 12);
  expect(server.figures).toMatchObject({ clients: 2, waiting: 0, done: device.segments, failed: 0 });
  expect(first.adapter).toEqual({ vendor: 'GPU server', description: `V8 (${address})`, software: false });
});

it('a server without a device says so, and so does one that loses it', async () => {
  const { address } = await running(undefined);
  await expect(connected(address)).rejects.toMatchObject({
    code: 'GPU_UNAVAILABLE',
    message: 'the GPU server has no device for calls of contracts',
  });
  const device = new V8Device(() => {
    throw new EnvironmentError('GPU_DEVICE_LOST', 'the device was lost');
  });
  const gpu = await connected((await running(device)).address);
  expect((await runBlock(gpu)).health).toMatchObject({ gpuFailures: 1, lastGpuFailure: 'GPU_DEVICE_LOST' });
});

it('a kernel that the server has lost is asked for again: threads run the calls meanwhile', async () => {
  const device = new V8Device();
  const { address } = await running(device);
  const gpu = await connected(address);
  expect((await runBlock(gpu)).statistics.executors.gpu).toBe(12);
  let state: KernelState = 'waiting';
  device.kernelState = () => state;
  const engine = makeEngine({ policy: 'gpu', gpu });
  const { world, block } = someBlock();
  const meanwhile = await engine.processBlock(block, world.height, sourceOf(world));
  expect(meanwhile.statistics).toMatchObject({ punted: 12, executors: { gpu: 0 } });
  expect(engine.health.gpu).toBe('healthy');
  state = 'ready';
  expect((await runBlock(gpu)).statistics.executors.gpu).toBe(12);
});

/** A server that says what a test has it say to calls; programs are ready. */
async function liar(says: (calls: Extract<Message, { kind: 'calls' }>, socket: Socket) => readonly Message[]) {
  const path = join(temporaryFolder(), 'gpu');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const reader = new FrameReader({
      most: 2 ** 26,
      reserve: () => true,
      tooLong: () => undefined,
      take: (bytes) => {
        const heard = decodeMessage(bytes);
        if (heard.kind === 'hello')
          socket.write(frame({ kind: 'welcome', version: 2, lane: 'hardware', adapter: 'a' }));
        else if (heard.kind === 'program')
          socket.write(frame({ kind: 'state', id: heard.id, state: 'ready', reason: '' }));
        else if (heard.kind === 'calls') for (const said of says(heard, socket)) socket.write(frame(said));
      },
    });
    socket.on('data', (chunk) => void reader.push(chunk));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return `unix:${path}`;
}

const word = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

it.each<readonly [what: string, code: string, says: Parameters<typeof liar>[0]]>([
  ['another length', 'GPU_FAILED', ({ id }) => [{ kind: 'outcomes', id, columns: [word(1), word(1), word(1)] }]],
  ['one column', 'GPU_FAILED', ({ id }) => [{ kind: 'outcomes', id, columns: [word(1)] }]],
  ['half a word', 'GPU_FAILED', ({ id }) => [{ kind: 'outcomes', id, columns: [Uint8Array.of(1), word(1), word(1)] }]],
  ['another answer', 'GPU_DEVICE_LOST', ({ id }) => [{ kind: 'outcomes', id: id + 7, columns: [] }]],
  ['another kind', 'GPU_DEVICE_LOST', ({ id }) => [{ kind: 'state', id, state: 'ready', reason: '' }]],
  ['a question', 'GPU_DEVICE_LOST', ({ id }) => [{ kind: 'program', id, source: word(1) }]],
  ['a failure', 'GPU_FAILED', ({ id }) => [{ kind: 'failure', id, code: 'ENV_ROOT', text: 'no' }]],
  ['a lost device', 'GPU_DEVICE_LOST', ({ id }) => [{ kind: 'failure', id, code: 'GPU_UNAVAILABLE', text: 'no' }]],
  ['its end', 'GPU_DEVICE_LOST', (_, socket) => [socket.destroy()].flatMap(() => [])],
  ['what is no frame', 'GPU_DEVICE_LOST', (_, socket) => [socket.write(word(2 ** 31))].flatMap(() => [])],
])('a server that says %s to calls is a kernel that has failed (%s)', async (_, code, says) => {
  const gpu = await connected(await liar(says));
  const { statistics, health } = await runBlock(gpu);
  expect(statistics).toMatchObject({ gpuFailures: 1, executors: { gpu: 0 } });
  expect(health).toMatchObject({ gpuFailures: 1, lastGpuFailure: code });
});

it('addresses, results and fuel that no kernel leaves are refused', async () => {
  // Columns of an honest answer with one word changed: seen, the length of a result, fuel, status.
  for (const [column, at, value] of [
    [1, 0, 8],
    [1, 0, 0xfffffff0],
    [0, 2, 100_000],
    [0, 1, 0x7fffffff],
    [0, 0, 77],
  ] as const) {
    const device = new V8Device();
    const begin = device.begin.bind(device);
    device.begin = async (block) => {
      const run = await begin(block);
      return {
        run: async (number) => {
          const outcomes = await run.run(number);
          const { results, seen } = outcomes.readback;
          (column === 0 ? results : seen)[at] = value;
          return outcomes;
        },
        set: () => undefined,
        close: () => undefined,
      };
    };
    const { address } = await running(device);
    const { health } = await runBlock(await connected(address));
    expect(health, `${column} ${at}`).toMatchObject({ gpuFailures: 1, lastGpuFailure: 'GPU_FAILED' });
  }
});

it('the address of another value than the one that was sent is refused', async () => {
  const world = new World();
  const id = world.deploy();
  const block = makeBlock(Array.from({ length: 12 }, (_, i) => message(call(id, 4, i))));
  const truth = await makeEngine({ policy: 'sequential' }).processBlock(block, world.height, sourceOf(world));
  applyWrites(world.state, truth.writes);
  for (const lies of [false, true]) {
    const device = new V8Device();
    const begin = device.begin.bind(device);
    device.begin = async (piece) => {
      const run = await begin(piece);
      return {
        run: async (number) => {
          const outcomes = await run.run(number);
          const { seen } = outcomes.readback;
          const sent = [...seen.keys()].filter((i) => seen[i] !== 0 && seen[i] < WRITTEN_ADDRESS);
          expect(sent).toHaveLength(12);
          if (lies) seen[sent[1]] = seen[sent[0]];
          return outcomes;
        },
        set: () => undefined,
        close: () => undefined,
      };
    };
    const { health } = await runBlock(await connected((await running(device)).address), { world, block });
    expect(health.gpuFailures).toBe(lies ? 1 : 0);
  }
});

it('an answer that is late is a timeout where the server is there, and nobody’s when it comes', async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const device = new V8Device((segment) => (segment === 0 ? held : undefined));
  const { address, server } = await running(device, 2);
  const link = await ServerLink.connect({
    address: readAddress(address),
    token: undefined,
    connectMs: 3_600_000,
    answerMs: 3_600_000,
    countsAlive: true,
  });
  onTestFinished(() => link.close());
  const { seed, columns, source } = await somePiece();
  const state = await link.ask((id) => ({ kind: 'program', id, source }));
  expect(state).toMatchObject({ state: 'ready' });
  const ask = (ms?: number) => link.ask((id) => ({ kind: 'calls', id, priority: 'tip', seed, columns }), ms);
  await expect(ask(50)).rejects.toMatchObject({ code: 'GPU_TIMEOUT' });
  // The other job of the server goes on.
  expect((await ask()).columns).toHaveLength(3);
  release();
  await vi.waitFor(() => expect(server.figures.done).toBe(2), { timeout: 600_000 });
  expect((await ask()).columns).toHaveLength(3);
  expect(link.dead).toBeUndefined();
});

it('a server that comes later is asked after the cool-down, and one that comes back as well', async () => {
  const path = join(temporaryFolder(), 'gpu');
  const clock = { ms: 0 };
  const states: string[] = [];
  const opened: Promise<unknown>[] = [];
  const engine = makeEngine({
    policy: 'gpu',
    waitForKernels: true,
    awaitsGpu: true,
    now: () => clock.ms,
    onKernelHealth: ({ to }) => states.push(to),
    reopenGpu: () => {
      const opening = connected(`unix:${path}`);
      opened.push(opening.catch(() => undefined));
      return opening;
    },
  });
  const { world, block } = someBlock();
  const runOn = async (): Promise<number> => {
    const { statistics } = await engine.processBlock(block, world.height, sourceOf(world));
    await Promise.all(opened);
    await new Promise((resolve) => setImmediate(resolve));
    return statistics.executors.gpu;
  };
  expect(await runOn()).toBe(0);
  expect(engine.health).toMatchObject({ gpu: 'unhealthy', kernel: { failures: { 'not-opened': 1 } } });
  // Still none: the cool-down doubles.
  clock.ms += FIRST_COOL_DOWN_MS;
  expect(await runOn()).toBe(0);
  expect(engine.health).toMatchObject({ gpu: 'unhealthy', kernel: { failures: { 'not-opened': 2 } } });
  const first = await running(new V8Device(), 2, path);
  clock.ms += 2 * FIRST_COOL_DOWN_MS;
  expect(await runOn()).toBe(0);
  expect(await runOn()).toBe(12);
  expect(states).toEqual(['unhealthy', 'probing', 'unhealthy', 'probing', 'degraded']);
  await first.server.close();
  expect(await runOn()).toBe(0);
  expect(engine.health).toMatchObject({ gpu: 'unhealthy', lastGpuFailure: 'GPU_DEVICE_LOST' });
  await running(new V8Device(), 2, path);
  clock.ms += 4 * FIRST_COOL_DOWN_MS;
  expect(await runOn()).toBe(0);
  expect(await runOn()).toBe(12);
});

it('a server that is silent is lost', async () => {
  const silent = await liar(() => []);
  const gpu = await connected(silent, { timeoutMs: 200 });
  const { health } = await runBlock(gpu);
  expect(health.gpuFailures).toBe(1);
  expect(health.lastGpuFailure).toMatch(/^GPU_(DEVICE_LOST|TIMEOUT)$/);
});
