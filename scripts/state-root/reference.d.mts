import type { StateProof } from '../../src/store/tree/verify-proof.js';

export interface Leaf {
  readonly bits: string;
  readonly path: Uint8Array;
  readonly valueHash: Uint8Array;
  readonly hash: Uint8Array;
}

export function H(...parts: Uint8Array[]): Uint8Array;
export function leavesOf(pairs: readonly (readonly [key: Uint8Array, value: Uint8Array])[]): Leaf[];
export function rootOf(leaves: readonly Leaf[]): Uint8Array;
export function stateRootOf(standard: Uint8Array, lane: Uint8Array): Uint8Array;
export function proofOf(leaves: readonly Leaf[], key: Uint8Array): StateProof;
