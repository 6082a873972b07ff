/** `warpshrew dev`: runs until its process is ended. */
import { watchFile } from 'node:fs';
import { DevService } from '../dev/dev-service.js';
import { UsageError, WarpshrewError } from '../errors/errors.js';
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

/** Throws UsageError USAGE_FORK, and what {@link DevService.start} and a first deployment throw. */
export async function devCommand(
  inputs: readonly bigint[],
  { fork, deploy, mining, ...options }: DevCommandOptions,
): Promise<CommandResult> {
  const program = deploy === undefined ? undefined : readModuleFile(deploy);
  const service = await DevService.start({
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
  process.stdout.write(`${lines.join('\n')}\n`);
  if (deploy !== undefined && program !== undefined) await serveProgram(service, deploy, program, inputs);
  return new Promise<CommandResult>(() => undefined);
}

/** Deploys the program, and puts each new version of its file into its place. */
async function serveProgram(
  service: DevService,
  path: string,
  program: Uint8Array,
  inputs: readonly bigint[],
): Promise<void> {
  const txid = await service.deploy(program, inputs);
  const { messages } = service.index.store.receipt(txid) ?? { messages: [] };
  const [{ target, status, error } = { target: undefined, status: 'NONE', error: undefined }] = messages;
  process.stdout.write(
    `contract  ${target ?? 'none'}  (${path}, ${status}${error === undefined ? '' : `: ${error}`})\n`,
  );
  watchFile(path, { interval: LOOK_MS }, ({ size }) => {
    if (size === 0) return;
    void reload(service, txid, path).then((text) => process.stdout.write(`${text}\n`));
  });
}

async function reload(service: DevService, txid: string, path: string): Promise<string> {
  try {
    await service.replace(txid, readModuleFile(path));
    return `reloaded  ${path}: everything since its deployment ran again`;
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
