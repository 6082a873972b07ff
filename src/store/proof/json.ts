/** Proofs as JSON (docs/state-root.md): bytes as lower-case hex after `0x`. */
import { InputError } from '../../errors/errors.js';
import { bytesEqual, fromHex, toHex } from '../../util/bytes.js';
import { shown } from '../../util/shown.js';
import { HASH_BYTES, PATH_BITS, PATH_BYTES, pathOf, valueHashOf } from '../tree/tree-hash.js';
import type { StateProof } from '../tree/verify-proof.js';
import { type KeyProof, rootOfProof, stateRootOfProof } from './key-proof.js';

const FORMAT = 'warpshrew-proof/2';
const FIELDS = [
  'format',
  'namespace',
  'height',
  'standardRoot',
  'laneRoot',
  'stateRoot',
  'root',
  'key',
  'value',
  'siblings',
  'otherLeaf',
] as const;

/** The members of a proof in JSON. `value` null: absent; `otherLeaf`: the leaf that stands in the place of the key. */
export interface ProofJson {
  readonly format: string;
  readonly namespace: string;
  readonly height: number;
  readonly standardRoot: string;
  readonly laneRoot: string;
  readonly stateRoot: string;
  /** That of the namespace. */
  readonly root: string;
  readonly key: string;
  readonly value: string | null;
  readonly siblings: readonly string[];
  readonly otherLeaf: { readonly path: string; readonly valueHash: string } | null;
}

const hex = (bytes: Uint8Array): string => `0x${toHex(bytes)}`;

export function proofToJson(proof: KeyProof): ProofJson {
  const { leaf } = proof.proof;
  return {
    format: FORMAT,
    namespace: proof.namespace,
    height: proof.height,
    standardRoot: hex(proof.standardRoot),
    laneRoot: hex(proof.laneRoot),
    stateRoot: hex(stateRootOfProof(proof)),
    root: hex(rootOfProof(proof)),
    key: hex(proof.key),
    value: proof.value === undefined ? null : hex(proof.value),
    siblings: proof.proof.siblings.map(hex),
    otherLeaf:
      proof.value !== undefined || leaf === undefined ? null : { path: hex(leaf.path), valueHash: hex(leaf.valueHash) },
  };
}

/**
 * Reads a proof from parsed JSON; verifies nothing but its form, and that its roots belong together. Throws InputError
 * PROOF_MALFORMED or PROOF_VERSION.
 */
export function proofFromJson(json: unknown): KeyProof {
  const fields = members(json, 'a proof', FIELDS);
  if (fields.format !== FORMAT) {
    throw new InputError('PROOF_VERSION', 'the proof is of another version', {
      facts: { format: shown(fields.format, 40), known: FORMAT },
      hint: 'Ask for it again, from a server of this version.',
    });
  }
  const { namespace, height } = fields;
  if (namespace !== 'S' && namespace !== 'P') throw malformed('namespace is neither S nor P');
  if (typeof height !== 'number' || !Number.isInteger(height) || height < 0 || height > 0xffffffff) {
    throw malformed('height is no whole number of 32 bits');
  }
  const key = bytesOf(fields.key, 'key');
  const value = fields.value === null ? undefined : bytesOf(fields.value, 'value');
  const proof: KeyProof = {
    namespace,
    height,
    standardRoot: bytesOf(fields.standardRoot, 'standardRoot', HASH_BYTES),
    laneRoot: bytesOf(fields.laneRoot, 'laneRoot', HASH_BYTES),
    key,
    value,
    proof: { siblings: siblingsOf(fields.siblings), leaf: leafOf(fields.otherLeaf, key, value) },
  };
  const roots = [
    ['root', rootOfProof(proof)],
    ['stateRoot', stateRootOfProof(proof)],
  ] as const;
  for (const [name, root] of roots) {
    if (!bytesEqual(bytesOf(fields[name], name, HASH_BYTES), root)) throw malformed(`${name} is not that of the roots`);
  }
  return proof;
}

function siblingsOf(json: unknown): Uint8Array[] {
  if (!Array.isArray(json) || json.length > PATH_BITS) throw malformed(`siblings is no list of at most ${PATH_BITS}`);
  return json.map((hash: unknown, depth) => bytesOf(hash, `sibling ${depth}`, HASH_BYTES));
}

function leafOf(json: unknown, key: Uint8Array, value: Uint8Array | undefined): StateProof['leaf'] {
  if (value !== undefined) {
    if (json !== null) throw malformed('otherLeaf is not null although the key has a value');
    return { path: pathOf(key), valueHash: valueHashOf(value) };
  }
  if (json === null) return undefined;
  const { path, valueHash } = members(json, 'otherLeaf', ['path', 'valueHash']);
  return { path: bytesOf(path, 'path', PATH_BYTES), valueHash: bytesOf(valueHash, 'valueHash', HASH_BYTES) };
}

/** An object with exactly these members. */
function members<const T extends string>(json: unknown, what: string, names: readonly T[]): Record<T, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw malformed(`${what} is no object`);
  const missing = names.find((name) => !Object.hasOwn(json, name));
  if (missing !== undefined) throw malformed(`${what} lacks ${missing}`);
  if (Object.keys(json).length !== names.length) throw malformed(`${what} has members that it does not know`);
  return json as Record<T, unknown>;
}

function bytesOf(json: unknown, what: string, length?: number): Uint8Array {
  if (typeof json !== 'string') throw malformed(`${what} is no text`);
  let bytes: Uint8Array;
  try {
    bytes = fromHex(json);
  } catch {
    throw malformed(`${what} is not whole bytes of hex`);
  }
  if (length !== undefined && bytes.length !== length) throw malformed(`${what} does not have ${length} bytes`);
  return bytes;
}

function malformed(what: string): InputError {
  return new InputError('PROOF_MALFORMED', `not a proof: ${what}`);
}
