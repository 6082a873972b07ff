/** `warpshrew trace`: what a mined transaction of the parallel lane did, and why. */
import { createInterface } from 'node:readline';
import { EnvironmentError, InternalError, UsageError } from '../errors/errors.js';
import { askRpc } from '../rpc/ask-rpc.js';
import { LaneViews } from '../simulate/lane-views.js';
import { DEFAULT_VIEW_LIMITS } from '../standard/standard-indexer.js';
import { Store } from '../store/store.js';
import { stepPages } from '../trace/step-pages.js';
import { type RunAgain, type Trace, traceOf } from '../trace/trace.js';
import { traceText } from '../trace/trace-text.js';
import { blockIn } from './block-in.js';
import { stepThrough } from './stepper.js';

export interface TraceOptions {
  readonly db?: string;
  readonly rpc?: string;
  /** Runs the transaction again. */
  readonly steps?: boolean;
  /** Fixture chain, folder of raw blocks, or a raw block: the transaction's block is among them. */
  readonly blocks?: string;
  readonly json?: boolean;
  /** Goes through the host calls one by one, as lines of stdin say. */
  readonly debug?: boolean;
}

/** How long a transaction and those that it depends on may run. */
const LIMIT_MS = 600_000;

/**
 * Shows the trace of the transaction `txid` (display order) of a database or a running server. Throws UsageError
 * USAGE_TRACE_FROM, EnvironmentError ENV_RPC_FAILED, what `traceOf` and `openSource` throw.
 */
export async function traceCommand(txid: string, options: TraceOptions): Promise<{ text: string; exitStatus: number }> {
  const steps = options.steps === true || options.debug === true;
  const trace = await traceFrom(txid, { ...options, steps });
  if (options.debug === true) {
    const pages = stepPages(trace.messages, trace.run?.steps ?? [], traceText(trace));
    await stepThrough(
      pages,
      createInterface({ input: process.stdin }),
      (page) => void process.stdout.write(`${page}\n`),
    );
    return { text: '', exitStatus: 0 };
  }
  return { text: options.json ? JSON.stringify(trace) : traceText(trace), exitStatus: 0 };
}

async function traceFrom(txid: string, { db, rpc, steps = false, blocks }: TraceOptions): Promise<Trace> {
  if (db !== undefined && rpc === undefined) return fromDatabase(db, txid, steps, blocks);
  if (rpc !== undefined && db === undefined && blocks === undefined) {
    const answer = await askRpc(rpc, 'warpshrew_trace', steps ? [txid, { steps }] : [txid]);
    if (isTrace(answer)) return answer;
    throw new EnvironmentError('ENV_RPC_FAILED', 'the answer of the JSON-RPC server is no trace', {
      facts: { address: rpc },
      hint: 'Ask a server of this version.',
    });
  }
  throw new UsageError('USAGE_TRACE_FROM', 'a trace comes from one place', {
    hint: 'Give --db DIR for a database that no other process has open, or --rpc URL for a running server.',
  });
}

/** A server of this version gives what its documentation says. */
function isTrace(answer: unknown): answer is Trace {
  if (typeof answer !== 'object' || answer === null) return false;
  return ['txid', 'messages', 'reads', 'writes', 'waits', 'run'].every((name) => name in answer);
}

async function fromDatabase(db: string, txid: string, steps: boolean, blocks: string | undefined): Promise<Trace> {
  const store = await Store.openRecorded(db, { readOnly: true });
  try {
    if (!steps) return await traceOf(store, txid);
    const { handle: storeHandle } = store;
    if (storeHandle === undefined) throw new InternalError('the database cannot be shared between threads');
    const { answerBytes } = DEFAULT_VIEW_LIMITS;
    const bounds = { threads: 1, queue: 0, limitMs: LIMIT_MS, waitMs: LIMIT_MS };
    const views = new LaneViews({ storeHandle, answerBytes, ...bounds });
    const again: RunAgain = {
      block: async (height) => (blocks === undefined ? undefined : blockIn(blocks, height)),
      run: (request) => views.run('trace', request, ''),
    };
    return await traceOf(store, txid, again).finally(() => views.close());
  } finally {
    await store.close();
  }
}
