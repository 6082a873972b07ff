import type { BlockType, FunctionBody, FunctionType, Instruction, ValueType } from '../../program/module.js';
import { type PuntReason, puntStop } from '../layout.js';
import { type Counters, matchCharge } from './charges.js';
import { fill, LOADS, OPERATIONS, STORES, WORD_ACCESSES } from './operations.js';
import { buildTree, type Construct, type Node } from './tree.js';
import { FunctionWriter, i32Text, i64Text, joinLocals, type Value, WGSL_TYPE } from './writer.js';

/** What a function's translation needs to know of its module. */
export interface ModuleContext {
  readonly types: readonly FunctionType[];
  readonly globals: readonly { readonly name: string; readonly type: ValueType }[];
  readonly counters: Counters;
  readonly memoryPages: number;
  readonly windowBytes: number;
  /** WGSL name of a callee, or why the call is left to the CPU. */
  callee(
    caller: number,
    index: number,
  ): { readonly name: string; readonly type: FunctionType } | { readonly punt: PuntReason };
}

export interface TranslatedFunction {
  readonly text: string;
  readonly statements: number;
  readonly nesting: number;
}

/** A label that branches can name. `breakable`: it has a WGSL loop of its own, which `break` leaves. */
interface Frame {
  readonly id: number;
  readonly loop: boolean;
  readonly breakable: boolean;
  readonly result: string | undefined;
  /** Labels further out that something inside branches to through the variable `br`. */
  readonly escapes: Set<Frame>;
}

const MAX_BRANCH_TARGETS = 256;
/** What `break` leaves without being a loop: drivers take much longer over loops. */
const OPEN_BLOCK = 'switch 0u { default: {';

/** Translates function `index` (counted with imports) to a WGSL function `f<index>`. */
export function translateFunction(module: ModuleContext, index: number, body: FunctionBody): TranslatedFunction {
  const type = module.types[body.typeIndex];
  if (type === undefined) throw new RangeError('type index out of range');
  return new Translation(module, index, body, type).run();
}

/**
 * A loop becomes `loop { … break; }`, a block that branches name a `switch` with one case. A branch to a label that is not the innermost of these
 * sets `br` to the label's number and leaves one after the other until it is reached. There is one exit, and a stop only sets the status:
 * early returns in loops make shader compilers explode.
 */
class Translation {
  readonly #writer = new FunctionWriter();
  readonly #frames: Frame[] = [];
  readonly #locals: readonly ValueType[];
  #labels = 0;

  constructor(
    readonly module: ModuleContext,
    readonly index: number,
    readonly body: FunctionBody,
    readonly type: FunctionType,
  ) {
    this.#locals = [...type.params, ...body.locals];
  }

