/**
 * Random lane blocks from a seed: few contracts, few keys, so that conflicts, stale read sets, races of creations,
 * UTXO chains and failures of every kind are frequent. The blocks are not valid Bitcoin (no proof of work, no
 * signatures): the lane looks at neither.
 */
import type { Block, Transaction, TxInput, TxOutput } from '../bitcoin/types.js';
import { Prng, seededBytes } from '../fixtures/prng.js';
import type { LaneKey } from '../lane/types.js';
import { idFromBytes } from '../protocol/alkane-id.js';
import {
  encodeCellpack,
  encodeEnvelope,
  encodeRunestone,
  gzipStored,
  type ProtostoneInput,
  packChunks,
} from '../protocol/encode.js';
import type { AlkaneId } from '../protocol/types.js';
import { concatBytes, EMPTY_BYTES, fromBinaryString, readU32, U128_MAX, u32Bytes } from '../util/bytes.js';

const LANE = { block: 8n, tx: 8n };
const ORDINARY = Uint8Array.of(0x51);
const MAX_TXS = 36;
/** Contracts a world makes before creations become rare: many would spread the conflicts too thin. */
const WANTED_CONTRACTS = 4;

/** Programs that the blocks deploy, by what their opcodes are (docs/programs.md). */
export interface FuzzPrograms {
  readonly probe: Uint8Array;
  readonly mint: Uint8Array;
  readonly claim: Uint8Array;
}

interface Outpoint {
  readonly txid: Uint8Array;
  readonly vout: number;
}

/** Makes the next block of a world; `state` is what the sequential executor left. */
export class FuzzBlocks {
  readonly #seed: string;
  readonly #envelopes: readonly Uint8Array[];
  #previousHash: Uint8Array = new Uint8Array(32);

