/** Calls of many blocks as one block, so that they can be compared as calls that come at the same time. */
import { Transaction as Decoded } from 'bitcoinjs-lib';
import { sha256d } from '../bitcoin/hash.js';
import { parseBlock } from '../bitcoin/parse-block.js';
import { parseTransaction } from '../bitcoin/parse-transaction.js';
import { regtestFrame } from '../bitcoin/regtest.js';
import { writeBareBlock } from '../bitcoin/serialise.js';
import type { Transaction } from '../bitcoin/types.js';
import { runSequential } from '../execute/sequential.js';
import { sheetKey } from '../lane/keys.js';
import type { LaneContext } from '../lane/message.js';
import { statusOf } from '../lane/receipt-status.js';
import { scanBlock } from '../lane/scan.js';
import type { LaneKey, StateReader } from '../lane/types.js';
import type { ProgramRunner } from '../program/runner.js';
import { EMPTY_BYTES, toBinaryString } from '../util/bytes.js';

/** A transaction and its block. */
export interface MinedCall {
  readonly height: number;
  readonly transaction: Transaction;
}

export interface JoinedCalls {
  /** A block that no node would take. */
  readonly raw: Uint8Array;
  readonly before: StateReader;
  /** Calls that are not in it: they end otherwise there than over the state before their own block. */
  readonly leftOut: number;
  /** Calls that are not in it: they spend outputs of others of their own block. */
  readonly demoted: number;
}

export interface JoiningOptions {
  /** The lane's state after a block. */
  readonly stateAfter: (height: number) => StateReader;
  readonly runner: ProgramRunner;
  readonly rules: Pick<LaneContext, 'laneStartHeight' | 'dependent'>;
}

/**
 * `calls`, oldest first and at least one, as one block of the height of the newest. Where one spends an output of a
 * call of an earlier block, it spends a stand-in with the same assets: a wallet that goes on from its own change makes
 * no order. The block runs over a state in which each key has the value that it had before the newest call that touched
 * it.
 */
export function joinCalls(calls: readonly MinedCall[], options: JoiningOptions): JoinedCalls {
  const free = withStandIns(calls);
  const height = calls[calls.length - 1].height;
  const newest = options.stateAfter(height - 1);
  const values = new Map<LaneKey, Uint8Array | undefined>();
  const ends = free.map(({ transaction, height: at, standsFor }) => {
    const own = options.stateAfter(at - 1);
    const state: StateReader = { get: (key) => own.get(standsFor.get(key) ?? key) };
    const { status, touched } = runAlone(transaction, at, state, options);
    for (const key of touched) values.set(key, state.get(key));
    return status;
  });
  const before: StateReader = { get: (key) => (values.has(key) ? values.get(key) : newest.get(key)) };
  const kept = free
    .map(({ transaction }) => transaction)
    .filter((transaction, at) => runAlone(transaction, height, before, options).status === ends[at]);
  const [leftOut, demoted] = [free.length - kept.length, calls.length - free.length];
  return { raw: blockOf(kept, height), before, leftOut, demoted };
}

interface FreeCall extends MinedCall {
  /** By keys of sheets that it spends: those of the outputs that they stand for. */
  readonly standsFor: ReadonlyMap<LaneKey, LaneKey>;
}

/** Those that spend no output of another one of their block, changed so that they spend none of the others' either. */
function withStandIns(calls: readonly MinedCall[]): FreeCall[] {
  const heights = new Map<string, number>();
  const free: FreeCall[] = [];
  for (const { transaction, height } of calls) {
    const parents = transaction.inputs.map(({ prevTxid }) => heights.get(toBinaryString(prevTxid)));
    heights.set(toBinaryString(transaction.txid), height);
    if (parents.includes(height)) continue;
    const decoded = Decoded.fromBuffer(transaction.raw);
    const standsFor = new Map<LaneKey, LaneKey>();
    for (const [at, { prevTxid, prevVout }] of transaction.inputs.entries()) {
      if (parents[at] === undefined) continue;
      const other = sha256d(prevTxid);
      decoded.ins[at].hash = other;
      standsFor.set(sheetKey(other, prevVout), sheetKey(prevTxid, prevVout));
    }
    free.push({ height, transaction: parseTransaction(new Uint8Array(decoded.toBuffer())), standsFor });
  }
  return free;
}

function runAlone(
  transaction: Transaction,
  height: number,
  before: StateReader,
  { runner, rules }: JoiningOptions,
): { readonly status: string; readonly touched: readonly LaneKey[] } {
  const raw = blockOf([transaction], height);
  const outcomes = runSequential(scanBlock(parseBlock(raw), before), { height, block: raw, ...rules }, before, runner);
  const touched = outcomes.flatMap(({ reads, writes }) => [...reads.keys(), ...writes.keys()]);
  return { status: outcomes.map((outcome) => statusOf(outcome).status).join(), touched };
}

function blockOf(transactions: readonly Transaction[], height: number): Uint8Array {
  const [reward, mark, previous] = [EMPTY_BYTES, EMPTY_BYTES, new Uint8Array(32)];
  return writeBareBlock(regtestFrame({ previous, height, time: 0, reward, fees: 0n, mark }), transactions).raw;
}
