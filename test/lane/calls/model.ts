/**
 * What messages to actors do, told apart from the lane: maps of storage and balances, a copy of all of it where a
 * static call begins. It knows nothing of fuel, so scripts must stay far below what a transaction has, or burn all of
 * it.
 */
import { formatId } from '../../../src/protocol/alkane-id.js';
import type { AlkaneId } from '../../../src/protocol/types.js';
import type { ActorCall, ActorStep, Asset } from '../../../src/selftest/inputs/actor-script.js';
import { U128_MAX } from '../../../src/util/bytes.js';

export type Failure = 'REVERT' | 'TRAP' | 'OUT_OF_FUEL' | 'REJECTED';

class Failed extends Error {
  constructor(readonly status: Failure) {
    super(status);
  }
}

export type ModelEnd =
  | { readonly status: 'OK'; readonly data: readonly bigint[]; readonly parcel: ReadonlyMap<string, bigint> }
  | { readonly status: Failure };

/** The header and the coinbase that built-ins tell of, in numbers of 16 bytes. */
export interface ModelBlock {
  readonly header: readonly bigint[];
  readonly coinbaseValue: bigint;
}

interface Result {
  readonly data: bigint[];
  readonly transfers: readonly Asset[];
}

const COUNT_BYTES = 16n;
const TRIPLE_BYTES = 48n;
const NUMBER_BYTES = 16n;

class State {
  /** By contract and key. */
  storage = new Map<string, bigint>();
  /** By asset and holder. */
  balances = new Map<string, bigint>();
  contracts = new Set<string>();
  sequence = 1n;

  copy(): State {
    const copy = new State();
    copy.storage = new Map(this.storage);
    copy.balances = new Map(this.balances);
    copy.contracts = new Set(this.contracts);
    copy.sequence = this.sequence;
    return copy;
  }
}

export class Model {
  state = new State();
  #block: ModelBlock = { header: [], coinbaseValue: 0n };
  #hasEnvelope = false;
  #envelopeUsed = false;
  /** A message before has burnt all of it. */
  #fuelGone = false;

  /** What follows is in a transaction of its own. */
  begin(block: ModelBlock, hasEnvelope: boolean): void {
    this.#block = block;
    this.#hasEnvelope = hasEnvelope;
    this.#envelopeUsed = false;
    this.#fuelGone = false;
  }

