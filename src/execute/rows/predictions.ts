/** Reads of a block's rows that are predicted, so that rows which only share a counter do not wait for each other. */
import type { AccessSets, Rows } from '../../plan/access-sets.js';
import type { Guess, StepMemory } from '../predict/step-memory.js';
import { firstWidth, guessThatGives, type KeyAccesses, predictValues, steppedLength } from '../predict/steps.js';
import type { BlockBudget } from '../tasks/block-weight.js';
import { AT, HEAD, Words } from '../tasks/row-records.js';
import { FEWEST_FOR_WORKERS } from '../threads/worker-pool.js';
import { assumeChildren } from './assumed.js';
import type { RowCalls } from './row-calls.js';
import type { RowTable } from './row-table.js';

/** No prediction. */
export const NO_PREDICTION = -1;
/** Keys of a row beyond which none of its reads is predicted: finding one takes a look at each. */
const MOST_KEYS = 256;
/** `store/`, the id of the contract, `/`: what keys of one contract have in common. */
const CONTRACT_BYTES = 39;

/** One key that is predicted. */
interface PredictedKey {
  readonly key: number;
  readonly shape: string;
  readonly rows: Uint32Array;
  /** By place in `rows`: its access. Between them lie those of rows that were not dry-run. */
  readonly places: Uint32Array;
  readonly accesses: Omit<KeyAccesses, 'bytes'>;
  readonly length: number;
  readonly guess: Guess;
}

/** How a shape did in this block. */
interface Tally {
  readonly guess: Guess;
  reads: number;
  wrong: number;
  better: Guess | undefined;
}

/** Finds the predictable keys of a block; afterwards the values that each row is to see. */
export class Predictions {
  readonly #table: RowTable;
  readonly #calls: (() => RowCalls) | undefined;
  readonly #keys: PredictedKey[] = [];
  readonly #isPredicted: Uint8Array;
  /** By row, where its predictions begin: these are in order of their keys. */
  #firsts = new Uint32Array(0);
  /** By prediction: its key by place in `#keys`, the access, and where the value lies. */
  #keyOf = new Uint32Array(0);
  #accessOf = new Uint32Array(0);
  #starts = new Uint32Array(0);
  #ends = new Uint32Array(0);
  readonly #tallies = new Map<string, Tally>();
  /** Reads, of the rows checked so far, of something else than the value before the block; those that were wrong. */
  reads = 0;
  wrong = 0;

  /**
   * `rows`: those that were dry-run, by node of `sets`. `calls`: what the others are assumed to do, asked for once;
   * undefined: nothing, because there are none or they fail. Costs a few operations per access, and per byte of a
   * predicted value. Throws `BlockTooLarge` when the values have no room in `budget`.
   */
  constructor(
    rows: Uint32Array,
    sets: AccessSets,
    table: RowTable,
    memory: StepMemory,
    budget: BlockBudget,
    calls?: () => RowCalls,
  ) {
    this.#table = table;
    this.#calls = calls;
    this.#isPredicted = new Uint8Array(sets.keyCount);
    const { counts, offsets, nodes } = nodesOfHotKeys(sets);
    const guesses = new Map<string, Guess | undefined>();
    for (let key = 0; key < sets.keyCount; key++) {
      const from = offsets[key];
      const to = offsets[key + 1];
      if (to === from) continue;
      const of = nodes.slice(from, to);
      for (let i = 0; i < of.length; i++) of[i] = rows[of[i]];
      const found = this.#predictable(key, of, memory, guesses);
      if (found === undefined) continue;
      this.#keys.push(found);
      this.#isPredicted[key] = 1;
    }
    this.#leaveChains(rows, sets, counts);
    this.#predict(rows, budget);
  }

  /** Whether no key is predicted. */
  get isEmpty(): boolean {
    return this.#keys.length === 0;
  }

