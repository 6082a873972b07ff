import type { WasmModule } from '../../program/module.js';
import { OP } from '../../program/opcodes.js';
import { Unsupported } from './unsupported.js';

const CHANGES_TABLE = new Set<number>([OP.tableSet, OP.tableInit, OP.tableCopy, OP.tableGrow, OP.tableFill]);

/** The table of a module after instantiation. */
export class StaticTable {
  /** Function of each element, undefined for null. */
  readonly #elements: (number | undefined)[];
  /** Whether any instruction may change it; then its content at a call is unknown. */
  readonly changes: boolean;
  readonly #byType = new Map<string, ReadonlyMap<number, readonly number[]>>();

  /** Throws {@link Unsupported} if an element segment is out of bounds: instantiation fails, as the CPU will report. */
  constructor(readonly module: WasmModule) {
    this.#elements = new Array<number | undefined>(module.table?.min ?? 0).fill(undefined);
    for (const { mode, offset, items } of module.elements) {
      if (mode !== 'active') continue;
      const at = offset?.kind === 'i32' ? offset.value >>> 0 : Number.NaN;
      if (!(at + items.length <= this.#elements.length)) throw new Unsupported('an element segment out of bounds');
      items.forEach((item, i) => {
        this.#elements[at + i] = item.kind === 'ref.func' ? item.index : undefined;
      });
    }
    this.changes = module.functions.some(({ code }) => code.some(({ op }) => CHANGES_TABLE.has(op)));
  }

  get size(): number {
    return this.#elements.length;
  }

  /** Functions in the table whose type equals type `typeIndex`, each with the elements that hold it. */
  functionsOf(typeIndex: number): ReadonlyMap<number, readonly number[]> {
    const wanted = this.#typeText(typeIndex);
    const known = this.#byType.get(wanted);
    if (known !== undefined) return known;
    const found = new Map<number, number[]>();
    this.#elements.forEach((index, i) => {
      if (index === undefined || this.#typeText(this.#typeOf(index)) !== wanted) return;
      const list = found.get(index);
      if (list === undefined) found.set(index, [i]);
      else list.push(i);
    });
    this.#byType.set(wanted, found);
    return found;
  }

  #typeOf(index: number): number {
    const { imports, functions } = this.module;
    return imports[index]?.typeIndex ?? functions[index - imports.length]?.typeIndex ?? -1;
  }

  /** Types with different indices are equal if their parameters and results are. */
  #typeText(typeIndex: number): string {
    const type = this.module.types[typeIndex];
    return type === undefined ? 'none' : `${type.params}>${type.results}`;
  }
}
