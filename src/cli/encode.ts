/** `warpshrew encode`: what a message is on the wire, from its arguments: what `decode` reads. */
import { Transaction } from 'bitcoinjs-lib';
import { UsageError } from '../errors/errors.js';
import { formatId } from '../protocol/alkane-id.js';
import { LANE_TARGET } from '../protocol/cellpack.js';
import { describeOutputs } from '../protocol/describe.js';
import {
  encodeCellpack,
  encodeEnvelope,
  encodeProtostones,
  encodeRunestone,
  gzipBest,
  gzipStored,
  type ProtostoneInput,
} from '../protocol/encode.js';
import { readProtostones } from '../protocol/protostone-json.js';
import type { AlkaneId, ProtostoneEdict } from '../protocol/types.js';
import { fromDisplayHash, toHex } from '../util/bytes.js';
import type { CommandResult } from './decode.js';
import { readInputFile, readModuleFile, readStandardInput } from './files.js';

/** What surrounds a message in its protostone. */
export interface ProtostoneOptions {
  /** No 8:8 before the target: a message that is not for the parallel lane. */
  readonly bare?: boolean;
  readonly pointer?: number;
  readonly refund?: number;
  readonly edict?: readonly ProtostoneEdict[];
  readonly from?: number;
  readonly burn?: bigint;
  readonly protocolTag?: bigint;
  /** JSON with protostones as `decode --json` prints them; `-`: the standard input. */
  readonly like?: string;
  readonly json?: boolean;
}

export interface TransactionOptions extends ProtostoneOptions {
  /** File of a program that the first input carries. */
  readonly envelope?: string;
  /** Outpoints to spend, `txid:vout`. */
  readonly input?: readonly Outpoint[];
  readonly output?: readonly ScriptOutput[];
}

/** An output; its value in satoshi. */
export interface ScriptOutput {
  readonly script: Uint8Array;
  readonly value: bigint;
}

/** `txid` in display order. */
export interface Outpoint {
  readonly txid: string;
  readonly vout: number;
}

const MAX_JSON = 16 << 20;
/** Where nothing is spent yet. */
const NOTHING: Outpoint = { txid: '00'.repeat(32), vout: 0 };
/** Where nothing is paid yet: anyone can spend it. */
const ANYONE = { script: Uint8Array.of(0x51), value: 546n };
const SEQUENCE = 0xfffffffd;
/** Length of the control block of a taproot output with one leaf. */
const CONTROL_BLOCK = 33;

/** The bytes of a message. */
export function encodeCellpackCommand(
  target: AlkaneId,
  inputs: readonly bigint[],
  { bare, json }: Pick<ProtostoneOptions, 'bare' | 'json'>,
): CommandResult {
  const message = toHex(messageOf(target, inputs, bare));
  const [to, numbers] = bare ? [target, inputs] : [LANE_TARGET, [target.block, target.tx, ...inputs]];
  const cellpack = { target: formatId(to), inputs: numbers.map(String) };
  return shown(json ? { message, cellpack } : message);
}

/** The values of tag 16383, one a line. Throws what {@link protostonesOf} throws. */
export async function encodeProtostoneCommand(
  target: AlkaneId | undefined,
  inputs: readonly bigint[],
  options: ProtostoneOptions,
): Promise<CommandResult> {
  const values = encodeProtostones(await protostonesOf(target, inputs, options)).map(String);
  return shown(options.json ? { protocol_u128: values } : values.join('\n'));
}

/**
 * The script of the output that carries the protostones, in hex. As JSON also what `decode` reads of it, behind one
 * other output. Throws what {@link protostonesOf} throws.
 */
export async function encodeRunestoneCommand(
  target: AlkaneId | undefined,
  inputs: readonly bigint[],
  options: ProtostoneOptions,
): Promise<CommandResult> {
  const script = encodeRunestone({ protostones: await protostonesOf(target, inputs, options) });
  return shown(options.json ? { script: toHex(script), ...describeOutputs([ANYONE, { script }]) } : toHex(script));
}

/** The witness script around a program, in hex. Throws InputError FILE_*. */
export function encodeEnvelopeCommand(
  path: string,
  { stored, json }: { readonly stored?: boolean; readonly json?: boolean },
): CommandResult {
  const program = readModuleFile(path);
  const body = stored ? gzipStored(program) : gzipBest(program);
  const script = toHex(encodeEnvelope(body));
  return shown(json ? { script, program: program.length, body: body.length } : script);
}

/**
 * A transaction that is not signed: outputs, the runestone behind them, and the envelope in the witness of its first
 * input. Its inputs and outputs are placeholders where none are given. Throws what {@link protostonesOf} throws.
 */
export async function encodeTransactionCommand(
  target: AlkaneId | undefined,
  inputs: readonly bigint[],
  options: TransactionOptions,
): Promise<CommandResult> {
  const tx = new Transaction();
  tx.version = 2;
  for (const { txid, vout } of options.input ?? [NOTHING]) tx.addInput(fromDisplayHash(txid), vout, SEQUENCE);
  for (const { script, value } of options.output ?? [ANYONE]) tx.addOutput(script, value);
  tx.addOutput(encodeRunestone({ protostones: await protostonesOf(target, inputs, options) }), 0n);
  if (options.envelope !== undefined) {
    const script = encodeEnvelope(gzipBest(readModuleFile(options.envelope)));
    tx.setWitness(0, [script, new Uint8Array(CONTROL_BLOCK)]);
  }
  const hex = toHex(tx.toBuffer());
  return shown(options.json ? { hex, ...describeOutputs(tx.outs) } : hex);
}

function messageOf(target: AlkaneId, inputs: readonly bigint[], bare = false): Uint8Array {
  return bare ? encodeCellpack(target, inputs) : encodeCellpack(LANE_TARGET, [target.block, target.tx, ...inputs]);
}

/** Throws UsageError USAGE_NOTHING_TO_ENCODE, InputError PROTOSTONES_BAD_JSON, FILE_*. */
async function protostonesOf(
  target: AlkaneId | undefined,
  inputs: readonly bigint[],
  { like, bare, pointer, refund, edict, from, burn, protocolTag }: ProtostoneOptions,
): Promise<ProtostoneInput[]> {
  if ((like === undefined) === (target === undefined)) {
    throw new UsageError('USAGE_NOTHING_TO_ENCODE', 'either a message or --like says what to encode', {
      hint: 'Give a target with its inputs, for example 2:1 77, or --like FILE with what `decode --json` printed.',
    });
  }
  if (target !== undefined) {
    const message = messageOf(target, inputs, bare);
    return [{ message, pointer: pointer ?? 0, refund: refund ?? 0, edicts: edict, from, burn, protocolTag }];
  }
  const bytes = like === undefined || like === '-' ? await readStandardInput(MAX_JSON) : readInputFile(like, MAX_JSON);
  return readProtostones(new TextDecoder().decode(bytes));
}

function shown(what: object | string): CommandResult {
  return { text: typeof what === 'string' ? what : JSON.stringify(what), exitStatus: 0 };
}
