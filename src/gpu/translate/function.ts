import type { BlockType, FunctionBody, FunctionType, Instruction, ValueType } from '../../program/module.js';
import { OP } from '../../program/opcodes.js';
import { resultName } from './alignment.js';
import { matchCharge, matchLeave } from './charges.js';
import { type Callee, type ModuleContext, resultType } from './context.js';
import { type Frame, Frames, type Variable } from './frames.js';
import { type PuntReason, puntStop } from './layout.js';
import { localName, Reaching } from './reaching.js';
import { asBool, StraightCode } from './straight.js';
import { buildTree, type Construct, type Node } from './tree.js';
import { FunctionWriter, i32Text, type Value, WGSL_TYPE } from './writer.js';

export interface TranslatedFunction {
  readonly text: string;
  readonly lines: readonly string[];
  readonly nesting: number;
}

/**
 * What happens after an instruction. `next`: execution goes on. `stopped`: the WASM run has ended, and the WGSL text
 * goes on without effect. `left`: the WGSL text has branched away.
 */
type Flow = 'next' | 'stopped' | 'left';

/** Most selectors of one `switch`: drivers compile larger ones very slowly. */
const MAX_SELECTORS = 256;
/** Most runs of equal targets in a longer br_table. */
const MAX_TARGET_RUNS = 256;
/** Most values that a block, a branch or an indirect call passes at once. */
const MAX_VALUES = 16;
/** A construct that `break` leaves and that is not a loop: drivers compile loops much more slowly. */
const OPEN_BLOCK = 'switch 0u { default: {';

/** Translates function `index` (counted with imports) to a WGSL function `f<index>`. */
export function translateFunction(module: ModuleContext, index: number, body: FunctionBody): TranslatedFunction {
  const type = module.types[body.typeIndex];
  if (type === undefined) throw new RangeError('type index out of range');
  return new Translation(module, index, body, type).run();
}

/**
 * A loop becomes `loop { … break; }`; a block that branches name becomes a `switch` with one case. A branch to a label
 * that is not the innermost of these sets `br` to the label's number and leaves them one by one until it gets there.
 * There is one exit, and a stop only sets the status: early returns in loops make the work of shader compilers explode.
 */
class Translation {
  readonly #writer = new FunctionWriter();
  readonly #reaching: Reaching;
  readonly #frames: Frames;
  readonly #straight: StraightCode;
  readonly #locals: readonly ValueType[];

  constructor(
    readonly module: ModuleContext,
    readonly index: number,
    readonly body: FunctionBody,
    readonly type: FunctionType,
  ) {
    this.#locals = [...type.params, ...body.locals];
    const places = body.code.filter(({ op }) => op >= OP.block && op <= OP.return).length;
    this.#reaching = new Reaching(index, this.#locals.length, module.alignment, places);
    this.#frames = new Frames(this.#writer, this.#reaching);
    this.#straight = new StraightCode(module, this.#writer, this.#reaching, this.#locals);
  }

