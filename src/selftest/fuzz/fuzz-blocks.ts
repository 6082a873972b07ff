/**
 * Random lane blocks from a seed: few contracts, few keys, so that conflicts, stale read sets, races of creations,
 * UTXO chains and failures of every kind are frequent. The blocks are not valid Bitcoin (no proof of work, no
 * signatures): the lane looks at neither.
 */
import { compactSize } from '../../bitcoin/compact-size.js';
import { parseTransaction } from '../../bitcoin/parse-transaction.js';
import type { Block, Transaction, TxInput, TxOutput } from '../../bitcoin/types.js';
import type { LaneKey } from '../../lane/types.js';
import {
  encodeCellpack,
  encodeEnvelope,
  encodeRunestone,
  gzipStored,
  type ProtostoneInput,
  packChunks,
} from '../../protocol/encode.js';
import type { AlkaneId } from '../../protocol/types.js';
import { concatBytes, EMPTY_BYTES, fromBinaryString, readU32, u32Bytes, u64Bytes } from '../../util/bytes.js';
import { Prng, seededBytes } from '../inputs/prng.js';
import { contractsOf, FuzzCalls, type FuzzContract, type FuzzPrograms, type Inputs } from './fuzz-calls.js';
import { FuzzExtremes } from './fuzz-extremes.js';
import type { FuzzProgram } from './fuzz-programs.js';

const LANE = { block: 8n, tx: 8n };
const ORDINARY = Uint8Array.of(0x51);
/** Transactions of a block at most, if not said otherwise. */
const MAX_TXS = 36;
/**
 * Contracts a world makes, beside one of each program, before creations become rare: many would spread the conflicts
 * too thin.
 */
const MORE_CONTRACTS = 2;

/** Outputs of a transaction now and then, over which edicts are spread. */
const MANY_OUTPUTS = 120;
const LONGEST_CHAIN = 300;

interface Outpoint {
  readonly txid: Uint8Array;
  readonly vout: number;
}

/** The data of a creation: the envelope, and the program in it, undefined for one that is refused. */
interface Deployment {
  readonly program: FuzzProgram | undefined;
  readonly envelope: Uint8Array;
}

/** Makes the next block of a world; `state` is that of the sequential executor. */
export class FuzzBlocks {
  readonly #seed: string;
  readonly #programs: FuzzPrograms;
  readonly #deployments: readonly Deployment[];
  #previousHash: Uint8Array = new Uint8Array(32);

  readonly #maxTxs: number;
  readonly #hasExtremes: boolean;

