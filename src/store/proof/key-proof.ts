/** A proof with what it proves: of which key, after which block, under which roots. */
import type { RefutationCode } from '../../errors/codes/registry.js';
import { bytesEqual, toHex } from '../../util/bytes.js';
import { combinedRoot } from '../tree/tree-hash.js';
import { type StateProof, verifyProof } from '../tree/verify-proof.js';
import type { Namespace } from '../types.js';

export interface KeyProof {
  readonly namespace: Namespace;
  /** Block after which it holds. No root contains the height: who trusts a root knows of which block it is. */
  readonly height: number;
  /** Roots of both namespaces, 32 bytes each: together they give the root of the whole state. */
  readonly standardRoot: Uint8Array;
  readonly laneRoot: Uint8Array;
  readonly key: Uint8Array;
  /** undefined: the key is absent. */
  readonly value: Uint8Array | undefined;
  readonly proof: StateProof;
}

/** What the reader of a proof knows from elsewhere. */
export interface Trusted {
  /** The root of the proof's namespace, or that of the whole state. */
  readonly root?: Uint8Array;
  readonly namespace?: Namespace;
  readonly height?: number;
  readonly key?: Uint8Array;
}

/** Why a proof proves nothing: a code of docs/errors.md, and a sentence. */
export interface Refutation {
  readonly code: RefutationCode;
  readonly reason: string;
}

/** The root that the path of a proof ends in. */
export function rootOfProof({ namespace, standardRoot, laneRoot }: KeyProof): Uint8Array {
  return namespace === 'S' ? standardRoot : laneRoot;
}

/** The root of the whole state, as `/health` tells it. */
export function stateRootOfProof({ standardRoot, laneRoot }: KeyProof): Uint8Array {
  return combinedRoot(standardRoot, laneRoot);
}

/** The first reason why the proof does not show what it says, or not what is `trusted`; undefined if there is none. */
export function refutationOf(proof: KeyProof, trusted: Trusted = {}): Refutation | undefined {
  const { namespace, height, key, value } = proof;
  const root = rootOfProof(proof);
  if (trusted.namespace !== undefined && trusted.namespace !== namespace) {
    return { code: 'PROOF_OTHER_KEY', reason: `it is about a key of namespace ${namespace}` };
  }
  if (trusted.key !== undefined && !bytesEqual(trusted.key, key)) {
    return { code: 'PROOF_OTHER_KEY', reason: 'it is about another key' };
  }
  if (trusted.height !== undefined && trusted.height !== height) {
    return { code: 'PROOF_OTHER_HEIGHT', reason: `it is about the state after block ${height}` };
  }
  if (
    trusted.root !== undefined &&
    !bytesEqual(trusted.root, root) &&
    !bytesEqual(trusted.root, stateRootOfProof(proof))
  ) {
    return { code: 'PROOF_OTHER_ROOT', reason: `it is under the root ${toHex(root)}, not under the one given` };
  }
  if (verifyProof(root, key, value, proof.proof)) return undefined;
  const claim = value === undefined ? 'is absent' : 'has this value';
  return { code: 'PROOF_WRONG', reason: `its hashes do not show that the key ${claim} under its root` };
}
