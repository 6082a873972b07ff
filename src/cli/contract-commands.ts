import type { Command } from 'commander';
import { NETWORKS } from '../chain/networks.js';
import type { AlkaneId } from '../protocol/types.js';
import {
  alkaneId,
  assets,
  edicts,
  feeRate,
  oneOf,
  outpoints,
  outputNumber,
  outputs,
  port,
  seconds,
  u128,
} from './arguments.js';

type Finish = (result: { readonly text: string; readonly exitStatus: number }) => void;

const NETWORK_NAMES = NETWORKS.map(({ network }) => network);
type FinishDeep = (run: () => Promise<Parameters<Finish>[0]>, endsItself?: boolean) => Promise<void>;

const TARGET = 'contract (block:tx), or what creates one: 1:0, 3:n, 5:n, 6:n';
const INPUTS = 'numbers behind the target, opcode first';
const numbers = (text: string, before: bigint[] = []): bigint[] => [...before, u128(text)];

/** Adds `encode …`, `deploy`, `send` and `dev`: commands for who writes contracts. */
export function addContractCommands(program: Command, finish: Finish, finishDeep: FinishDeep): void {
  const encode = program.command('encode').description('write what `decode` reads: messages, scripts, transactions');
  encode
    .command('cellpack')
    .description('the bytes of a message, in hex')
    .argument('<target>', TARGET, alkaneId)
    .argument('[inputs...]', INPUTS, numbers)
    .option('--bare', 'no 8:8 before the target: a message that is not for the parallel lane')
    .option('--json', 'print JSON')
    .action(async (target: AlkaneId, inputs: bigint[] = [], options) =>
      finish((await import('./encode.js')).encodeCellpackCommand(target, inputs, options)),
    );
  withProtostone(encode.command('protostone'))
    .description('the values of tag 16383 of a runestone that carry a message, one a line')
    .action(async (target: AlkaneId | undefined, inputs: bigint[] = [], options) =>
      finish(await (await import('./encode.js')).encodeProtostoneCommand(target, inputs, options)),
    );
  withProtostone(encode.command('runestone'))
    .description('the script of the OP_RETURN output that carries a message, in hex')
    .action(async (target: AlkaneId | undefined, inputs: bigint[] = [], options) =>
      finish(await (await import('./encode.js')).encodeRunestoneCommand(target, inputs, options)),
    );
  withProtostone(encode.command('transaction'))
    .description('a transaction with that output as its last, in hex: not signed, and with placeholders')
    .option('--envelope <file>', 'program that the witness of the first input carries')
    .option('--input <txid:vout>', 'outpoint to spend (repeatable; default: a placeholder)', outpoints)
    .option(
      '--output <script:satoshi>',
      'output, its script in hex (repeatable; default: one that anyone can spend)',
      outputs,
    )
    .action(async (target: AlkaneId | undefined, inputs: bigint[] = [], options) =>
      finish(await (await import('./encode.js')).encodeTransactionCommand(target, inputs, options)),
    );
  encode
    .command('envelope')
    .description('the witness script around a program, in hex')
    .argument('<file>', 'the program, WebAssembly')
    .option('--stored', 'do not compress it: the same bytes with every version of Node.js')
    .option('--json', 'print JSON')
    .action(async (file: string, options) =>
      finish((await import('./encode.js')).encodeEnvelopeCommand(file, options)),
    );
  withSending(program.command('deploy'))
    .description('put a program on the chain of a node: a transaction that commits to it, and one that reveals it')
    .argument('<file>', 'the program, WebAssembly')
    .argument('[inputs...]', 'what it is called with once it is there, opcode first', numbers)
    .option('--reserve <n>', 'create 4:n; the next free 2:n if not given', u128)
    .action(async (file: string, inputs: bigint[] = [], options) =>
      finish(await (await import('./sending.js')).deployCommand(file, inputs, options)),
    );
  withSending(program.command('send'))
    .description('send a message to a contract, in a transaction that a node takes')
    .argument('<target>', 'contract (block:tx), or what clones one: 5:n, 6:n', alkaneId)
    .argument('[inputs...]', INPUTS, numbers)
    .option('--spend <txid:vout>', 'coin whose assets come with the message (repeatable)', outpoints)
    .option('--give <id:amount>', 'what the message gets of them (repeatable; default: all)', assets)
    .action(async (target: AlkaneId, inputs: bigint[] = [], options) =>
      finish(await (await import('./sending.js')).sendCommand(target, inputs, options)),
    );
  program
    .command('codegen')
    .description('write a TypeScript client of a contract: encodes its calls, decodes its data and storage')
    .argument('[what]', 'a program, WebAssembly, that says what it is (`__meta`), or the id of a contract')
    .option('--rpc <url>', 'a running server that has the contract')
    .option('--meta <file>', 'JSON in the place of what the contract says')
    .action(async (what: string | undefined, options) =>
      finishDeep(async () => (await import('./codegen.js')).codegenCommand(what, options)),
    );
  program
    .command('dev')
    .description('a regtest chain of its own: node, faucet, instant blocks, index and explorer in one process')
    .argument('[inputs...]', 'what the program of --deploy is called with, opcode first', numbers)
    .option('--host <host>', 'address to serve on', '127.0.0.1')
    .option('--port <port>', 'JSON-RPC of warpshrew, and the explorer', port, 8080)
    .option('--node-port <port>', 'JSON-RPC of the node', port, 18443)
    .option('--fork <url@height>', 'go on from the state of a warpshrew server, which is read when it is wanted')
    .option(
      '--deploy <file>',
      'a contract to deploy (.wasm, or .ts, which is compiled), and to replace whenever its file changes',
    )
    .option('--no-mining', 'transactions wait for a block that somebody asks for (generatetoaddress)')
    .option('--no-explorer', 'serve JSON-RPC alone')
    .action(async (inputs: bigint[] = [], options) =>
      finishDeep(async () => (await import('./dev.js')).devCommand(inputs, options), true),
    );
}

