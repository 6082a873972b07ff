/**
 * Which calls of a block can run together, by contract and method: what they touch, what makes them wait for each
 * other, and whether the kernel takes them. From the dry runs of a block, as its plan is.
 */
import type { BlockOffsets } from '../bitcoin/block-offsets.js';
import { type PlannedRows, planRows } from '../execute/rows/plan-rows.js';
import { runSequential } from '../execute/sequential.js';
import { transactionAt } from '../lane/columns/lane-columns.js';
import { finalCode } from '../lane/creation.js';
import type { LaneContext } from '../lane/message.js';
import type { LaneTransaction } from '../lane/scan.js';
import type { LaneKey, StateReader } from '../lane/types.js';
import { ProgramRunner } from '../program/runner.js';
import { formatId } from '../protocol/alkane-id.js';
import { decodeCellpack, LANE_TARGET } from '../protocol/cellpack.js';
import type { AlkaneId } from '../protocol/types.js';
import { type KernelVerdict, kernelVerdict } from './inspect.js';
import { patternOf } from './key-pattern.js';
import { type PairCounts, pairCounts, parallelShare } from './pairs.js';

/** A kind of keys that the calls of a method touch. */
export interface TouchedKeys {
  readonly pattern: string;
  /** Share of the method's calls that read, and that write, such a key. */
  readonly read: number;
  readonly write: number;
  /** How many different keys of the pattern all its calls touch. */
  readonly keys: number;
}

export interface Serialising {
  readonly key: string;
  readonly pattern: string;
  /** In which share of the waits, or of the conflicts. */
  readonly share: number;
  /** Calls do not wait for it: its reads are predicted. */
  readonly predicted: boolean;
}

export interface MethodReport {
  /** `block:tx` of what is called; the first input, decimal. */
  readonly target: string;
  readonly opcode: string;
  readonly calls: number;
  readonly keys: readonly TouchedKeys[];
  /** Share of the block's other calls with which one of its calls conflicts, on average; predicted keys count. */
  readonly conflicts: number;
  /** The same without keys whose reads are predicted: what has to wait. */
  readonly waits: number;
  /** The key for which most of its calls wait, or, if none waits, which is in most of their conflicts. */
  readonly serialises: Serialising | undefined;
  /** Share of its calls that run at once with a value that is predicted. */
  readonly predicted: number;
  readonly kernel: KernelVerdict | undefined;
  /** Share of its calls that, run in their turn, touch a key that their dry run did not name; and the patterns. */
  readonly undeclared: number;
  readonly undeclaredKeys: readonly string[];
}

export interface ConflictReport {
  readonly calls: number;
  /** Transactions that spend outputs of others of the block, and so wait in any case. */
  readonly demoted: number;
  /** Share of calls that wait for no other, expected of a block of these calls in random order. */
  readonly parallel: number;
  /** The same with as many calls as stand here, drawn from these. */
  readonly expected: readonly { readonly calls: number; readonly parallel: number }[];
  readonly methods: readonly MethodReport[];
}

interface Call {
  readonly row: number;
  readonly node: number;
  readonly target: AlkaneId;
  readonly opcode: string;
  readonly transaction: LaneTransaction;
}

/** Calls that are looked at: pairs are counted. */
const MOST_CALLS = 5_000;
const EXPECTED_AT = [10, 100, 1_000];

export async function conflictReport(
  block: BlockOffsets,
  context: LaneContext,
  before: StateReader,
): Promise<ConflictReport> {
  const planned = await planRows(block, context, before);
  const calls = callsOf(planned);
  const touched = calls.map(({ row }) => withoutSheets(planned.keysOf(row)));
  const all = pairCounts(touched);
  const ordering = orderingOf(planned, calls);
  const waiting = pairCounts(ordering);
  const undeclared = undeclaredOf(planned, context, before, calls, touched);
  const methods = [...grouped(calls)].map(([, members]) =>
    methodReport(members, { planned, calls, touched, all, waiting, undeclared, before }),
  );
  return {
    calls: calls.length,
    demoted: planned.columns.count - planned.rows.length,
    parallel: parallelShare(waiting, calls.length),
    expected: EXPECTED_AT.filter((n) => n <= calls.length).map((n) => ({
      calls: n,
      parallel: parallelShare(waiting, n),
    })),
    methods: methods.sort((a, b) => b.calls - a.calls),
  };
}

/** The planned transactions with a message for the lane; each counts as a call of its first one. */
function callsOf({ columns, rows }: PlannedRows): Call[] {
  const calls: Call[] = [];
  for (const [node, row] of rows.entries()) {
    if (calls.length === MOST_CALLS) break;
    const transaction = transactionAt(columns, row);
    for (const { message } of transaction.protostones) {
      const outer = message === undefined ? undefined : decodeCellpack(message);
      if (outer === undefined || formatId(outer.target) !== formatId(LANE_TARGET)) continue;
      const [blockNumber, tx, opcode] = outer.inputs;
      if (blockNumber === undefined || tx === undefined) continue;
      const target = { block: blockNumber, tx };
      calls.push({ row, node, target, opcode: opcode?.toString() ?? 'none', transaction });
      break;
    }
  }
  return calls;
}

interface Touched {
  readonly reads: readonly LaneKey[];
  readonly writes: readonly LaneKey[];
}

/** Sheets belong to the outputs of one transaction each. */
function withoutSheets({ reads, writes }: Touched): Touched {
  const kept = (keys: readonly LaneKey[]): LaneKey[] => keys.filter((key) => !key.startsWith('sheet/'));
  return { reads: kept(reads), writes: kept(writes) };
}

