import { BlockOffsets } from '../bitcoin/block-offsets.js';
import { MAX_BLOCK_LENGTH } from '../bitcoin/limits.js';
import { verifyBlock } from '../bitcoin/verify-block.js';
import { InputError } from '../errors/errors.js';
import type { PlannedBlock } from '../execute/analyse/planned-block.js';
import { LaneEngine, type StateSource } from '../execute/engine.js';
import { keyHex } from '../lane/keys.js';
import { toDot } from '../plan/picture.js';
import { summarise } from '../plan/plan.js';
import { type PlanReport, reportOf } from '../plan/report.js';
import { Store } from '../store/store.js';
import { fromBinaryString, toDisplayHash } from '../util/bytes.js';
import { readInputFile } from './files.js';

/** `warpshrew plan FILE.bin`: phase 1 of one block, without running or storing anything. */
export async function planCommand(
  file: string,
  options: { readonly db?: string; readonly json?: boolean; readonly dot?: boolean },
): Promise<{ text: string; exitStatus: number }> {
  const block = BlockOffsets.read(readInputFile(file, MAX_BLOCK_LENGTH));
  const store = options.db === undefined ? undefined : await Store.openRecorded(options.db, { readOnly: true });
  try {
    const tip = store?.tip();
    verifyBlock(block, { previousHash: tip?.hash });
    const height = tip === undefined ? block.coinbaseHeight : tip.height + 1;
    if (height === undefined) {
      throw new InputError('BLOCK_NO_HEIGHT', 'the coinbase names no height', { facts: { file } });
    }
    const identity = store?.identity();
    const engine = new LaneEngine({
      policy: 'cpu',
      workers: 0,
      laneStartHeight: identity?.laneStartHeight ?? 0,
      dependent: identity?.dependent ?? 'demote',
    });
    const state: StateSource = {
      reader: { get: (key) => store?.getLatest('P', fromBinaryString(key)) },
      snapshot: store === undefined ? new Map() : undefined,
    };
    const planned = await engine.planBlock(block, height, state);
    await engine.close();
    const text = options.dot
      ? planDot(planned)
      : options.json
        ? JSON.stringify(planJson(height, block, planned))
        : planText(height, block, planned);
    return { text, exitStatus: 0 };
  } finally {
    await store?.close();
  }
}

function planJson(height: number, block: BlockOffsets, planned: PlannedBlock): Record<string, unknown> {
  return { ...summaryOf(height, planned), txs: transactionRows(block, planned) };
}

function summaryOf(height: number, { transactions, planned, plan }: PlannedBlock): PlanReport {
  return reportOf(summarise(height, transactions.length, transactions.length - planned.length, plan), plan);
}

/** A picture of the conflict graph; a node is named by its transaction's place in the block. */
function planDot({ transactions, planned, plan }: PlannedBlock): string {
  return toDot(plan, (node) => `tx ${transactions[planned[node]].index}`);
}

interface PlanRow {
  readonly index: number;
  readonly txid: string;
  /** undefined: demoted. */
  readonly colour: number | undefined;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Block positions of the transactions that must run before it. */
  readonly after: readonly number[];
}

function transactionRows(block: BlockOffsets, { transactions, dryRuns, planned, plan }: PlannedBlock): PlanRow[] {
  const nodeOf = new Map(planned.map((position, node) => [position, node]));
  const { offsets, values } = plan.graph.predecessors;
  return transactions.map((transaction, position) => {
    const node = nodeOf.get(position);
    const dry = dryRuns[position];
    const before = node === undefined ? [] : [...values.subarray(offsets[node], offsets[node + 1])];
    return {
      index: transaction.index,
      txid: toDisplayHash(block.txid(transaction.index)),
      colour: node === undefined ? undefined : plan.colouring.colours[node],
      reads:
        dry === undefined ? [] : [...new Set([...dry.outcome.reads.keys(), ...dry.declaredReads])].map(keyHex).sort(),
      writes:
        dry === undefined ? [] : [...new Set([...dry.outcome.writes.keys(), ...dry.declaredWrites])].map(keyHex).sort(),
      after: (node === undefined ? transaction.parents : before.map((n) => planned[n])).map(
        (p) => transactions[p].index,
      ),
    };
  });
}

function planText(height: number, block: BlockOffsets, planned: PlannedBlock): string {
  const summary = summaryOf(height, planned);
  const head = [
    `height        ${height}`,
    `lane txs      ${summary.laneTxs} (${summary.demoted} demoted)`,
    `edges         ${summary.edges}`,
    `colours       ${summary.colours} (longest chain ${summary.longestChain}, DSATUR's bound ${summary.dsatur})`,
    `batch widths  ${summary.widths.join(', ') || '-'}`,
  ];
  const rows = transactionRows(block, planned).flatMap((row) => [
    `tx ${row.index} ${row.txid} ${row.colour === undefined ? 'demoted' : `colour ${row.colour}`}` +
      (row.after.length > 0 ? ` after ${row.after.join(', ')}` : ''),
    ...row.reads.map((key) => `  read  ${key}`),
    ...row.writes.map((key) => `  write ${key}`),
  ]);
  return [...head, ...rows].join('\n');
}
