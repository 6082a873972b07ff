/** Short names for what an actor (wasm/calls/actor.ts) does; ids are text like `2:1`. */
import type { CallKind } from '../../program/types.js';
import { parseId } from '../../protocol/alkane-id.js';
import { actorInputs } from './actor-script.js';

/** Inputs of an actor. */
export type Script = readonly bigint[];
export type Asset = readonly [id: string, amount: bigint];

const assetOf = ([id, amount]: Asset) => ({ id: parseId(id), amount });

/** Writes the value, 0: deletes, when the frame ends. */
export const put = (key: number, value: number): Script =>
  actorInputs([{ do: 'put', entry: [BigInt(key), BigInt(value)] }]);
/** Logs the value. */
export const read = (key: number): Script => actorInputs([{ do: 'read', key: BigInt(key) }]);
export const transfer = (id: string, amount: bigint): Script =>
  actorInputs([{ do: 'transfer', asset: assetOf([id, amount]) }]);
export const ABORT: Script = actorInputs([{ do: 'abort' }]);
export const TRAP: Script = actorInputs([{ do: 'trap' }]);
export const burn = (turns: number): Script => actorInputs([{ do: 'burn', turns: BigInt(turns) }]);
/** Logs the bytes of the last return data. */
export const RETURNED: Script = actorInputs([{ do: 'returned' }]);
export const balance = (who: string, what: string): Script =>
  actorInputs([{ do: 'balance', who: parseId(who), what: parseId(what) }]);
/** Logs the sequence number. */
export const SEQUENCE: Script = actorInputs([{ do: 'sequence' }]);

interface CallOptions {
  readonly parcel?: readonly Asset[];
  readonly checkpoint?: readonly (readonly [key: number, value: number])[];
}

/** Calls; logs the bytes of data that came back, then these. */
export function makeCall(kind: CallKind, target: string, steps: readonly Script[], options: CallOptions = {}): Script {
  const { parcel = [], checkpoint = [] } = options;
  const call = {
    ...({ do: 'call', kind, target: parseId(target), steps: [] } as const),
    parcel: parcel.map(assetOf),
    checkpoint: checkpoint.map(([key, value]) => [BigInt(key), BigInt(value)] as const),
  };
  const inputs = steps.flat();
  return [...actorInputs([call]).slice(0, -1), BigInt(inputs.length), ...inputs];
}
