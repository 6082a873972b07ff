/** Runs a transaction of a stored block once more, over the state that it had before it. */
import { parseBlock } from '../bitcoin/parse-block.js';
import { InternalError } from '../errors/errors.js';
import { CachingReader } from '../execute/tasks/caching-reader.js';
import { type CpuRunner, driveOnCpu } from '../execute/tasks/drive.js';
import { FrameHost } from '../lane/frame.js';
import type { LaneContext } from '../lane/message.js';
import { MapOverlay } from '../lane/overlay.js';
import { makeReceipt } from '../lane/receipt.js';
import { encodeReceipt } from '../lane/receipt-bytes.js';
import { type LaneTransaction, scanBlock } from '../lane/scan.js';
import { laneTransaction } from '../lane/transaction.js';
import type { Receipt, StateReader } from '../lane/types.js';
import { ProgramRunner } from '../program/runner.js';
import { formatId } from '../protocol/alkane-id.js';
import type { StoreReader } from '../store/reader.js';
import { bytesEqual, toHex } from '../util/bytes.js';
import { AnswerBudget } from './answer-budget.js';
import { changesOf, type StateChanges } from './changes.js';
import { type Driven, drive } from './drive.js';
import { earlierNeeded } from './earlier.js';
import { type Step, StepRecorder } from './steps.js';

/** What to run again; plain data that is sent to a thread. */
export interface RerunRequest {
  /** Of the block. */
  readonly height: number;
  /** The block, serialised with witnesses: its hash has been compared. */
  readonly block: Uint8Array;
  readonly txid: string;
}

export interface RerunBase {
  /** The state before the block. */
  readonly before: StateReader;
  readonly chain: Pick<StoreReader, 'identity' | 'receipt' | 'receipts'>;
  /** For the transactions before it. */
  readonly runner: CpuRunner;
  /** Characters that the answer may have, about. */
  readonly answerBytes: number;
}

/** What a message that ended well gave. */
interface RerunMessage {
  readonly protostone: number;
  /** What went to its pointer, in the order in which the contract gave it; decimal amounts. */
  readonly transfers: readonly { readonly id: string; readonly amount: string }[];
  /** All of its data, hex. */
  readonly data: string;
}

/** What only a run tells. */
export interface Rerun {
  readonly messages: readonly RerunMessage[];
  readonly changes: StateChanges;
  /** Host calls in their order: the first ones. */
  readonly steps: readonly Step[];
  readonly stepTotal: number;
}

/** What compiled code may take: a transaction calls few contracts. */
const COMPILED_BYTES = 64 << 20;
/** Characters of a transfer in the answer. */
const TRANSFER_CHARACTERS = 100;

/**
 * The transaction's host calls, and what it changed. Of the transactions before it those run that it depends on, by
 * their receipts. Throws StoreError STORE_HISTORY_PRUNED, ProgramError VIEW_ANSWER_TOO_LARGE; InternalError if the run
 * gives another receipt than the stored one.
 */
export function rerun({ height, block, txid }: RerunRequest, base: RerunBase): Rerun {
  const stored = base.chain.receipt(txid);
  if (stored?.height !== height) throw new InternalError('the receipt is gone', { facts: { height, txid } });
  const { laneStartHeight, dependent } = base.chain.identity();
  const context: LaneContext = { height, block, laneStartHeight, dependent };
  const before = new CachingReader(base.before);
  const transactions = scanBlock(parseBlock(block), before);
  const place = transactions.findIndex(({ index }) => index === stored.index);
  if (place < 0) throw new InternalError('the block has no such lane transaction', { facts: { height, txid } });
  const needed = earlierNeeded(base.chain, stored);
  const state = new MapOverlay(before);
  for (const earlier of transactions.slice(0, place)) {
    if (needed?.has(earlier.index) === false) continue;
    state.apply(driveOnCpu(laneTransaction(earlier, context, state), base.runner).writes);
  }
  const recorder = new StepRecorder();
  const driven = drive(transactions[place], context, state, recording(transactions[place], recorder));
  checkSame(stored, driven);
  const budget = new AnswerBudget(base.answerBytes);
  for (const step of recorder.steps) budget.take(JSON.stringify(step).length);
  return {
    messages: messagesOf(driven, budget),
    changes: changesOf(driven.outcome.writes, state, budget),
    steps: recorder.steps,
    stepTotal: recorder.total,
  };
}

/** A runner that tells `recorder` of every host call. */
function recording({ protostones }: LaneTransaction, recorder: StepRecorder): CpuRunner {
  const runner = new ProgramRunner({ compiledBytes: COMPILED_BYTES, watch: recorder });
  return {
    run(program, host, fuel) {
      if (!(host instanceof FrameHost)) throw new InternalError('a message ran with another host');
      const { shadowVout } = host.frame;
      recorder.begin(protostones.find((each) => each.shadowVout === shadowVout)?.index ?? 0, host.tree);
      return runner.run(program, host, fuel);
    },
  };
}

/** A trace that does not tell what happened is none. */
function checkSame(stored: Receipt, { outcome }: Driven): void {
  const { colour, executor, repaired, predicted, mispredicted, reason } = stored;
  const how = { colour, executor, repaired, predicted, mispredicted, reason };
  const again = makeReceipt(stored.height, outcome, how);
  if (bytesEqual(encodeReceipt(again), encodeReceipt(stored))) return;
  throw new InternalError('a transaction that ran again gave another receipt', {
    facts: { height: stored.height, txid: stored.txid },
    hint: 'Report it with the block.',
  });
}

function messagesOf({ outcome, results }: Driven, budget: AnswerBudget): RerunMessage[] {
  return outcome.messages.flatMap(({ protostone, shadowVout, status }) => {
    const result = status === 'OK' ? results.get(shadowVout) : undefined;
    if (result === undefined) return [];
    const transfers = result.transfers.filter(({ amount }) => amount > 0n);
    budget.take(2 * result.data.length + TRANSFER_CHARACTERS * transfers.length);
    return [
      {
        protostone,
        transfers: transfers.map(({ id, amount }) => ({ id: formatId(id), amount: amount.toString() })),
        data: toHex(result.data),
      },
    ];
  });
}