/** What `deploy` and `send` have in common. */
function withSending(command: Command): Command {
  return command
    .requiredOption('--node-url <url>', 'JSON-RPC of a Bitcoin Core compatible node')
    .option('--node-cookie <file>', "the node's cookie file")
    .option('--auth <user:password>', 'user and password of the node')
    .option('--network <network>', 'refuse a node of another one', oneOf(NETWORK_NAMES))
    .option('--yes-mainnet', 'send on mainnet')
    .option('--key <file>', 'private key that has the coins: WIF, hex, wpkh(WIF) or tr(WIF) (or WARPSHREW_KEY)')
    .option('--wallet <name>', 'a wallet of the node that has the coins, in place of a key')
    .option('--fee-rate <rate>', 'satoshi per virtual byte (default: what the node expects)', feeRate)
    .option('--to <address>', 'where the contract sends assets (default: back to the key or wallet)')
    .option('--dry-run', 'print all transactions, signed and as PSBT, and send nothing')
    .option('--plan <file>', 'what was signed, to go on with after an interruption (deploy: FILE.plan.json)')
    .option('--mine', 'regtest: put each transaction into a block of its own')
    .option('--rpc <url>', 'a warpshrew server: simulate first, and send nothing that would fail')
    .option('--force', 'send it even if it would fail')
    .option('--wait <seconds>', 'wait until --rpc has indexed it, and show what became of it', seconds)
    .option('--json', 'print JSON');
}

/** A message and what surrounds it in its protostone. */
function withProtostone(command: Command): Command {
  return command
    .argument('[target]', TARGET, alkaneId)
    .argument('[inputs...]', INPUTS, numbers)
    .option('--pointer <output>', 'where assets go (default: 0)', outputNumber)
    .option('--refund <output>', 'where they go if the message fails (default: 0)', outputNumber)
    .option('--edict <id:amount:output>', 'assets that move (repeatable; amount 0: all)', edicts)
    .option('--from <n>', 'field 95', outputNumber)
    .option('--burn <n>', 'field 83', u128)
    .option('--protocol-tag <n>', 'default: 1, Alkanes', u128)
    .option('--bare', 'no 8:8 before the target: a message that is not for the parallel lane')
    .option('--like <file>', 'protostones as `decode --json` prints them, in place of a target; - for standard input')
    .option('--json', 'print JSON');
}
