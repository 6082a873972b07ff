import type { Command } from 'commander';
import type { AlkaneId } from '../protocol/types.js';
import { alkaneId, edicts, outpoints, outputNumber, outputs, u128 } from './arguments.js';

type Finish = (result: { readonly text: string; readonly exitStatus: number }) => void;

const TARGET = 'contract (block:tx), or what creates one: 1:0, 3:n, 5:n, 6:n';
const INPUTS = 'numbers behind the target, opcode first';
const numbers = (text: string, before: bigint[] = []): bigint[] => [...before, u128(text)];

/** Adds `encode …`: commands for who writes contracts. */
export function addContractCommands(program: Command, finish: Finish): void {
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
