import { encodeModule } from '../../program/encode.js';
import type { ValueType } from '../../program/module.js';
import { OP } from '../../program/opcodes.js';
import { end, i32, ModuleDraft, op, open } from './build.js';
import { digestCode } from './digest.js';
import { Random } from './random.js';
import { type Callable, COUNTERS, type Code, type Features, type Scope, VALUE_LOCALS } from './scope.js';
import { statements } from './statements.js';
import { EDGES_32, EDGES_64, value, wideNumber } from './values.js';

/** Offsets of the context and the returned buffer of `__execute` from the start of the memory that is used most. */
const CONTEXT_AT = 2052;
const OUT_AT = 1028;
const INPUT_BYTES = 36;
/** Approximate number of instructions in a function's random part. */
const FUNCTION_BUDGET = 60;
const PAGE = 65_536;
/** Loads that give an i32. */
const LOADS_32 = [OP.i32Load, 0x2c, 0x2d, 0x2e, 0x2f];
const LOCALS: readonly ValueType[] = [...VALUE_LOCALS, ...new Array<ValueType>(COUNTERS).fill('i32')];
const PARAMS: readonly ValueType[] = ['i32', 'i64'];
const RESULTS: readonly (readonly ValueType[])[] = [['i32'], ['i64'], [], ['i32', 'i64']];

/**
 * Random valid WASM module number `index` of a seed: helpers that call each other, directly and through a table, and an
 * `__execute` that takes its locals from the context, runs random code, and returns a digest of locals, globals and
 * memory.
 */
export function randomModule(seed: number, index: number): Uint8Array {
  return encodeModule(new Generator(new Random(seed, index)).run());
}

/**
 * Context of one run: three i32 and three i64, edge values or random; then up to three bytes, whose number matters too.
 */
export function randomInput(random: Random): Uint8Array {
  const out = new Uint8Array(INPUT_BYTES + random.pick(4));
  const view = new DataView(out.buffer);
  for (let i = 0; i < 3; i++) {
    view.setInt32(i * 4, random.once(2) ? random.of(EDGES_32) : random.u32() | 0, true);
    view.setBigInt64(12 + i * 8, random.once(2) ? random.of(EDGES_64) : wideNumber(random), true);
  }
  return out;
}

/**
 * Fuel of one run of a program whose entry charge is `entry`: mostly enough, often so little that it runs out anywhere.
 */
export function randomFuel(random: Random, entry: number): number {
  if (random.once(50)) return random.pick(entry + 1);
  if (random.once(6)) return entry + random.pick(random.of([100, 1_000, 10_000]));
  return entry + 400_000;
}

class Generator {
  readonly #draft: ModuleDraft;
  readonly #pages: number;
  readonly #anchorAt: number | undefined;
  readonly #callable: Callable[] = [];
  readonly #loadContext: number;
  readonly #features: Features;
  /** Some modules have their whole memory in the digest. */
  readonly #digestsAll: boolean;
  readonly #cycles: boolean;
  /** Result types of each helper. */
  readonly #results: readonly (readonly ValueType[])[];

