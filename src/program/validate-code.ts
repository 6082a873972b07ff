/** Validation of function bodies, straight from their bytes and in one pass. */
import { ProgramError } from '../errors/errors.js';
import { CODE_BYTES, CODE_BYTES_OF } from './code-size.js';
import { ControlStack } from './control-stack.js';
import { readPrefixed, readValueType, refusedOpcode, typeByte } from './decode-code.js';
import { Immediates } from './immediates.js';
import { LIMITS } from './limits.js';
import type { RawBody, RawModule } from './module.js';
import { FUNCREF, OP } from './opcodes.js';
import { FIRST, I32, I64, NATURAL, PLAIN, PREFIXED, RESULT, SECOND, UNKNOWN } from './operand-types.js';
import { OperandStack } from './operands.js';
import { invalid, malformed, overLimit } from './reader.js';
import type { Signature } from './signatures.js';

/** Words of the side table by control instruction; a br_table has some for each label, and for each of its targets. */
const SIDE_WORDS = new Uint8Array(256);
for (const op of [OP.loop, OP.end, OP.brTable]) SIDE_WORDS[op] = 1;
for (const op of [OP.if, OP.else, OP.br]) SIDE_WORDS[op] = 3;
SIDE_WORDS[OP.brIf] = 4;
const SIDE_WORDS_A_TARGET = 3;

/** What one body needs. */
export interface BodyFigures {
  /** Instructions, dead code and the final `end` included. */
  readonly instructions: number;
  /** Greatest height of the operand stack, looked at after each instruction. */
  readonly operandDepth: number;
  /** Control instructions x (greatest nesting + parameters and locals + operand depth). */
  readonly compileWork: number;
  /** Bytes of machine code that its instructions make, by an estimate (code-size.ts). */
  readonly codeBytes: number;
  /** Words of its side table, dead code included (wasm/native/interpreter/layout.ts). */
  readonly sideWords: number;
}

/**
 * Checks the bodies of a module, whose other parts must be valid, by the validation algorithm of the WebAssembly 2.0
 * specification (appendix "Validation Algorithm") and against the limits of lane rules 3. Encodings are checked on the
 * way.
 */
export class BodyValidator {
  readonly #reader: Immediates;
  readonly #operands = new OperandStack();
  readonly #blocks = new ControlStack(this.#operands);
  readonly #nextLabel = (): number => this.#reader.u32();
  #control = 0;
  #sideWords = 0;

  constructor(module: RawModule) {
    this.#reader = new Immediates(module);
  }