  /** `extremes`: some transactions are at the limits of what a transaction can be (fuzz-extremes.ts). */
  constructor(seed: string, programs: FuzzPrograms, maxTxs = MAX_TXS, extremes = false) {
    this.#maxTxs = maxTxs;
    this.#hasExtremes = extremes;

    this.#seed = seed;
    this.#programs = programs;
    const envelope = (wasm: Uint8Array): Uint8Array => encodeEnvelope(gzipStored(wasm));
    this.#deployments = [
      ...[...programs].map(([program, wasm]) => ({ program, envelope: envelope(wasm) })),
      { program: undefined, envelope: encodeEnvelope(EMPTY_BYTES) },
      { program: undefined, envelope: envelope(Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0)) },
    ];
  }

  next(height: number, state: ReadonlyMap<LaneKey, Uint8Array>): Block {
    const random = new Prng(this.#seed, `block ${height}`);
    const extremes = this.#hasExtremes ? new FuzzExtremes(random) : undefined;
    const contracts = contractsOf(state, this.#programs);
    const builder = new BlockBuilder(random, this.#deployments, contracts, state, extremes);
    const transactions = builder.transactions(this.#maxTxs);
    const hash = seededBytes(this.#seed, 'hash', height);
    const header = concatBytes(new Uint8Array(4), this.#previousHash, new Uint8Array(44));
    const block: Block = {
      hash,
      previousHash: this.#previousHash,
      header,
      coinbaseHeight: height,
      transactions,
      raw: concatBytes(header, compactSize(transactions.length), ...transactions.map(({ raw }) => raw)),
    };
    this.#previousHash = hash;
    return block;
  }
}

class BlockBuilder {
  readonly #sheets: Outpoint[] = [];
  readonly #calls: FuzzCalls;
  readonly #extremes: FuzzExtremes | undefined;
  /** Programs that no contract runs yet. */
  readonly #missing: readonly Deployment[];
  /** Outputs of this block's transactions that are not spent yet. */
  readonly #fresh: Outpoint[] = [];

  readonly #random: Prng;
  readonly #deployments: readonly Deployment[];
  readonly #contracts: readonly FuzzContract[];

  constructor(
    random: Prng,
    deployments: readonly Deployment[],
    contracts: readonly FuzzContract[],
    state: ReadonlyMap<LaneKey, Uint8Array>,
    extremes: FuzzExtremes | undefined,
  ) {
    this.#random = random;
    this.#deployments = deployments;
    this.#contracts = contracts;

    this.#calls = new FuzzCalls(random, contracts, state);
    this.#extremes = extremes;
    this.#missing = deployments.filter(
      ({ program }) => program !== undefined && !contracts.some((contract) => contract.program === program),
    );
    for (const key of [...state.keys()].filter((k) => k.startsWith('sheet/')).sort()) {
      const bytes = fromBinaryString(key);
      this.#sheets.push({ txid: bytes.slice(6, 38), vout: readU32(bytes, 38) });
    }
  }

  transactions(most: number): Transaction[] {
    const count = 1 + this.#random.below(most);
    const probe = this.#contracts.find(({ program }) => program === 'probe');
    const knotAt = this.#chance(30) ? 1 + this.#random.below(count) : 0;
    const made: Transaction[] = [];
    while (made.length < count) {
      const index = made.length;
      if (probe !== undefined && index === knotAt) made.push(...this.#knot(probe, index));
      else if (probe !== undefined && this.#extremes !== undefined && this.#random.below(1_500) === 0)
        made.push(...this.#chain(probe, index));
      else made.push(this.#transaction(index));
    }
    return made;
  }

  /**
   * What makes a write set change after a first run: a demoted transaction turns a pointer, one that was run by then
   * follows it elsewhere, and a later one reads what it would have written where the pointer showed before.
   */
  #knot({ id }: FuzzContract, from: number): Transaction[] {
    const { turns, follows, counts } = this.#calls.knot(id);
    const made: Transaction[] = [];
    [[0], turns, follows, counts].forEach((inputs, i) => {
      const prevTxid = i === 1 ? made[0].txid : this.#random.bytes();
      const runestone = encodeRunestone({ protostones: [{ pointer: 0, refund: 0, message: message(id, inputs) }] });
      const outputs = [ORDINARY, runestone].map((script) => ({ value: 546n, script }));
      made.push(serialised(from + i, [{ prevTxid, prevVout: 0, witness: [] }], outputs));
    });
    return made;
  }

  /** Transactions that spend each other one after the other. */
  #chain({ id }: FuzzContract, from: number): Transaction[] {
    const made: Transaction[] = [];
    const length = 2 + this.#random.below(LONGEST_CHAIN);
    for (let i = 0; i < length; i++) {
      const prevTxid = i === 0 ? this.#random.bytes() : made[i - 1].txid;
      const mints = i === 0 || this.#chance(20);
      const inputs = mints ? [9, id.block, id.tx, 100] : [6, this.#random.below(3)];
      // The others pass on what they spend.
      const protostones = mints || this.#chance(30) ? [{ pointer: 0, refund: 0, message: message(id, inputs) }] : [];
      const runestone = protostones.length > 0 ? encodeRunestone({ protostones }) : encodeRunestone({ pointer: 0 });
      const outputs = [ORDINARY, runestone].map((script) => ({ value: 546n, script }));
      made.push(serialised(from + i, [{ prevTxid, prevVout: 0, witness: [] }], outputs));
    }
    return made;
  }

  #chance(percent: number): boolean {
    return this.#random.below(100) < percent;
  }

  #transaction(index: number): Transaction {
    const wanted = this.#missing.length > 0 || this.#contracts.length < this.#deployments.length + MORE_CONTRACTS;
    const creates = this.#chance(wanted ? 30 : 4) ? this.#deployment() : undefined;
    const inputs = this.#inputs(index, creates);
    const ordinary = this.#extremes !== undefined && this.#chance(2) ? MANY_OUTPUTS : 1 + this.#random.below(3);
    const outputs: TxOutput[] = Array.from({ length: ordinary }, () => ({
      value: 546n,
      script: this.#chance(5) ? EMPTY_BYTES : ORDINARY,
    }));
    const outpoint = concatBytes(inputs[0].prevTxid, u32Bytes(inputs[0].prevVout));
    const script = this.#runestone(ordinary + 1, creates, outpoint);
    if (script !== undefined) outputs.splice(this.#random.below(outputs.length + 1), 0, { value: 0n, script });
    if (this.#chance(5)) outputs.push({ value: 0n, script: Uint8Array.of(0x6a) });
    const transaction = serialised(index, inputs, outputs);
    for (let vout = 0; vout < outputs.length; vout++) this.#fresh.push({ txid: transaction.txid, vout });
    return transaction;
  }

  #deployment(): Deployment {
    if (this.#missing.length === 0 || this.#chance(30)) return this.#random.pick(this.#deployments);
    // Those that mint come first: the others want assets.
    const minting = this.#missing.filter(({ program }) => program === 'probe' || program === 'mint');
    return this.#random.pick(minting.length > 0 ? minting : this.#missing);
  }

  #inputs(index: number, creates: Deployment | undefined): TxInput[] {
    const spent: Outpoint[] = [];
    if (index === 0) spent.push({ txid: new Uint8Array(32), vout: 0xffffffff });
    while (index > 0 && (spent.length === 0 || this.#chance(30)) && spent.length < 4) {
      const pool = this.#chance(10) ? this.#fresh : this.#chance(50) ? this.#sheets : [];
      const [own] = pool.length > 0 ? pool.splice(this.#random.below(pool.length), 1) : [];
      spent.push(own ?? { txid: this.#random.bytes(), vout: this.#random.below(3) });
    }
    const revealed = creates ?? (this.#chance(2) ? this.#random.pick(this.#deployments) : undefined);
    return spent.map(({ txid, vout }, i) => ({
      prevTxid: txid,
      prevVout: vout,
      witness: i === 0 && revealed !== undefined ? [revealed.envelope, ORDINARY] : [],
    }));
  }

  /** The OP_RETURN script, or undefined for a plain payment. `outputs` counts it. */
  #runestone(outputs: number, creates: Deployment | undefined, outpoint: Uint8Array): Uint8Array | undefined {
    const kind = this.#random.below(100);
    if (!creates && kind < 6) return undefined;
    if (!creates && kind < 9) return Uint8Array.of(0x6a, 0x5d, 2, 0x16, 2);
    if (!creates && kind < 11) {
      return encodeRunestone({ rawFields: packChunks(Uint8Array.of(1, 40, 1)).map((v) => [16383n, v] as const) });
    }
    if (this.#extremes !== undefined && !creates && this.#chance(6)) {
      return encodeRunestone({ protostones: this.#extreme(this.#extremes, outputs, outpoint) });
    }
    const funded = creates || kind < 70 ? undefined : this.#funded(outputs, outpoint);
    if (funded) return encodeRunestone({ protostones: funded });
    const count = this.#chance(70) ? 1 : 2 + this.#random.below(2);
    return encodeRunestone({
      protostones: Array.from({ length: count }, (_, i) =>
        // A second creation of a transaction finds its envelope used.
        this.#protostone(outputs, count, creates && (i === 0 || this.#chance(25)) ? creates : undefined, outpoint),
      ),
    });
  }

  #extreme(extremes: FuzzExtremes, outputs: number, outpoint: Uint8Array): ProtostoneInput[] {
    const asset = this.#asset();
    const minting = this.#calls.minting(asset);
    const mint = (): Uint8Array =>
      minting === undefined ? this.#message(undefined, outpoint) : message(minting.target, minting.inputs);
    switch (this.#random.below(4)) {
      case 0:
        return extremes.crowd(outputs, mint);
      case 1:
        return extremes.spread(outputs, asset, mint());
      default:
        return Array.from({ length: 1 + this.#random.below(3) }, () =>
          extremes.numbers(asset, this.#chance(70) ? mint() : undefined),
        );
    }
  }

  /** A call with the assets it wants: messages before it mint them onto its shadow output. */
  #funded(outputs: number, outpoint: Uint8Array): ProtostoneInput[] | undefined {
    if (this.#contracts.length === 0) return undefined;
    const { target, inputs, wants } = this.#calls.call(this.#random.pick(this.#contracts), outpoint);
    const mints = wants.map((asset) => this.#calls.minting(asset)).filter((call) => call !== undefined);
    const shadow = outputs + 1 + mints.length;
    return [
      ...mints.map((call) => ({
        pointer: shadow,
        refund: 0,
        message: message(call.target, call.inputs),
        edicts: this.#chance(25) ? [this.#spread(call.target, outputs)] : [],
      })),
      { pointer: 0, refund: 0, message: message(target, inputs) },
    ];
  }

  /** An edict over an asset that is there: to all outputs alike, in shares or in steps, or to one. */
  #spread(id: AlkaneId, outputs: number): { id: AlkaneId; amount: bigint; output: bigint } {
    const amount = BigInt(this.#random.pick([0, 0, 1, 7, 1000]));
    return { id, amount, output: BigInt(this.#chance(70) ? outputs : this.#random.below(outputs)) };
  }

  #protostone(outputs: number, count: number, creates: Deployment | undefined, outpoint: Uint8Array): ProtostoneInput {
    const anyOutput = (): number => (this.#chance(70) ? 0 : this.#random.below(outputs + count + 1));
    const edicts = Array.from({ length: this.#chance(25) ? 1 + this.#random.below(2) : 0 }, () => ({
      id: this.#asset(),
      amount: BigInt(this.#random.pick([0, 1, 7, 1000])),
      output: BigInt(this.#chance(3) ? 2 ** 33 : this.#random.below(outputs + count + 2)),
    }));
    if (!creates && this.#chance(12)) {
      const pointer = this.#chance(50) ? undefined : this.#random.pick([0, 1, outputs, outputs + 1, 4294967295]);
      return { protocolTag: this.#chance(20) ? 2n : 1n, pointer, edicts };
    }
    return {
      pointer: this.#chance(2) ? undefined : this.#chance(2) ? 90 : anyOutput(),
      refund: this.#chance(2) ? undefined : anyOutput(),
      message: this.#message(creates, outpoint),
      edicts,
    };
  }

  #asset(): AlkaneId {
    if (this.#chance(4)) return { block: 0n, tx: BigInt(this.#random.below(2)) };
    return this.#contracts.length > 0 ? this.#random.pick(this.#contracts).id : { block: 2n, tx: 1n };
  }

  #message(creates: Deployment | undefined, outpoint: Uint8Array): Uint8Array {
    const kind = this.#random.below(100);
    if (kind < 2) return new Uint8Array(15).fill(0xff);
    if (kind < 4) return encodeCellpack({ block: 2n, tx: 1n }, [4, 1]);
    if (kind < 5) return encodeCellpack(LANE, [2]);
    if (creates) return message(this.#creation(), this.#calls.creation(creates.program));
    const { target, inputs } = this.#calls.call(this.#contract(), outpoint);
    return message(target, inputs);
  }

  #creation(): AlkaneId {
    const number = BigInt(1 + this.#random.below(3));
    const kind = this.#random.below(12);
    if (kind < 6) return { block: 1n, tx: 0n };
    if (kind < 8) return { block: 3n, tx: number };
    // Of a contract that is there, which may be a clone itself.
    const { block, tx } =
      this.#contracts.length > 0 ? this.#random.pick(this.#contracts).id : { block: 2n, tx: number };
    return { block: block === 4n ? 6n : 5n, tx };
  }

  /** The target of a call: mostly the first probe, whose opcodes are what conflicts; now and then what is not there. */
  #contract(): FuzzContract {
    if (this.#contracts.length === 0 || this.#chance(6)) {
      const block = this.#random.pick([0n, 1n, 2n, 2n, 2n, 4n, 7n, 32n]);
      return { id: { block, tx: BigInt(1 + this.#random.below(4)) }, program: undefined };
    }
    const probe = this.#contracts.find(({ program }) => program === 'probe');
    return probe !== undefined && this.#chance(45) ? probe : this.#random.pick(this.#contracts);
  }
}

/** A transaction of version 2; `index` is its locktime, so that no two of a block are alike. */
function serialised(index: number, inputs: readonly TxInput[], outputs: readonly TxOutput[]): Transaction {
  const sized = (bytes: Uint8Array): Uint8Array => concatBytes(compactSize(bytes.length), bytes);
  const isSegwit = inputs.some(({ witness }) => witness.length > 0);
  return parseTransaction(
    concatBytes(
      u32Bytes(2),
      ...(isSegwit ? [Uint8Array.of(0, 1)] : []),
      compactSize(inputs.length),
      ...inputs.map(({ prevTxid, prevVout }) =>
        concatBytes(prevTxid, u32Bytes(prevVout), Uint8Array.of(0), u32Bytes(0xffffffff)),
      ),
      compactSize(outputs.length),
      ...outputs.map(({ value, script }) => concatBytes(u64Bytes(value), sized(script))),
      ...(isSegwit ? inputs.map(({ witness }) => concatBytes(compactSize(witness.length), ...witness.map(sized))) : []),
      u32Bytes(index),
    ),
  );
}

function message({ block, tx }: AlkaneId, inputs: Inputs): Uint8Array {
  return encodeCellpack(LANE, [block, tx, ...inputs]);
}