  constructor(readonly random: Random) {
    this.#pages = random.of([0, 1, 1, 1, 1, 1, 2, 3]);
    const empty = this.#pages === 0;
    const draft = new ModuleDraft(this.#pages, random.once(2) ? this.#pages + random.pick(4) : undefined);
    this.#draft = draft;
    this.#loadContext = draft.import('__load_context', ['i32'], ['i32']);
    const host = {
      height: draft.import('__height', ['i32'], []),
      fuel: draft.import('__fuel', ['i32'], []),
      log: draft.import('__log', ['i32'], []),
      request: draft.import('__request_context', [], ['i32']),
    };
    draft.global('i32', 7);
    draft.global('i64', -9n);
    this.#anchorAt = !empty && random.once(5) ? random.of([5_000, 20_000, 40_000, PAGE - 4_000]) & ~15 : undefined;
    const anchor = this.#anchorAt === undefined ? undefined : draft.global('i32', this.#anchorAt);
    this.#digestsAll = random.once(20);
    this.#cycles = random.once(3);
    this.#data();
    this.#results = Array.from({ length: 1 + random.pick(3) }, (_, i) => RESULTS[i < 2 ? i : random.pick(4)] ?? []);
    const tableSize = random.once(3) ? 0 : 2 + random.pick(6);
    const helpers = Array.from({ length: tableSize }, () => (random.once(6) ? -1 : random.pick(this.#results.length)));
    draft.table.push(...helpers.map((helper) => (helper < 0 ? undefined : draft.imports.length + helper)));
    const indirect = RESULTS.slice(0, 2).map((results) => ({
      params: PARAMS,
      results,
      typeIndex: draft.type(PARAMS, results),
      elements: helpers.flatMap((helper, i) => (`${this.#results[helper]}` === `${results}` ? [i] : [])),
    }));
    this.#features = {
      globals: anchor === undefined ? ['i32', 'i64'] : ['i32', 'i64', 'i32'],
      anchor,
      borders: random.once(4) ? [8_192, PAGE, this.#pages * PAGE, 0, ...this.#ofAnchor(-2_048, 6_144)] : [],
      grow: empty || random.once(2),
      minimum: this.#pages * PAGE,
      segments: draft.dataSegments.length,
      tableSize,
      changesTable: tableSize > 0 && random.once(5),
      indirect: tableSize === 0 ? [] : indirect,
      pair: { kind: 'type', index: draft.type([], PARAMS) },
      round: { kind: 'type', index: draft.type(PARAMS, PARAMS) },
      take: { kind: 'type', index: draft.type(PARAMS, []) },
      join: { kind: 'type', index: draft.type(PARAMS, ['i32']) },
      host,
    };
  }

  run(): ReturnType<ModuleDraft['finish']> {
    for (const results of this.#results) this.#helper(results);
    if (this.#features.changesTable) this.#draft.passive = this.#callable.slice(0, 2).map(({ index }) => index);
    return this.#draft.finish(this.#execute());
  }

  #ofAnchor(...distances: number[]): number[] {
    const at = this.#anchorAt;
    return at === undefined ? [] : distances.map((d) => at + d);
  }

  #data(): void {
    const { random } = this;
    const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => random.pick(256));
    if (random.once(3) || this.#pages === 0) this.#draft.data(undefined, bytes(random.pick(40)));
    // Without memory, a module with an active data segment could not be instantiated.
    if (this.#pages === 0) return;
    this.#draft.data(random.pick(64), bytes(40));
    // After the window, around its end, at the end of memory.
    const far = [8_180 + random.pick(12), 9_000, 30_000, this.#pages * PAGE - 33, ...this.#ofAnchor(16, -2_060)];
    if (random.once(4)) this.#draft.data(random.of(far), bytes(33));
  }

  #scope(results: readonly ValueType[] | undefined, firstLocal: number, depth: number): Scope {
    return {
      random: this.random,
      features: this.#features,
      depth,
      labels: [{ carries: results ?? [] }],
      returns: results !== undefined,
      callable: [...this.#callable],
      firstLocal,
      counters: { used: 0 },
      budget: { left: FUNCTION_BUDGET },
    };
  }

  #helper(results: readonly ValueType[]): void {
    const { random } = this;
    const typeIndex = this.#draft.type(PARAMS, results);
    const index = this.#draft.imports.length + this.#draft.functions.length;
    const callable: Callable = { index, params: PARAMS, results };
    // Sometimes a function may call itself.
    if (random.once(40)) this.#callable.push(callable);
    const all = this.#scope(results, PARAMS.length, 1 + random.pick(2));
    // Indirect calls in helpers make cycles, real and apparent ones, so not every module has them.
    const s = this.#cycles ? all : { ...all, features: { ...all.features, indirect: [] } };
    const code: Code = [op(OP.localGet, 0), op(OP.localSet, 2), op(OP.localGet, 1), op(OP.localSet, 5)];
    code.push(...statements(s), ...results.flatMap((type) => value(s, type, 2)));
    this.#draft.function(typeIndex, LOCALS, code);
    if (!this.#callable.includes(callable)) this.#callable.push(callable);
  }

  #execute(): number {
    const s = this.#scope(undefined, 0, 2 + this.random.pick(2));
    const draft = this.#draft;
    const base = this.#anchorAt ?? 0;
    const context = base + CONTEXT_AT;
    const out = base + OUT_AT;
    const code: Code = [...this.#firstPages(), i32(context), op(OP.call, this.#loadContext), op(OP.drop)];
    VALUE_LOCALS.forEach((type, local) => {
      const offset = type === 'i64' ? 12 + (local - 3) * 8 : local * 4;
      code.push(i32(context), op(type === 'i64' ? OP.i64Load : OP.i32Load, offset, 0), op(OP.localSet, local));
    });
    code.push(open(OP.block), ...statements(s), ...statements(s), end);
    VALUE_LOCALS.forEach((type, local) => {
      code.push(i32(out), op(OP.localGet, local), op(type === 'i64' ? OP.i64Store : OP.i32Store, local * 8, 0));
    });
    this.#features.globals.forEach((type, i) => {
      code.push(i32(out), op(OP.globalGet, i), op(type === 'i64' ? OP.i64Store : OP.i32Store, 48 + i * 8, 0));
    });
    const end_ = Math.max(1, this.#pages) * PAGE;
    const ranges: [number, number][] = this.#digestsAll
      ? [[0, end_]]
      : [[0, 2_176], [8_128, 8_256], [end_ - 128, end_], ...this.#anchorRanges(end_)];
    code.push(...digestCode(ranges, out, COUNTERS + VALUE_LOCALS.length));
    return draft.function(draft.type([], ['i32']), [...LOCALS, 'i32', 'i32'], code);
  }

  /**
   * For a memory without pages: in some runs an access at a constant address, then memory.grow. The length of the
   * context tells the runs apart, because nothing can be loaded yet.
   */
  #firstPages(): Code {
    if (this.#pages > 0) return [];
    const { random } = this;
    const { request } = this.#features.host;
    const bit = (mask: number): Code => [op(OP.call, request), i32(mask), op(OP.i32And)];
    const at = i32(random.of([0, 4, 8, 512, 2_040]));
    const touch: Code = random.once(2)
      ? [at, op(random.of([...LOADS_32]), random.of([0, 4, 8]), 0), op(OP.drop)]
      : [at, i32(5), op(OP.i32Store, random.of([0, 4, 8]), 0)];
    const failed: Code = random.once(2) ? [i32(-1), op(OP.memoryGrow, 0), op(OP.drop)] : [];
    return [
      ...failed,
      ...bit(1),
      open(OP.if),
      ...touch,
      end,
      i32(1),
      i32(random.pick(3)),
      ...bit(2),
      op(OP.select),
      op(OP.memoryGrow, 0),
      op(OP.drop),
    ];
  }

  #anchorRanges(memory: number): [number, number][] {
    const at = this.#anchorAt;
    if (at === undefined) return [];
    const ranges: [number, number][] = [
      [at - 128, at + 1_280],
      [at - 2_112, at - 1_984],
      [at + 6_080, at + 6_208],
    ];
    return ranges.map(([from, to]): [number, number] => [from, Math.min(to, memory)]).filter(([from, to]) => from < to);
  }
}
