// A server of calls of contracts whose device is V8, and clients of it.
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { DeviceExecutor } from '../../src/gpu/pack/types.js';
import { runWork } from '../../src/tasks/cpu/run-work.js';
import { FastSide } from '../../src/tasks/health/fast-side.js';
import { readAddress } from '../../src/tasks/server/address.js';
import { frameHead } from '../../src/tasks/server/frames.js';
import { encodeCalls } from '../../src/tasks/server/lane-columns.js';
import { LaneDesk } from '../../src/tasks/server/lane-desk.js';
import { type Columns, encodeMessage, type Message } from '../../src/tasks/server/messages.js';
import { RemoteExecutor, type RemoteExecutorOptions } from '../../src/tasks/server/remote-executor.js';
import { startTaskServer, type TaskServer } from '../../src/tasks/server/server.js';
import { V8Device } from '../../src/testing/gpu-server/v8-device.js';
import { concatBytes } from '../../src/util/bytes.js';
import { makeEngine, message, sortedWrites, sourceOf } from '../execute/engines.js';
import { temporaryFolder } from '../helpers/cli.js';
import { call, makeBlock, World } from '../lane/world.js';

interface Running {
  readonly server: TaskServer;
  readonly address: string;
  readonly dropped: string[];
}

export async function running(
  device: DeviceExecutor | undefined,
  jobs = 2,
  path = join(temporaryFolder(), 'gpu'),
): Promise<Running> {
  const dropped: string[] = [];
  const address = `unix:${path}`;
  const server = await startTaskServer({
    address: readAddress(address),
    fast: new FastSide({ open: async () => ({ run: async (work) => runWork(work), close: async () => undefined }) }),
    lane: device && new LaneDesk({ device: 'hardware', open: async () => device }),
    adapter: 'V8',
    jobs,
    mostBytes: 2 ** 28,
    onDropped: (why) => dropped.push(why),
  });
  onTestFinished(() => server.close());
  return { server, address, dropped };
}

export async function connected(address: string, over: Partial<RemoteExecutorOptions> = {}): Promise<RemoteExecutor> {
  const options = { address: readAddress(address), token: undefined, priority: () => 'sync' as const, ...over };
  // Nothing but a test's own limit ends a wait.
  const remote = await RemoteExecutor.connect({ timeoutMs: 3_600_000, ...options });
  onTestFinished(() => remote.close());
  return remote;
}

/** A world with two contracts that read and write, and a block of calls of them. */
export function someBlock(calls = 12): { readonly world: World; readonly block: ReturnType<typeof makeBlock> } {
  const world = new World();
  const [first, second] = [world.deploy(), world.deploy()];
  const txs = Array.from({ length: calls }, (_, i) => message(call(i % 2 === 0 ? first : second, 5, i % 3, i)));
  return { world, block: makeBlock(txs) };
}

/** Runs a block with `gpu`, holds it against the sequential executor, and gives what became of the kernel. */
export async function runBlock(gpu: RemoteExecutor, { world, block } = someBlock()) {
  const engine = makeEngine({ policy: 'gpu', gpu, waitForKernels: true });
  const result = await engine.processBlock(block, world.height, sourceOf(world));
  const truth = await makeEngine({ policy: 'sequential' }).processBlock(block, world.height, sourceOf(world));
  expect(sortedWrites(result)).toEqual(sortedWrites(truth));
  return { statistics: result.statistics, health: engine.health };
}

/** A piece as a client sends it, and its program. */
export async function somePiece(): Promise<{ seed: number; columns: Columns; source: Uint8Array }> {
  const device = new V8Device();
  const begin = device.begin.bind(device);
  let piece: { seed: number; columns: Columns; source: Uint8Array } | undefined;
  device.begin = (block) => {
    const [program] = block.programs.values();
    piece = { seed: block.seed, columns: encodeCalls(block).map((each) => each.slice()), source: program.source };
    return begin(block);
  };
  await runBlock(await connected((await running(device)).address));
  if (piece === undefined) throw new Error('no piece');
  return piece;
}

export function frame(said: Message): Uint8Array {
  const parts = encodeMessage(said);
  return concatBytes(frameHead(parts), ...parts);
}