/** What orders calls: keys by number, without those that are predicted. */
function orderingOf(
  { plan: { sets } }: PlannedRows,
  calls: readonly Call[],
): Iterable<{ reads: Iterable<number>; writes: Iterable<number> }> {
  return calls.map(({ node }) => ({
    reads: sets.reads.values.subarray(sets.reads.offsets[node], sets.reads.offsets[node + 1]),
    writes: sets.writes.values.subarray(sets.writes.offsets[node], sets.writes.offsets[node + 1]),
  }));
}

/** By call: keys that it touches in its turn and that its dry run did not name. */
function undeclaredOf(
  { columns }: PlannedRows,
  context: LaneContext,
  before: StateReader,
  calls: readonly Call[],
  touched: readonly Touched[],
): LaneKey[][] {
  const transactions = Array.from({ length: columns.count }, (_, row) => transactionAt(columns, row));
  const outcomes = runSequential(transactions, context, before, new ProgramRunner());
  return calls.map(({ row }, at) => {
    const named = new Set([...touched[at].reads, ...touched[at].writes]);
    const { reads, writes } = outcomes[row];
    return [...new Set([...reads.keys(), ...writes.keys()])].filter(
      (key) => !named.has(key) && !key.startsWith('sheet/'),
    );
  });
}

/** By target and opcode: places in the list of calls. */
function grouped(calls: readonly Call[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  calls.forEach(({ target, opcode }, at) => {
    const name = `${formatId(target)} ${opcode}`;
    const known = groups.get(name);
    if (known === undefined) groups.set(name, [at]);
    else known.push(at);
  });
  return groups;
}

interface Found {
  readonly planned: PlannedRows;
  readonly calls: readonly Call[];
  readonly touched: readonly Touched[];
  readonly all: PairCounts;
  readonly waiting: PairCounts;
  readonly undeclared: readonly (readonly LaneKey[])[];
  readonly before: StateReader;
}

function methodReport(members: readonly number[], found: Found): MethodReport {
  const { calls, touched, all, waiting, undeclared, planned, before } = found;
  const { target, opcode } = calls[members[0]];
  const average = (of: (at: number) => number): number => members.reduce((sum, at) => sum + of(at), 0) / members.length;
  const others = Math.max(1, calls.length - 1);
  const program = finalCode(target, before)?.program;
  return {
    target: formatId(target),
    opcode,
    calls: members.length,
    keys: touchedKeys(members.map((at) => touched[at])),
    conflicts: average((at) => all.conflicts[at] / others),
    waits: average((at) => waiting.conflicts[at] / others),
    serialises: waitedFor(members, found) ?? serialising(members, all),
    predicted: average((at) => planned.isPredicted[calls[at].row]),
    kernel: program && kernelVerdict(program),
    undeclared: average((at) => (undeclared[at].length > 0 ? 1 : 0)),
    undeclaredKeys: [...new Set(members.flatMap((at) => undeclared[at].map(patternOf)))].sort(),
  };
}

function touchedKeys(touched: readonly Touched[]): TouchedKeys[] {
  const found = new Map<string, { reads: number; writes: number; keys: Set<LaneKey> }>();
  for (const { reads, writes } of touched) {
    const count = (keys: readonly LaneKey[], kind: 'reads' | 'writes'): void => {
      for (const pattern of new Set(keys.map(patternOf))) entryOf(pattern)[kind]++;
      for (const key of keys) entryOf(patternOf(key)).keys.add(key);
    };
    count(reads, 'reads');
    count(writes, 'writes');
  }
  function entryOf(pattern: string): { reads: number; writes: number; keys: Set<LaneKey> } {
    const known = found.get(pattern) ?? { reads: 0, writes: 0, keys: new Set<LaneKey>() };
    found.set(pattern, known);
    return known;
  }
  return [...found]
    .map(([pattern, { reads, writes, keys }]) => ({
      pattern,
      read: reads / touched.length,
      write: writes / touched.length,
      keys: keys.size,
    }))
    .sort((a, b) => b.write - a.write || (a.pattern < b.pattern ? -1 : 1));
}

/** The key for which most of these calls follow another one. */
function waitedFor(members: readonly number[], { planned, calls }: Found): Serialising | undefined {
  const { offsets, values } = planned.plan.graph.predecessors;
  const counts = new Map<LaneKey, number>();
  let waits = 0;
  for (const member of members) {
    const { node } = calls[member];
    for (const before of values.subarray(offsets[node], offsets[node + 1])) {
      waits++;
      for (const key of planned.sharedKeys(before, node)) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  // Of keys that go together, what the contract stores says more than a balance.
  const rank = (key: LaneKey): number => (key.startsWith('store/') ? 0 : 1);
  const [most] = [...counts].sort(([a, m], [b, n]) => n - m || rank(a) - rank(b));
  if (most === undefined) return undefined;
  return { key: most[0], pattern: patternOf(most[0]), share: most[1] / waits, predicted: false };
}

/** The key in most conflicts of these calls. */
function serialising(members: readonly number[], { byKey, conflicts }: PairCounts): Serialising | undefined {
  const own = new Set(members);
  let best: { key: LaneKey; pairs: number } | undefined;
  for (const [key, { readers, writers }] of byKey) {
    let pairs = 0;
    for (const at of writers) if (own.has(at)) pairs += readers.size + writers.size - (readers.has(at) ? 2 : 1);
    for (const at of readers) if (own.has(at) && !writers.has(at)) pairs += writers.size;
    if (pairs > (best?.pairs ?? 0)) best = { key: String(key), pairs };
  }
  if (best === undefined) return undefined;
  const total = members.reduce((sum, at) => sum + conflicts[at], 0);
  const share = Math.min(1, best.pairs / Math.max(1, total));
  return { key: best.key, pattern: patternOf(best.key), share, predicted: true };
}
