/** The conflict graph of a stored block as people look at it: which key joins two transactions, from their receipts. */
import { statusOf } from '../lane/receipt-status.js';
import type { Executor } from '../lane/statistics.js';
import type { PlanSummary, Receipt } from '../lane/types.js';
import { entriesOf, listsAll, type ReceiptSource, receiptPortions, sheetTxids, wireTxid } from './receipts.js';

/** Transactions, edges and characters of keys that are listed at most, and receipts' entries that are looked at. */
const MOST_NODES = 5_000;
const MOST_EDGES = 20_000;
const MOST_KEY_TEXT = 2 << 20;
const MOST_ENTRIES = 200_000;

export interface GraphNode {
  /** Position in the block. */
  readonly index: number;
  /** Display order. */
  readonly txid: string;
  readonly status: ReturnType<typeof statusOf>['status'];
  /** The contract of its first message that has one, `block:tx`. */
  readonly target: string | null;
  readonly fuel: number;
  /** The batch it ran in, or would have run in; 0: demoted, or not dry-run cleanly. */
  readonly colour: number;
  readonly executor: Executor;
  readonly repaired: boolean;
  readonly predicted: boolean;
  readonly mispredicted: boolean;
  /** It spends an output of another transaction of the block: it ran when all before it were final. */
  readonly demoted: boolean;
}

/** The later transaction follows the earlier one directly. */
export interface GraphEdge {
  /** Places in `nodes`. */
  readonly from: number;
  readonly to: number;
  /** Place in `keys` of the first key on which the two conflict; null where the later one spends an output. */
  readonly key: number | null;
  /** On how many keys they do. */
  readonly keyTotal: number;
  /** False: its colour is not above the earlier one's, as the key was predicted, or its dry run did not touch it. */
  readonly waited: boolean;
}

export interface GraphKey {
  /** Hex. */
  readonly key: string;
  /** Transactions that read and that wrote it, and edges that it makes. */
  readonly readers: number;
  readonly writers: number;
  readonly edges: number;
}

export interface BlockGraph {
  readonly height: number;
  /** As of {@link PlanReport}. */
  readonly source: 'run' | 'receipts';
  /** Lane transactions of the block, of which the first are listed, and edges between those that were looked at. */
  readonly laneTxs: number;
  readonly edgeTotal: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** The keys of the edges, those that make most of them first. */
  readonly keys: readonly GraphKey[];
  /** Places in `nodes` of the longest chain of transactions that waited for each other, the first one first. */
  readonly longest: readonly number[];
  /** False where receipts leave keys out, or not all was looked at or is listed. */
  readonly complete: boolean;
}

interface GraphStore extends ReceiptSource {
  plan(height: number): PlanSummary | undefined;
}

/** The graph of block `height`; undefined if the store has no plan of it. The block must not be undone meanwhile. */
export async function graphOfStored(store: GraphStore, height: number): Promise<BlockGraph | undefined> {
  const plan = store.plan(height);
  if (plan === undefined) return undefined;
  const ranInBatches = plan.colours > 0 || plan.laneTxs === plan.demoted;
  const making = new GraphMaking(ranInBatches);
  for await (const portion of receiptPortions(store, height)) {
    for (const receipt of portion) making.add(receipt);
    if (making.isFull) break;
  }
  return making.graph(plan);
}

interface Access {
  readonly key: string;
  readers: number;
  writers: number;
  edges: number;
  lastWriter: number | undefined;
  /** Since then. */
  recent: number[];
}

interface Joined {
  readonly access: Access;
  keyTotal: number;
}

/** Takes receipts in block order; edges are those of conflict-graph.ts. */
class GraphMaking {
  readonly #nodes: GraphNode[] = [];
  readonly #edges: (Omit<GraphEdge, 'key'> & { readonly access: Access | undefined })[] = [];
  readonly #accesses = new Map<string, Access>();
  readonly #placeOf = new Map<string, number>();
  readonly #listed = new Set<Access>();
  /** By node: length of the longest chain that ends with it, and the node before it there. */
  readonly #chain: { readonly length: number; readonly before: number | undefined }[] = [];
  #edgeTotal = 0;
  #keyText = 0;
  #entries = 0;
  #complete = true;

  constructor(readonly ranInBatches: boolean) {}

  get isFull(): boolean {
    return this.#nodes.length >= MOST_NODES || this.#entries > MOST_ENTRIES;
  }

