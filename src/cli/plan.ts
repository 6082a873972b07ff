import { BlockOffsets } from '../bitcoin/block-offsets.js';
import { MAX_BLOCK_LENGTH } from '../bitcoin/limits.js';
import { verifyBlock } from '../bitcoin/verify-block.js';
import { InputError } from '../errors/errors.js';
import { type PlannedRows, planRows } from '../execute/rows/plan-rows.js';
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
    const { laneStartHeight, dependent } = { laneStartHeight: 0, dependent: 'demote' as const, ...store?.identity() };
    const context = { height, block: block.raw, laneStartHeight, dependent };
    const planned = await planRows(block, context, { get: (key) => store?.getLatest('P', fromBinaryString(key)) });
    const text = options.dot
      ? planDot(planned)
      : options.json
        ? JSON.stringify(planJson(height, planned))
        : planText(height, planned);
    return { text, exitStatus: 0 };
  } finally {
    await store?.close();
  }
}

function planJson(height: number, planned: PlannedRows): Record<string, unknown> {
  const { predicted, ...summary } = summaryOf(height, planned);
  return { ...summary, predicted, txs: transactionRows(planned) };
}

/** Which predictions are wrong is known when the block has run. */
function summaryOf(
  height: number,
  { columns, rows, plan, isPredicted }: PlannedRows,
): Omit<PlanReport, 'mispredicted'> {
  const predicted = isPredicted.reduce((sum, is) => sum + is, 0);
  const summary = summarise(height, columns.count, columns.count - rows.length, plan, { predicted, mispredicted: 0 });
  const { mispredicted: _, ...report } = reportOf(summary, plan);
  return report;
}

/** A picture of the conflict graph; a node is named by its transaction's place in the block. */
function planDot({ columns, rows, plan }: PlannedRows): string {
  return toDot(plan, (node) => `tx ${columns.index[rows[node]]}`);
}

interface PlanRow {
  readonly index: number;
  readonly txid: string;
  /** undefined: demoted. */
  readonly colour: number | undefined;
  /** It would run with a value that is predicted. */
  readonly predicted: boolean;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Block positions of the transactions that must run before it. */
  readonly after: readonly number[];
}

function transactionRows({ columns, rows, plan, isPredicted, keysOf }: PlannedRows): PlanRow[] {
  const nodeOf = new Map([...rows].map((row, node) => [row, node]));
  const { offsets, values } = plan.graph.predecessors;
  const { block, index, firstParent, parents } = columns;
  return Array.from({ length: columns.count }, (_, row) => {
    const node = nodeOf.get(row);
    const { reads, writes } = node === undefined ? { reads: [], writes: [] } : keysOf(row);
    const after =
      node === undefined
        ? [...parents.subarray(firstParent[row], firstParent[row + 1])]
        : Array.from(values.subarray(offsets[node], offsets[node + 1]), (before) => rows[before]);
    return {
      index: index[row],
      txid: toDisplayHash(block.txid(index[row])),
      colour: node === undefined ? undefined : plan.colouring.colours[node],
      predicted: isPredicted[row] === 1,
      reads: reads.map(keyHex),
      writes: writes.map(keyHex),
      after: after.map((one) => index[one]),
    };
  });
}

function planText(height: number, planned: PlannedRows): string {
  const summary = summaryOf(height, planned);
  const head = [
    `height        ${height}`,
    `lane txs      ${summary.laneTxs} (${summary.demoted} demoted)`,
    `predicted     ${summary.predicted}`,
    `edges         ${summary.edges}`,
    `colours       ${summary.colours} (longest chain ${summary.longestChain}, DSATUR's bound ${summary.dsatur})`,
    `batch widths  ${summary.widths.join(', ') || '-'}`,
  ];
  const lines = transactionRows(planned).flatMap((row) => [
    `tx ${row.index} ${row.txid} ${row.colour === undefined ? 'demoted' : `colour ${row.colour}`}` +
      (row.predicted ? ', predicted' : '') +
      (row.after.length > 0 ? ` after ${row.after.join(', ')}` : ''),
    ...row.reads.map((key) => `  read  ${key}`),
    ...row.writes.map((key) => `  write ${key}`),
  ]);
  return [...head, ...lines].join('\n');
}
