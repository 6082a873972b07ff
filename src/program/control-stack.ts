/** The control stack of the specification's validation algorithm, with the limits on blocks of lane rules 3. */
import { LIMITS } from './limits.js';
import { OP } from './opcodes.js';
import { I32 } from './operand-types.js';
import type { OperandStack } from './operands.js';
import { invalid, overLimit } from './reader.js';
import { NO_TYPES, type Signature, sameTypes } from './signatures.js';

/** An open block. Frames are used again and again; the body itself is number 0. */
class Frame {
  op: number = OP.block;
  params: Uint8Array = NO_TYPES;
  results: Uint8Array = NO_TYPES;
  base = 0;
  dead = false;
  /** The `br_table` that last looked at this frame's label: it need not look twice. */
  seenBy = 0;

  /** Types of the operands of a branch to its label: for a loop, its parameters. */
  get label(): Uint8Array {
    return this.op === OP.loop ? this.params : this.results;
  }
}

/** Open blocks of one body over the operands that they share. */
export class ControlStack {
  readonly #operands: OperandStack;
  readonly #frames: Frame[] = [new Frame()];
  /** Open blocks, the body itself not counted; -1 after its last `end`. */
  #depth = 0;
  #loops = 0;
  #nesting = 0;
  #brTables = 0;

  constructor(operands: OperandStack) {
    this.#operands = operands;
  }

  /** Begins a body that gives `results`. */
  reset(results: Uint8Array): void {
    this.#operands.reset();
    this.#frames[0].results = results;
    this.#frames[0].dead = false;
    this.#depth = 0;
    this.#loops = 0;
    this.#nesting = 0;
  }

  /** False after the `end` of the body itself. */
  get open(): boolean {
    return this.#depth >= 0;
  }

  /** Greatest nesting so far. */
  get nesting(): number {
    return this.#nesting;
  }

  /** Opens a block, loop or if. */
  enter(op: number, { params, results }: Signature): void {
    const operands = this.#operands;
    operands.popAll(params);
    const depth = ++this.#depth;
    if (depth > LIMITS.nesting) throw overLimit('nesting', depth);
    if (depth > this.#nesting) this.#nesting = depth;
    if (op === OP.loop && ++this.#loops > LIMITS.loops) throw overLimit('loops', this.#loops);
    if (depth === this.#frames.length) this.#frames.push(new Frame());
    const frame = this.#frames[depth];
    frame.op = op;
    frame.params = params;
    frame.results = results;
    frame.base = operands.height;
    frame.dead = false;
    frame.seenBy = 0;
    operands.base = operands.height;
    operands.dead = false;
    operands.pushAll(params);
  }

  /** Ends a block's instructions: its results and nothing else lie on the stack; they are taken off. */
  #close(frame: Frame): void {
    const operands = this.#operands;
    operands.popAll(frame.results);
    if (operands.height !== frame.base) throw invalid('a block leaves surplus operands', {});
  }

  else(): void {
    const frame = this.#frames[this.#depth];
    if (frame.op !== OP.if) throw invalid('an else without its if', {});
    this.#close(frame);
    frame.op = OP.else;
    frame.dead = false;
    this.#operands.dead = false;
    this.#operands.pushAll(frame.params);
  }

  end(): void {
    const frame = this.#frames[this.#depth];
    this.#close(frame);
    // A missing else returns its parameters.
    if (frame.op === OP.if && !sameTypes(frame.params, frame.results)) {
      throw invalid('an if without else gives other types than it takes', {});
    }
    if (frame.op === OP.loop) this.#loops--;
    if (--this.#depth >= 0) {
      const outer = this.#frames[this.#depth];
      this.#operands.base = outer.base;
      this.#operands.dead = outer.dead;
    }
    this.#operands.pushAll(frame.results);
  }

  branch(label: number): void {
    this.#operands.peekAll(this.#frame(label).label);
    this.die();
  }

  branchIf(label: number): void {
    const operands = this.#operands;
    operands.pop(I32);
    const types = this.#frame(label).label;
    operands.popAll(types);
    operands.pushAll(types);
  }

  /** `next` reads the `count + 1` labels one after the other. Gives how many blocks they name. */
  branchTable(count: number, next: () => number): number {
    this.#operands.pop(I32);
    const table = ++this.#brTables;
    let arity = -1;
    let targets = 0;
    for (let i = 0; i <= count; i++) {
      const frame = this.#frame(next());
      if (frame.seenBy === table) continue;
      frame.seenBy = table;
      targets++;
      const types = frame.label;
      if (arity >= 0 && types.length !== arity) throw invalid('labels of a br_table take different numbers', {});
      arity = types.length;
      this.#operands.peekAll(types);
    }
    this.die();
    return targets;
  }

  return(): void {
    this.#operands.peekAll(this.#frames[0].results);
    this.die();
  }

  /** What follows cannot be reached. */
  die(): void {
    const frame = this.#frames[this.#depth];
    frame.dead = true;
    this.#operands.dead = true;
    this.#operands.height = frame.base;
  }

  /** The frame that a label means, counted from the innermost. */
  #frame(label: number): Frame {
    if (label > this.#depth) throw invalid('a branch leaves the function', { label });
    return this.#frames[this.#depth - label];
  }
}
