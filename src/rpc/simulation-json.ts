import { statusOf } from '../lane/receipt-status.js';
import { formatId } from '../protocol/alkane-id.js';
import type { Simulation } from '../simulate/simulate.js';
import { messageJson } from '../trace/receipt-json.js';

/** What `warpshrew_simulate` answers (docs/json-rpc.md). */
export interface SimulationJson extends Omit<Simulation, 'undone' | 'messages'> {
  readonly status: string;
  readonly error: string | null;
  readonly undone: string | null;
  readonly messages: readonly (ReturnType<typeof messageJson> & {
    readonly transfers: readonly { readonly id: string; readonly amount: string }[];
  })[];
}

/** A simulation as JSON-RPC and the command line show it; what is not there is null, amounts are decimal strings. */
export function simulationJson({ messages, undone, ...simulation }: Simulation): SimulationJson {
  return {
    ...simulation,
    undone: undone ?? null,
    ...statusOf({ undone, messages: messages.map(({ receipt }) => receipt) }),
    messages: messages.map(({ receipt, transfers }) => ({
      ...messageJson(receipt),
      transfers: transfers.map(({ id, amount }) => ({ id: formatId(id), amount: amount.toString() })),
    })),
  };
}