  /**
   * Checks the body of function `index`. Throws `WASM_MALFORMED`, `WASM_UNSUPPORTED`, `WASM_FLOAT`, `WASM_LIMIT`,
   * `WASM_INVALID`.
   */
  check(body: RawBody, index: number): BodyFigures {
    this.#blocks.reset(this.#reader.enter(body));
    this.#control = 0;
    this.#sideWords = 0;
    try {
      return this.#walk();
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      const facts = { offset: this.#reader.at, ...error.facts, function: index };
      throw new ProgramError(error.code, error.message, { facts, hint: error.hint });
    }
  }

  #walk(): BodyFigures {
    const reader = this.#reader;
    const operands = this.#operands;
    let instructions = 0;
    let operandDepth = 0;
    let codeBytes = 0;
    while (this.#blocks.open) {
      const op = reader.byte();
      instructions++;
      codeBytes += CODE_BYTES[op];
      if (op > OP.return) this.#instruction(op);
      else if (op !== OP.nop) this.#controlInstruction(op);
      if (operands.height > operandDepth) operandDepth = operands.height;
    }
    if (!reader.done) throw malformed('bytes follow the end of a function', reader.at);
    const compileWork = this.#control * (this.#blocks.nesting + reader.localCount + operandDepth);
    codeBytes += CODE_BYTES_OF.function + CODE_BYTES_OF.label * this.#control + CODE_BYTES_OF.work * compileWork;
    return { instructions, operandDepth, compileWork, codeBytes, sideWords: this.#sideWords };
  }

  #controlInstruction(op: number): void {
    const blocks = this.#blocks;
    this.#countControl(1);
    this.#sideWords += SIDE_WORDS[op];
    switch (op) {
      case OP.unreachable:
        blocks.die();
        return;
      case OP.if:
        this.#operands.pop(I32);
        blocks.enter(op, this.#reader.blockType());
        return;
      case OP.block:
      case OP.loop:
        blocks.enter(op, this.#reader.blockType());
        return;
      case OP.else:
        blocks.else();
        return;
      case OP.end:
        blocks.end();
        return;
      case OP.br:
        blocks.branch(this.#reader.u32());
        return;
      case OP.brIf:
        blocks.branchIf(this.#reader.u32());
        return;
      case OP.brTable: {
        const count = this.#reader.countUpTo('brTable');
        this.#countControl(count);
        this.#sideWords += count + SIDE_WORDS_A_TARGET * blocks.branchTable(count, this.#nextLabel);
        return;
      }
      case OP.return:
        blocks.return();
        return;
      default:
        throw refusedOpcode(op, this.#reader.at - 1);
    }
  }

  #countControl(more: number): void {
    this.#control += more;
    if (this.#control > LIMITS.controlInstructions) throw overLimit('controlInstructions', this.#control);
  }

  #instruction(op: number): void {
    const operands = this.#operands;
    switch (op) {
      case OP.localGet:
        operands.push(this.#reader.local());
        return;
      case OP.localSet:
        operands.pop(this.#reader.local());
        return;
      case OP.localTee: {
        const type = this.#reader.local();
        operands.pop(type);
        operands.push(type);
        return;
      }
      case OP.i32Const:
        this.#reader.i32();
        operands.push(I32);
        return;
      case OP.i64Const:
        this.#reader.skipI64();
        operands.push(I64);
        return;
      case OP.call:
        this.#call(this.#reader.callee());
        return;
      case OP.drop:
        operands.popAny();
        return;
      default:
        if (PLAIN[op]) this.#plain(op);
        else this.#rareInstruction(op);
    }
  }

  #plain(op: number): void {
    const operands = this.#operands;
    if (NATURAL[op]) this.#reader.access(NATURAL[op]);
    if (FIRST[op]) operands.pop(FIRST[op]);
    if (SECOND[op]) operands.pop(SECOND[op]);
    if (RESULT[op]) operands.push(RESULT[op]);
  }

  #rareInstruction(op: number): void {
    const operands = this.#operands;
    const reader = this.#reader;
    switch (op) {
      case OP.callIndirect: {
        const type = reader.calleeType();
        reader.table();
        operands.pop(I32);
        this.#call(type);
        return;
      }
      case OP.select:
        this.#select();
        return;
      case OP.selectTyped: {
        if (reader.u32() !== 1) throw invalid('select names not exactly one type', {});
        const type = typeByte(readValueType(reader));
        this.#take([type, type, I32]);
        operands.push(type);
        return;
      }
      case OP.globalGet:
        operands.push(reader.global(false));
        return;
      case OP.globalSet:
        operands.pop(reader.global(true));
        return;
      case OP.memorySize:
        reader.memory();
        operands.push(I32);
        return;
      case OP.memoryGrow:
        reader.memory();
        operands.pop(I32);
        operands.push(I32);
        return;
      default:
        this.#referenceInstruction(op);
    }
  }

  #referenceInstruction(op: number): void {
    const operands = this.#operands;
    const reader = this.#reader;
    switch (op) {
      case OP.tableGet:
        reader.table();
        operands.pop(I32);
        operands.push(FUNCREF);
        return;
      case OP.tableSet:
        reader.table();
        this.#take([I32, FUNCREF]);
        return;
      case OP.refNull:
        reader.referenceType();
        operands.push(FUNCREF);
        return;
      case OP.refIsNull:
        operands.pop(FUNCREF);
        operands.push(I32);
        return;
      case OP.refFunc:
        reader.referencedFunction();
        operands.push(FUNCREF);
        return;
      case 0xfc:
        this.#prefixed(readPrefixed(reader, reader.at - 1));
        return;
      default:
        throw refusedOpcode(op, reader.at - 1);
    }
  }

  #prefixed(op: number): void {
    const types = PREFIXED[op];
    if (types === undefined) throw refusedOpcode(op, this.#reader.at - 1);
    this.#prefixedImmediates(op);
    this.#take(types.operands);
    if (types.result) this.#operands.push(types.result);
  }

  #prefixedImmediates(op: number): void {
    const reader = this.#reader;
    switch (op) {
      case OP.memoryInit:
        reader.dataSegment();
        reader.memory();
        return;
      case OP.dataDrop:
        reader.dataSegment();
        return;
      case OP.memoryCopy:
        reader.memory();
        reader.memory();
        return;
      case OP.memoryFill:
        reader.memory();
        return;
      case OP.tableInit:
        reader.elementSegment();
        reader.table();
        return;
      case OP.elemDrop:
        reader.elementSegment();
        return;
      case OP.tableCopy:
        reader.table();
        reader.table();
        return;
      default:
        reader.table();
    }
  }

  #select(): void {
    const operands = this.#operands;
    operands.pop(I32);
    const first = operands.popAny();
    const second = operands.popAny();
    if (first === FUNCREF || second === FUNCREF) throw invalid('select of references must name their type', {});
    if (first !== second && first !== UNKNOWN && second !== UNKNOWN) throw invalid('select of different types', {});
    operands.push(first === UNKNOWN ? second : first);
  }

  #call(type: Signature): void {
    this.#operands.popAll(type.params);
    this.#operands.pushAll(type.results);
  }

  /** Takes operands of these types off, given bottom first. */
  #take(types: readonly number[]): void {
    for (let i = types.length - 1; i >= 0; i--) this.#operands.pop(types[i]);
  }
}
