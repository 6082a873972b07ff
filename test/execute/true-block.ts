/** A block as it truly runs, and ways to falsify what is said of it. */
import type { Transaction } from '../../src/bitcoin/types.js';
import { ALWAYS_PARALLEL } from '../../src/execute/choose/block-mode.js';
import { LaneEngine } from '../../src/execute/engine.js';
import { runSequential } from '../../src/execute/sequential.js';
import { scanBlock } from '../../src/lane/scan.js';
import type { LaneBlockResult, LaneKey, LaneOutcome, MessageReceipt } from '../../src/lane/types.js';
import { parseId } from '../../src/protocol/alkane-id.js';
import { encodeSheet, Sheet } from '../../src/protocol/sheet.js';
import type { BlockRun } from '../../src/selftest/invariants/block-run.js';
import { RunLog } from '../../src/selftest/invariants/run-log.js';
import { call, envelope, makeBlock, makeTx, PROBE, World } from '../lane/world.js';

type Writes = Map<LaneKey, Uint8Array | undefined>;

export const TOKEN = parseId('2:1');
export const OTHER = parseId('2:2');
/** One outcome is changed. */
export const at = (position: number, change: (outcome: LaneOutcome) => Partial<LaneOutcome>) => (run: BlockRun) => ({
  ...run,
  outcomes: run.outcomes.map((outcome, i) => (i === position ? { ...outcome, ...change(outcome) } : outcome)),
});
/** The writes of one transaction are changed. */
export const writing = (position: number, change: (writes: Writes) => void) =>
  at(position, ({ writes }) => {
    const changed = new Map(writes);
    change(changed);
    return { writes: changed };
  });
/** The first receipt of one transaction is changed. */
export const message = (position: number, change: (receipt: MessageReceipt) => Partial<MessageReceipt>) =>
  at(position, ({ messages }) => ({
    messages: messages.map((receipt, i) => (i === 0 ? { ...receipt, ...change(receipt) } : receipt)),
  }));
/** What the engine says of the block is changed. */
export const engineSays = (change: (result: LaneBlockResult) => Partial<LaneBlockResult>) => (run: BlockRun) => {
  const result = run.result as LaneBlockResult;
  return { ...run, result: { ...result, ...change(result) } };
};
export const sheetOf = (id: string, amount: bigint) => encodeSheet(Sheet.of([{ id: parseId(id), amount }]));

/** A block in which every kind of transaction occurs, as it truly runs. */
export async function trueBlock(): Promise<{ readonly txs: readonly Transaction[]; readonly run: BlockRun }> {
  const world = new World();
  world.deploy();
  world.deploy();
  world.message(call('2:1', 4, 0));
  const coins = Array.from({ length: 4 }, () => world.give({ '2:1': 100n }));
  world.setBalance('2:1', '2:2', 50n);
  const one = (coin: number | undefined, text: Uint8Array, witnesses?: Uint8Array[]) =>
    makeTx({
      spend: coin === undefined ? undefined : [coins[coin]],
      protostones: [{ pointer: 0, refund: 1, message: text }],
      witnesses,
    });
  const txs = [
    one(undefined, call('2:1', 9, 2, 1, 7)),
    one(0, call('2:2', 9, 2, 1, 120)),
    one(1, call('2:2', 2)),
    makeTx({ spend: [coins[2]], protostones: [{ pointer: 90, refund: 0, message: call('2:1', 15) }] }),
    makeTx({ spend: [coins[3]] }),
    one(undefined, call('1:0', 0), [envelope(PROBE)]),
    one(undefined, call('5:1', 0)),
    one(undefined, call('2:1', 4, 0)),
  ];
  const block = makeBlock(txs);
  const context = world.context(block);
  const reader = { get: (key: LaneKey) => world.state.get(key) };
  const runs = new RunLog(world.runner);
  const transactions = scanBlock(block, reader);
  const outcomes = runSequential(transactions, context, reader, runs);
  const rules = { laneStartHeight: 0, dependent: 'demote' } as const;
  const engine = new LaneEngine({ policy: 'cpu', workers: 0, modes: ALWAYS_PARALLEL, ...rules });
  const result = await engine.processBlock(block, context.height, { reader });
  await engine.close();
  const receipts = result.receipts.map((receipt, i) => ({ ...receipt, messages: outcomes[i].messages }));
  const run: BlockRun = { context, transactions, outcomes, before: world.state, result: { ...result, receipts }, runs };
  return { txs, run };
}
