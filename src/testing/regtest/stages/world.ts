import { AirdropTree } from '../../../selftest/inputs/merkle.js';
import type { CallsProgram } from '../../../util/built-wasm.js';
import { concatBytes } from '../../../util/bytes.js';
import { Director } from '../director.js';
import { id } from '../messages.js';

/** WASM of the bundled programs (docs/programs.md). */
export interface ProgramSet {
  readonly claim: Uint8Array;
  readonly amm: Uint8Array;
  readonly mint: Uint8Array;
  readonly probe: Uint8Array;
  readonly ledger: Uint8Array;
  readonly names: Uint8Array;
  /** Contracts that call others. */
  readonly calls: Readonly<Record<CallsProgram, Uint8Array>>;
}

/** Ids of the contracts that the first stage creates, fixed by the order of its creations. */
export const CLAIM = id(2, 1);
export const AMM = id(2, 2);
export const MINT = id(2, 3);
export const PROBE = id(2, 4);
/** Clone of MINT with a cap of {@link SMALL_CAP}. */
export const SMALL_MINT = id(2, 5);
export const RESERVED_MINT = id(4, 7);

export const CREATE = id(1, 0);
export const SMALL_CAP = 40;
export const MINT_VALUE = 1_000_000n;
/** The first leaves are large: they fund the pools. */
export const FOUNDER_LEAVES = 8;

const LEAVES = 2048;
const FOUNDER_AMOUNT = 50_000_000n;

/** State shared by the stages. */
export class World {
  readonly director: Director;
  readonly programs: ProgramSet;
  readonly tree: AirdropTree;
  #nextLeaf = 0;

  constructor(seed: string, programs: ProgramSet) {
    this.director = new Director(seed);
    this.programs = programs;
    this.tree = new AirdropTree(
      Array.from({ length: LEAVES }, (_, i) => (i < FOUNDER_LEAVES ? FOUNDER_AMOUNT : 1_000_000n + BigInt(i) * 7n)),
    );
  }

  /** Index of a leaf that no one has claimed. */
  nextLeaf(): number {
    if (this.#nextLeaf >= LEAVES) throw new RangeError('every leaf is claimed');
    return this.#nextLeaf++;
  }
}

/** A WASM module that uses a float: valid for an engine, refused by the lane. */
export const FLOAT_MODULE = concatBytes(
  Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00),
  Uint8Array.of(0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f),
  Uint8Array.of(0x03, 0x02, 0x01, 0x00),
  Uint8Array.of(0x05, 0x03, 0x01, 0x00, 0x01),
  Uint8Array.of(0x07, 0x16, 0x02, 0x06, ...new TextEncoder().encode('memory'), 0x02, 0x00),
  Uint8Array.of(0x09, ...new TextEncoder().encode('__execute'), 0x00, 0x00),
  Uint8Array.of(0x0a, 0x0c, 0x01, 0x0a, 0x00, 0x43, 0x00, 0x00, 0x00, 0x00, 0x1a, 0x41, 0x00, 0x0b),
);
