/** `warpshrew codegen`: a TypeScript client of a contract, from what it says of itself. */
import { readMeta } from '../codegen/read-meta.js';
import { typescriptClient } from '../codegen/typescript.js';
import { InputError, UsageError } from '../errors/errors.js';
import { codeKey } from '../lane/keys.js';
import { ProgramRunner } from '../program/runner.js';
import { parseId } from '../protocol/alkane-id.js';
import { askRpc } from '../rpc/ask-rpc.js';
import { Metas } from '../simulate/meta.js';
import { concatBytes } from '../util/bytes.js';
import type { CommandResult } from './decode.js';
import { readInputFile, readModuleFile } from './files.js';

export interface CodegenOptions {
  /** A running server that knows the contract. */
  readonly rpc?: string;
  /** JSON in the place of what the contract says. */
  readonly meta?: string;
}

const MAX_META = 1 << 20;
const SOMEWHERE = { block: 2n, tx: 1n };

/**
 * `what`: the id of a contract (`--rpc`), or a program's file. Throws UsageError USAGE_CODEGEN, InputError CODEGEN_META
 * and FILE_*, ProgramError, EnvironmentError ENV_RPC_FAILED.
 */
export async function codegenCommand(what: string | undefined, options: CodegenOptions): Promise<CommandResult> {
  return { text: typescriptClient(readMeta(await metaOf(what, options))), exitStatus: 0 };
}

async function metaOf(what: string | undefined, { rpc, meta }: CodegenOptions): Promise<unknown> {
  if (meta !== undefined) return parsed(new TextDecoder().decode(readInputFile(meta, MAX_META)), meta);
  if (what === undefined) throw nothing();
  if (/^\d+:\d+$/.test(what)) {
    if (rpc === undefined) throw nothing();
    parseId(what);
    return askRpc(rpc, 'warpshrew_getmeta', [what]);
  }
  const code = concatBytes(Uint8Array.of(0), readModuleFile(what));
  const key = codeKey(SOMEWHERE);
  return new Metas(new ProgramRunner()).of(SOMEWHERE, { get: (wanted) => (wanted === key ? code : undefined) });
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InputError('CODEGEN_META', 'the file of --meta is not JSON', { facts: { path }, cause });
  }
}

function nothing(): UsageError {
  return new UsageError('USAGE_CODEGEN', 'there is no contract to make a client of', {
    hint: 'Give a file of WebAssembly, an id with --rpc URL, or --meta FILE.json.',
  });
}
