import type { ValueType } from '../../program/module.js';
import type { Join, Reaching } from './reaching.js';
import type { FunctionWriter, Value } from './writer.js';

/** A WGSL variable that receives a value where control flow joins. */
export interface Variable {
  readonly name: string;
  readonly type: ValueType;
  /** Whether all values that it received so far were multiples of 4. */
  aligned: boolean;
}

/** A label that branches can name. `breakable`: it has a WGSL loop or switch, which `break` leaves. */
export interface Frame {
  readonly id: number;
  readonly loop: boolean;
  readonly breakable: boolean;
  readonly results: readonly Variable[];
  /** What a branch to the label sets: the parameters of a loop, the results of anything else. */
  readonly carried: readonly Variable[];
  /** Outer labels that code inside branches to through the variable `br`. */
  readonly escapes: Set<Frame>;
  /** Where a branch to the label arrives. */
  readonly join: Join;
}

/** The labels around the code being translated, innermost last, and the branches to them. */
export class Frames {
  readonly open: Frame[] = [];
  #ids = 0;

  constructor(
    readonly writer: FunctionWriter,
    readonly reaching: Reaching,
  ) {}

  make(
    loop: boolean,
    breakable: boolean,
    results: readonly Variable[],
    carried = results,
    join = this.reaching.join(),
  ): Frame {
    return { id: ++this.#ids, loop, breakable, results, carried, escapes: new Set(), join };
  }

  /** The frame of the label `depth` levels out. */
  label(depth: number): Frame {
    const frame = this.open[this.open.length - 1 - depth];
    if (frame === undefined) throw new RangeError('label out of range');
    return frame;
  }

  get function(): Frame {
    return this.label(this.open.length - 1);
  }

  get innermost(): Frame {
    const frame = this.open.findLast((f) => f.breakable);
    if (frame === undefined) throw new RangeError('branch outside of any label');
    return frame;
  }

  /** Sets variables to values, all of which are read before the first is set. */
  assign(variables: readonly Variable[], values: readonly Value[]): void {
    const all = variables.length > 1 ? values.map((v) => this.writer.settle(v)) : values;
    variables.forEach((variable, i) => {
      const value = all[i];
      if (value === undefined) return;
      variable.aligned &&= value.aligned === true;
      this.writer.emit(`${variable.name} = ${value.text};`);
    });
  }

  /** Branches to the label of `frame`, whose variables have been set. */
  branch(frame: Frame): void {
    const { writer, innermost } = this;
    this.reaching.goTo(frame.join);
    if (innermost === frame) {
      writer.emit(frame.loop ? 'continue;' : 'break;');
    } else {
      writer.emit(`br = ${frame.id}u;`);
      writer.emit('break;');
      innermost.escapes.add(frame);
    }
  }

  /** After a construct that code left for outer labels: continues towards those. */
  dispatch(targets: ReadonlySet<Frame>): void {
    if (targets.size === 0) return;
    const { writer, innermost } = this;
    if (targets.has(innermost))
      writer.emit(`if (br == ${innermost.id}u) { br = 0u; ${innermost.loop ? 'continue' : 'break'}; }`);
    const further = [...targets].filter((t) => t !== innermost);
    if (further.length > 0) writer.emit('if (br != 0u) { break; }');
    for (const t of further) innermost.escapes.add(t);
  }
}