  /** The access sets without predicted keys: what orders the rows. */
  without({ count, keyCount, reads, writes }: AccessSets): AccessSets {
    if (this.#keys.length === 0) return { count, keyCount, reads, writes };
    return { count, keyCount, reads: this.#without(reads), writes: this.#without(writes) };
  }

  /** The prediction of what `row` reads under `key`, or {@link NO_PREDICTION}. */
  find(row: number, key: number): number {
    if (this.#keys.length === 0) return NO_PREDICTION;
    let low = this.#firsts[row];
    let high = this.#firsts[row + 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[this.#keyOf[middle]].key < key) low = middle + 1;
      else high = middle;
    }
    return low < this.#firsts[row + 1] && this.#keys[this.#keyOf[low]].key === key ? low : NO_PREDICTION;
  }

  /** Calls `put` for each key of `row` that is predicted, with where its value lies. */
  each(row: number, put: (key: number, start: number, end: number) => void): void {
    if (this.#keys.length === 0) return;
    for (let i = this.#firsts[row]; i < this.#firsts[row + 1]; i++) {
      put(this.#keys[this.#keyOf[i]].key, this.#starts[i], this.#ends[i]);
    }
  }

  start(prediction: number): number {
    return this.#starts[prediction];
  }

  end(prediction: number): number {
    return this.#ends[prediction];
  }

  /** Whether `row` is to see something else under a predicted key than before the block. */
  changes(row: number): boolean {
    if (this.#keys.length === 0) return false;
    for (let i = this.#firsts[row]; i < this.#firsts[row + 1]; i++) if (this.#isChange(i)) return true;
    return false;
  }

  /**
   * Compares what was predicted for `row` with the state before it: 0 if nothing other than the value before the block
   * was, 1 if all was right, 2 if something was wrong.
   */
  check(row: number): 0 | 1 | 2 {
    if (this.#keys.length === 0) return 0;
    const { state } = this.#table;
    let used = 0;
    let wrong = 0;
    for (let i = this.#firsts[row]; i < this.#firsts[row + 1]; i++) {
      const predicted = this.#keys[this.#keyOf[i]];
      const { key, shape } = predicted;
      let tally = this.#tallies.get(shape);
      if (tally === undefined) {
        tally = { guess: predicted.guess, reads: 0, wrong: 0, better: undefined };
        this.#tallies.set(shape, tally);
      }
      state.load(key);
      const start = state.starts[key];
      const end = state.ends[key];
      const isRight = this.#table.isSame(this.#starts[i], this.#ends[i], start, end);
      if (this.#isChange(i)) {
        used++;
        if (!isRight) wrong++;
      }
      tally.reads++;
      if (isRight) continue;
      if (tally.wrong++ === 0 && end - start === predicted.length) {
        const accesses = { bytes: state.bytes, ...predicted.accesses };
        tally.better = guessThatGives(accesses, predicted.length, this.#accessOf[i], start);
      }
    }
    this.reads += used;
    this.wrong += wrong;
    if (wrong > 0) return 2;
    return used > 0 ? 1 : 0;
  }

  /** Tells `memory` how the predictions of the block did, when all rows are checked. */
  teach(memory: StepMemory): void {
    for (const [shape, { guess, reads, wrong, better }] of this.#tallies) {
      memory.learn(shape, guess, reads, wrong, better);
    }
  }

  #isChange(prediction: number): boolean {
    const { key } = this.#keys[this.#keyOf[prediction]];
    return !this.#table.isSeen(key, 0, this.#starts[prediction], this.#ends[prediction]);
  }

  #predictable(
    key: number,
    rows: Uint32Array,
    memory: StepMemory,
    guesses: Map<string, Guess | undefined>,
  ): PredictedKey | undefined {
    const own = this.#accessesOf(key, rows);
    if (own === undefined) return undefined;
    const length = steppedLength(own);
    if (length === 0) return undefined;
    const shape = this.#shapeOf(key, length);
    if (!guesses.has(shape)) guesses.set(shape, memory.choose(shape));
    let guess = guesses.get(shape);
    if (guess?.width === 0) guess = { ...guess, width: firstWidth(own, length) };
    if (guess === undefined || guess.width === 0) return undefined;
    // Keys of one shape are tried alike.
    guesses.set(shape, guess);
    const { accesses, places } = assumeChildren(rows, own, guess.assumes ? this.#calls?.() : undefined);
    const { bytes: _, ...withoutBytes } = accesses;
    return { key, shape, rows, places, accesses: withoutBytes, length, guess };
  }

  /** What the dry runs of `rows` did to `key`; undefined if one of them counts for nothing, or did too much. */
  #accessesOf(key: number, rows: Uint32Array): KeyAccesses | undefined {
    const table = this.#table;
    const baseLength = table.loadBefore(key);
    const baseStart = table.startBefore(key);
    const count = rows.length;
    const [isRead, isWrite] = [new Uint8Array(count), new Uint8Array(count)];
    const [starts, ends] = [new Uint32Array(count), new Uint32Array(count)];
    for (let i = 0; i < count; i++) {
      const row = rows[i];
      if (table.hasAsked(row)) return undefined;
      const { list } = table.words;
      const at = table.recordOf(row);
      if (list[at + AT.reads] + list[at + AT.writes] > MOST_KEYS) return undefined;
      isRead[i] = placeOf(key, list, at + HEAD, list[at + AT.reads]) < 0 ? 0 : 1;
      const write = placeOf(key, list, table.writesOf(row), list[at + AT.writes]);
      if (write < 0) continue;
      isWrite[i] = 1;
      const values = table.valuesOf(row);
      starts[i] = list[values + 2 * write];
      ends[i] = list[values + 2 * write + 1];
    }
    const { bytes } = table.state;
    const isAssumed = new Uint8Array(count);
    return { bytes, baseStart, baseEnd: baseStart + baseLength, isRead, isWrite, starts, ends, isAssumed };
  }

  /** The contract whose key it is, how long key and value are. */
  #shapeOf(key: number, length: number): string {
    const text = this.#table.state.keyText(key);
    return `${text.slice(0, CONTRACT_BYTES)} ${text.length} ${length}`;
  }

  /**
   * Leaves out keys whose transactions mostly wait for each other for another key in any case: there, what the earlier
   * ones have written is known when the later ones run.
   */
  #leaveChains(rows: Uint32Array, { writes }: AccessSets, counts: Uint32Array): void {
    if (this.#keys.length === 0) return;
    const waits = new Set<number>();
    for (let node = 0; node < rows.length; node++) {
      for (let i = writes.offsets[node]; i < writes.offsets[node + 1]; i++) {
        const key = writes.values[i];
        const isHot = counts[key] >= FEWEST_FOR_WORKERS;
        if (isHot && this.#isPredicted[key] === 0) waits.add(rows[node]);
      }
    }
    for (let i = this.#keys.length - 1; i >= 0; i--) {
      const predicted = this.#keys[i];
      if (2 * predicted.rows.filter((row) => waits.has(row)).length <= predicted.rows.length) continue;
      this.#keys.splice(i, 1);
      this.#isPredicted[predicted.key] = 0;
    }
  }

  #predict(rows: Uint32Array, budget: BlockBudget): void {
    const { state } = this.#table;
    const count = (rows.at(-1) ?? 0) + 1;
    this.#firsts = new Uint32Array(count + 1);
    for (const predicted of this.#keys) for (const row of predicted.rows) this.#firsts[row + 1]++;
    for (let row = 0; row < count; row++) this.#firsts[row + 1] += this.#firsts[row];
    const total = this.#firsts[count];
    budget.takeBytes(16 * total);
    [this.#keyOf, this.#accessOf] = [new Uint32Array(total), new Uint32Array(total)];
    [this.#starts, this.#ends] = [new Uint32Array(total), new Uint32Array(total)];
    const next = this.#firsts.slice();
    this.#keys.forEach(({ key, rows: of, places, accesses, length, guess }, place) => {
      const bytes = accesses.isRead.length * length;
      budget.takeBytes(bytes);
      const at = state.room(bytes);
      const first = predictValues({ bytes: state.bytes, ...accesses }, length, guess.width, state.bytes, at);
      state.take(bytes);
      const baseLength = this.#table.loadBefore(key);
      of.forEach((row, i) => {
        const prediction = next[row]++;
        const access = places[i];
        this.#keyOf[prediction] = place;
        this.#accessOf[prediction] = access;
        const isBase = access < first;
        const start = isBase ? this.#table.startBefore(key) : at + access * length;
        this.#starts[prediction] = start;
        this.#ends[prediction] = start + (isBase ? baseLength : length);
      });
    });
  }

  #without({ offsets, values }: Rows): Rows {
    const kept = new Words();
    const ends = new Uint32Array(offsets.length);
    for (let node = 0; node + 1 < offsets.length; node++) {
      for (let i = offsets[node]; i < offsets[node + 1]; i++)
        if (this.#isPredicted[values[i]] === 0) kept.push(values[i]);
      ends[node + 1] = kept.length;
    }
    return { offsets: ends, values: kept.taken() };
  }
}

/** Place of `key` among the `count` words of `list` from `from` on, -1 if it is not there. */
function placeOf(key: number, list: Uint32Array, from: number, count: number): number {
  for (let i = 0; i < count; i++) if (list[from + i] === key) return i;
  return -1;
}

/**
 * How many nodes touch each key, and which ones, in block order, of keys that many of them touch and one may write:
 * those of key i stand from `offsets[i]` to `offsets[i + 1]` of `nodes`.
 */
function nodesOfHotKeys({ count, keyCount, reads, writes }: AccessSets): {
  counts: Uint32Array;
  offsets: Uint32Array;
  nodes: Uint32Array;
} {
  const counts = new Uint32Array(keyCount);
  // Once to count them, once to put them in.
  const last = new Int32Array(keyCount).fill(-1);
  for (let node = 0; node < count; node++) {
    countKeys(reads, node);
    countKeys(writes, node);
  }
  const isWritten = new Uint8Array(keyCount);
  for (const key of writes.values) isWritten[key] = 1;
  const offsets = new Uint32Array(keyCount + 1);
  for (let key = 0; key < keyCount; key++) {
    const isHot = counts[key] >= FEWEST_FOR_WORKERS && isWritten[key] === 1;
    offsets[key + 1] = offsets[key] + (isHot ? counts[key] : 0);
  }
  const nodes = new Uint32Array(offsets[keyCount]);
  if (nodes.length === 0) return { counts, offsets, nodes };
  const next = offsets.slice(0, keyCount);
  last.fill(-1);
  for (let node = 0; node < count; node++) {
    putKeys(reads, node);
    putKeys(writes, node);
  }
  return { counts, offsets, nodes };

  function countKeys(rows: Rows, node: number): void {
    for (let i = rows.offsets[node]; i < rows.offsets[node + 1]; i++) {
      const key = rows.values[i];
      if (last[key] === node) continue;
      last[key] = node;
      counts[key]++;
    }
  }

  function putKeys(rows: Rows, node: number): void {
    for (let i = rows.offsets[node]; i < rows.offsets[node + 1]; i++) {
      const key = rows.values[i];
      if (offsets[key + 1] === offsets[key] || last[key] === node) continue;
      last[key] = node;
      nodes[next[key]++] = node;
    }
  }
}
