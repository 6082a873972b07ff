import type { ProofJson } from '../../src/store/proof/json.js';

/** Bytes are hex without prefix; those of `json` with `0x`. */
export interface Vectors {
  readonly roots: readonly { name: string; pairs: (readonly [key: string, value: string])[]; root: string }[];
  readonly state: { readonly standard: string; readonly lane: string; readonly state: string };
  readonly proofs: readonly { set: string; about: string; json: ProofJson; binary: string }[];
  readonly refused: readonly {
    what: string;
    at: number;
    bit: number;
    binary: string;
    code: string | null;
    trusting: string;
  }[];
}

export function vectors(): Vectors;
