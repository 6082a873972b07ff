/** What a block consists of, as far as it is known before it runs: which programs its transactions call. */
import { isCommon, type LaneColumns, transactionAt } from '../../lane/columns/lane-columns.js';
import { codeKey } from '../../lane/keys.js';
import { programs } from '../../lane/programs.js';
import type { LaneTransaction } from '../../lane/scan.js';
import type { LaneKey, StateReader } from '../../lane/types.js';
import { BoundedCache } from '../../program/lru.js';
import { ID_LENGTH, idFromBytes, parseId } from '../../protocol/alkane-id.js';
import { binarySlice } from '../../util/bytes.js';
import { calledBy } from '../tasks/grouped.js';

/** Transactions that are looked at, spread over the block: one in so many, but no fewer and no more than these. */
const SAMPLED_EVERY = 16;
const LEAST_SAMPLES = 16;
const MOST_SAMPLES = 128;
/** Contracts whose programs are remembered. */
const MOST_CONTRACTS = 4_096;
/** Contracts of one block whose programs are looked up: those that most of the sample call. */
const MOST_LOOKUPS = 16;
const CODE_WASM = 0;

/** What calls no program that is known. */
const NO_PROGRAM = 'none';

/** The kind of a transaction that calls program `hash`; those that only the generator runs cost more. */
export function kindOf(hash: string | undefined, common: boolean): string {
  const program = hash ?? NO_PROGRAM;
  return common ? program : `${program}+`;
}

/** Whether a kind is the hash of a program: the kernel may run its calls. */
export function isProgram(kind: string): boolean {
  return kind !== NO_PROGRAM && !kind.endsWith('+');
}

/** A block before it runs. */
export interface BlockView {
  /** Lane transactions. */
  readonly count: number;
  /** About how many there are of each kind; worked out when it is first asked for. */
  readonly parts: ReadonlyMap<string, number>;
}

/** Which program each contract has, as far as it has been asked for. Code never changes; a reorg may change it. */
export class ContractPrograms {
  readonly #known = new BoundedCache<string>(MOST_CONTRACTS, MOST_CONTRACTS);

  /** Hash of the program of the contract whose code lies at `key`, if it is known. */
  known(key: LaneKey): string | undefined {
    return this.#known.get(key);
  }

  /** The same for a contract as receipts name it: `block:tx`. */
  ofTarget(target: string): string | undefined {
    return this.known(codeKey(parseId(target)));
  }

  /** Finds the programs of the first few of `keys` that are not known. */
  lookUp(keys: readonly LaneKey[], before: StateReader): void {
    for (const key of keys.filter((one) => this.known(one) === undefined).slice(0, MOST_LOOKUPS)) {
      const code = codeOf(key, before);
      if (code !== undefined) this.#known.set(key, programs.ofStored(code).hash, 1);
    }
  }
}

/** Code of the contract at `key`, one clone step followed. */
function codeOf(key: LaneKey, before: StateReader): Uint8Array | undefined {
  const code = before.get(key);
  if (code === undefined || code[0] === CODE_WASM) return code;
  const original = before.get(codeKey(idFromBytes(code, 1)));
  return original?.[0] === CODE_WASM ? original : undefined;
}

/** Key of the code of the contract that the first message of a transaction calls; undefined if it calls none. */
function calledCode(transaction: LaneTransaction): LaneKey | undefined {
  const [block, tx] = calledBy(transaction) ?? [];
  return block === undefined ? undefined : codeKey({ block, tx });
}

/** The lane transactions of a block, in columns where it has them. */
export interface LaneRows {
  readonly count: number;
  readonly columns: LaneColumns | undefined;
  readonly transactions: readonly LaneTransaction[];
}

/** Looks at a sample of the transactions of `lane`. */
export class LaneView implements BlockView {
  #parts: ReadonlyMap<string, number> | undefined;

  constructor(
    readonly lane: LaneRows,
    readonly before: StateReader,
    readonly contracts: ContractPrograms,
  ) {}

  get count(): number {
    return this.lane.count;
  }

  get parts(): ReadonlyMap<string, number> {
    this.#parts ??= this.#look();
    return this.#parts;
  }

  #look(): Map<string, number> {
    const { count, contracts } = this;
    const samples = Math.min(count, Math.max(LEAST_SAMPLES, Math.min(MOST_SAMPLES, Math.floor(count / SAMPLED_EVERY))));
    const calls = new Map<string, { readonly key: LaneKey | undefined; readonly common: boolean; times: number }>();
    for (let n = 0; n < samples; n++) {
      // Somewhere in its part of the block: nobody can arrange what is looked at. The choice changes no result.
      const row = Math.min(count - 1, Math.floor(((n + Math.random()) * count) / samples));
      const { key, common } = this.#callAt(row);
      const name = `${common}${key}`;
      const call = calls.get(name);
      if (call === undefined) calls.set(name, { key, common, times: 1 });
      else call.times++;
    }
    const found = [...calls.values()].sort((a, b) => b.times - a.times);
    contracts.lookUp(
      found.flatMap(({ key }) => (key === undefined ? [] : [key])),
      this.before,
    );
    const parts = new Map<string, number>();
    for (const { key, common, times } of found) {
      const kind = kindOf(key === undefined ? undefined : contracts.known(key), common);
      parts.set(kind, (parts.get(kind) ?? 0) + (times * count) / samples);
    }
    return parts;
  }

  #callAt(row: number): { readonly key: LaneKey | undefined; readonly common: boolean } {
    const { columns } = this.lane;
    if (columns === undefined) return { key: calledCode(this.lane.transactions[row]), common: false };
    if (!isCommon(columns, row)) return { key: calledCode(transactionAt(columns, row)), common: false };
    const at = columns.contextStart[row];
    return { key: `code/${binarySlice(columns.contexts, at, at + ID_LENGTH)}`, common: true };
  }
}
