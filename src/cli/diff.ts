/** `warpshrew diff A B`: the first height and key in which two indexes differ. */
import { DatabaseSide } from '../diff/database-side.js';
import { type Parting, partingByHalving, partingByScan, type Shared, sharedHeights } from '../diff/heights.js';
import { type DifferentLeaf, firstDifferentLeaf } from '../diff/proofs.js';
import { ServerSide } from '../diff/server-side.js';
import type { DiffSide } from '../diff/side.js';
import { differentKeys, firstDifferentState } from '../diff/states.js';
import { EXIT, StoreError, UsageError } from '../errors/errors.js';
import type { KeyProof } from '../store/proof/key-proof.js';
import type { StoreReader } from '../store/reader.js';
import { pathOf, valueHashOf } from '../store/tree/tree-hash.js';
import type { Namespace } from '../store/types.js';
import { bytesEqual, toHex } from '../util/bytes.js';
import { type StatusLine, statusLine } from '../util/status-line.js';

/** Keys that are listed; the others are counted. */
const LISTED = 10;
/** A key or value is shown up to this many bytes. */
const SHOWN = 64;

export interface DiffOptions {
  readonly from?: number;
  readonly to?: number;
  readonly json?: boolean;
}

/** What a side has under a key: hex after `0x`, null where it does not have the key. */
interface Held {
  /** Null also where only the hash is known. */
  readonly value: string | null;
  readonly valueHash: string | null;
}

/** One key that differs, as `--json` prints it. */
interface KeyReport {
  readonly namespace: Namespace;
  /** Null where only its path in the state tree is known. */
  readonly key: string | null;
  readonly path: string;
  readonly a: Held;
  readonly b: Held;
}

/** Keys that differ after a block. */
interface KeysReport {
  /** Height after which they were compared: the first that differs, or the next that can be looked into. */
  readonly comparedAt: number | null;
  readonly keys: readonly KeyReport[];
  /** How many differ; null where they were not counted. */
  readonly differentKeys: number | null;
}

/** What was found, as `--json` prints it. */
interface DiffReport extends KeysReport {
  readonly first: number;
  readonly last: number;
  /** Highest height known to be the same; null if there is none. */
  readonly same: number | null;
  /** First height that differs; null if none does. */
  readonly height: number | null;
  readonly blocks: { readonly a: string; readonly b: string } | null;
  readonly stateRoots: { readonly a: string | null; readonly b: string | null } | null;
}

type Sides = readonly [DiffSide, DiffSide];

const NOT_COMPARED: KeysReport = { comparedAt: null, keys: [], differentKeys: null };

/**
 * Compares blocks and roots, then keys at the first height that differs. Throws UsageError USAGE_RANGE,
 * USAGE_DIFF_SIDES, what opening a database throws, and EnvironmentError ENV_RPC_FAILED.
 */
export async function diffCommand(
  a: string,
  b: string,
  options: DiffOptions,
): Promise<{ text: string; exitStatus: number }> {
  if (a === b) throw new UsageError('USAGE_DIFF_SIDES', 'both sides are the same', { facts: { side: a } });
  const line = statusLine();
  const own = await openSide(a);
  try {
    const other = await openSide(b);
    try {
      const report = await diffOf([own, other], options, line);
      const text = options.json ? JSON.stringify(report) : reportText(report, a, b);
      return { text, exitStatus: report.height === null ? 0 : EXIT.check };
    } finally {
      await other.close();
    }
  } finally {
    line.clear();
    await own.close();
  }
}

async function openSide(name: string): Promise<DiffSide> {
  return /^https?:\/\//i.test(name) ? new ServerSide(name) : DatabaseSide.open(name);
}