  constructor(seed: string, programs: FuzzPrograms) {
    this.#seed = seed;
    const { probe, mint, claim } = programs;
    const envelope = (wasm: Uint8Array): Uint8Array => encodeEnvelope(gzipStored(wasm));
    // Most contracts are probes: their opcodes are what conflicts.
    this.#envelopes = [
      ...[probe, probe, probe, probe, mint, claim].map(envelope),
      encodeEnvelope(EMPTY_BYTES),
      envelope(Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0)),
    ];
  }

  next(height: number, state: ReadonlyMap<LaneKey, Uint8Array>): Block {
    const builder = new BlockBuilder(new Prng(this.#seed, `block ${height}`), this.#envelopes, state);
    const transactions = builder.transactions(`${this.#seed} ${height}`);
    const hash = seededBytes(this.#seed, 'hash', height);
    const header = concatBytes(new Uint8Array(4), this.#previousHash, new Uint8Array(44));
    const block: Block = {
      hash,
      previousHash: this.#previousHash,
      header,
      coinbaseHeight: height,
      transactions,
      raw: concatBytes(header, ...transactions.map(({ raw }) => raw)),
    };
    this.#previousHash = hash;
    return block;
  }
}

class BlockBuilder {
  readonly #sheets: Outpoint[] = [];
  readonly #contracts: AlkaneId[] = [];
  /** Outputs of this block's transactions that are not spent yet. */
  readonly #fresh: Outpoint[] = [];

  constructor(
    private readonly random: Prng,
    private readonly envelopes: readonly Uint8Array[],
    state: ReadonlyMap<LaneKey, Uint8Array>,
  ) {
    for (const key of [...state.keys()].sort()) {
      const bytes = fromBinaryString(key);
      if (key.startsWith('sheet/')) this.#sheets.push({ txid: bytes.slice(6, 38), vout: readU32(bytes, 38) });
      else if (key.startsWith('code/')) this.#contracts.push(idFromBytes(bytes, 5));
    }
  }

  transactions(label: string): Transaction[] {
    const count = 1 + this.random.below(MAX_TXS);
    return Array.from({ length: count }, (_, index) => this.#transaction(index, seededBytes(label, 'txid', index)));
  }

  #chance(percent: number): boolean {
    return this.random.below(100) < percent;
  }

  #transaction(index: number, txid: Uint8Array): Transaction {
    const creates = this.#contracts.length < WANTED_CONTRACTS ? this.#chance(30) : this.#chance(4);
    const inputs = this.#inputs(index, creates);
    const ordinary = 1 + this.random.below(3);
    const outputs: TxOutput[] = Array.from({ length: ordinary }, () => ({
      value: 546n,
      script: this.#chance(5) ? EMPTY_BYTES : ORDINARY,
    }));
    const script = this.#runestone(ordinary + 1, creates);
    if (script !== undefined) outputs.splice(this.random.below(outputs.length + 1), 0, { value: 0n, script });
    if (this.#chance(5)) outputs.push({ value: 0n, script: Uint8Array.of(0x6a) });
    for (let vout = 0; vout < outputs.length; vout++) this.#fresh.push({ txid, vout });
    return { txid, raw: concatBytes(txid, u32Bytes(index)), inputs, outputs };
  }

  #inputs(index: number, creates: boolean): TxInput[] {
    const spent: Outpoint[] = [];
    if (index === 0) spent.push({ txid: new Uint8Array(32), vout: 0xffffffff });
    while (index > 0 && (spent.length === 0 || this.#chance(30)) && spent.length < 4) {
      const pool = this.#chance(10) ? this.#fresh : this.#chance(50) ? this.#sheets : [];
      const [own] = pool.length > 0 ? pool.splice(this.random.below(pool.length), 1) : [];
      spent.push(own ?? { txid: this.random.bytes(), vout: this.random.below(3) });
    }
    return spent.map(({ txid, vout }, i) => ({
      prevTxid: txid,
      prevVout: vout,
      witness: i === 0 && (creates || this.#chance(2)) ? [this.random.pick(this.envelopes), ORDINARY] : [],
    }));
  }

  /** The OP_RETURN script, or undefined for a plain payment. `outputs` counts it. */
  #runestone(outputs: number, creates: boolean): Uint8Array | undefined {
    const kind = this.random.below(100);
    if (!creates && kind < 6) return undefined;
    if (!creates && kind < 9) return Uint8Array.of(0x6a, 0x5d, 2, 0x16, 2);
    if (!creates && kind < 11) {
      return encodeRunestone({ rawFields: packChunks(Uint8Array.of(1, 40, 1)).map((v) => [16383n, v] as const) });
    }
    const count = this.#chance(70) ? 1 : 2 + this.random.below(2);
    return encodeRunestone({
      protostones: Array.from({ length: count }, (_, i) => this.#protostone(outputs, count, creates && i === 0)),
    });
  }

  #protostone(outputs: number, count: number, creates: boolean): ProtostoneInput {
    const anyOutput = (): number => (this.#chance(70) ? 0 : this.random.below(outputs + count + 1));
    const edicts = Array.from({ length: this.#chance(25) ? 1 + this.random.below(2) : 0 }, () => ({
      id: this.#asset(),
      amount: BigInt(this.random.pick([0, 1, 7, 1000])),
      output: BigInt(this.#chance(3) ? 2 ** 33 : this.random.below(outputs + count + 2)),
    }));
    if (!creates && this.#chance(12)) {
      const pointer = this.#chance(50) ? undefined : this.random.pick([0, 1, outputs, outputs + 1, 4294967295]);
      return { protocolTag: this.#chance(20) ? 2n : 1n, pointer, edicts };
    }
    return {
      pointer: this.#chance(2) ? undefined : this.#chance(2) ? 90 : anyOutput(),
      refund: this.#chance(2) ? undefined : anyOutput(),
      message: this.#message(creates),
      edicts,
    };
  }

  #asset(): AlkaneId {
    if (this.#chance(4)) return { block: 0n, tx: BigInt(this.random.below(2)) };
    return this.#contracts.length > 0 ? this.random.pick(this.#contracts) : { block: 2n, tx: 1n };
  }

  #message(creates: boolean): Uint8Array {
    const kind = this.random.below(100);
    if (kind < 2) return new Uint8Array(15).fill(0xff);
    if (kind < 4) return encodeCellpack({ block: 2n, tx: 1n }, [4, 1]);
    if (kind < 5) return encodeCellpack(LANE, [2]);
    const target = creates ? this.#creation() : this.#call();
    return encodeCellpack(LANE, [target.block, target.tx, ...this.#inputsOfCall()]);
  }

  #creation(): AlkaneId {
    const number = BigInt(1 + this.random.below(3));
    const kind = this.random.below(10);
    if (kind < 6) return { block: 1n, tx: 0n };
    return { block: kind < 8 ? 3n : kind < 9 ? 5n : 6n, tx: number };
  }

  #call(): AlkaneId {
    if (this.#contracts.length === 0 || this.#chance(6)) {
      return { block: this.random.pick([0n, 1n, 2n, 2n, 2n, 4n, 7n, 32n]), tx: BigInt(1 + this.random.below(4)) };
    }
    if (this.#chance(60)) return this.#contracts[0];
    return this.random.pick(this.#contracts);
  }

  /** Inputs from the opcode on: mostly the ones of `probe` that touch few keys in ways that depend on each other. */
  #inputsOfCall(): (bigint | number)[] {
    const key = this.random.below(3);
    const other = this.random.below(4);
    const kind = this.random.below(100);
    if (kind < 22) return [4, other];
    if (kind < 40) return [5, key, other];
    if (kind < 62) return [6, key];
    if (kind < 66) return [21, other, this.random.below(3)];
    if (kind < 70) return [18, key, other];
    if (kind < 74) return [17, key, other];
    if (kind < 77) return [14, 3];
    if (kind < 85) {
      const { block, tx } = this.#asset();
      return [9, block, tx, this.random.pick<bigint | number>([0, 1, 5, 1000, U128_MAX])];
    }
    if (kind < 88) return [11];
    const { block, tx } = this.#asset();
    return this.random.pick<readonly (bigint | number)[]>([
      [0],
      [1],
      [2],
      [7, this.random.pick([0, 1, 4294967295])],
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
      ...(this.#chance(25) ? [[3], [8, 90_000, key]] : []),
    ]) as (bigint | number)[];
  }
}
