import { formatId } from '../../../protocol/alkane-id.js';
import { encodeEnvelope, gzipStored } from '../../../protocol/encode.js';
import type { AlkaneId } from '../../../protocol/types.js';
import { type Script, transfer } from '../../../selftest/inputs/actor-steps.js';
import type { Coin } from '../../../wallet/coins.js';
import { call, id, type Stone } from '../messages.js';
import { CREATE, type World } from './world.js';

/** Contracts that the stages of inner calls share. */
export interface Actors {
  /** They do what their inputs say: one is called by messages, the other by the first one. */
  readonly actor: AlkaneId;
  readonly other: AlkaneId;
  /** Actors again, each known for the asset that it mints. */
  readonly assets: readonly AlkaneId[];
}

export function createActors(world: World): Actors {
  const { director, programs } = world;
  const actor = created(world, programs.calls.actor);
  const clone = (): AlkaneId => {
    const target = id(5, actor.tx);
    return director.create(target, { kind: 'contract that calls', stones: [call(target, [])] });
  };
  return { actor, other: clone(), assets: [clone(), clone(), clone()] };
}

/** An actor's message. */
export function act(actor: AlkaneId, steps: readonly Script[], extra: Stone = {}): Stone {
  return call(actor, steps.flat(), extra);
}

/** The number of the shadow output of protostone `index`, beside so many ordinary outputs and the runestone. */
function shadow(index: number, outputs = 1): number {
  return outputs + 2 + index;
}

/** A message to an actor that mints `amount` of its own id, all for protostone `to`. */
export function minted(asset: AlkaneId, amount: bigint, to: number, outputs = 1): Stone {
  return act(asset, [transfer(formatId(asset), amount)], { pointer: shadow(to, outputs) });
}

/** A coin that reveals a contract. */
export function revealing({ director }: World, wasm: Uint8Array): Coin {
  return director.commit(encodeEnvelope(gzipStored(wasm)));
}

/** Creates a contract by 1:0 with these inputs. */
export function created(world: World, wasm: Uint8Array, inputs: readonly (bigint | number)[] = []): AlkaneId {
  const spend = [revealing(world, wasm)];
  return world.director.create(CREATE, { kind: 'contract that calls', spend, stones: [call(CREATE, inputs)] });
}