  add(receipt: Receipt): void {
    if (this.isFull) return;
    const at = this.#nodes.length;
    this.#entries += entriesOf(receipt);
    this.#complete &&= listsAll(receipt);
    const parents = new Set(sheetTxids(receipt).flatMap((txid) => this.#placeOf.get(txid) ?? []));
    const demoted = parents.size > 0;
    // What is demoted is no part of the plan: its keys make nobody wait.
    const joined = demoted ? new Map<number, Joined>() : this.#join(receipt, at);
    const colour = demoted ? 0 : this.ranInBatches ? receipt.colour : 1 + this.#highest(joined.keys());
    this.#placeOf.set(wireTxid(receipt), at);
    this.#nodes.push(nodeOf(receipt, colour, demoted));
    let chain: { length: number; before: number | undefined } = { length: 1, before: undefined };
    for (const [from, { access, keyTotal }] of [...joined].sort(([a], [b]) => a - b)) {
      const waited = this.#nodes[from].colour < colour;
      const { length } = this.#chain[from];
      if (waited && length >= chain.length) chain = { length: length + 1, before: from };
      access.edges++;
      this.#list({ from, to: at, access, keyTotal, waited });
    }
    for (const from of parents) this.#list({ from, to: at, access: undefined, keyTotal: 0, waited: true });
    this.#chain.push(chain);
  }

  graph({ height, laneTxs }: PlanSummary): BlockGraph {
    const accesses = [...this.#listed].sort((a, b) => b.edges - a.edges);
    const places = new Map(accesses.map((access, place) => [access, place]));
    const edges = this.#edges.map(({ access, ...edge }) => ({
      ...edge,
      key: access ? (places.get(access) ?? null) : null,
    }));
    return {
      height,
      source: this.ranInBatches ? 'run' : 'receipts',
      laneTxs,
      edgeTotal: this.#edgeTotal,
      nodes: this.#nodes,
      edges,
      keys: accesses.map(({ key, readers, writers, edges }) => ({ key, readers, writers, edges })),
      longest: this.#longest(),
      complete: this.#complete && edges.length === this.#edgeTotal && this.#nodes.length === laneTxs,
    };
  }

  /** The earlier nodes that the receipt conflicts with, each with the first key of them; notes what it does itself. */
  #join({ reads, writes }: Receipt, at: number): Map<number, Joined> {
    const joined = new Map<number, Joined>();
    const join = (from: number | undefined, access: Access): void => {
      if (from === undefined || from === at) return;
      const known = joined.get(from);
      if (known === undefined) joined.set(from, { access, keyTotal: 1 });
      else if (known.access !== access) known.keyTotal++;
    };
    const readBefore = new Set(reads.map((key) => this.#access(key)));
    for (const access of readBefore) {
      access.readers++;
      join(access.lastWriter, access);
    }
    for (const key of writes) {
      const access = this.#access(key);
      access.writers++;
      if (access.recent.length === 0 && !readBefore.has(access)) join(access.lastWriter, access);
      for (const reader of access.recent) join(reader, access);
      access.recent = [];
      access.lastWriter = at;
    }
    for (const access of readBefore) if (access.lastWriter !== at) access.recent.push(at);
    return joined;
  }

  #access(key: string): Access {
    let access = this.#accesses.get(key);
    if (access === undefined) {
      access = { key, readers: 0, writers: 0, edges: 0, lastWriter: undefined, recent: [] };
      this.#accesses.set(key, access);
    }
    return access;
  }

  #highest(nodes: Iterable<number>): number {
    let highest = 0;
    for (const node of nodes) highest = Math.max(highest, this.#nodes[node].colour);
    return highest;
  }

  #list(edge: Omit<GraphEdge, 'key'> & { readonly access: Access | undefined }): void {
    this.#edgeTotal++;
    const { access } = edge;
    const isNew = access !== undefined && !this.#listed.has(access);
    const text = this.#keyText + (isNew ? access.key.length : 0);
    if (this.#edges.length >= MOST_EDGES || text > MOST_KEY_TEXT) return;
    this.#keyText = text;
    if (access !== undefined) this.#listed.add(access);
    this.#edges.push(edge);
  }

  #longest(): number[] {
    let at: number | undefined;
    for (const [node, { length }] of this.#chain.entries()) {
      if (length > 1 && (at === undefined || length > this.#chain[at].length)) at = node;
    }
    const nodes: number[] = [];
    for (; at !== undefined; at = this.#chain[at].before) nodes.push(at);
    return nodes.reverse();
  }
}

function nodeOf(receipt: Receipt, colour: number, demoted: boolean): GraphNode {
  const { index, txid, fuel, executor, repaired, predicted, mispredicted, messages } = receipt;
  const { status } = statusOf(receipt);
  const target = messages.find((message) => message.target !== undefined)?.target ?? null;
  return { index, txid, status, target, fuel, colour, executor, repaired, predicted, mispredicted, demoted };
}
