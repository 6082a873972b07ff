import { availableParallelism } from 'node:os';
import { BlockOffsets } from '../bitcoin/block-offsets.js';
import { MAX_BLOCK_LENGTH } from '../bitcoin/limits.js';
import { verifyBlock } from '../bitcoin/verify-block.js';
import { InputError } from '../errors/errors.js';
import { CostModel } from '../execute/choose/cost-model.js';
import { restoreKernelCosts } from '../execute/choose/cost-record.js';
import { type Explained, explainBatches } from '../execute/rows/explain.js';
import { type PlannedRows, planRows } from '../execute/rows/plan-rows.js';
import { type LaneColumns, transactionAt } from '../lane/columns/lane-columns.js';
import { keyHex } from '../lane/keys.js';
import type { LaneKey } from '../lane/types.js';
import { CostFile } from '../pipeline/cost-file.js';
import { toDot } from '../plan/picture.js';
import { summarise } from '../plan/plan.js';
import { type PlanReport, reportOf } from '../plan/report.js';
import { formatId } from '../protocol/alkane-id.js';
import { decodeCellpack, LANE_TARGET } from '../protocol/cellpack.js';
import { PROTOCOL_TAG_ALKANES } from '../protocol/protostones.js';
import { Store } from '../store/store.js';
import { keyText } from '../trace/key-text.js';
import { fromBinaryString, toDisplayHash } from '../util/bytes.js';
import { readInputFile } from './files.js';

/** Keys of a wait that are named. */
const NAMED_KEYS = 16;

/** `warpshrew plan FILE.bin`: phase 1 of one block, without running or storing anything. */
export async function planCommand(
  file: string,
  options: { readonly db?: string; readonly json?: boolean; readonly dot?: boolean; readonly explain?: boolean },
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
    const explained = options.explain ? explain(planned, options.db) : undefined;
    if (options.dot) return { text: planDot(planned), exitStatus: 0 };
    if (!options.json) return { text: planText(height, planned, explained), exitStatus: 0 };
    return { text: JSON.stringify({ ...planJson(height, planned), explained }), exitStatus: 0 };
  } finally {
    await store?.close();
  }
}

/** Why `auto` would run each batch where it would, with what it has learned beside database `db`. */
function explain(planned: PlannedRows, db: string | undefined): ExplainedPlan {
  const costs = new CostModel();
  const record = db === undefined ? undefined : new CostFile(db).read();
  const found = record && restoreKernelCosts(record, costs);
  const measured =
    found === undefined
      ? 'nothing: no record of costs is there'
      : 'why' in found
        ? `nothing: the record of costs is not used, ${found.why}`
        : found.device;
  return { measured, ...explainBatches(planned, costs, Math.max(1, availableParallelism() - 1)) };
}

interface ExplainedPlan extends Explained {
  /** What the costs were measured with. */
  readonly measured: string;
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
  /** What it calls: each message for the lane, in their order. */
  readonly calls: readonly PlannedCall[];
  /** Transactions that must run before it. */
  readonly after: readonly PlanWait[];
}

interface PlannedCall {
  /** `block:tx`; null where the message names none. */
  readonly target: string | null;
  /** First input, decimal; null if there is none. */
  readonly opcode: string | null;
}

interface PlanWait {
  /** Position in the block. */
  readonly index: number;
  /** This one spends an output of it: it is demoted. */
  readonly spends: boolean;
  /** The first of the keys for which it waits, in hex, and how many there are. */
  readonly keys: readonly string[];
  readonly keyTotal: number;
}

function transactionRows({ columns, rows, plan, isPredicted, keysOf, sharedKeys }: PlannedRows): PlanRow[] {
  const nodeOf = new Map([...rows].map((row, node) => [row, node]));
  const { offsets, values } = plan.graph.predecessors;
  const { block, index, firstParent, parents } = columns;
  return Array.from({ length: columns.count }, (_, row) => {
    const node = nodeOf.get(row);
    const { reads, writes } = node === undefined ? { reads: [], writes: [] } : keysOf(row);
    const after =
      node === undefined
        ? Array.from(parents.subarray(firstParent[row], firstParent[row + 1]), (parent) => waitFor(index[parent], true))
        : Array.from(values.subarray(offsets[node], offsets[node + 1]), (before) =>
            waitFor(index[rows[before]], false, sharedKeys(before, node)),
          );
    return {
      index: index[row],
      txid: toDisplayHash(block.txid(index[row])),
      colour: node === undefined ? undefined : plan.colouring.colours[node],
      predicted: isPredicted[row] === 1,
      reads: reads.map(keyHex),
      writes: writes.map(keyHex),
      calls: callsOf(columns, row),
      after,
    };
  });
}

function waitFor(index: number, spends: boolean, keys: readonly LaneKey[] = []): PlanWait {
  return { index, spends, keys: keys.slice(0, NAMED_KEYS).map(keyHex), keyTotal: keys.length };
}

/** What the messages to 8:8 of a row are for. */
function callsOf(columns: LaneColumns, row: number): PlannedCall[] {
  return transactionAt(columns, row).protostones.flatMap(({ protocolTag, message }): PlannedCall[] => {
    const outer = protocolTag === PROTOCOL_TAG_ALKANES && message !== undefined ? decodeCellpack(message) : undefined;
    if (outer === undefined || formatId(outer.target) !== formatId(LANE_TARGET)) return [];
    const [block, tx, opcode] = outer.inputs;
    const target = block === undefined || tx === undefined ? null : formatId({ block, tx });
    return [{ target, opcode: opcode?.toString() ?? null }];
  });
}

function planText(height: number, planned: PlannedRows, explained: ExplainedPlan | undefined): string {
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
      (row.predicted ? ', predicted' : ''),
    ...row.calls.map((call) => `  calls ${callText(call)}`),
    ...row.after.map((wait) => `  after ${waitText(wait)}`),
    ...row.reads.map((key) => `  read  ${keyText(key)}`),
    ...row.writes.map((key) => `  write ${keyText(key)}`),
  ]);
  return [...head, ...(explained === undefined ? [] : explainText(explained)), ...lines].join('\n');
}

function explainText({ measured, threads, launchUs, savedUs, batches }: ExplainedPlan): string[] {
  const us = (value: number | null): string => (value === null ? 'unknown' : `${Math.round(value)} µs`);
  return [
    `costs of      ${measured}`,
    `kernel        waking it costs ${us(launchUs)}; it would save ${us(savedUs)} on ${threads} threads`,
    ...batches.flatMap(({ colour, width, others, programs }) => [
      `batch ${colour}, ${width} wide`,
      ...programs.flatMap((each) => {
        const again = each.calls - each.reused;
        const run = again === 0 ? '' : `, ${again} run by ${each.executor}`;
        const costs = again === 0 ? '' : ` (threads ${us(each.threadsUs)}, kernel ${us(each.kernelUs)})`;
        return [`  program ${each.program.slice(0, 16)}: ${each.reused} reused${run}${costs}: ${each.why}`];
      }),
      ...(others === 0 ? [] : [`  ${others} others: never in the kernel`]),
    ]),
  ];
}

function callText({ target, opcode }: PlannedCall): string {
  return `${target ?? 'nothing'}${opcode === null ? '' : `, opcode ${opcode}`}`;
}

/** The first key is told: it is enough to make it wait. */
function waitText({ index, spends, keys, keyTotal }: PlanWait): string {
  if (spends) return `tx ${index}, of which it spends an output`;
  const more = keyTotal > 1 ? ` and ${keyTotal - 1} more` : '';
  return `tx ${index}, for ${keys.slice(0, 1).map(keyText).join('')}${more}`;
}