  run(): TranslatedFunction {
    const w = this.#writer;
    const { params, results } = this.type;
    const tree = buildTree(this.body.code);
    const returned = resultType(results);
    const arguments_ = params.map((p, i) => `p${i}: ${WGSL_TYPE[p]}`).join(', ');
    w.open(`fn f${this.index}(${arguments_})${returned === undefined ? '' : ` -> ${returned}`} {`);
    this.#locals.forEach((local, i) => {
      // An explicit zero: when a function is inlined into a loop, a variable without one would keep its old value.
      w.emit(`var l${i}: ${WGSL_TYPE[local]} = ${i < params.length ? `p${i}` : `${WGSL_TYPE[local]}()`};`);
    });
    const variables = results.map((type, i) => this.#variable(type, `ret${i}`));
    w.emit('var br = 0u;');
    // After a stop nothing may be called: a hostile tree of calls would go on for 2^depth calls.
    const guarded = this.body.code.some(({ op }) => op === OP.call || op === OP.callIndirect || op === OP.loop);
    if (guarded) w.open('if (st == 0u) {');
    if (tree.targeted) w.open(OPEN_BLOCK);
    this.#sequence(tree.body, this.#frames.make(false, tree.targeted, variables), []);
    const levels = (tree.targeted ? 2 : 0) + (guarded ? 1 : 0);
    if (levels > 0) w.close(levels);
    const names = variables.map((v) => v.name);
    if (returned !== undefined) w.emit(`return ${names.length > 1 ? `${returned}(${names.join(', ')})` : names[0]};`);
    w.close();
    variables.forEach((v, i) => {
      if (!v.aligned) this.module.alignment.refute(resultName(this.index, i));
    });
    this.#reaching.finish();
    return { text: `${w.lines.join('\n')}\n`, lines: w.lines, nesting: w.deepest };
  }

  #variable(type: ValueType, name = this.#writer.name('r')): Variable {
    this.#writer.emit(`var ${name}: ${WGSL_TYPE[type]};`);
    return { name, type, aligned: type === 'i32' };
  }

  /**
   * Translates a body inside `frame`, with `operands` on its stack; leaves its values in the frame's results. After it,
   * control flow goes to `end`. False if WGSL cannot reach the end.
   */
  #sequence(nodes: readonly Node[], frame: Frame, operands: readonly Value[], end = frame.join): boolean {
    const w = this.#writer;
    const outer = w.stack;
    w.stack = [...operands];
    this.#frames.open.push(frame);
    let flow: Flow = 'next';
    for (let i = 0; i < nodes.length; ) {
      const counted = this.#counting(nodes, i);
      if (counted > 0) {
        i += counted;
        continue;
      }
      const node = nodes[i++] as Node;
      flow = node.kind === 'plain' ? this.#instruction(node.instruction) : this.#construct(node);
      // The rest of the body is dead code, whose operands need not exist.
      if (flow !== 'next') break;
    }
    if (flow === 'next') {
      this.#frames.assign(frame.results, w.popAll(frame.results.length));
      this.#reaching.goTo(end);
    }
    this.#frames.open.pop();
    w.stack = outer;
    return flow !== 'left';
  }

  /**
   * Emits the charge that the instrumentation makes at this node, if any; returns the number of nodes that it spans.
   */
  #counting(nodes: readonly Node[], at: number): number {
    const { counters, countsFrames } = this.module;
    const taken = matchCharge(nodes, at, counters);
    if (taken === undefined) return countsFrames ? 0 : (matchLeave(nodes, at, counters) ?? 0);
    if (taken.counter === 'fuel') this.#writer.emit(`charge(${taken.amount});`);
    else if (countsFrames) this.#writer.emit(`enter(${taken.amount});`);
    return taken.length;
  }

  #construct(node: Construct): Flow {
    const w = this.#writer;
    const { params, results } = this.#blockValues(node.type);
    if (params.length > MAX_VALUES || results.length > MAX_VALUES) return this.#punt('multi-value');
    const condition = node.kind === 'if' ? w.pop() : undefined;
    const loop = node.kind === 'loop';
    let operands = w.popAll(params.length).map((v) => w.settle(v));
    w.settleLocals();
    const variables = results.map((type) => this.#variable(type));
    let carried = variables;
    if (loop) {
      // A branch to a loop goes to its head, so it carries the loop's parameters, not its results.
      carried = params.map((type) => this.#variable(type));
      this.#frames.assign(carried, operands);
      // The values of later iterations are not known yet.
      operands = carried.map(({ name, type }) => ({ type, text: name }));
    }
    const head = loop ? this.#reaching.loopHead(assignedIn(node.body)) : undefined;
    const frame = this.#frames.make(loop, loop || node.targeted, variables, carried, head);
    const after = loop ? this.#reaching.join() : frame.join;
    if (frame.breakable) w.open(loop ? 'loop {' : OPEN_BLOCK);
    if (loop) w.emit('if (st != 0u) { break; }');
    let alive: boolean;
    if (condition === undefined) {
      alive = this.#sequence(node.body, frame, operands, after);
    } else {
      const before = this.#reaching.join();
      this.#reaching.goTo(before);
      w.open(`if (${asBool(condition)}) {`);
      alive = this.#sequence(node.body, frame, operands);
      this.#reaching.continueAt(before);
      if (node.otherwise.length > 0 || variables.length > 0) {
        w.open('} else {');
        alive = this.#sequence(node.otherwise, frame, operands) || alive;
      } else {
        this.#reaching.goTo(frame.join);
        alive = true;
      }
      w.close();
    }
    if (frame.breakable) {
      if (loop && alive) w.emit('break;');
      w.close(loop ? 1 : 2);
      alive = true;
      this.#frames.dispatch(frame.escapes);
    }
    this.#reaching.continueAt(after);
    if (!alive) return 'left';
    for (const { type, name, aligned } of variables) w.push({ type, text: name, aligned });
    return 'next';
  }

  #blockValues(type: BlockType): FunctionType {
    if (type.kind === 'empty') return { params: [], results: [] };
    if (type.kind === 'value') return { params: [], results: [type.type] };
    const signature = this.module.types[type.index];
    if (signature === undefined) throw new RangeError('type index out of range');
    return signature;
  }

  #punt(reason: PuntReason): Flow {
    this.#writer.emit(`stop(${puntStop(reason)});`);
    return 'stopped';
  }

  #instruction(instruction: Instruction): Flow {
    const w = this.#writer;
    const a = instruction.a ?? 0;
    switch (instruction.op) {
      case OP.unreachable:
        w.emit('stop_unreachable();');
        return 'stopped';
      case OP.br:
        return this.#leave(this.#frames.label(a));
      case OP.return:
        return this.#leave(this.#frames.function);
      case OP.brIf:
        return this.#branchIf(this.#frames.label(a));
      case OP.brTable:
        return this.#branchTable(instruction.targets ?? []);
      case OP.call: {
        const callee = this.module.callee(this.index, a);
        return 'punt' in callee ? this.#punt(callee.punt) : this.#call(callee);
      }
      case OP.callIndirect:
        return this.#callIndirect(a);
      default: {
        const punt = this.#straight.instruction(instruction);
        return punt === undefined ? 'next' : this.#punt(punt);
      }
    }
  }

  #leave(frame: Frame): Flow {
    this.#frames.assign(frame.carried, this.#writer.popAll(frame.carried.length));
    this.#frames.branch(frame);
    return 'left';
  }

  #branchIf(frame: Frame): Flow {
    const w = this.#writer;
    const condition = w.pop();
    // Both paths read them.
    const values = w.popAll(frame.carried.length).map((v) => w.settle(v));
    w.stack.push(...values);
    w.open(`if (${asBool(condition)}) {`);
    this.#frames.assign(frame.carried, values);
    this.#frames.branch(frame);
    w.close();
    return 'next';
  }

  #branchTable(targets: readonly number[]): Flow {
    const w = this.#writer;
    const selector = w.settle(w.pop());
    const frames = targets.map((depth) => this.#frames.label(depth));
    const fallback = frames[frames.length - 1] as Frame;
    const values = w.popAll(fallback.carried.length).map((v) => w.settle(v));
    const all = new Set(frames);
    if (all.size === 1) {
      this.#frames.assign(fallback.carried, values);
      this.#frames.branch(fallback);
      return 'left';
    }
    if (targets.length > MAX_SELECTORS) {
      if (!this.#branchRanges(selector.text, frames, fallback, values)) return this.#punt('branch-table');
    } else {
      w.open(`switch (${selector.text}) {`);
      for (const frame of all) {
        const labels = frames.flatMap((f, i) => (f !== frame ? [] : [i < frames.length - 1 ? `${i}u` : 'default']));
        w.open(`case ${labels.join(', ')}: {`);
        w.emit(`br = ${frame.id}u;`);
        this.#frames.assign(frame.carried, values);
        w.close();
      }
      w.close();
    }
    for (const frame of all) this.#reaching.goTo(frame.join);
    this.#frames.dispatch(all);
    w.emit('break;');
    return 'left';
  }

  /** Translates a long br_table by its runs of equal targets; false if there are too many. */
  #branchRanges(selector: string, frames: readonly Frame[], fallback: Frame, values: readonly Value[]): boolean {
    const runs: { frame: Frame; from: number; to: number }[] = [];
    frames.slice(0, -1).forEach((frame, i) => {
      const last = runs.at(-1);
      if (frame === fallback) return;
      if (last?.frame === frame && last.to === i - 1) last.to = i;
      else runs.push({ frame, from: i, to: i });
    });
    if (runs.length > MAX_TARGET_RUNS || values.length > 0) return false;
    const w = this.#writer;
    w.emit(`br = ${fallback.id}u;`);
    for (const { frame, from, to } of runs) {
      w.emit(`br = select(br, ${frame.id}u, ${selector} - ${i32Text(from)} <= ${i32Text(to - from)});`);
    }
    return true;
  }

  #call(callee: Exclude<Callee, { punt: PuntReason }>): Flow {
    const w = this.#writer;
    const { params, results } = callee.type;
    const operands = w.popAll(params.length);
    this.#noteArguments(callee, operands);
    const text = callText(callee, operands);
    if (results.length === 0) {
      w.emit(`${text};`);
      return 'next';
    }
    const name = w.name('t');
    w.emit(`let ${name} = ${text};`);
    const { alignment } = this.module;
    results.forEach((type, i) => {
      const { index } = callee;
      const aligned = type === 'i32' && index !== undefined && alignment.isAligned(resultName(index, i));
      w.push({ type, text: results.length > 1 ? `${name}.v${i}` : name, aligned });
    });
    return 'next';
  }

  /** Withdraws the guess that a parameter is aligned where an argument is not. */
  #noteArguments(callee: Callee, operands: readonly Value[]): void {
    if ('punt' in callee || callee.index === undefined) return;
    const { index } = callee;
    operands.forEach(({ aligned }, i) => {
      if (!aligned) this.module.alignment.refute(localName(index, i));
    });
  }

  #callIndirect(typeIndex: number): Flow {
    const w = this.#writer;
    const type = this.module.types[typeIndex];
    if (type === undefined) throw new RangeError('type index out of range');
    const cases = this.module.indirect(this.index, typeIndex);
    if (typeof cases === 'string') return this.#punt(cases);
    if (type.results.length > MAX_VALUES) return this.#punt('multi-value');
    if (cases.reduce((sum, c) => sum + c.elements.length, 0) > MAX_SELECTORS) return this.#punt('indirect-call');
    const selector = w.pop();
    const operands = w.popAll(type.params.length).map((v) => (v.constant ? v : w.settle(v)));
    const variables = type.results.map((t) => this.#variable(t));
    w.open(`switch (${selector.text}) {`);
    for (const { callee, elements } of cases) {
      w.open(`case ${elements.map((i) => `${i}u`).join(', ')}: {`);
      if ('punt' in callee) w.emit(`stop(${puntStop(callee.punt)});`);
      else {
        this.#noteArguments(callee, operands);
        const text = callText(callee, operands);
        if (variables.length === 0) w.emit(`${text};`);
        else if (variables.length === 1) w.emit(`${variables[0]?.name} = ${text};`);
        else {
          const name = w.name('t');
          w.emit(`let ${name} = ${text};`);
          variables.forEach((v, i) => {
            w.emit(`${v.name} = ${name}.v${i};`);
          });
        }
      }
      w.close();
    }
    w.emit('default: { stop(STATUS_TRAP); }');
    w.close();
    for (const { type, name } of variables) w.push({ type, text: name });
    return 'next';
  }
}

function callText(callee: Exclude<Callee, { punt: PuntReason }>, operands: readonly Value[]): string {
  return `${callee.name}(${operands.map((v) => v.text).join(', ')})`;
}

/** Locals that are set anywhere in the nodes. */
function assignedIn(nodes: readonly Node[], found = new Set<number>()): Set<number> {
  for (const node of nodes) {
    if (node.kind === 'plain') {
      const { op, a } = node.instruction;
      if (op === OP.localSet || op === OP.localTee) found.add(a ?? 0);
    } else {
      assignedIn(node.body, found);
      assignedIn(node.otherwise, found);
    }
  }
  return found;
}
