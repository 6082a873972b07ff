/** Putting fuel and the stack budget into one body, from bytes to bytes. */
import type { Additions } from './additions.js';
import { STACK_SLOTS } from './counters.js';
import { typeByte } from './decode-code.js';
import { ERASED_FUNCREF, encodeInstructions } from './encode.js';
import type { Erasure, TableUse } from './erasure.js';
import { InstructionReader } from './instruction-reader.js';
import { stackEnter, stackLeave, stackTrap } from './instrument-code.js';
import { ACCESSES, CHECK_LOCALS, type LentGlobals, lentSize, writeCheck } from './lent-code.js';
import type { FunctionType, RawBody, RawModule, ValueType } from './module.js';
import { OP } from './opcodes.js';
import type { StateChanges } from './reuse.js';
import { remembered, Writer } from './writer.js';

const FREE = 1;
const ENDS_BLOCK = 2;
const NEVER_FALLS_THROUGH = 4;
const OPENS = 8;
/** Instructions that are written otherwise than they came, or say something about the module. */
const SPECIAL = 16;

const FLAGS = new Uint8Array(256);
const flag = (bits: number, ...ops: number[]): void => {
  for (const op of ops) FLAGS[op] |= bits;
};
flag(FREE, OP.nop, OP.block, OP.loop, OP.else, OP.end);
flag(ENDS_BLOCK, OP.loop, OP.if, OP.else, OP.end, OP.br, OP.brIf, OP.brTable, OP.return, OP.unreachable);
flag(NEVER_FALLS_THROUGH, OP.br, OP.brTable, OP.return, OP.unreachable);
flag(OPENS, OP.block, OP.loop, OP.if);
flag(SPECIAL, OP.br, OP.brIf, OP.brTable, OP.return, OP.memoryGrow, OP.globalSet, 0xfc);
flag(SPECIAL, OP.refFunc, OP.refNull, OP.refIsNull, OP.tableGet, OP.tableSet);

/** In a lent memory, instructions that access memory are rewritten too. */
const LENT_FLAGS = FLAGS.slice();
for (const op of [...ACCESSES, OP.memorySize]) LENT_FLAGS[op] |= SPECIAL;

/** In an erased program, also those with types or indirect callees. */
const ERASED_FLAGS = LENT_FLAGS.slice();
for (const op of [OP.block, OP.loop, OP.if, OP.selectTyped, OP.callIndirect]) ERASED_FLAGS[op] |= SPECIAL;

const MEMORY_BULK = new Set<number>([OP.memoryCopy, OP.memoryFill, OP.memoryInit]);
const TABLE_BULK = new Set<number>([OP.tableCopy, OP.tableInit, OP.tableFill, OP.tableGrow]);
const DROPS_SEGMENT = new Set<number>([OP.dataDrop, OP.elemDrop]);

const IS_ACCESS = new Set<number>(ACCESSES);

const END = Uint8Array.of(OP.end);

/**
 * What stands in for the bytes `at` to `end` of the source, in the basic block that is walked: bytes, or the part
 * `from` to `to` of the body's checks.
 */
interface Patch {
  readonly at: number;
  readonly end: number;
  readonly bytes?: Uint8Array;
  readonly from?: number;
  readonly to?: number;
}

/** Instruments the bodies of a valid module, one after the other. */
export class BodyInstrumenter {
  /** Functions that live code takes references of. */
  readonly references = new Set<number>();
  readonly #globals = new Set<number>();
  #tableGrows = false;
  /** Live code changes the table, or has references as values. */
  #values = false;
  #segments = false;
  #memoryGrows = false;
  readonly #reader: InstructionReader;
  readonly #flags: Uint8Array;
  /** The instructions of the body, without locals and the final `end`. */
  readonly #inner = new Writer();
  readonly #enter = new Map<number, Uint8Array>();
  readonly #leave = new Map<number, Uint8Array>();
  #patches: Patch[] = [];
  /** Checks of accesses in the body, in a lent memory; each is a part of it. */
  readonly #checks = new Writer();
  /** The first of their locals. */
  #checkLocals = 0;
  /** Open blocks; -1 after the last `end`. */
  #depth = 0;
  /** It branches to the function's own label or returns. */
  #exits = false;
  /** Its end is reached from the instruction before. */
  #falls = true;

