/**
 * Calls of the bundled programs for the random blocks: mostly ones that hold by what the state says, and every way to
 * fail.
 */

import { codeKey, storagePrefix } from '../../lane/keys.js';
import type { LaneKey } from '../../lane/types.js';
import { idFromBytes } from '../../protocol/alkane-id.js';
import type { AlkaneId } from '../../protocol/types.js';
import { bytesEqual, fromBinaryString, readU128, toBinaryString, U128_MAX, u128Bytes } from '../../util/bytes.js';
import { actorInputs, RandomTrees } from '../inputs/actor-script.js';
import { AirdropTree } from '../inputs/merkle.js';
import type { Prng } from '../inputs/prng.js';
import {
  asInputs,
  ledgerDeposit,
  ledgerTransfer,
  ledgerWithdrawal,
  nameBytes,
  nameRegistration,
  nameTransfer,
  nameUpdate,
  Signer,
} from '../inputs/signed-calls.js';
import type { FuzzProgram } from './fuzz-programs.js';

export type Inputs = readonly (bigint | number)[];

/** A contract of the state; `program` is undefined if it is none of ours. */
export interface FuzzContract {
  readonly id: AlkaneId;
  readonly program: FuzzProgram | undefined;
}

/** A call, and assets that it wants as incoming, one each. */
export interface FuzzCall {
  readonly target: AlkaneId;
  readonly inputs: Inputs;
  readonly wants: readonly AlkaneId[];
}

/** Programs and their WASM, as a random world deploys them. */
export type FuzzPrograms = ReadonlyMap<FuzzProgram, Uint8Array>;

/** Shared by all worlds: making keys and a tree costs more than a block. */
const SIGNERS = [1, 2, 3, 4].map((n) => new Signer('fuzz', n));
const TREE = new AirdropTree(Array.from({ length: 8 }, (_, i) => BigInt(i * 50)));
const NAMES = ['a', 'satoshi', 'z9-'];
const OWNER_BYTES = 32;
const HEAD_BYTES = 40;

/** The contracts of a state in ascending order of their keys, with the program that each one runs, through clones. */
export function contractsOf(state: ReadonlyMap<LaneKey, Uint8Array>, programs: FuzzPrograms): FuzzContract[] {
  const nameOf = (code: Uint8Array | undefined): FuzzProgram | undefined => {
    if (code?.[0] === 1) return nameOf(state.get(codeKey(idFromBytes(code, 1))));
    const wasm = code?.subarray(1);
    return [...programs].find(([, known]) => bytesEqual(wasm, known))?.[0];
  };
  return [...state.keys()]
    .filter((key) => key.startsWith('code/'))
    .sort()
    .map((key) => ({ id: idFromBytes(fromBinaryString(key), 5), program: nameOf(state.get(key)) }));
}

/**
 * Draws the calls of one block. What it believes to have changed within the block decides nonces: often it is wrong.
 */
export class FuzzCalls {
  /** Nonce of an account or a name by its lane key. */
  readonly #nonces = new Map<LaneKey, bigint>();

  readonly #random: Prng;
  readonly #contracts: readonly FuzzContract[];
  readonly #state: ReadonlyMap<LaneKey, Uint8Array>;

  constructor(random: Prng, contracts: readonly FuzzContract[], state: ReadonlyMap<LaneKey, Uint8Array>) {
    this.#random = random;
    this.#contracts = contracts;
    this.#state = state;
  }

