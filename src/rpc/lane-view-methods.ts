/** The methods that run contracts of the parallel lane over its state, and keep nothing. */
import type { RunLaneView } from '../simulate/protocol.js';
import type { RpcBackend } from './backend.js';
import { RpcError } from './errors.js';
import { storedHeight } from './heights.js';
import { ofKept } from './kept.js';
import type { Method } from './method.js';
import { Params } from './params.js';
import { simulationJson } from './simulation-json.js';
import { simulationRequest } from './simulation-request.js';

const SIMULATE = 'warpshrew_simulate [{target?, inputs?, incoming?, height?, transaction?, block?, protostone?}]';

/** What runs contracts for a method. */
export function laneViewOf({ laneView }: RpcBackend): RunLaneView {
  if (laneView !== undefined) return laneView;
  const hint = 'Use `warpshrew index` or `warpshrew serve`.';
  throw new RpcError('RPC_NOT_SUPPORTED', 'This server cannot run contracts', hint);
}

export const LANE_VIEW_METHODS: Readonly<Record<string, Method>> = {
  warpshrew_simulate: {
    usage: SIMULATE,
    takesObject: true,
    async run(params, backend, client) {
      const value = params.count(1, 1).object(0, 'the request');
      const request = simulationRequest(value, SIMULATE);
      const height = storedHeight(new Params([value.height], SIMULATE), 0, backend);
      const run = laneViewOf(backend);
      return simulationJson(await ofKept(backend.store, height, () => run('simulate', { ...request, height }, client)));
    },
  },
  warpshrew_getmeta: {
    usage: 'warpshrew_getmeta [id, height?]',
    run(params, backend, client) {
      const id = params.count(1, 2).id(0);
      const height = storedHeight(params, 1, backend);
      const run = laneViewOf(backend);
      return ofKept(backend.store, height, () => run('meta', { id, height }, client));
    },
  },
  warpshrew_getconflicts: {
    usage: 'warpshrew_getconflicts [id]',
    async run(params, { conflicts }, client) {
      const id = params.count(1, 1).id(0);
      if (conflicts !== undefined) return conflicts(id, client);
      const hint = 'Ask a `warpshrew dev`, or use `warpshrew conflicts` with a block and a database.';
      throw new RpcError('RPC_NOT_SUPPORTED', 'This server does not compare calls', hint);
    },
  },
};
