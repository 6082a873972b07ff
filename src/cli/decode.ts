/** `warpshrew decode`: decodes a transaction, counts the contents of a block, or checks a file of vectors. */
import { existsSync } from 'node:fs';
import { MIN_TRANSACTION } from '../bitcoin/limits.js';
import { parseBlock } from '../bitcoin/parse-block.js';
import { parseTransaction } from '../bitcoin/parse-transaction.js';
import type { Block, Transaction } from '../bitcoin/types.js';
import { verifyBlock } from '../bitcoin/verify-block.js';
import { EXIT, InputError, UsageError } from '../errors/errors.js';
import { scanBlock } from '../lane/scan.js';
import { decodeCellpack } from '../protocol/cellpack.js';
import { describeTransaction, type ProtostoneDescription, type TransactionDescription } from '../protocol/describe.js';
import { decodeProtostones, PROTOCOL_TAG_ALKANES } from '../protocol/protostones.js';
import { decodeRunestone } from '../protocol/runestone.js';
import { checkVectors } from '../protocol/vectors.js';
import { fromHex, toDisplayHash } from '../util/bytes.js';
import { readInputFile, readStandardInput } from './files.js';

export interface CommandResult {
  readonly text: string;
  readonly exitStatus: number;
}

export interface DecodeOptions {
  readonly json?: boolean;
  readonly vectors?: string;
}

/** More than any block or vectors file: larger files are not even read. */
const MAX_FILE = 64 * 1024 * 1024;
/** Characters that tell text from bytes. */
const HEX_START = 64;
/** Header, number of transactions, and the smallest transaction. */
const LEAST_BLOCK = 81 + MIN_TRANSACTION;

/** Stands for the standard input. */
const STDIN = '-';
const HEX_TEXT = /^(0x)?[0-9a-fA-F\s]+$/;

/**
 * Runs the command: on vectors with `--vectors`, else on what `input` names: `-`, or nothing where `stdin` is no
 * terminal, is the standard input; a file holds a transaction or a block, raw or as hex; anything else is a transaction
 * in hex. Throws UsageError USAGE_NOTHING_TO_DECODE, and what {@link decodeBytes} throws.
 */
export async function decodeCommand(
  input: string | undefined,
  options: DecodeOptions,
  stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean } = process.stdin,
): Promise<CommandResult> {
  if (options.vectors !== undefined) return decodeVectorsCommand(options.vectors);
  if (input === STDIN || (input === undefined && !stdin.isTTY)) {
    const bytes = await readStandardInput(MAX_FILE, stdin);
    if (bytes.length > 0) return decodeBytes(bytes, options);
  }
  if (input === undefined || input === STDIN) {
    throw new UsageError('USAGE_NOTHING_TO_DECODE', 'there is nothing to decode', {
      hint: 'Give a transaction in hex, a file, - for the standard input, or --vectors FILE.',
    });
  }
  if (!existsSync(input) && HEX_TEXT.test(input)) return decodeTxCommand(input, options);
  return decodeBytes(readInputFile(input, MAX_FILE), options);
}

/**
 * What a file holds: a transaction, or a block, raw or as hex. Throws InputError: of a block where raw bytes are
 * neither, of a transaction where hex is.
 */
function decodeBytes(bytes: Uint8Array, options: DecodeOptions): CommandResult {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, HEX_START));
  const isHex = HEX_TEXT.test(start) && HEX_TEXT.test(new TextDecoder('latin1').decode(bytes));
  const raw = isHex ? bytesOf(new TextDecoder('latin1').decode(bytes)) : bytes;
  let transaction: Transaction | undefined;
  try {
    transaction = parseTransaction(raw);
  } catch (error) {
    // It may be a block: of hex that is no block either, this is the error.
    if (!(error instanceof InputError) || (isHex && raw.length < LEAST_BLOCK)) throw error;
  }
  return transaction === undefined ? decodeBlock(raw, options) : decodeTransaction(transaction, options);
}

/** A transaction's decoding, as text or as JSON in the shape of a vector's `expect`. Throws `InputError` TX_*. */
export function decodeTxCommand(hex: string, options: DecodeOptions = {}): CommandResult {
  return decodeTransaction(parseTransaction(bytesOf(hex)), options);
}

function decodeTransaction(transaction: Transaction, options: DecodeOptions): CommandResult {
  const description = describeTransaction(transaction);
  return { text: options.json ? JSON.stringify(description) : transactionText(description), exitStatus: 0 };
}

function bytesOf(hex: string): Uint8Array {
  try {
    return fromHex(hex.replace(/\s+/g, ''));
  } catch (cause) {
    throw new InputError('TX_BAD_HEX', 'the transaction is not whole bytes of hex', { cause });
  }
}

/** Verifies a block and counts its contents. Throws `InputError` BLOCK_*. */
function decodeBlock(raw: Uint8Array, options: DecodeOptions): CommandResult {
  const block = parseBlock(raw);
  verifyBlock(block);
  const counts = countBlock(block);
  const text = options.json
    ? JSON.stringify(counts)
    : Object.entries(counts)
        .map(([name, value]) => `${name.padEnd(16)}${value ?? 'unknown'}`)
        .join('\n');
  return { text, exitStatus: 0 };
}

