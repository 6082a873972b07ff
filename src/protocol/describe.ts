/** A transaction's decoding as plain JSON, in the shape of the wire vectors (docs/wire.md, "Vectors"). */
import { gunzipSync } from 'node:zlib';
import type { Transaction, TxOutput } from '../bitcoin/types.js';
import { toDisplayHash, toHex } from '../util/bytes.js';
import { formatId } from './alkane-id.js';
import { readCellpack } from './cellpack.js';
import { locateEnvelope, type Witnessed } from './envelope.js';
import { decodeProtostones } from './protostones.js';
import { decodeRunestone } from './runestone.js';
import type { Protostone } from './types.js';

/** Ids as `block:tx`, u128 numbers as decimal strings, bytes as hex; `null` for what is absent. */
export interface EdictDescription {
  readonly id: string;
  readonly amount: string;
  readonly output: string | number;
}

export interface CellpackDescription {
  readonly target: string;
  readonly inputs: readonly string[];
}

export interface ProtostoneDescription {
  readonly index: number;
  readonly shadow_vout: number;
  readonly protocol_tag: string;
  readonly length: number;
  readonly pointer: number | null;
  readonly refund: number | null;
  readonly burn: string | null;
  /** Empty if there is no message: a message is never empty. */
  readonly message: string;
  readonly edicts: readonly EdictDescription[];
  readonly from: number | null;
  /** Exactly one of the two is present if there is a message. */
  readonly cellpack?: CellpackDescription;
  readonly cellpack_error?: string;
}

export interface OutputsDescription {
  readonly outputs: number;
  readonly artifact: 'runestone' | 'cenotaph' | null;
  readonly op_return_vout?: number;
  readonly flaw?: string;
  readonly payload?: string;
  readonly runes?: {
    readonly edicts: readonly EdictDescription[];
    readonly mint: string | null;
    readonly pointer: number | null;
    readonly etching: boolean;
  };
  readonly protocol_u128?: readonly string[];
  readonly protostones?: readonly ProtostoneDescription[];
  readonly protostones_error?: string;
}

export interface EnvelopeDescription {
  readonly input: number;
  readonly envelope_body: string;
  readonly gunzip?: string;
  readonly gunzip_error?: string;
}

export interface TransactionDescription extends OutputsDescription {
  readonly txid: string;
  readonly witness?: EnvelopeDescription;
}

/** Largest program that may be created (lane rules 3); a longer one is not printed either. */
const MAX_INFLATED = 4 * 1024 * 1024;

export function describeTransaction(tx: Transaction): TransactionDescription {
  const witness = describeEnvelope(tx);
  return { txid: toDisplayHash(tx.txid), ...describeOutputs(tx.outputs), ...(witness && { witness }) };
}

/** What can be decoded from the outputs alone: runestone, protostones, cellpacks. */
export function describeOutputs(all: readonly Pick<TxOutput, 'script'>[]): OutputsDescription {
  const outputs = all.length;
  const artifact = decodeRunestone(all);
  if (artifact.kind === 'none') return { outputs, artifact: null };
  const { opReturnVout: op_return_vout } = artifact;
  if (artifact.kind === 'cenotaph') return { outputs, artifact: 'cenotaph', op_return_vout, flaw: artifact.flaw };
  const { payload, edicts, mint, pointer, etching, protocol } = artifact;
  return {
    outputs,
    artifact: 'runestone',
    op_return_vout,
    payload: toHex(payload),
    runes: {
      edicts: edicts.map(({ id, amount, output }) => ({ id: formatId(id), amount: `${amount}`, output })),
      mint: mint ? formatId(mint) : null,
      pointer: pointer ?? null,
      etching,
    },
    ...(protocol && { protocol_u128: protocol.map(String), ...describeProtocol(protocol, outputs) }),
  };
}

function describeProtocol(
  protocol: readonly bigint[],
  outputs: number,
): Pick<OutputsDescription, 'protostones' | 'protostones_error'> {
  const result = decodeProtostones(protocol, outputs);
  if (!result.ok) return { protostones_error: result.error };
  return { protostones: result.protostones.map(describeProtostone) };
}

function describeProtostone(protostone: Protostone): ProtostoneDescription {
  const { message } = protostone;
  return {
    index: protostone.index,
    shadow_vout: protostone.shadowVout,
    protocol_tag: `${protostone.protocolTag}`,
    length: Number(protostone.length),
    pointer: protostone.pointer ?? null,
    refund: protostone.refund ?? null,
    burn: protostone.burn === undefined ? null : `${protostone.burn}`,
    message: message ? toHex(message) : '',
    edicts: protostone.edicts.map(({ id, amount, output }) => ({
      id: formatId(id),
      amount: `${amount}`,
      output: `${output}`,
    })),
    from: protostone.from ?? null,
    ...(message && describeCalldata(message)),
  };
}

function describeCalldata(message: Uint8Array): Pick<ProtostoneDescription, 'cellpack' | 'cellpack_error'> {
  const result = readCellpack(message);
  if (!result.ok) return { cellpack_error: result.error };
  const { target, inputs } = result.cellpack;
  return { cellpack: { target: formatId(target), inputs: inputs.map(String) } };
}

function describeEnvelope(tx: Witnessed): EnvelopeDescription | undefined {
  const found = locateEnvelope(tx);
  if (found === undefined) return undefined;
  const { input, body } = found;
  const envelope_body = toHex(body);
  try {
    return { input, envelope_body, gunzip: toHex(gunzipSync(body, { maxOutputLength: MAX_INFLATED })) };
  } catch (error) {
    return { input, envelope_body, gunzip_error: error instanceof Error ? error.message : 'unknown' };
  }
}
