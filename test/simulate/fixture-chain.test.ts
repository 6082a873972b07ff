import { describe, expect, it } from 'vitest';
import { parseBlock } from '../../src/bitcoin/parse-block.js';
import { openSource } from '../../src/bitcoin/sources.js';
import { driveOnCpu } from '../../src/execute/tasks/drive.js';
import { sheetKey } from '../../src/lane/keys.js';
import type { LaneContext } from '../../src/lane/message.js';
import { MapOverlay } from '../../src/lane/overlay.js';
import { LANE_TAG, type LaneTransaction, scanBlock } from '../../src/lane/scan.js';
import { laneTransaction } from '../../src/lane/transaction.js';
import type { LaneOutcome, MessageReceipt, StateReader } from '../../src/lane/types.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { decodeCellpack } from '../../src/protocol/cellpack.js';
import { decodeSheet, Sheet } from '../../src/protocol/sheet.js';
import type { Protostone } from '../../src/protocol/types.js';
import { AnswerBudget } from '../../src/simulate/answer-budget.js';
import { changesOf } from '../../src/simulate/changes.js';
import type { SimulationRequest } from '../../src/simulate/request.js';
import { type SimulatedEnd, type Simulation, simulate } from '../../src/simulate/simulate.js';
import { bundledChain } from '../../src/util/bundled-chain.js';

const runner = new ProgramRunner();
const ROOM = 1 << 30;
const NOTHING: Omit<SimulationRequest, 'height'> = {
  message: undefined,
  incoming: undefined,
  transaction: undefined,
  block: undefined,
};

const identity = {
  ...{ schema: 0, rules: 2, network: 'regtest', laneStartHeight: 0, moduleHash: '' },
  dependent: 'demote' as const,
};

function simulated(request: SimulationRequest, state: StateReader): Simulation {
  const record = { hash: new Uint8Array(32), header: new Uint8Array(80) };
  const chain = {
    identity: () => identity,
    blockRecord: (height: number) => ({
      height,
      ...record,
      roots: undefined,
      standardError: undefined,
      receiptCount: 0,
    }),
  };
  return simulate(request, { state, chain, runner, answerBytes: ROOM });
}

/** The same message, but that a receipt of a transaction keeps only so much of all that its messages give. */
function expectMessage({ receipt: whole, transfers }: SimulatedEnd, receipt: MessageReceipt): void {
  expect(whole.data.length).toBe(2 * whole.dataBytes);
  expect({ ...whole, data: whole.data.slice(0, receipt.data.length) }).toEqual(receipt);
  if (receipt.status !== 'OK') expect(transfers).toEqual([]);
}

const changes = (writes: LaneOutcome['writes'], state: StateReader) => changesOf(writes, state, new AnswerBudget(ROOM));

/** Each lane transaction of the bundled chain, its outcome, and the state before it. */
function* laneTransactions(): Generator<{
  readonly input: LaneTransaction;
  readonly outcome: LaneOutcome;
  readonly before: StateReader;
  readonly context: LaneContext;
}> {
  const state = new MapOverlay({ get: () => undefined });
  for (const { raw, height } of openSource(bundledChain()).blocks()) {
    const block = parseBlock(raw);
    const context: LaneContext = { height, block: raw, laneStartHeight: 0, dependent: 'demote' };
    for (const input of scanBlock(block, state)) {
      const outcome = driveOnCpu(laneTransaction(input, context, state), runner);
      yield { input, outcome, before: state, context };
      state.apply(outcome.writes);
    }
  }
}

describe('over the bundled chain', () => {
  it('a simulated transaction that is then mined at that state has the same receipts and changes', () => {
    let messages = 0;
    const ends = new Map<string, number>();
    for (const { input, outcome, before, context } of laneTransactions()) {
      const request = { ...NOTHING, height: context.height - 1, transaction: input.tx.raw, block: context.block };
      const {
        undone,
        messages: found,
        fuel,
        txid,
        storage,
        balances,
        created,
        sequence,
        sheets,
      } = simulated(request, before);
      expect(txid).toBe(outcome.txid);
      expect(undone).toBe(outcome.undone);
      expect(found.length).toBe(outcome.messages.length);
      for (const [i, receipt] of outcome.messages.entries()) expectMessage(found[i], receipt);
      expect(fuel).toBe(outcome.messages.reduce((sum, { fuelUsed }) => sum + fuelUsed, 0));
      expect({ storage, balances, created, sequence, sheets }).toEqual(changes(outcome.writes, before));
      messages += found.length;
      for (const {
        receipt: { status },
      } of found)
        ends.set(status, (ends.get(status) ?? 0) + 1);
    }
    expect(messages).toBeGreaterThan(1_000);
    expect([...ends.keys()].sort()).toEqual(['OK', 'OUT_OF_FUEL', 'REJECTED', 'REVERT', 'STANDARD', 'TRAP']);
  });

  it('a simulated message that is then mined at that state, first in its transaction, has the same receipt', () => {
    let messages = 0;
    for (const { input, outcome, before, context } of laneTransactions()) {
      const { protostones, tx } = input;
      const [receipt] = outcome.messages;
      const first = protostones.find(({ protocolTag }) => protocolTag === LANE_TAG);
      if (receipt === undefined || first === undefined || receipt.protostone !== first.index) continue;
      const inside = messageOf(first);
      if (inside === undefined) continue;
      const incoming = new Sheet();
      for (const { prevTxid, prevVout } of tx.inputs) {
        incoming.absorb(decodeSheet(before.get(sheetKey(prevTxid, prevVout))));
      }
      const simulation = simulated(
        {
          height: context.height - 1,
          message: { ...inside, protostone: first.index },
          incoming: incoming.entries(),
          transaction: tx.raw,
          block: context.block,
        },
        before,
      );
      expect(simulation.undone).toBeUndefined();
      const [end] = simulation.messages;
      if (receipt.error !== 'sum over u128 of a parcel') expectMessage(end, receipt);
      if (outcome.messages.length === 1) {
        const { storage, balances, created, sequence } = changes(outcome.writes, before);
        expect(simulation).toMatchObject({ storage, balances, created, sequence, sheets: [] });
      }
      messages++;
    }
    expect(messages).toBeGreaterThan(1_000);
  });
});

/** What stands behind 8:8. */
function messageOf({ message }: Protostone) {
  const outer = message && decodeCellpack(message);
  if (outer === undefined || outer.target.block !== 8n || outer.target.tx !== 8n) return undefined;
  const [block, tx, ...inputs] = outer.inputs;
  return block === undefined || tx === undefined ? undefined : { target: { block, tx }, inputs };
}