async function diffOf(sides: Sides, options: DiffOptions, line: StatusLine): Promise<DiffReport> {
  const shared = within(await sharedHeights(sides), options);
  const [a, b] = sides;
  const stores = a instanceof DatabaseSide && b instanceof DatabaseSide ? ([a.store, b.store] as const) : undefined;
  const partingOf = stores === undefined ? partingByHalving : partingByScan;
  const parting = await partingOf(sides, shared, (height) => line.show(() => `diff: block ${height}`));
  if (parting === undefined) {
    return { ...shared, same: shared.last, height: null, blocks: null, stateRoots: null, ...NOT_COMPARED };
  }
  const { height, ...keys } =
    stores === undefined
      ? { height: parting.height, ...(await keysByProofs(sides, parting.height, shared, line)) }
      : keysOf(stores, parting, shared, line);
  const [own, other] = await Promise.all(sides.map((side) => side.block(height)));
  return {
    ...shared,
    same: parting.same ?? null,
    height,
    blocks: own && other ? { a: own.hash, b: other.hash } : null,
    stateRoots: { a: own?.roots?.state ?? null, b: other?.roots?.state ?? null },
    ...keys,
  };
}

function within(shared: Shared | undefined, { from, to }: DiffOptions): Shared {
  const first = Math.max(shared?.first ?? 0, from ?? 0);
  const last = Math.min(shared?.last ?? -1, to ?? Number.POSITIVE_INFINITY);
  if (first <= last) return { first, last };
  throw new UsageError('USAGE_RANGE', 'there is no height to compare', {
    facts: shared === undefined ? {} : { first: shared.first, last: shared.last },
    hint: 'Both sides must have blocks of the same heights; --from and --to must be among them.',
  });
}

/** The keys that differ between two databases: all are compared. */
function keysOf(
  stores: readonly [StoreReader, StoreReader],
  parting: Parting,
  { last }: Shared,
  line: StatusLine,
): KeysReport & { readonly height: number } {
  let looked = 0;
  const look = (): void => {
    looked++;
    line.show(() => `diff: ${looked} keys`);
  };
  // States below are no longer whole.
  const lowest = Math.max(...stores.map((store) => store.lowestHistory()));
  const { same = Number.NaN } = parting;
  const height = same >= lowest ? firstDifferentState(stores, same, parting.height, look) : parting.height;
  const comparedAt = Math.max(height, lowest);
  if (comparedAt > last) return { height, ...NOT_COMPARED };
  const keys: KeyReport[] = [];
  let count = 0;
  for (const { namespace, key, values } of differentKeys(stores, comparedAt, look)) {
    if (count++ < LISTED) keys.push(keyReport(namespace, key, values));
  }
  return { height, comparedAt, keys, differentKeys: count };
}

/** The first key, by its path, that proofs show to differ after block `height` or the next that can be proved. */
async function keysByProofs(sides: Sides, height: number, { last }: Shared, line: StatusLine): Promise<KeysReport> {
  let asked = 0;
  const proofsAt = async (namespace: Namespace, key: Uint8Array, at: number): Promise<(KeyProof | number)[]> => {
    line.show(() => `diff: ${++asked} proofs`);
    return Promise.all(sides.map((side) => side.prove(namespace, key, at)));
  };
  for (let at = height; at <= last; ) {
    const [a, b] = await proofsAt('S', NO_KEY, at);
    if (typeof a === 'number' || typeof b === 'number') {
      at = Math.max(typeof a === 'number' ? a : at, typeof b === 'number' ? b : at);
      continue;
    }
    const namespace = !bytesEqual(a.standardRoot, b.standardRoot) ? 'S' : 'P';
    const roots = [a, b].map(rootOf(namespace));
    const prove = async (key: Uint8Array): Promise<readonly [KeyProof, KeyProof]> => {
      const [own, other] = await proofsAt(namespace, key, at);
      const steady = [own, other].every(
        (proof, i) => typeof proof !== 'number' && bytesEqual(rootOf(namespace)(proof), roots[i]),
      );
      if (steady && typeof own !== 'number' && typeof other !== 'number') return [own, other];
      throw new StoreError('STORE_REORG_UNDER_WAY', 'the block was undone meanwhile', { facts: { height: at } });
    };
    const found = await firstDifferentLeaf(prove, () => line.show(() => `diff: looking for a key, ${asked} proofs`));
    if (found === undefined) return { comparedAt: at, keys: [], differentKeys: 0 };
    const key = keyOfPath(sides, namespace, found.path, at);
    const proofs = key && (await prove(key));
    const report =
      key === undefined || proofs === undefined
        ? leafReport(namespace, found)
        : keyReport(namespace, key, [proofs[0].value, proofs[1].value]);
    return { comparedAt: at, keys: [report], differentKeys: null };
  }
  return NOT_COMPARED;
}

