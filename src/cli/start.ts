import { join } from 'node:path';
import { EXIT, InternalError } from '../errors/errors.js';
import { type ReplaySummary, summaryTable } from '../replay/summary.js';
import type { RpcBackend } from '../rpc/backend.js';
import { startRpcServer } from '../rpc/server.js';
import { requireServing } from '../service/config.js';
import { explorerFiles } from '../service/explorer-files.js';
import { servePages } from '../service/serve-pages.js';
import { ServiceState } from '../service/service-state.js';
import { bundledChain } from '../util/bundled-chain.js';
import { runCli } from './child.js';
import { greeting } from './serve.js';
import { openServed, type ServedDatabase } from './served.js';
import { type Outcome, verify } from './verification.js';
import { Workplace } from './workplace.js';

export interface StartOptions {
  readonly host: string;
  readonly port: number;
  readonly serve: boolean;
}

interface Result {
  readonly text: string;
  readonly exitStatus: number;
}

const GOODBYE = 'Goodbye: nothing of this start is left.';
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/**
 * `npm start`: takes its port, replays the bundled chain on the CPU, answers JSON-RPC from the result, and meanwhile
 * replays the chain through the kernel, whose state root must be the same. The replays are processes of their own:
 * contracts want a deep stack, the software driver its library path before a process starts.
 *
 * @throws EnvironmentError ENV_PORT_IN_USE, ENV_PORT_FORBIDDEN, ENV_LISTEN_FAILED; InternalError if a replay fails.
 */
export async function startCommand(options: StartOptions): Promise<Result> {
  const workplace = new Workplace('warpshrew-start-', () => say(GOODBYE));
  try {
    return await (options.serve ? serveAndVerify(options, workplace) : compare(workplace));
  } finally {
    workplace.close();
  }
}

/** `--no-serve`: both replays, then the end. */
async function compare(workplace: Workplace): Promise<Result> {
  const cpu = await replayOnCpu(workplace);
  const outcome = await verify(workplace, cpu);
  tell(cpu, outcome);
  if (outcome.kind === 'failed') throw failed('gpu', outcome.status);
  return { text: '', exitStatus: outcome.kind === 'differs' ? EXIT.check : 0 };
}

async function serveAndVerify({ host, port }: StartOptions, workplace: Workplace): Promise<Result> {
  const backend = new LaterBackend();
  const { settings } = requireServing({ flags: { db: databaseOf(workplace) }, environment: {} });
  let served: ServedDatabase | undefined;
  const loads = (): ServedDatabase => served ?? notReplayed();
  const pages = servePages({
    state: new ServiceState(),
    get store() {
      return backend.store;
    },
    settings,
    viewLoad: () => loads().viewLoad(),
    laneViewLoad: () => loads().laneViewLoad(),
  });
  const { ready } = backend;
  const server = await startRpcServer({ host, port, backend, ready, pages, files: explorerFiles() });
  try {
    say(`Listening on ${server.url}: requests are answered as soon as the bundled chain is replayed, in seconds.`);
    const cpu = await replayOnCpu(workplace);
    served = await openServed({ db: databaseOf(workplace), blocks: bundledChain() });
    backend.open(served.backend);
    say(greeting(server.url, true));
    return await untilStopped(workplace, cpu);
  } finally {
    await server.close();
    await served?.close();
  }
}

/** Verifies while requests are answered, until a signal comes or the kernel turns out to compute something else. */
async function untilStopped(workplace: Workplace, cpu: ReplaySummary): Promise<Result> {
  const stopped = workplace.nextSignal().then(() => undefined);
  const verified = verify(workplace, cpu);
  // A child that is killed because the program ends is no failure.
  verified.catch(() => undefined);
  const outcome = await Promise.race([stopped, verified]);
  if (outcome !== undefined) tell(cpu, outcome);
  if (outcome?.kind === 'differs') return { text: '', exitStatus: EXIT.check };
  await stopped;
  return { text: GOODBYE, exitStatus: 0 };
}

function tell(cpu: ReplaySummary, outcome: Outcome): void {
  if (outcome.kind === 'remembered') {
    const { inKernel, adapter } = outcome.verification;
    const earlier = `an earlier start of this build ran ${inKernel} messages on ${adapter}`;
    say(`The state roots agree: ${cpu.stateRoot} (${earlier}).`);
    return;
  }
  if (outcome.kind === 'failed') {
    say('The kernel could not be asked (see above): the state was computed by the CPU alone.');
    return;
  }
  if (outcome.parts.length > 1) {
    const shares = outcome.parts.map((programs) => programs.join(', ')).join('; ');
    say(`\nThe kernel ran in ${outcome.parts.length} replays, each with some of the programs: ${shares}.`);
  }
  say(`\n${summaryTable([cpu, ...outcome.summaries])}\n`);
  if (outcome.kind === 'differs') {
    const roots = outcome.summaries.map(({ stateRoot }) => `\n  gpu ${stateRoot}`);
    say(`The state roots DIFFER:\n  cpu ${cpu.stateRoot}${roots.join('')}`);
    return;
  }
  const { inKernel, adapter } = outcome.verification;
  say(`The state roots agree: ${cpu.stateRoot} (${inKernel} messages ran in the kernel on ${adapter}).`);
}

function databaseOf(workplace: Workplace): string {
  return join(workplace.folder, 'cpu.db');
}

async function replayOnCpu(workplace: Workplace): Promise<ReplaySummary> {
  process.stderr.write('replay on the CPU ...\n');
  const args = ['replay', bundledChain(), '--db', databaseOf(workplace), '--policy', 'cpu', '--json'];
  let last = '';
  const onLine = (line: string): void => {
    last = line;
  };
  const status = await runCli(workplace, args, { stderr: 'inherit', onLine });
  if (status !== 0) throw failed('cpu', status);
  return JSON.parse(last) as ReplaySummary;
}

function failed(policy: string, status: number | undefined): InternalError {
  return new InternalError('the replay failed', { facts: { policy, status: status ?? 'killed' } });
}

function notReplayed(): never {
  throw new InternalError('a request was answered before the chain was replayed');
}

/** What a server answers from that was started before there is anything. */
class LaterBackend implements RpcBackend {
  readonly ready: Promise<void>;
  private inner: RpcBackend | undefined;
  private opened: () => void = () => undefined;

  constructor() {
    this.ready = new Promise((resolve) => {
      this.opened = resolve;
    });
  }

  open(backend: RpcBackend): void {
    this.inner = backend;
    this.opened();
  }

  get store(): RpcBackend['store'] {
    return this.backend().store;
  }

  view(name: string, input: Uint8Array, height: number, client: string): Promise<Uint8Array> {
    return this.backend().view(name, input, height, client);
  }

  get laneView(): RpcBackend['laneView'] {
    return this.backend().laneView;
  }

  async block(height: number, hash: Uint8Array, client: string): Promise<Uint8Array | undefined> {
    return this.backend().block?.(height, hash, client);
  }

  private backend(): RpcBackend {
    return this.inner ?? notReplayed();
  }
}