  /** Inputs of a creation's call. */
  creation(program: FuzzProgram | undefined): Inputs {
    if (program === 'actor') return this.#actor();
    if (this.#chance(15)) return this.#probe();
    switch (program) {
      case 'claim':
        return TREE.initialise();
      case 'mint':
        return [0, 12, 400];
      case 'ledger': {
        const { block, tx } = this.#asset();
        return [0, block, tx];
      }
      default:
        return [0];
    }
  }

  /** A call of `contract`; `outpoint` (36 bytes) is spent by the transaction's first input. */
  call({ id, program }: FuzzContract, outpoint: Uint8Array): FuzzCall {
    if (this.#chance(8)) return { target: id, inputs: this.#probe(), wants: [] };
    switch (program) {
      case 'actor':
        return { target: id, inputs: this.#actor(), wants: [] };
      case 'claim':
        return { target: id, inputs: this.#claim(), wants: [] };
      case 'mint':
        return { target: id, inputs: [this.#chance(85) ? 77 : 101 + this.#random.below(4)], wants: [] };
      case 'amm':
        return this.#amm(id);
      case 'ledger':
        return this.#ledger(id, outpoint);
      case 'names':
        return { target: id, inputs: this.#names(id), wants: [] };
      default:
        return { target: id, inputs: this.#probe(), wants: [] };
    }
  }

  /** A call that gives its caller some of `asset`, if one of our programs can. */
  minting(asset: AlkaneId): FuzzCall | undefined {
    const contract = this.#contracts.find(({ id }) => id.block === asset.block && id.tx === asset.tx);
    if (contract?.program === 'probe') {
      return { target: asset, inputs: [9, asset.block, asset.tx, 100 + this.#random.below(900)], wants: [] };
    }
    return contract?.program === 'mint' ? { target: asset, inputs: [77], wants: [] } : undefined;
  }

  /** Of a probe: a call that turns a pointer, one that follows it, one that counts where it shows before the block. */
  knot(id: AlkaneId): { readonly turns: Inputs; readonly follows: Inputs; readonly counts: Inputs } {
    const pointer = this.#random.below(3);
    const shown = this.#value(id, `ptr/${toBinaryString(u128Bytes(BigInt(pointer)))}`);
    const before = shown === undefined ? 0n : readU128(shown, 0);
    const other = (before + 1n + BigInt(this.#random.below(3))) % 4n;
    return { turns: [5, pointer, other], follows: [6, pointer], counts: [4, before] };
  }

  #chance(percent: number): boolean {
    return this.#random.below(100) < percent;
  }

  #value(contract: AlkaneId, key: Uint8Array | string): Uint8Array | undefined {
    const own = typeof key === 'string' ? key : toBinaryString(key);
    return this.#state.get(storagePrefix(contract) + own);
  }

  /** An id that some message may name as an asset; the contracts that mint come first. */
  #asset(): AlkaneId {
    const minters = this.#contracts.filter(({ program }) => program === 'probe' || program === 'mint');
    const from = minters.length > 0 && this.#chance(85) ? minters : this.#contracts;
    return from.length > 0 ? this.#random.pick(from).id : { block: 2n, tx: 1n };
  }

  /** A tree of calls between the actors there are, and now and then of other contracts. */
  #actor(): Inputs {
    const actors = this.#contracts.filter(({ program }) => program === 'actor').map(({ id }) => id);
    const others = this.#contracts.map(({ id }) => id);
    const known = [...actors, ...actors, ...others.slice(0, 2), { block: 2n, tx: 1n }];
    return actorInputs(new RandomTrees(this.#random, known, others).tree());
  }

  #claim(): Inputs {
    if (this.#chance(10)) return this.#chance(50) ? [100] : TREE.initialise();
    const inputs = TREE.claim(this.#random.below(8));
    return this.#chance(20) ? this.#spoil(inputs) : inputs;
  }

  #amm(id: AlkaneId): FuzzCall {
    const pool = this.#random.below(2);
    const value = this.#value(id, `pool/${toBinaryString(u128Bytes(BigInt(pool)))}`);
    const kind = this.#random.below(100);
    if (value === undefined || kind < 5) {
      const [a, b] = [this.#asset(), this.#asset()];
      return {
        target: id,
        inputs: [1, pool, a.block, a.tx, b.block, b.tx, this.#random.pick([0, 30, 9_999])],
        wants: [],
      };
    }
    const assets = [idFromBytes(value, 0), idFromBytes(value, 32)];
    if (kind < 35 || (readU128(value, 96) === 0n && kind < 80)) {
      return { target: id, inputs: [2, pool, this.#random.below(3), this.#random.pick([0, 0, 500])], wants: assets };
    }
    if (kind < 90) {
      const minimum = this.#random.pick([0, 0, 1, 1_000]);
      return { target: id, inputs: [3, pool, minimum], wants: [this.#random.pick(assets)] };
    }
    return { target: id, inputs: [4 + this.#random.below(2), pool, this.#random.below(3)], wants: [] };
  }

  #ledger(id: AlkaneId, outpoint: Uint8Array): FuzzCall {
    const asset = this.#value(id, 'asset');
    const to = this.#random.pick(SIGNERS);
    const kind = this.#random.below(100);
    if (asset === undefined || kind < 3) {
      const { block, tx } = this.#asset();
      return { target: id, inputs: [0, block, tx], wants: [] };
    }
    const accountOf = ({ key }: Signer): LaneKey => `${storagePrefix(id)}account/${toBinaryString(key)}`;
    const rich = SIGNERS.filter((signer) => this.#state.has(accountOf(signer)));
    if (kind < 18 || rich.length === 0) {
      return { target: id, inputs: ledgerDeposit(to.key), wants: [idFromBytes(asset, 0)] };
    }
    if (kind < 22) return { target: id, inputs: [101, ...asInputs(to.key)], wants: [] };
    const from = this.#random.pick(this.#chance(90) ? rich : SIGNERS);
    const account = accountOf(from);
    // Mostly the balance of the account, as far as its value shows it.
    const held = this.#state.get(account);
    const balance = held === undefined ? 60n : readU128(held, 0);
    const most = balance < 60n ? Math.max(1, Number(balance)) : 60;
    const amount = BigInt(this.#chance(90) ? 1 + this.#random.below(most) : this.#random.below(3_000));
    const signature = kind < 88 ? 7 : 5;
    const inputs = this.#signed(account, 16, signature, (nonce) =>
      kind < 88
        ? ledgerTransfer(id, from, to.key, amount, nonce)
        : ledgerWithdrawal(id, from, amount, nonce, this.#chance(90) ? outpoint : new Uint8Array(36)),
    );
    return { target: id, inputs, wants: [] };
  }

  #names(id: AlkaneId): Inputs {
    const name = this.#random.pick(NAMES);
    const key = `${storagePrefix(id)}name/${name}`;
    const entry = this.#state.get(key);
    const data = this.#random.bytes().subarray(0, this.#random.below(33));
    const kind = this.#random.below(100);
    if (kind < 8) return [4, ...asInputs(nameBytes(name))];
    const other = this.#random.pick(SIGNERS);
    if ((entry === undefined && !this.#nonces.has(key)) || kind < 18) {
      if (!this.#nonces.has(key) && entry === undefined) this.#nonces.set(key, 0n);
      return nameRegistration(this.#chance(90) ? name : name.toUpperCase(), other.key, data);
    }
    const owner = SIGNERS.find((signer) => bytesEqual(signer.key, entry?.subarray(0, OWNER_BYTES))) ?? other;
    return this.#signed(key, HEAD_BYTES - 8, 4, (nonce) =>
      kind < 70 ? nameUpdate(id, owner, name, nonce, data) : nameTransfer(id, owner, name, nonce, other.key),
    );
  }

  /**
   * A signed call under the next nonce of `key` (u64 at `at` of its value), or under a wrong one, or with something
   * spoilt.
   */
  #signed(key: LaneKey, at: number, signatureAt: number, make: (nonce: bigint) => bigint[]): Inputs {
    const value = this.#state.get(key);
    const stored = value && new DataView(value.buffer, value.byteOffset).getBigUint64(at, true);
    const nonce = this.#nonces.get(key) ?? stored ?? 0n;
    const kind = this.#random.below(100);
    if (kind < 8) return make(nonce + (nonce > 0n && this.#chance(50) ? -1n : 1n));
    if (kind < 12) return this.#spoil(make(nonce));
    if (kind < 22) return this.#spoil(make(nonce), signatureAt + this.#random.below(4));
    this.#nonces.set(key, nonce + 1n);
    return make(nonce);
  }

  /** One bit of one number changed. */
  #spoil(inputs: readonly bigint[], at = 1 + this.#random.below(inputs.length - 1)): Inputs {
    const bit = 1n << BigInt(this.#random.below(128));
    return inputs.map((n, i) => (i === at ? n ^ bit : n));
  }

  /** Mostly the opcodes of `probe` that touch few keys in ways that depend on each other. */
  #probe(): Inputs {
    const key = this.#random.below(3);
    const other = this.#random.below(4);
    const kind = this.#random.below(100);
    if (kind < 22) return [4, other];
    if (kind < 40) return [5, key, other];
    if (kind < 62) return [6, key];
    if (kind < 66) return [21, other, this.#random.below(3)];
    if (kind < 70) return [18, key, other];
    if (kind < 74) return [17, key, other];
    if (kind < 77) return [14, 3];
    if (kind < 85) {
      const { block, tx } = this.#asset();
      return [9, block, tx, this.#random.pick<bigint | number>([0, 1, 5, 1000, U128_MAX])];
    }
    if (kind < 88) return [11];
    return this.#rare(key, other);
  }

  #rare(key: number, other: number): Inputs {
    const { block, tx } = this.#asset();
    return this.#random.pick<Inputs>([
      [0],
      [1],
      [2],
      [7, this.#random.pick([0, 1, 4294967295])],
      [8, 40, key],
      [10, 500],
      [12, key],
      [13, other],
      [15],
      [16, block, tx],
      [19],
      [20],
      [77],
      [0, 3, 5],
      [99],
      // What takes much of the fuel that the messages of a transaction share, or all of it.
      ...(this.#chance(50) ? [[3], [8, 90_000, key], [10, 150_000]] : []),
    ]);
  }
}
