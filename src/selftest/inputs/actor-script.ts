/** Scripts for the contract wasm/calls/actor.ts, which does what its inputs say, and random trees of its calls. */
import type { CallKind } from '../../program/types.js';
import type { AlkaneId } from '../../protocol/types.js';
import { U128_MAX } from '../../util/bytes.js';
import type { Prng } from './prng.js';

export interface Asset {
  readonly id: AlkaneId;
  readonly amount: bigint;
}

/** A key and its value; 0 deletes. */
export type Entry = readonly [key: bigint, value: bigint];

export interface ActorCall {
  readonly do: 'call';
  readonly kind: CallKind;
  readonly target: AlkaneId;
  readonly parcel: readonly Asset[];
  readonly checkpoint: readonly Entry[];
  readonly steps: readonly ActorStep[];
}

/** What an actor does; those that ask for something log what they are told. */
export type ActorStep =
  | { readonly do: 'put'; readonly entry: Entry }
  | { readonly do: 'read'; readonly key: bigint }
  | { readonly do: 'transfer'; readonly asset: Asset }
  | { readonly do: 'burn'; readonly turns: bigint }
  | { readonly do: 'balance'; readonly who: AlkaneId; readonly what: AlkaneId }
  | { readonly do: 'abort' | 'trap' | 'returned' | 'sequence' }
  | ActorCall;

const KINDS: Readonly<Record<CallKind, bigint>> = { call: 0n, delegatecall: 1n, staticcall: 2n };

const idOf = ({ block, tx }: AlkaneId): bigint[] => [block, tx];
const assetOf = ({ id, amount }: Asset): bigint[] => [...idOf(id), amount];

/** The inputs that make an actor do `steps`. */
export function actorInputs(steps: readonly ActorStep[]): bigint[] {
  return steps.flatMap(inputsOf);
}

function inputsOf(step: ActorStep): bigint[] {
  switch (step.do) {
    case 'put':
      return [1n, ...step.entry];
    case 'read':
      return [2n, step.key];
    case 'call':
      return callInputs(step);
    case 'transfer':
      return [4n, ...assetOf(step.asset)];
    case 'abort':
      return [5n];
    case 'trap':
      return [6n];
    case 'burn':
      return [7n, step.turns];
    case 'returned':
      return [8n];
    case 'balance':
      return [9n, ...idOf(step.who), ...idOf(step.what)];
    case 'sequence':
      return [10n];
  }
}

function callInputs({ kind, target, parcel, checkpoint, steps }: ActorCall): bigint[] {
  const inputs = actorInputs(steps);
  return [
    ...[3n, KINDS[kind], ...idOf(target)],
    ...[BigInt(parcel.length), ...parcel.flatMap(assetOf)],
    ...[BigInt(checkpoint.length), ...checkpoint.flat()],
    ...[BigInt(inputs.length), ...inputs],
  ];
}

/** Frames that a random tree has at most, and how deep they are nested but for a few long chains. */
const MOST_CALLS = 14;
const USUAL_DEPTH = 5;
const CHAIN = 31;
/** More turns than any fuel pays for. */
const ENDLESS = 1n << 31n;

/** Draws trees of calls between `actors`; they name `assets` beside the actors' own. */
export class RandomTrees {
  readonly #random: Prng;
  readonly #actors: readonly AlkaneId[];
  readonly #assets: readonly AlkaneId[];
  #callsLeft = 0;

  constructor(random: Prng, actors: readonly AlkaneId[], assets: readonly AlkaneId[]) {
    this.#random = random;
    this.#actors = actors;
    this.#assets = [...actors, ...assets];
  }

  /** What one message asks an actor to do. */
  tree(): ActorStep[] {
    this.#callsLeft = MOST_CALLS;
    return this.#chance(2) ? [this.#chain()] : this.#steps(0);
  }

  #chance(percent: number): boolean {
    return this.#random.below(100) < percent;
  }

  /** One call in the other, up to or just beyond what is allowed. */
  #chain(): ActorStep {
    const kind = this.#kind();
    let step: ActorStep = { do: 'read', key: this.#key() };
    for (let left = CHAIN + this.#random.below(3); left > 0; left--) {
      step = { do: 'call', kind, target: this.#actor(), parcel: [], checkpoint: [], steps: [step] };
    }
    return step;
  }

  #steps(depth: number): ActorStep[] {
    return Array.from({ length: 1 + this.#random.below(4) }, () => this.#step(depth));
  }

  #step(depth: number): ActorStep {
    const kind = this.#random.below(200);
    if (kind < 70 && this.#callsLeft > 0 && depth < USUAL_DEPTH) return this.#call(depth);
    if (kind < 115) return { do: 'put', entry: this.#entry() };
    if (kind < 150) return { do: 'read', key: this.#key() };
    if (kind < 165) return { do: 'balance', who: this.#actor(), what: this.#asset() };
    if (kind < 184) return { do: 'transfer', asset: this.#amountOf(this.#actor(), true) };
    if (kind < 188) return { do: 'sequence' };
    if (kind < 196) return { do: 'returned' };
    return this.#random.pick<ActorStep>([
      { do: 'abort' },
      { do: 'trap' },
      { do: 'burn', turns: this.#chance(60) ? ENDLESS : 500n },
      { do: 'transfer', asset: this.#amountOf(this.#asset(), false) },
    ]);
  }

  #call(depth: number): ActorStep {
    this.#callsLeft--;
    return {
      do: 'call',
      kind: this.#kind(),
      target: this.#target(),
      parcel: this.#some(2, () => this.#amountOf(this.#asset(), this.#chance(90))),
      checkpoint: this.#some(2, () => this.#entry()),
      steps: this.#steps(depth + 1),
    };
  }

  #some<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.#chance(60) ? 0 : 1 + this.#random.below(most) }, make);
  }

  #kind(): CallKind {
    return this.#random.pick(['call', 'call', 'call', 'delegatecall', 'staticcall']);
  }

  #target(): AlkaneId {
    const kind = this.#random.below(100);
    const number = BigInt(1 + this.#random.below(4));
    if (kind < 82) return this.#actor();
    if (kind < 88) return { block: this.#chance(75) ? 5n : 6n, tx: number };
    if (kind < 91) return { block: 1n, tx: 0n };
    if (kind < 92) return { block: 3n, tx: number };
    if (kind < 97) return { block: 800_000_000n, tx: this.#random.pick([0n, 0n, 3n, 3n, 2n]) };
    // One that is made in the same block, or none.
    return { block: this.#random.pick([2n, 2n, 4n, 7n]), tx: number + BigInt(this.#actors.length) - 1n };
  }

  #actor(): AlkaneId {
    return this.#random.pick(this.#actors);
  }

  #asset(): AlkaneId {
    return this.#random.pick(this.#assets);
  }

  #amountOf(id: AlkaneId, isSmall: boolean): Asset {
    return { id, amount: this.#random.pick(isSmall ? [0n, 1n, 1n, 3n] : [1_000n, 1n << 100n, U128_MAX]) };
  }

  #key(): bigint {
    return BigInt(this.#random.below(4));
  }

  #entry(): Entry {
    return [this.#key(), BigInt(this.#random.below(5))];
  }
}
