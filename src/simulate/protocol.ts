import type { Failure } from '../errors/errors.js';
import type { ListAnswer, ListRequest, OutpointRequest } from '../listing/list.js';
import type { OutpointFate } from '../listing/outpoint.js';
import type { MetaRequest } from './meta.js';
import type { PrefixRootRequest } from './prefix-root.js';
import type { SimulationRequest } from './request.js';
import type { Rerun, RerunRequest } from './rerun.js';
import type { Simulation } from './simulate.js';

/** What a thread for lane views gets at its start. */
export interface LaneViewSetup {
  /** Of the store that it reads, for `Store.attach`. */
  readonly storeHandle: bigint;
  readonly answerBytes: number;
}

/** What such a thread does, by kind: what it is asked, and what it answers, which is sent to JSON-RPC as it is. */
export interface LaneViewKinds {
  readonly simulate: { readonly request: SimulationRequest; readonly answer: Simulation };
  readonly trace: { readonly request: RerunRequest; readonly answer: Rerun };
  readonly list: { readonly request: ListRequest; readonly answer: ListAnswer };
  readonly outpoint: { readonly request: OutpointRequest; readonly answer: OutpointFate };
  readonly prefixRoot: { readonly request: PrefixRootRequest; readonly answer: string };
  readonly meta: { readonly request: MetaRequest; readonly answer: unknown };
}
export type LaneViewKind = keyof LaneViewKinds;

export type LaneViewTask = {
  [K in LaneViewKind]: { readonly kind: K; readonly request: LaneViewKinds[K]['request'] };
}[LaneViewKind];

export type LaneViewReply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly failure: Failure };

/** Runs such a task for `client`: see `LaneViews.run`. */
export type RunLaneView = <K extends LaneViewKind>(
  kind: K,
  request: LaneViewKinds[K]['request'],
  client: string,
) => Promise<LaneViewKinds[K]['answer']>;
