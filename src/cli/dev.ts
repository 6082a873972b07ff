/** `warpshrew dev`: runs until its process is ended. */
import { mkdtempSync, readdirSync, rmSync, watchFile } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { DevService } from '../dev/dev-service.js';
import { UsageError, WarpshrewError } from '../errors/errors.js';
import { compileScript } from '../harness/compile.js';
import { passedSignal } from '../util/deep-thread.js';
import type { CommandResult } from './decode.js';
import { readModuleFile } from './files.js';

export interface DevCommandOptions {
  readonly host: string;
  readonly port: number;
  readonly nodePort: number;
  /** URL, with `@HEIGHT` behind it or not. */
  readonly fork?: string;
  readonly deploy?: string;
  readonly mining: boolean;
  readonly explorer: boolean;
}

/** Milliseconds between two looks at the file of the program. */
const LOOK_MS = 200;

/**
 * Ends at a signal, with nothing left behind. Throws UsageError USAGE_FORK, and what {@link DevService.start}, {@link
 * compileScript} and a first deployment throw.
 */
export async function devCommand(
  inputs: readonly bigint[],
  { fork, deploy, mining, ...options }: DevCommandOptions,
): Promise<CommandResult> {
  const ended = passedSignal();
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-deploy-'));
  let service: DevService | undefined;
  try {
    const source = deploy === undefined ? undefined : new ProgramSource(deploy, folder);
    const program = await source?.read();
    service = await DevService.start({
      ...options,
      wait: !mining,
      fork: fork === undefined ? undefined : forkOf(fork),
    });
    const { wallet } = service.node;
    const lines = [
      `node      ${service.nodeServer.url}  (JSON-RPC of a Bitcoin node on regtest, any user and password)`,
      `index     ${service.server.url}  (JSON-RPC of warpshrew${options.explorer ? ', and the explorer' : ''})`,
      `key       ${wallet.wif}  (its coins: ${wallet.address})`,
      `faucet    sendtoaddress ADDRESS BITCOIN, of the node`,
    ];
    if (service.index.views !== undefined && service.index.origin === undefined) {
      const { height } = service.index.views.base;
      lines.push(`fork      views of a Metashrew host up to block ${height}; it has no contracts of the parallel lane`);
    }
    process.stdout.write(`${lines.join('\n')}\n`);
    if (source !== undefined && program !== undefined) await serveProgram(service, source, program, inputs);
    await ended;
  } finally {
    await service?.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return { text: '', exitStatus: 0 };
}

/** The program that is deployed: a module, or a contract in AssemblyScript that is compiled. */
class ProgramSource {
  readonly #isScript: boolean;

  constructor(
    readonly path: string,
    readonly folder: string,
  ) {
    this.#isScript = path.endsWith('.ts');
  }

  async read(): Promise<Uint8Array> {
    if (!this.#isScript) return readModuleFile(this.path);
    const out = join(this.folder, 'program.wasm');
    const path = resolve(this.path);
    await compileScript(dirname(path), basename(path, '.ts'), path, out);
    return readModuleFile(out);
  }

  /** What it is made of: a contract may import others of its folder, and its `__meta` lies there. */
  get files(): string[] {
    if (!this.#isScript) return [this.path];
    const folder = dirname(this.path);
    return readdirSync(folder)
      .filter((name) => /\.(ts|json)$/.test(name))
      .map((name) => join(folder, name));
  }
}

/** Deploys the program, and puts each new version of its file into its place. */
async function serveProgram(
  service: DevService,
  source: ProgramSource,
  program: Uint8Array,
  inputs: readonly bigint[],
): Promise<void> {
  const { path } = source;
  const txid = await service.deploy(program, inputs);
  const { messages } = service.index.store.receipt(txid) ?? { messages: [] };
  const [{ target, status, error } = { target: undefined, status: 'NONE', error: undefined }] = messages;
  process.stdout.write(
    `contract  ${target ?? 'none'}  (${path}, ${status}${error === undefined ? '' : `: ${error}`})\n`,
  );
  // One version after the other: compiling takes longer than saving twice.
  let last: Promise<void> = Promise.resolve();
  for (const file of source.files) {
    watchFile(file, { interval: LOOK_MS, persistent: false }, ({ size }) => {
      if (size === 0) return;
      last = last.then(async () => void process.stdout.write(`${await reload(service, txid, source)}\n`));
    });
  }
}

async function reload(service: DevService, txid: string, source: ProgramSource): Promise<string> {
  try {
    await service.replace(txid, await source.read());
    return `reloaded  ${source.path}: everything since its deployment ran again`;
  } catch (error) {
    return `not reloaded: ${error instanceof WarpshrewError ? error.explain() : String(error)}`;
  }
}

/** `URL@HEIGHT`, or a URL alone. */
export function forkOf(text: string): { readonly url: string; readonly height: number | undefined } {
  const [, url, height] = /^(.+?)(?:@(\d{1,9}))?$/.exec(text) ?? [];
  if (url === undefined || !URL.canParse(url) || !/^https?:/.test(url)) {
    throw new UsageError('USAGE_FORK', 'what to fork is no address of a server', {
      facts: { fork: text },
      hint: 'Give --fork URL@HEIGHT, for example http://127.0.0.1:8080@840000.',
    });
  }
  return { url, height: height === undefined ? undefined : Number(height) };
}
