/** Random programs that change their table and hold references wherever they can be held. */
import type { Instruction, ValueType } from '../../src/program/module.js';
import {
  block,
  brTable,
  call,
  else_,
  end,
  get,
  i32,
  if_,
  load,
  loop,
  OP,
  op,
  set,
  store,
  WasmBuilder,
} from '../helpers/wasm-builder.js';

const FUNCREF = 0x70;
const PAGE = 65_536;
/** Locals of every function behind its parameters: numbers, then references; each loop counts down one of its own. */
const NUMBERS = 3;
const REFERENCES = 2;
const LOOPS = 3;
const LOCALS: readonly ValueType[] = [
  ...new Array<ValueType>(NUMBERS).fill('i32'),
  ...new Array<ValueType>(REFERENCES).fill('funcref'),
  ...new Array<ValueType>(LOOPS).fill('i32'),
];
const SIGNATURES = ['()->i32', '(i32)->i32', '(funcref)->i32', '(i32,funcref)->funcref', '(i32)->i32,funcref'] as const;

type Code = Instruction[];

/** Writes one module; every choice is the next of `numbers`. */
class Maker {
  readonly b = new WasmBuilder();
  readonly #numbers: readonly number[];
  #at = 0;
  readonly #tableMin: number;
  /** Segments of elements: two passive, an active and a declarative one. */
  readonly #segments = 4;
  #params = 0;
  #loops = 0;
  #callable = 0;
  #number: number;
  #reference: number;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
    const { b } = this;
    b.memory = { minPages: this.pick(3), maxPages: this.once(2) ? undefined : 3 };
    this.#tableMin = [3, 6, 40][this.pick(3)];
    b.table = { min: this.#tableMin, max: this.once(2) ? undefined : this.#tableMin + this.pick(30) };
    this.#number = b.global('i32', 7);
    const init = this.once(2) ? ({ kind: 'ref.null' } as const) : ({ kind: 'ref.func', index: 0 } as const);
    this.#reference = b.globals.push({ type: 'funcref', mutable: true, init }) - 1;
    for (const bytes of [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), new Uint8Array(40).fill(9)]) {
      b.dataSegments.push({ mode: 'passive', offset: undefined, bytes });
    }
    if (b.memory.minPages > 0) b.data(PAGE - 4, Uint8Array.of(4, 3, 2, 1));
    b.dataCount = b.dataSegments.length;
  }

  pick(max: number): number {
    return this.#numbers[this.#at++ % this.#numbers.length] % max;
  }

  once(of: number): boolean {
    return this.pick(of) === 0;
  }

  make(): WasmBuilder {
    const { b } = this;
    for (const signature of SIGNATURES) this.#function(signature);
    this.#function('()->i32');
    const functions = SIGNATURES.length + 1;
    const item = () => {
      return this.once(4)
        ? ({ kind: 'ref.null' } as const)
        : ({ kind: 'ref.func', index: this.pick(functions) } as const);
    };
    const items = (count: number) => Array.from({ length: count }, item);
    const all = Array.from({ length: functions }, (_, index) => ({ kind: 'ref.func', index }) as const);
    b.elements.push(
      { mode: 'passive', table: 0, offset: undefined, items: items(5) },
      { mode: 'passive', table: 0, offset: undefined, items: items(30) },
      { mode: 'active', table: 0, offset: { kind: 'i32', value: this.pick(2) }, items: items(2) },
      { mode: 'declarative', table: 0, offset: undefined, items: all },
    );
    this.#function('()->i32');
    return b.export('__execute', b.nextFunction - 1);
  }

  #function(signature: (typeof SIGNATURES)[number]): void {
    const { params, results } = this.b.types[this.b.type(signature)];
    this.#params = params.length;
    this.#loops = 0;
    this.#callable = this.b.functions.length;
    const begun = params.flatMap((type, i) => [get(i), set(this.#params + (type === 'i32' ? 0 : NUMBERS))]);
    const body = Array.from({ length: 2 + this.pick(4) }, () => this.#statement(2)).flat();
    const given = results.flatMap((type) => (type === 'i32' ? this.#value(2) : this.#ref(2)));
    this.b.function(signature, [...begun, ...body, ...given], LOCALS);
  }

  #local(type: 'i32' | 'funcref'): number {
    return this.#params + (type === 'i32' ? this.pick(NUMBERS) : NUMBERS + this.pick(REFERENCES));
  }

  /** Mostly an element of the table, or just behind. */
  #element(): Code {
    return this.once(12) ? this.#value(0) : [i32(this.pick(this.#tableMin + (this.once(6) ? 2 : 0)))];
  }

  /** A number of elements: small, or around what is looped and what is copied at once. */
  #count(): Code {
    if (this.once(20)) return [i32(-1 - this.pick(9))];
    return [i32(this.once(3) ? this.pick(24) : this.pick(3))];
  }

  #address(): Code {
    const ends = [0, PAGE - 4, PAGE - 3, 2 * PAGE - 4, -1, -4, -PAGE, -PAGE - 1];
    return this.once(4) ? [i32(ends[this.pick(ends.length)])] : [...this.#value(0), i32(0xfff), op(OP.i32And)];
  }

  #value(depth: number): Code {
    switch (depth === 0 ? this.pick(3) : this.pick(15)) {
      case 0:
        return [i32(this.pick(100) - 20)];
      case 1:
        return [get(this.#local('i32'))];
      case 2:
        return [op(OP.globalGet, this.#number)];
      case 3:
        return [
          ...this.#value(depth - 1),
          ...this.#value(depth - 1),
          op([OP.i32Add, OP.i32Sub, OP.i32Mul][this.pick(3)]),
        ];
      case 4:
        return [...this.#ref(depth - 1), op(OP.refIsNull)];
      case 5:
        return [op(OP.tableSize, 0)];
      case 6:
        return [...this.#ref(depth - 1), ...this.#count(), op(OP.tableGrow, 0)];
      case 7:
        return [...this.#address(), load([0, 4, 0xffff_0000, 0xffff_fffc][this.pick(12)] ?? 8, 0)];
      case 8:
        return [op(OP.memorySize, 0)];
      case 9:
        return [i32([0, 1, 600][this.pick(3)]), op(OP.memoryGrow, 0)];
      case 10:
        return [
          ...this.#value(depth - 1),
          if_('i32'),
          ...this.#value(depth - 1),
          else_,
          ...this.#value(depth - 1),
          end,
        ];
      case 11:
        return this.#called();
      default:
        return this.#indirect(depth);
    }
  }

  #called(): Code {
    if (this.#callable === 0) return [i32(3)];
    const index = this.pick(this.#callable);
    const { params, results } = this.b.types[this.b.functions[index].typeIndex];
    const args = params.flatMap((type) => (type === 'i32' ? this.#value(0) : this.#ref(0)));
    return [...args, call(index), ...asNumber(results)];
  }

  #indirect(depth: number): Code {
    const type = this.b.type(SIGNATURES[this.once(3) ? this.pick(SIGNATURES.length) : 0]);
    const { params, results } = this.b.types[type];
    const args = params.flatMap((of) => (of === 'i32' ? this.#value(depth - 1) : this.#ref(depth - 1)));
    return [...args, ...this.#element(), op(OP.callIndirect, type, 0), ...asNumber(results)];
  }

  #ref(depth: number): Code {
    switch (depth === 0 ? this.pick(4) : this.pick(8)) {
      case 0:
        return [op(OP.refNull, FUNCREF)];
      case 1:
        return [op(OP.refFunc, this.pick(SIGNATURES.length + 1))];
      case 2:
        return [get(this.#local('funcref'))];
      case 3:
        return [op(OP.globalGet, this.#reference)];
      case 4:
        return [
          ...this.#ref(depth - 1),
          ...this.#ref(depth - 1),
          ...this.#value(depth - 1),
          op(OP.selectTyped, FUNCREF),
        ];
      case 5:
        return [block('funcref'), ...this.#ref(depth - 1), ...this.#value(depth - 1), op(OP.brIf, 0), end];
      case 6:
        return [
          ...this.#value(depth - 1),
          if_('funcref'),
          ...this.#ref(depth - 1),
          else_,
          ...this.#ref(depth - 1),
          end,
        ];
      default:
        return [...this.#element(), op(OP.tableGet, 0)];
    }
  }

  #statement(depth: number): Code {
    switch (this.pick(depth > 0 ? 17 : 12)) {
      case 0:
        return [...this.#value(2), set(this.#local('i32'))];
      case 1:
        return [...this.#ref(2), set(this.#local('funcref'))];
      case 2:
        return [...this.#ref(1), op(OP.globalSet, this.#reference)];
      case 3:
        return [
          ...this.#value(2),
          op(OP.globalGet, this.#number),
          i32(31),
          op(OP.i32Mul),
          op(OP.i32Add),
          op(OP.globalSet, this.#number),
        ];
      case 4:
        return [...this.#element(), ...this.#ref(2), op(OP.tableSet, 0)];
      case 5:
        return [...this.#element(), ...this.#ref(1), ...this.#count(), op(OP.tableFill, 0)];
      case 6:
        return [...this.#element(), ...this.#element(), ...this.#count(), op(OP.tableCopy, 0, 0)];
      case 7:
        return [
          ...this.#element(),
          i32(this.pick(6)),
          ...this.#count(),
          op(OP.tableInit, this.pick(this.#segments), 0),
        ];
      case 8:
        return this.once(4) ? [op(OP.elemDrop, this.pick(this.#segments))] : [];
      case 9:
        return this.#memory();
      case 10:
        return [...this.#value(1), if_(), ...this.#returned(), end];
      case 11:
        return [...this.#ref(1), op(OP.localTee, this.#local('funcref')), op(OP.drop)];
      case 12:
        return [...this.#value(1), if_(), ...this.#statement(depth - 1), else_, ...this.#statement(depth - 1), end];
      case 13:
        return [block(), block(), ...this.#value(1), brTable(0, 1, 0), end, ...this.#statement(depth - 1), end];
      case 14:
        return this.once(3) ? [op(OP.dataDrop, this.pick(2))] : [];
      default:
        return this.#loop(depth);
    }
  }

  /** What the function returns, and the instruction. */
  #returned(): Code {
    const { results } = this.b.types[this.b.type(this.#signature())];
    return [...results.flatMap((type) => (type === 'i32' ? this.#value(0) : this.#ref(0))), op(OP.return)];
  }

  /** That of the function which is written. */
  #signature(): string {
    return SIGNATURES[this.#callable] ?? '()->i32';
  }

  #memory(): Code {
    const length = [i32([0, 1, 16, 40, 600, PAGE][this.pick(6)])];
    switch (this.pick(4)) {
      case 0:
        return [...this.#address(), ...this.#value(1), store(this.pick(9), 0)];
      case 1:
        return [...this.#address(), ...this.#value(1), ...length, op(OP.memoryFill, 0)];
      case 2:
        return [...this.#address(), ...this.#address(), ...length, op(OP.memoryCopy, 0, 0)];
      default:
        return [
          ...this.#address(),
          i32(this.pick(9)),
          i32([0, 1, 8, 33][this.pick(4)]),
          op(OP.memoryInit, this.pick(2)),
        ];
    }
  }

  #loop(depth: number): Code {
    if (this.#loops >= LOOPS) return [];
    const counter = this.#params + NUMBERS + REFERENCES + this.#loops++;
    const again = [get(counter), i32(1), op(OP.i32Sub), op(OP.localTee, counter), op(OP.brIf, 0)];
    return [i32(1 + this.pick(5)), set(counter), loop(), ...this.#statement(depth - 1), ...again, end];
  }
}

/** Makes the results of a call one number. */
function asNumber(results: readonly ValueType[]): Code {
  const references = results.filter((type) => type === 'funcref').length;
  if (references === 0) return [];
  return results.length === 1 ? [op(OP.refIsNull)] : [op(OP.refIsNull), op(OP.i32Add)];
}

/** A module whose `__execute` is its last function, decided by `numbers`. */
export function randomTables(numbers: readonly number[]): WasmBuilder {
  return new Maker(numbers).make();
}
