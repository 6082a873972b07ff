/** `warpshrew proof …`: gets proofs of the state, and verifies them offline. */
import { writeFileSync } from 'node:fs';
import { EnvironmentError, EXIT, UsageError } from '../errors/errors.js';
import { askRpc } from '../rpc/ask-rpc.js';
import { openReader } from '../store/open-reader.js';
import { readProof } from '../store/proof/file.js';
import { encodeProof } from '../store/proof/format.js';
import { proofFromJson, proofToJson } from '../store/proof/json.js';
import {
  type KeyProof,
  type Refutation,
  refutationOf,
  stateRootOfProof,
  type Trusted,
} from '../store/proof/key-proof.js';
import { proveKey } from '../store/proof/prove-key.js';
import type { Namespace } from '../store/types.js';
import { toHex } from '../util/bytes.js';
import { readInputFile } from './files.js';

/** More than any proof: a value has at most what a module may write in a block. */
const MAX_FILE = 256 << 20;
/** A key or value is shown up to this many bytes. */
const SHOWN = 64;

interface Result {
  readonly text: string;
  readonly exitStatus: number;
}

export interface VerifyOptions extends Trusted {
  readonly json?: boolean;
}

/** `warpshrew proof verify FILE`. Throws InputError PROOF_* or FILE_* for what is no proof. */
export function verifyProofCommand(path: string, { json, ...trusted }: VerifyOptions): Result {
  const proof = readProof(readInputFile(path, MAX_FILE));
  const refutation = refutationOf(proof, trusted);
  const exitStatus = refutation === undefined ? 0 : EXIT.check;
  if (!json) return { text: verdictText(proof, refutation, trusted), exitStatus };
  return {
    text: JSON.stringify({ proved: refutation === undefined, ...refutation, ...proofToJson(proof) }),
    exitStatus,
  };
}

export interface GetOptions {
  readonly db?: string;
  readonly rpc?: string;
  readonly namespace: Namespace;
  readonly key: Uint8Array;
  readonly height?: number;
  /** File for the binary form; JSON on stdout if not given. */
  readonly out?: string;
}

/**
 * `warpshrew proof get`: a proof from a database or a server, verified before it is written. Throws UsageError
 * USAGE_PROOF_FROM, EnvironmentError ENV_RPC_FAILED, ENV_UNWRITABLE, and what `proveKey` throws.
 */
export async function getProofCommand(options: GetOptions): Promise<Result> {
  const { namespace, key, height, out } = options;
  const proof = await proofFrom(options);
  const refutation = refutationOf(proof, { namespace, key, height });
  if (refutation !== undefined) return { text: verdictText(proof, refutation, {}), exitStatus: EXIT.check };
  if (out === undefined) return { text: JSON.stringify(proofToJson(proof)), exitStatus: 0 };
  const bytes = encodeProof(proof);
  try {
    writeFileSync(out, bytes);
  } catch (cause) {
    throw new EnvironmentError('ENV_UNWRITABLE', 'the file for the proof cannot be written', {
      facts: { path: out },
      cause,
    });
  }
  return { text: `${verdictText(proof, undefined, {})}\n${out}: ${bytes.length} bytes`, exitStatus: 0 };
}

async function proofFrom({ db, rpc, namespace, key, height }: GetOptions): Promise<KeyProof> {
  if (db !== undefined && rpc === undefined) {
    const store = await openReader(db);
    try {
      return proveKey(store, namespace, key, height);
    } finally {
      await store.close();
    }
  }
  if (rpc !== undefined && db === undefined) {
    return proofFromJson(await askRpc(rpc, 'warpshrew_getproof', [namespace, toHex(key), height ?? null]));
  }
  throw new UsageError('USAGE_PROOF_FROM', 'a proof comes from one place', {
    hint: 'Give --db DIR for a database that no other process has open, or --rpc URL for a running server.',
  });
}

/** What a proof shows, or why it shows nothing. */
function verdictText(proof: KeyProof, refutation: Refutation | undefined, { root }: Trusted): string {
  const { namespace, height, key, value } = proof;
  if (refutation !== undefined) return `not proved: ${refutation.code}: ${refutation.reason}`;
  const claim = value === undefined ? 'is absent' : `has a value of ${value.length} bytes: ${shownBytes(value)}`;
  const whose = root === undefined ? 'compare it with one that you trust' : 'the one given';
  return [
    `proved: key ${shownBytes(key)} of namespace ${namespace} ${claim}`,
    `  after block    ${height} (no root contains the height)`,
    `  standard root  ${toHex(proof.standardRoot)}`,
    `  lane root      ${toHex(proof.laneRoot)}`,
    `  state root     ${toHex(stateRootOfProof(proof))}`,
    `  under the root of namespace ${namespace}: ${whose}`,
  ].join('\n');
}

function shownBytes(value: Uint8Array): string {
  return value.length <= SHOWN ? `0x${toHex(value)}` : `0x${toHex(value.subarray(0, SHOWN))}…`;
}
