/** Sends what a plan holds: from wherever an earlier run ended. */
import { EnvironmentError } from '../errors/errors.js';
import { askRpc } from '../rpc/ask-rpc.js';
import type { Step } from './build.js';
import { type Plan, writePlan } from './plan-file.js';
import { isRecord, type WalletNode } from './wallet-node.js';

const POLL_MS = 200;

export interface CarryOutOptions {
  readonly node: WalletNode;
  /** Where the plan is kept; undefined: nowhere. */
  readonly path: string | undefined;
  /** Regtest: put each transaction into a block of its own, whose reward goes to this script. */
  readonly mineTo: Uint8Array | undefined;
  /** Called behind each transaction that the node has. */
  readonly onSent?: (step: Step) => void;
}

/**
 * Gives the node every transaction of the plan in their order; those that it has are fine. Throws NodeError
 * SEND_REFUSED, SEND_COINS_SPENT and NODE_*.
 */
export async function carryOut(plan: Plan, { node, path, mineTo, onSent }: CarryOutOptions): Promise<Plan> {
  const last = plan.steps[plan.steps.length - 1];
  // Of a commit whose output the reveal has spent already a node may know nothing any more.
  const left = (await node.coin(last.txid, 0)) === undefined ? plan.steps : [last];
  for (const step of left) {
    if (mineTo === undefined || (await node.coin(step.txid, 0)) !== undefined) await node.send(step.hex);
    else await node.mine(step.hex, mineTo);
    onSent?.(step);
  }
  const done = { ...plan, sent: true };
  if (path !== undefined) writePlan(path, done);
  return done;
}

/** What became of a message: as far as it is told here. */
export interface Fate {
  readonly status: string;
  readonly error: string | null;
  readonly target: string | null;
  readonly fuel: number;
}

/**
 * What the messages of a transaction would do on the state of the server at `rpc`. Throws EnvironmentError
 * SEND_WOULD_FAIL if that is not OK, ENV_RPC_FAILED.
 */
export async function assertWouldSucceed(rpc: string, { hex, txid }: Step): Promise<Fate> {
  const fate = fateOf(await askRpc(rpc, 'warpshrew_simulate', [{ transaction: hex }]));
  if (fate.status === 'OK') return fate;
  throw new EnvironmentError(
    'SEND_WOULD_FAIL',
    `the message would end with ${fate.status}: ${fate.error ?? 'no reason'}`,
    {
      facts: { txid, ...(fate.target !== null && { contract: fate.target }), fuel: fate.fuel },
      hint: `${hintFor(fate)} Nothing was sent; --force sends it all the same.`,
    },
  );
}

function hintFor({ status }: Fate): string {
  if (status === 'REVERT') return 'The contract refuses these inputs: see its own message.';
  if (status === 'OUT_OF_FUEL')
    return 'The contract needs more fuel than the transaction gives: 50 units a byte, 3,500,000 at least.';
  if (status === 'TRAP') return '`warpshrew call` and `trace --steps` show where the contract stops.';
  return 'Check the target and its inputs with `warpshrew call`.';
}

/**
 * Waits until the server at `rpc` has indexed the transaction. Throws EnvironmentError SEND_NOT_MINED after `seconds`,
 * ENV_RPC_FAILED.
 */
export async function waitForReceipt(rpc: string, txid: string, seconds: number): Promise<Fate> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return fateOf(await askRpc(rpc, 'warpshrew_getreceipt', [txid]));
    } catch (error) {
      const waits = error instanceof EnvironmentError && error.facts.serverCode === 'RECEIPT_NOT_FOUND';
      if (!waits) throw error;
    }
    if (Date.now() > until) {
      throw new EnvironmentError('SEND_NOT_MINED', 'no block with the transaction was indexed in time', {
        facts: { txid, seconds, rpc },
        hint: 'It was sent: ask again later with `warpshrew trace`. Raise --wait, or --fee-rate of the next one.',
      });
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Of a receipt or a simulation. Throws EnvironmentError ENV_RPC_FAILED. */
function fateOf(answer: unknown): Fate {
  if (isRecord(answer) && typeof answer.status === 'string' && typeof answer.fuel === 'number') {
    const { status, fuel, messages } = answer;
    const list: unknown[] = Array.isArray(messages) ? messages : [];
    const told = list.findLast((each) => isRecord(each) && typeof each.target === 'string');
    const target = isRecord(told) && typeof told.target === 'string' ? told.target : null;
    return { status, fuel, target, error: errorText(answer, list) };
  }
  throw new EnvironmentError('ENV_RPC_FAILED', 'the answer of the JSON-RPC server is no receipt', {
    hint: 'Ask a server of this version.',
  });
}

function errorText(answer: Readonly<Record<string, unknown>>, messages: readonly unknown[]): string | null {
  const aborted = messages.find((each) => isRecord(each) && typeof each.abort === 'string');
  const said = isRecord(aborted) ? ` (${String(aborted.abort)})` : '';
  return typeof answer.error === 'string' ? `${answer.error}${said}` : null;
}