const NO_KEY = new Uint8Array(0);
const rootOf =
  (namespace: Namespace) =>
  ({ standardRoot, laneRoot }: KeyProof): Uint8Array =>
    namespace === 'S' ? standardRoot : laneRoot;

/** The key with that path, if a database is among the sides and has it. */
function keyOfPath(sides: Sides, namespace: Namespace, path: Uint8Array, height: number): Uint8Array | undefined {
  for (const side of sides) {
    if (!(side instanceof DatabaseSide)) continue;
    for (const [key] of side.store.entriesAt(namespace, NO_KEY, height)) {
      if (bytesEqual(pathOf(key), path)) return key;
    }
  }
  return undefined;
}

const hex = (bytes: Uint8Array | undefined): string | null => (bytes === undefined ? null : `0x${toHex(bytes)}`);

function keyReport(
  namespace: Namespace,
  key: Uint8Array,
  values: readonly [Uint8Array | undefined, Uint8Array | undefined],
): KeyReport {
  const [a, b] = values.map((value) => ({ value: hex(value), valueHash: hex(value && valueHashOf(value)) }));
  return { namespace, key: hex(key), path: toHex(pathOf(key)), a, b };
}

function leafReport(namespace: Namespace, { path, leaves }: DifferentLeaf): KeyReport {
  const [a, b] = leaves.map((leaf) => ({ value: null, valueHash: hex(leaf?.valueHash) }));
  return { namespace, key: null, path: toHex(path), a, b };
}

function reportText(report: DiffReport, a: string, b: string): string {
  const { first, last, height, same, blocks, stateRoots, comparedAt, keys, differentKeys: count } = report;
  if (height === null) return `no difference: blocks ${first} to ${last} and the states after them are the same`;
  const isFork = blocks !== null && blocks.a !== blocks.b;
  const lines = [
    `A  ${a}`,
    `B  ${b}`,
    same === null ? `nothing is the same from block ${first} on` : `the same up to block ${same}`,
    `block ${height} is the first that differs: ${isFork ? 'it is another block' : 'the state after it'}`,
  ];
  if (isFork) lines.push(`  A  block ${blocks.a}`, `  B  block ${blocks.b}`);
  if (stateRoots !== null) {
    lines.push(`  A  state root ${stateRoots.a ?? 'none'}`, `  B  state root ${stateRoots.b ?? 'none'}`);
  }
  if (comparedAt === null)
    lines.push('the keys cannot be compared: neither there nor above are the states kept in both');
  else if (comparedAt !== height)
    lines.push(`the keys were compared after block ${comparedAt}: below, states are not kept`);
  for (const { namespace, key, path, ...held } of keys) {
    lines.push(
      key === null
        ? `path ${path} of namespace ${namespace}, whose key is not known here`
        : `key ${cut(key)} of namespace ${namespace}`,
    );
    lines.push(`  A  ${heldText(held.a)}`, `  B  ${heldText(held.b)}`);
  }
  if (count === 0) lines.push('no key differs there');
  else if (count !== null)
    lines.push(`${count} keys differ${count > keys.length ? `; the first ${keys.length} are shown` : ''}`);
  return lines.join('\n');
}

function heldText({ value, valueHash }: Held): string {
  if (valueHash === null) return 'absent';
  return value === null ? `a value with the hash ${valueHash}` : cut(value);
}

function cut(text: string): string {
  const most = 2 + 2 * SHOWN;
  return text.length <= most ? text : `${text.slice(0, most)}… (${(text.length - 2) / 2} bytes)`;
}