/** Checks a vectors file; the last line is `N passed, M failed`, the exit status 1 if M > 0. */
export function decodeVectorsCommand(path: string): CommandResult {
  const results = checkVectors(new TextDecoder().decode(readInputFile(path, MAX_FILE)));
  const failed = results.filter(({ differences }) => differences.length > 0);
  const lines = failed.flatMap(({ name, differences }) => [`FAILED ${name}`, ...differences.map((d) => `  ${d}`)]);
  lines.push(`${results.length - failed.length} passed, ${failed.length} failed`);
  return { text: lines.join('\n'), exitStatus: failed.length > 0 ? EXIT.check : 0 };
}

export interface BlockCounts {
  /** null if the coinbase has no height. */
  readonly height: number | null;
  readonly hash: string;
  readonly txs: number;
  /** Transactions with a runestone, cenotaphs included. */
  readonly runestones: number;
  readonly cenotaphs: number;
  readonly protostones: number;
  readonly tag1Protostones: number;
  /** Tag-1 messages whose calldata decodes. */
  readonly cellpacks: number;
  /**
   * Lane transactions as far as the block alone shows them: carriers of tag-1 protostones and, recursively, the
   * transactions that spend their outputs.
   */
  readonly laneTxs: number;
}

export function countBlock(block: Block): BlockCounts {
  const counts = { runestones: 0, cenotaphs: 0, protostones: 0, tag1Protostones: 0, cellpacks: 0 };
  for (const { outputs } of block.transactions) {
    const artifact = decodeRunestone(outputs);
    if (artifact.kind === 'none') continue;
    counts.runestones += 1;
    if (artifact.kind === 'cenotaph') counts.cenotaphs += 1;
    else if (artifact.protocol !== undefined) {
      const decoded = decodeProtostones(artifact.protocol, outputs.length);
      const protostones = decoded.ok ? decoded.protostones : [];
      const tag1 = protostones.filter(({ protocolTag }) => protocolTag === PROTOCOL_TAG_ALKANES);
      counts.protostones += protostones.length;
      counts.tag1Protostones += tag1.length;
      counts.cellpacks += tag1.filter(({ message }) => message !== undefined && decodeCellpack(message)).length;
    }
  }
  return {
    height: block.coinbaseHeight ?? null,
    hash: toDisplayHash(block.hash),
    txs: block.transactions.length,
    ...counts,
    laneTxs: scanBlock(block, { get: () => undefined }).length,
  };
}

function transactionText(tx: TransactionDescription): string {
  const lines = [`txid         ${tx.txid}`, `outputs      ${tx.outputs}`];
  if (tx.artifact === null) lines.push('runestone    none');
  else if (tx.artifact === 'cenotaph') lines.push(`cenotaph     output ${tx.op_return_vout}, flaw ${tx.flaw}`);
  else lines.push(`runestone    output ${tx.op_return_vout}, payload ${tx.payload || '(empty)'}`);
  const { runes } = tx;
  if (runes?.etching) lines.push('  etching');
  if (runes?.mint) lines.push(`  mint       ${runes.mint}`);
  if (runes && runes.pointer !== null) lines.push(`  pointer    ${runes.pointer}`);
  for (const edict of runes?.edicts ?? []) lines.push(`  edict      ${edictText(edict)}`);
  if (tx.protostones_error !== undefined) {
    lines.push(
      `protostones  error: ${tx.protostones_error} (the transaction has no effect on alkanes but to destroy them)`,
    );
  }
  for (const protostone of tx.protostones ?? []) lines.push(...protostoneText(protostone));
  if (tx.witness) {
    const { input, envelope_body, gunzip, gunzip_error } = tx.witness;
    const content = gunzip === undefined ? `does not inflate: ${gunzip_error}` : `${gunzip.length / 2} inflated`;
    lines.push(`envelope     input ${input}, ${envelope_body.length / 2} bytes, ${content}`);
  }
  return lines.join('\n');
}

function protostoneText(protostone: ProtostoneDescription): string[] {
  const { index, protocol_tag, shadow_vout, pointer, refund, from, burn, message, cellpack } = protostone;
  const lines = [`protostone ${index} tag ${protocol_tag}, shadow output ${shadow_vout}`];
  for (const [name, value] of Object.entries({ pointer, refund, from, burn })) {
    if (value !== null) lines.push(`  ${name.padEnd(10)} ${value}`);
  }
  if (message !== '') lines.push(`  message    ${message}`);
  if (cellpack) lines.push(`  cellpack   ${cellpack.target} [${cellpack.inputs.join(', ')}]`);
  if (protostone.cellpack_error) lines.push(`  cellpack   error: ${protostone.cellpack_error}`);
  for (const edict of protostone.edicts) lines.push(`  edict      ${edictText(edict)}`);
  return lines;
}

function edictText(edict: { id: string; amount: string; output: string | number }): string {
  return `${edict.amount === '0' ? 'all' : edict.amount} of ${edict.id} to output ${edict.output}`;
}
