/** Which calls of a contract could have run together, from those that the chain has: for the explorer. */
import { BlockOffsets } from '../bitcoin/block-offsets.js';
import type { ResultOf } from '../client/client.js';
import { FEWEST_FOR_WORKERS } from '../execute/threads/worker-pool.js';
import { conflictReport, type MethodReport } from '../harness/conflicts.js';
import { codeKey, keyHex } from '../lane/keys.js';
import { decodeReceipt } from '../lane/receipt-bytes.js';
import { idBytes } from '../protocol/alkane-id.js';
import type { AlkaneId } from '../protocol/types.js';
import type { StoreReader } from '../store/reader.js';
import { toDisplayHash } from '../util/bytes.js';
import type { DevChain } from './dev-chain.js';
import { type JoiningOptions, joinCalls, type MinedCall } from './joined-calls.js';

/** What one report looks at: calls, their bytes, and the fuel that they took. Each runs four times. */
const MOST_CALLS = 256;
const MOST_BYTES = 4 << 20;
const MOST_FUEL = 100_000_000;
/** Of a method, kinds of keys that are named. */
const MOST_PATTERNS = 50;
const MOST_METHODS = 100;

type ContractConflicts = ResultOf<'warpshrew_getconflicts'>;

export interface ConflictSource extends JoiningOptions {
  readonly chain: DevChain;
  readonly store: StoreReader;
}

/** Of the newest calls of `id`. Throws what running a block throws. */
async function contractConflicts(id: AlkaneId, source: ConflictSource): Promise<ContractConflicts> {
  const { calls, complete } = newestCalls(id, source);
  const newest = calls.at(-1);
  if (newest === undefined) {
    const nothing = { leftOut: 0, demoted: 0, calls: 0, parallel: 1, expected: [], methods: [] };
    return { from: null, to: null, complete, predictedFrom: FEWEST_FOR_WORKERS, ...nothing };
  }
  const { raw, before, leftOut, demoted } = joinCalls(calls, source);
  const context = { height: newest.height, block: raw, ...source.rules };
  const report = await conflictReport(BlockOffsets.read(raw), context, before);
  return {
    from: calls[0].height,
    to: newest.height,
    ...{ complete, leftOut, demoted: demoted + report.demoted, predictedFrom: FEWEST_FOR_WORKERS },
    ...{ calls: report.calls, parallel: report.parallel, expected: report.expected },
    methods: report.methods.slice(0, MOST_METHODS).map(methodJson),
  };
}

/** The newest transactions that name the contract, oldest first, without that which created it. */
function newestCalls(
  id: AlkaneId,
  { chain, store, stateAfter }: ConflictSource,
): { readonly calls: readonly MinedCall[]; readonly complete: boolean } {
  const calls: MinedCall[] = [];
  let [bytes, fuel] = [0, 0];
  const range = { from: chain.first, to: chain.height, after: undefined, reverse: true };
  for (const place of store.lists.placesNaming(idBytes(id), range)) {
    const transaction = chain.block(place.height)?.transactions[place.index];
    const stored = store.lists.receiptAt(place);
    if (transaction === undefined || stored === undefined) continue;
    if (stateAfter(place.height - 1).get(codeKey(id)) === undefined) continue;
    bytes += transaction.raw.length;
    fuel += decodeReceipt(stored).fuel;
    const isFull = calls.length === MOST_CALLS || bytes > MOST_BYTES || fuel > MOST_FUEL;
    if (isFull && calls.length > 0) return { calls: calls.reverse(), complete: false };
    calls.push({ height: place.height, transaction });
  }
  return { calls: calls.reverse(), complete: true };
}

function methodJson(method: MethodReport): ContractConflicts['methods'][number] {
  const { serialises, kernel, keys, undeclaredKeys } = method;
  return {
    ...method,
    keys: keys.slice(0, MOST_PATTERNS),
    serialises: serialises === undefined ? null : { ...serialises, key: keyHex(serialises.key) },
    kernel:
      kernel === undefined
        ? null
        : kernel.takes
          ? { takes: true, window: kernel.window, reason: null }
          : { takes: false, window: null, reason: kernel.reason },
    undeclaredKeys: undeclaredKeys.slice(0, MOST_PATTERNS),
  };
}

/** Reports of the chain as it is, each made once. */
export class KeptConflicts {
  readonly #kept = new Map<string, Promise<ContractConflicts>>();
  #tip = '';

  constructor(readonly source: ConflictSource) {}

  of(id: AlkaneId): Promise<ContractConflicts> {
    const tip = toDisplayHash(this.source.chain.tip.hash);
    if (tip !== this.#tip) this.#kept.clear();
    this.#tip = tip;
    const name = `${id.block}:${id.tx}`;
    const known = this.#kept.get(name);
    if (known !== undefined) return known;
    const made = contractConflicts(id, this.source);
    this.#kept.set(name, made);
    // What failed is tried again.
    made.catch(() => this.#kept.delete(name));
    return made;
  }
}