  /** One message: what stays of it stands in the state. */
  message(target: AlkaneId, incoming: readonly Asset[], steps: readonly ActorStep[]): ModelEnd {
    const before = this.state.copy();
    try {
      const creates = target.block === 1n || target.block === 3n || target.block === 5n || target.block === 6n;
      if (this.#fuelGone && creates) throw new Failed('OUT_OF_FUEL');
      const id = this.#resolve(target);
      for (const asset of incoming) this.#credit(id, asset);
      if (this.#fuelGone) throw new Failed('OUT_OF_FUEL');
      const { data, transfers } = this.#frame(id, { block: 0n, tx: 0n }, steps, 0);
      const parcel = new Map<string, bigint>();
      for (const { id: asset, amount } of transfers) {
        if (amount === 0n) continue;
        this.#debit(id, { id: asset, amount });
        const sum = (parcel.get(formatId(asset)) ?? 0n) + amount;
        if (sum > U128_MAX) throw new Failed('REJECTED');
        parcel.set(formatId(asset), sum);
      }
      return { status: 'OK', data, parcel };
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      this.state = before;
      if (error.status === 'OUT_OF_FUEL') this.#fuelGone = true;
      return { status: error.status };
    }
  }

  #resolve({ block, tx }: AlkaneId): AlkaneId {
    if (block === 1n && tx === 0n) {
      this.#useEnvelope();
      return this.#next();
    }
    if (block === 3n) {
      const id = { block: 4n, tx };
      if (this.#envelopeUsed) throw new Failed('REJECTED');
      this.#envelopeUsed = true;
      if (this.state.contracts.has(formatId(id)) || !this.#hasEnvelope) throw new Failed('REJECTED');
      this.state.contracts.add(formatId(id));
      return id;
    }
    const original = { block: block === 5n ? 2n : block === 6n ? 4n : block, tx };
    if (!this.state.contracts.has(formatId(original))) throw new Failed('REJECTED');
    return block === 5n || block === 6n ? this.#next() : original;
  }

  #useEnvelope(): void {
    if (this.#envelopeUsed) throw new Failed('REJECTED');
    this.#envelopeUsed = true;
    if (!this.#hasEnvelope) throw new Failed('REJECTED');
  }

  #next(): AlkaneId {
    const id = { block: 2n, tx: this.state.sequence++ };
    this.state.contracts.add(formatId(id));
    return id;
  }

  #frame(myself: AlkaneId, caller: AlkaneId, steps: readonly ActorStep[], depth: number): Result {
    const data: bigint[] = [];
    let returned = 0n;
    for (const step of steps) {
      switch (step.do) {
        case 'read':
          data.push(this.state.storage.get(`${formatId(myself)}/${step.key}`) ?? 0n);
          break;
        case 'balance':
          data.push(this.#balance(step.who, step.what));
          break;
        case 'sequence':
          data.push(this.state.sequence);
          break;
        case 'returned':
          data.push(returned);
          break;
        case 'abort':
          throw new Failed('REVERT');
        case 'trap':
          throw new Failed('TRAP');
        case 'burn':
          if (step.turns > 1_000_000n) throw new Failed('OUT_OF_FUEL');
          break;
        case 'call': {
          const result = this.#call(myself, caller, step, depth);
          const bytes = NUMBER_BYTES * BigInt(result.data.length);
          returned = COUNT_BYTES + TRIPLE_BYTES * BigInt(result.transfers.length) + bytes;
          data.push(bytes, ...result.data);
        }
      }
    }
    const transfers = steps.flatMap((step) => (step.do === 'transfer' ? [step.asset] : []));
    // Applied when the frame has ended well.
    this.#store(
      myself,
      steps.flatMap((step) => (step.do === 'put' ? [step.entry] : [])),
    );
    return { data, transfers };
  }

  #call(myself: AlkaneId, caller: AlkaneId, call: ActorCall, depth: number): Result {
    const { kind, target, parcel, checkpoint, steps } = call;
    if (target.block === 800_000_000n) return this.#builtIn(target.tx);
    if (depth === 32) throw new Failed('REVERT');
    const before = kind === 'staticcall' ? this.state.copy() : undefined;
    this.#store(myself, checkpoint);
    const id = this.#resolve(target);
    const isDelegated = kind === 'delegatecall';
    if (!isDelegated) this.#move(myself, id, parcel);
    const result = isDelegated
      ? this.#frame(myself, caller, steps, depth + 1)
      : this.#frame(id, myself, steps, depth + 1);
    if (!isDelegated) this.#move(id, myself, result.transfers);
    if (before !== undefined) this.state = before;
    return result;
  }

  #builtIn(number: bigint): Result {
    const { header, coinbaseValue } = this.#block;
    if (number === 0n) return { data: [...header], transfers: [] };
    if (number === 3n) return { data: [coinbaseValue], transfers: [] };
    throw new Failed('REJECTED');
  }

  #store(contract: AlkaneId, entries: readonly (readonly [bigint, bigint])[]): void {
    for (const [key, value] of entries) {
      const name = `${formatId(contract)}/${key}`;
      if (value === 0n) this.state.storage.delete(name);
      else this.state.storage.set(name, value);
    }
  }

  #balance(who: AlkaneId, what: AlkaneId): bigint {
    return this.state.balances.get(`${formatId(what)} of ${formatId(who)}`) ?? 0n;
  }

  #setBalance(who: AlkaneId, what: AlkaneId, amount: bigint): void {
    const name = `${formatId(what)} of ${formatId(who)}`;
    if (amount === 0n) this.state.balances.delete(name);
    else this.state.balances.set(name, amount);
  }

  #credit(who: AlkaneId, { id, amount }: Asset): void {
    const sum = this.#balance(who, id) + amount;
    if (sum > U128_MAX) throw new Failed('REJECTED');
    this.#setBalance(who, id, sum);
  }

  #debit(who: AlkaneId, { id, amount }: Asset): void {
    const held = this.#balance(who, id);
    if (held < amount && formatId(id) !== formatId(who)) throw new Failed('REJECTED');
    this.#setBalance(who, id, held > amount ? held - amount : 0n);
  }

  #move(from: AlkaneId, to: AlkaneId, assets: readonly Asset[]): void {
    for (const asset of assets) {
      if (asset.amount === 0n) continue;
      this.#debit(from, asset);
      this.#credit(to, asset);
    }
  }
}