  constructor(
    readonly source: RawModule,
    readonly additions: Additions,
    readonly erasure?: Erasure,
  ) {
    this.#reader = new InstructionReader(source.bytes);
    if (erasure !== undefined) this.#flags = ERASED_FLAGS;
    else this.#flags = additions.counters.lent === undefined ? FLAGS : LENT_FLAGS;
  }

  get changes(): StateChanges {
    // An erased program drops its segments in its memory.
    const segments = this.#segments && this.erasure === undefined;
    return { globals: this.#globals, segments, memory: this.#memoryGrows };
  }

  get tableUse(): TableUse {
    return { references: this.references, byValue: this.#values, grows: this.#tableGrows };
  }

  /**
   * Stack budget first, then the body with its fuel. A body that branches to its own label or returns is put into one
   * block with the function's results, so that every way out passes the place where the budget is given back.
   */
  instrument(body: RawBody, slots: number): RawBody {
    const { counters, code } = this.additions;
    if (slots > STACK_SLOTS) {
      // Such a frame can never be entered. Its body is dropped: compiling it might take an engine minutes.
      const at = code.length;
      code.bytes(encodeInstructions(stackTrap(counters))).bytes(END);
      return this.additions.bodyFrom(at, body.typeIndex, body.locals);
    }
    const firstFree = this.source.types[body.typeIndex].params.length + body.locals.length;
    this.erasure?.begin(firstFree);
    this.#checks.clear();
    // That of an erased body comes first, whether it is needed or not.
    this.#checkLocals = this.erasure === undefined ? firstFree : firstFree + 1;
    // Helpers that the walk needs are written before the body begins.
    this.#walk(body);
    const start = code.length;
    const leave = remembered(this.#leave, slots, () => encodeInstructions(stackLeave(counters, slots)));
    code.bytes(remembered(this.#enter, slots, () => encodeInstructions(stackEnter(counters, slots))));
    if (this.#exits) this.#openResultBlock(this.source.types[body.typeIndex]);
    code.all(this.#inner);
    if (this.#exits) code.bytes(END).bytes(leave);
    else if (this.#falls) code.bytes(leave);
    code.bytes(END);
    return this.additions.bodyFrom(start, body.typeIndex, this.#localsOf(body));
  }

  #localsOf({ locals }: RawBody): readonly ValueType[] {
    const { erasure } = this;
    if (this.#checks.length > 0) return [...locals, ...(erasure ? (['i32'] as const) : []), ...CHECK_LOCALS];
    return erasure?.needsLocal ? [...locals, 'i32'] : locals;
  }

  #openResultBlock({ results }: FunctionType): void {
    const code = this.additions.code.byte(OP.block);
    if (results.length === 0) code.byte(0x40);
    else if (results.length === 1) code.byte(this.#typeByte(results[0]));
    else code.i32(this.additions.typeIndex({ params: [], results }));
  }

  #typeByte(type: ValueType): number {
    return type === 'funcref' && this.erasure !== undefined ? ERASED_FUNCREF : typeByte(type);
  }

  /**
   * Writes the body, without its last `end`, with its fuel charges. Dead code is left out.
   *
   * Cost of a basic block (lane rules 5): one per instruction, nothing for nop, block, loop, else and end; a block ends
   * after loop, if, else, end, br, br_if, br_table, return and unreachable.
   */
  #walk(body: RawBody): void {
    const reader = this.#reader.begin(body.start);
    const flagsOf = this.#flags;
    this.#inner.clear();
    this.#depth = 0;
    this.#exits = false;
    this.#falls = true;
    let start = body.start;
    let cost = 0;
    while (this.#depth >= 0) {
      const at = reader.at;
      const op = reader.next();
      const flags = flagsOf[op];
      if ((flags & FREE) === 0) cost++;
      if (flags & OPENS) this.#depth++;
      else if (op === OP.end) this.#depth--;
      if (flags & SPECIAL) this.#special(op, at);
      if ((flags & ENDS_BLOCK) === 0) continue;
      // The last `end` is written by `instrument`.
      this.#flush(start, this.#depth < 0 ? at : reader.at, cost);
      if (flags & NEVER_FALLS_THROUGH) this.#skipDead();
      start = reader.at;
      cost = 0;
    }
  }

  /** Writes the basic block `start` to `end` after its charge. */
  #flush(start: number, end: number, cost: number): void {
    const { bytes } = this.source;
    if (cost > 0) {
      const charge = this.additions.charge(cost);
      this.#inner.range(charge, 0, charge.length);
    }
    let from = start;
    if (this.#patches.length > 0) {
      for (const patch of this.#patches) {
        this.#inner.range(bytes, from, patch.at);
        if (patch.bytes !== undefined) this.#inner.bytes(patch.bytes);
        else this.#inner.part(this.#checks, patch.from ?? 0, patch.to ?? 0);
        from = patch.end;
      }
      this.#patches = [];
    }
    this.#inner.range(bytes, from, end);
  }

  /** Skips to the `else` or `end` that ends the dead code, and writes it. */
  #skipDead(): void {
    const reader = this.#reader;
    for (let depth = 0; ; ) {
      const op = reader.next();
      if (FLAGS[op] & OPENS) depth++;
      else if (op === OP.end && depth-- === 0) {
        if (--this.#depth < 0) this.#falls = false;
        else this.#inner.byte(OP.end);
        return;
      } else if (op === OP.else && depth === 0) {
        this.#inner.byte(OP.else);
        return;
      }
    }
  }

  #replace(at: number, end: number, bytes: Uint8Array): void {
    this.#patches.push({ at, end, bytes });
  }

  #special(op: number, at: number): void {
    this.#specialOfAny(op, at);
    const { erasure } = this;
    if (erasure === undefined) return;
    if (op === OP.callIndirect) {
      this.#replace(at, at, erasure.lookUp());
      return;
    }
    const code = erasure.codeFor(op, at, this.#reader, this.additions);
    if (code !== undefined) this.#replace(at, this.#reader.at, code);
  }

  #specialOfAny(op: number, at: number): void {
    const reader = this.#reader;
    switch (op) {
      case OP.br:
      case OP.brIf:
        if (reader.index === this.#depth) this.#exits = true;
        return;
      case OP.brTable:
        if (reader.leaves(this.#depth)) this.#exits = true;
        return;
      case OP.return:
        this.#exits = true;
        this.#replace(at, reader.at, new Writer().byte(OP.br).u32(this.#depth).finish());
        return;
      case OP.memoryGrow:
        this.#memoryGrows = true;
        this.#replace(at, reader.at, this.#call('grow'));
        return;
      case OP.refFunc:
        this.references.add(reader.index);
        this.#values = true;
        return;
      case OP.refNull:
      case OP.refIsNull:
      case OP.tableGet:
      case OP.tableSet:
        this.#values = true;
        return;
      case OP.globalSet:
        this.#globals.add(reader.index);
        return;
      case 0xfc:
        this.#prefixed(0xfc00 | reader.index, at);
        return;
      default:
        if (this.additions.counters.lent !== undefined) this.#inLentMemory(op, at, this.additions.counters.lent);
    }
  }

  /** memory.size, a load or a store. */
  #inLentMemory(op: number, at: number, lent: LentGlobals): void {
    const { additions } = this;
    if (op === OP.memorySize) {
      this.#replace(at, this.#reader.at, encodeInstructions(lentSize(lent.bytes)));
      return;
    }
    if (!IS_ACCESS.has(op)) return;
    const checks = this.#checks;
    const from = checks.length;
    const access = [op, this.#reader.offset] as const;
    writeCheck(checks, access, lent, additions.hiddenBytes, this.#checkLocals, additions.lentHelper('touch', lent));
    this.#patches.push({ at, end: at, from, to: checks.length });
  }

  #prefixed(op: number, at: number): void {
    // What stands for them in an erased program charges and checks itself.
    if (this.erasure === undefined) this.#bulk(op, at);
    if (TABLE_BULK.has(op)) this.#values = true;
    if (op === OP.tableGrow) this.#tableGrows = true;
    if (DROPS_SEGMENT.has(op)) this.#segments = true;
  }

  #bulk(op: number, at: number): void {
    if (TABLE_BULK.has(op)) this.#replace(at, at, this.#call('tableBulk'));
    if (!MEMORY_BULK.has(op)) return;
    this.#replace(at, at, this.#call('memoryBulk'));
    const { lent } = this.additions.counters;
    if (lent === undefined) return;
    const check = this.additions.lentHelper(op === OP.memoryCopy ? 'both' : 'target', lent);
    this.#replace(at, at, new Writer().byte(OP.call).u32(check).finish());
  }

  #call(helper: Parameters<Additions['helper']>[0]): Uint8Array {
    return new Writer().byte(OP.call).u32(this.additions.helper(helper)).finish();
  }
}
