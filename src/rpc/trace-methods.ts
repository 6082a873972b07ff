/** The method that tells what a mined transaction of the parallel lane did, and why. */
import { type RunAgain, traceOf } from '../trace/trace.js';
import type { RpcBackend } from './backend.js';
import { RpcError } from './errors.js';
import { laneViewOf } from './lane-view-methods.js';
import type { Method } from './method.js';
import type { Params } from './params.js';
import { receiptOf } from './receipt-of.js';

const TRACE = 'warpshrew_trace [txid, {steps?}?]';

export const TRACE_METHODS: Readonly<Record<string, Method>> = {
  warpshrew_trace: {
    usage: TRACE,
    async run(params, backend, client) {
      const { txid } = receiptOf(params.count(1, 2), backend);
      return traceOf(backend.store, txid, wantsSteps(params) ? again(backend, client) : undefined);
    },
  },
};

function wantsSteps(params: Params): boolean {
  if (!params.has(1)) return false;
  const options = params.object(1, 'what stands behind the txid');
  const [unknown] = Object.keys(options).filter((name) => name !== 'steps');
  const { steps = false } = options;
  if (unknown === undefined && typeof steps === 'boolean') return steps;
  const what = unknown === undefined ? 'steps is not true or false' : `no option ${unknown.slice(0, 40)}`;
  throw new RpcError('RPC_WRONG_TYPE', `Invalid params: ${what}`, `Call it as ${TRACE}.`);
}

function again(backend: RpcBackend, client: string): RunAgain {
  const run = laneViewOf(backend);
  return {
    block: async (height, hash) => backend.block?.(height, hash, client),
    run: (request) => run('trace', request, client),
  };
}
