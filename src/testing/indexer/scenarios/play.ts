/** Short forms for scenarios. */
import { gzipSync } from 'node:zlib';
import { parseId } from '../../../protocol/alkane-id.js';
import type { AlkaneId } from '../../../protocol/types.js';
import { readU128 } from '../../../util/bytes.js';
import { id } from '../../regtest/messages.js';
import type { Ruled, Stage, Step, StepEnd } from '../sides/stage.js';
import type { StepMessage } from '../sides/twins.js';

/** A story of steps on a stage of its own. */
export interface Scenario {
  readonly name: string;
  play(stage: Stage): Promise<void>;
}

export type Inputs = StepMessage['inputs'];
export type Gifts = NonNullable<StepMessage['give']>;
type Extra = Partial<Pick<Step, 'ends' | 'differs' | 'body'>> & { readonly give?: Gifts };

export const CREATE = id(1, 0);
export const FAILS: Pick<Step, 'ends'> = { ends: ['failed'] };

/** What ends for want of fuel in the lane alone. */
export const FUEL: Ruled = {
  rule: '5',
  why: 'other prices: above all, every frame pays for the pages that it begins with',
  perhaps: true,
  of: 'OUT_OF_FUEL',
};

/** Some indexers never get through a block with a call of a built-in that they do not have. */
export const NO_BUILT_IN: Ruled = {
  rule: '9.13',
  why: 'a built-in that there is not fails the message; some indexers stop at one that they do not have',
  perhaps: true,
  stops: true,
  of: 'REJECTED',
};

/** A parcel that does not fit on the pointer's sheet. */
export const TOO_MUCH: Ruled = {
  rule: '2.7',
  why: 'what came in is refunded where the parcel does not fit on the sheet; an indexer loses it',
  perhaps: true,
  error: 'sum over u128 of a parcel',
};

/** One message. */
export function call(
  stage: Stage,
  name: string,
  target: AlkaneId,
  inputs: Inputs,
  { give, ...extra }: Extra = {},
): Promise<StepEnd> {
  return stage.play({ name, messages: [{ target, inputs, ...(give && { give }) }], ...extra });
}

/** Creates a contract, at 2:next unless `target` says otherwise; gives its id. */
export async function create(
  stage: Stage,
  name: string,
  wasm: Uint8Array,
  inputs: Inputs,
  target = CREATE,
  { give, ...extra }: Extra = {},
): Promise<AlkaneId> {
  const messages = [{ target, inputs, ...(give && { give }) }];
  const end = await stage.play({ name, messages, body: new Uint8Array(gzipSync(wasm)), ...extra });
  return end.target === '' ? id(0, 0) : parseId(end.target);
}

/** Data as u128 numbers. */
export function numbersOf({ data }: StepEnd): bigint[] {
  return Array.from({ length: Math.floor(data.length / 16) }, (_, i) => readU128(data, 16 * i));
}

export function inputsOfIds(...ids: readonly AlkaneId[]): bigint[] {
  return ids.flatMap(({ block, tx }) => [block, tx]);
}