  run(): TranslatedFunction {
    const w = this.#writer;
    const { params, results } = this.type;
    const result = results[0];
    const tree = buildTree(this.body.code);
    const arguments_ = params.map((p, i) => `p${i}: ${WGSL_TYPE[p]}`).join(', ');
    w.open(`fn f${this.index}(${arguments_})${result === undefined ? '' : ` -> ${WGSL_TYPE[result]}`} {`);
    this.#locals.forEach((local, i) => {
      w.emit(`var l${i}: ${WGSL_TYPE[local]}${i < params.length ? ` = p${i}` : ''};`);
    });
    if (result !== undefined) w.emit(`var ret: ${WGSL_TYPE[result]};`);
    w.emit('var br = 0u;');
    const frame = this.#frame(false, tree.targeted, result === undefined ? undefined : 'ret');
    w.open('if (st == 0u) {');
    if (tree.targeted) w.open(OPEN_BLOCK);
    this.#sequence(tree.body, frame);
    w.close(tree.targeted ? 3 : 1);
    if (result !== undefined) w.emit('return ret;');
    w.close();
    return { text: `${w.lines.join('\n')}\n`, statements: w.lines.length, nesting: w.maxDepth };
  }

  #frame(loop: boolean, breakable: boolean, result: string | undefined): Frame {
    return { id: ++this.#labels, loop, breakable, result, escapes: new Set() };
  }

  /** Translates a body inside `frame`; leaves its value in the frame's result. False if WGSL cannot reach the end. */
  #sequence(nodes: readonly Node[], frame: Frame): boolean {
    const w = this.#writer;
    const outer = w.stack;
    w.stack = [];
    this.#frames.push(frame);
    let flow: Flow = 'next';
    for (let i = 0; i < nodes.length; ) {
      const counted = matchCharge(nodes, i, this.module.counters);
      if (counted !== undefined) {
        w.emit(counted.statement);
        i += counted.length;
        continue;
      }
      const node = nodes[i++] as Node;
      flow = node.kind === 'plain' ? this.#instruction(node.instruction) : this.#construct(node);
      // The rest of the body is dead code: its operands need not even exist.
      if (flow !== 'next') break;
    }
    if (flow === 'next' && frame.result !== undefined) w.emit(`${frame.result} = ${w.pop().text};`);
    this.#frames.pop();
    w.stack = outer;
    return flow !== 'left';
  }

  #construct(node: Construct): Flow {
    const w = this.#writer;
    const result = this.#blockResult(node.type);
    if (result === 'multi-value') return this.#punt('multi-value');
    const condition = node.kind === 'if' ? w.pop() : undefined;
    w.settleLocals();
    let name: string | undefined;
    if (result !== undefined) {
      name = w.name('r');
      w.emit(`var ${name}: ${WGSL_TYPE[result]};`);
    }
    const loop = node.kind === 'loop';
    const frame = this.#frame(loop, loop || node.targeted, name);
    if (frame.breakable) w.open(loop ? 'loop {' : OPEN_BLOCK);
    if (loop) w.emit('if (st != 0u) { break; }');
    let alive: boolean;
    if (condition === undefined) {
      alive = this.#sequence(node.body, frame);
    } else {
      w.open(`if (${asBool(condition)}) {`);
      alive = this.#sequence(node.body, frame);
      if (node.otherwise.length > 0) {
        w.open('} else {');
        alive = this.#sequence(node.otherwise, frame) || alive;
      } else alive = true;
      w.close();
    }
    if (frame.breakable) {
      if (loop && alive) w.emit('break;');
      w.close(loop ? 1 : 2);
      alive = true;
      this.#dispatch(frame.escapes);
    }
    if (!alive) return 'left';
    if (name !== undefined && result !== undefined) w.push({ type: result, text: name });
    return 'next';
  }

  /** After a construct that something left for labels further out: go on to them. */
  #dispatch(targets: ReadonlySet<Frame>): void {
    if (targets.size === 0) return;
    const w = this.#writer;
    const innermost = this.#innermost();
    if (targets.has(innermost))
      w.emit(`if (br == ${innermost.id}u) { br = 0u; ${innermost.loop ? 'continue' : 'break'}; }`);
    const further = [...targets].filter((t) => t !== innermost);
    if (further.length > 0) w.emit('if (br != 0u) { break; }');
    for (const t of further) innermost.escapes.add(t);
  }

  #innermost(): Frame {
    const frame = this.#frames.findLast((f) => f.breakable);
    if (frame === undefined) throw new RangeError('branch outside of any label');
    return frame;
  }

  #label(depth: number): Frame {
    const frame = this.#frames[this.#frames.length - 1 - depth];
    if (frame === undefined) throw new RangeError('label out of range');
    return frame;
  }

  /** Sets the value that a branch to `frame` carries (`value` stays where it is). */
  #carry(frame: Frame, value: Value | undefined): void {
    if (!frame.loop && frame.result !== undefined && value !== undefined)
      this.#writer.emit(`${frame.result} = ${value.text};`);
  }

  #branch(frame: Frame): void {
    const w = this.#writer;
    const innermost = this.#innermost();
    if (innermost === frame) {
      w.emit(frame.loop ? 'continue;' : 'break;');
    } else {
      w.emit(`br = ${frame.id}u;`);
      w.emit('break;');
      innermost.escapes.add(frame);
    }
  }

  #branchTable(targets: readonly number[]): Flow {
    const w = this.#writer;
    const selector = w.pop();
    if (targets.length > MAX_BRANCH_TARGETS) return this.#punt('branch-table');
    const cases = new Map<Frame, number[]>();
    targets.forEach((depth, i) => {
      const frame = this.#label(depth);
      const list = cases.get(frame) ?? [];
      list.push(i);
      cases.set(frame, list);
    });
    for (const frame of cases.keys()) this.#carry(frame, w.stack.at(-1));
    if (cases.size === 1) {
      this.#branch(this.#label(targets[0] ?? 0));
      return 'left';
    }
    const fallback = targets.length - 1;
    w.open(`switch (${selector.text}) {`);
    for (const [frame, list] of cases) {
      const labels = list.map((i) => (i === fallback ? 'default' : `${i}u`)).join(', ');
      w.emit(`case ${labels}: { br = ${frame.id}u; }`);
    }
    w.close();
    this.#dispatch(new Set(cases.keys()));
    w.emit('break;');
    return 'left';
  }

  #blockResult(type: BlockType): ValueType | undefined | 'multi-value' {
    if (type.kind === 'empty') return undefined;
    if (type.kind === 'value') return type.type;
    const signature = this.module.types[type.index];
    if (signature === undefined || signature.params.length > 0 || signature.results.length > 1) return 'multi-value';
    return signature.results[0];
  }

  #punt(reason: PuntReason): Flow {
    this.#writer.emit(`stop(${puntStop(reason)});`);
    return 'stopped';
  }

  #instruction(instruction: Instruction): Flow {
    const w = this.#writer;
    const { op } = instruction;
    const a = instruction.a ?? 0;
    const operation = OPERATIONS.get(op);
    if (operation !== undefined) {
      this.#operation(operation);
      return 'next';
    }
    const load = LOADS.get(op);
    if (load !== undefined) {
      const text = this.#access(op, load.text, w.pop(), a);
      w.stack.push(w.settle({ type: load.type, text }));
      return 'next';
    }
    const store = STORES.get(op);
    if (store !== undefined) {
      const value = w.pop();
      w.emit(`${this.#access(op, store, w.pop(), a, value.text)};`);
      return 'next';
    }
    switch (op) {
      case 0x00:
        w.emit('stop_unreachable();');
        return 'stopped';
      case 0x01:
        return 'next';
      case 0x0c:
        this.#carry(this.#label(a), w.stack.at(-1));
        this.#branch(this.#label(a));
        return 'left';
      case 0x0d:
        this.#branchIf(this.#label(a));
        return 'next';
      case 0x0e:
        return this.#branchTable(instruction.targets ?? []);
      case 0x0f:
        this.#carry(this.#label(this.#frames.length - 1), w.stack.at(-1));
        this.#branch(this.#label(this.#frames.length - 1));
        return 'left';
      case 0x10:
        return this.#call(a);
      case 0x11:
        return this.#punt('indirect-call');
      case 0x1a:
        w.pop();
        return 'next';
      case 0x1b:
      case 0x1c:
        this.#select();
        return 'next';
      case 0x20:
        w.push({ type: this.#local(a), text: `l${a}`, locals: new Set([a]) });
        return 'next';
      case 0x21:
      case 0x22: {
        const value = w.pop();
        w.settleLocals(a);
        w.emit(`l${a} = ${value.text};`);
        if (op === 0x22) w.push({ type: value.type, text: `l${a}`, locals: new Set([a]) });
        return 'next';
      }
      case 0x23: {
        const { name, type } = this.#global(a);
        w.stack.push(w.settle({ type, text: name }));
        return 'next';
      }
      case 0x24:
        this.#setGlobal(a);
        return 'next';
      case 0x3f:
        w.push({ type: 'i32', text: i32Text(this.module.memoryPages), constant: true });
        return 'next';
      case 0x40:
        return this.#punt('memory-grow');
      case 0x41:
        w.push({ type: 'i32', text: i32Text(a), constant: true });
        return 'next';
      case 0x42:
        w.push({ type: 'i64', text: i64Text(instruction.value ?? 0n), constant: true });
        return 'next';
      case 0xfc0a:
      case 0xfc0b: {
        const [third, second, first] = [w.pop(), w.pop(), w.pop()];
        const name = op === 0xfc0a ? 'memory_copy' : 'memory_fill';
        w.emit(`${name}(${first.text}, ${second.text}, ${third.text});`);
        return 'next';
      }
      default:
        return this.#punt('instruction');
    }
  }

  /** Text of a load or store, by the short form where the address is known to be good. */
  #access(op: number, template: string, base: Value, offset: number, value = ''): string {
    const short = WORD_ACCESSES.get(op);
    const address = base.constant ? Number.parseInt(base.text, 10) + offset : Number.NaN;
    if (short === undefined || address % 4 !== 0 || address + short.bytes > this.module.windowBytes) {
      return fill(template, base.text, i32Text(offset), value);
    }
    return fill(short.text, i32Text(address / 4), i32Text(address / 4 + 1), value);
  }

  #operation({
    operands,
    result,
    text,
    bool,
    effect,
  }: typeof OPERATIONS extends ReadonlyMap<number, infer O> ? O : never): void {
    const w = this.#writer;
    const second = operands.length === 2 ? w.pop() : undefined;
    let first = w.pop();
    // WGSL refuses constant expressions that overflow; a name makes it an ordinary, wrapping expression.
    if (first.constant && (second === undefined || second.constant)) first = w.settle(first);
    const filled = fill(text, first.text, second?.text ?? '');
    const locals = second === undefined ? joinLocals(first) : joinLocals(first, second);
    const value: Value = bool
      ? { type: result, text: `select(0u, 1u, ${filled})`, bool: filled, ...locals }
      : { type: result, text: filled, ...locals };
    if (effect) w.stack.push(w.settle(value));
    else w.push(value);
  }

  #setGlobal(index: number): void {
    const w = this.#writer;
    const { name } = this.#global(index);
    const { text } = w.pop();
    // Fuel stands still after a stop: what is left then is reported.
    w.emit(
      index === this.module.counters.fuel ? `${name} = select(${name}, ${text}, st == 0u);` : `${name} = ${text};`,
    );
  }

  #select(): void {
    const w = this.#writer;
    const condition = w.pop();
    const no = w.pop();
    const yes = w.pop();
    const text = `select(${no.text}, ${yes.text}, ${asBool(condition)})`;
    w.push({ type: yes.type, text, ...joinLocals(condition, no, yes) });
  }

  #branchIf(frame: Frame): void {
    const w = this.#writer;
    const condition = w.pop();
    if (!frame.loop && frame.result !== undefined) w.push(w.settle(w.pop()));
    const value = w.stack.at(-1);
    w.open(`if (${asBool(condition)}) {`);
    this.#carry(frame, value);
    this.#branch(frame);
    w.close();
  }

  #call(index: number): Flow {
    const w = this.#writer;
    const callee = this.module.callee(this.index, index);
    if ('punt' in callee) return this.#punt(callee.punt);
    const operands: string[] = [];
    for (let i = 0; i < callee.type.params.length; i++) operands.unshift(w.pop().text);
    const text = `${callee.name}(${operands.join(', ')})`;
    const result = callee.type.results[0];
    if (result === undefined) w.emit(`${text};`);
    else w.stack.push(w.settle({ type: result, text }));
    return 'next';
  }

  #local(index: number): ValueType {
    const type = this.#locals[index];
    if (type === undefined) throw new RangeError('local out of range');
    return type;
  }

  #global(index: number): { readonly name: string; readonly type: ValueType } {
    const global = this.module.globals[index];
    if (global === undefined) throw new RangeError('global out of range');
    return global;
  }
}

/** `next`: goes on; `stopped`: WASM ends here, the WGSL text runs on without effect; `left`: the WGSL text has branched away. */
type Flow = 'next' | 'stopped' | 'left';

function asBool(value: Value): string {
  return value.bool ?? `(${value.text} != 0u)`;
}
