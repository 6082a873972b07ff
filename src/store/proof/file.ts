import { InputError } from '../../errors/errors.js';
import { decodeProof, looksLikeProof } from './format.js';
import { proofFromJson } from './json.js';
import type { KeyProof } from './key-proof.js';

/**
 * A proof from the bytes of a file in either form; also from a whole answer of the JSON-RPC server. Throws InputError
 * PROOF_*.
 */
export function readProof(bytes: Uint8Array): KeyProof {
  if (looksLikeProof(bytes)) return decodeProof(bytes);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new InputError('PROOF_MALFORMED', 'not a proof: neither the binary form nor JSON', { cause });
  }
  return proofFromJson(resultOf(json));
}

/** The result of a whole answer; anything else as it is. */
function resultOf(json: unknown): unknown {
  const isAnswer = typeof json === 'object' && json !== null && 'jsonrpc' in json && 'result' in json;
  return isAnswer ? json.result : json;
}
