/** Reads the immediates of instructions, and checks that what they refer to exists. */
import { readValueType, typeByte, unsupported } from './decode-code.js';
import { LIMITS } from './limits.js';
import type { RawBody, RawModule } from './module.js';
import { FUNCREF } from './opcodes.js';
import { invalid, malformed, overLimit, Reader } from './reader.js';
import { NO_VALUES, ONE_VALUE, type Signature, signature } from './signatures.js';

/** Functions that a body may take a reference of: those that stand outside of bodies and the start section. */
function declaredReferences(module: RawModule): Set<number> {
  const found = new Set<number>();
  for (const { init } of module.globals) if (init.kind === 'ref.func') found.add(init.index);
  for (const { kind, index } of module.exports) if (kind === 'func') found.add(index);
  for (const { items } of module.elements)
    for (const item of items) if (item.kind === 'ref.func') found.add(item.index);
  return found;
}

/** A reader over the instructions of a module's bodies, whose other parts are valid. */
export class Immediates extends Reader {
  readonly #module: RawModule;
  readonly #types: readonly Signature[];
  readonly #functions: readonly Signature[];
  readonly #globals: Uint8Array;
  readonly #references: ReadonlySet<number>;
  readonly #locals = new Uint8Array(LIMITS.locals);
  #localCount = 0;

  constructor(module: RawModule) {
    super(module.bytes, 0, 0);
    this.#module = module;
    this.#types = module.types.map(signature);
    this.#functions = [...module.imports, ...module.bodies].map(({ typeIndex }) => this.#types[typeIndex]);
    this.#globals = Uint8Array.from(module.globals, ({ type }) => typeByte(type));
    this.#references = declaredReferences(module);
  }

  /** Goes to the first instruction of `body`; gives the body's results. */
  enter(body: RawBody): Uint8Array {
    const { params, results } = this.#types[body.typeIndex];
    this.#locals.set(params);
    for (let i = 0; i < body.locals.length; i++) this.#locals[params.length + i] = typeByte(body.locals[i]);
    this.#localCount = params.length + body.locals.length;
    this.at = body.start;
    this.end = body.end;
    return results;
  }

  /** Parameters and locals of the body. */
  get localCount(): number {
    return this.#localCount;
  }

  blockType(): Signature {
    const first = this.byte();
    if (first === 0x40) return NO_VALUES;
    this.at--;
    // One-byte value types have bit 6 set, which makes them negative numbers; type indices are not negative.
    if (first < 0x80 && first & 0x40) return ONE_VALUE[readValueType(this)];
    // A 33-bit signed number; only its 32-bit non-negative values are type indices, and no module has 2^31 types.
    const type = this.#types[this.i32()];
    if (type === undefined) throw invalid('a block has an unknown type', {});
    if (type.params.length > LIMITS.blockParams) throw overLimit('blockParams', type.params.length);
    if (type.results.length > LIMITS.blockResults) throw overLimit('blockResults', type.results.length);
    return type;
  }

  /** The type of the local whose index comes. */
  local(): number {
    const index = this.u32();
    if (index >= this.#localCount) throw invalid('an unknown local', { local: index });
    return this.#locals[index];
  }

  /** The type of the global whose index comes. */
  global(set: boolean): number {
    const index = this.u32();
    if (index >= this.#globals.length) throw invalid('an unknown global', { global: index });
    if (set && !this.#module.globals[index].mutable) throw invalid('a constant global is set', { global: index });
    return this.#globals[index];
  }

  callee(): Signature {
    const type = this.#functions[this.u32()];
    if (type === undefined) throw invalid('a call of an unknown function', {});
    return type;
  }

  calleeType(): Signature {
    const type = this.#types[this.u32()];
    if (type === undefined) throw invalid('a call by an unknown type', {});
    return type;
  }

  /** The memory's byte. Later versions of WebAssembly have the index of a memory there. */
  memory(): void {
    const byte = this.byte();
    if (byte !== 0) throw unsupported('memory', byte, this.at - 1);
  }

  /** Alignment, below `natural`, and offset of a load or store. */
  access(natural: number): void {
    const alignment = this.u32();
    // Later versions of WebAssembly say with this bit that the index of a memory follows.
    if (alignment & 0x40) throw unsupported('alignment', alignment, this.at - 1);
    if (alignment >= natural) throw invalid('an alignment is larger than the access', {});
    this.u32();
  }

  table(): void {
    const index = this.u32();
    if (index !== 0 || this.#module.table === undefined) throw invalid('an unknown table', { table: index });
  }

  referenceType(): void {
    const type = this.byte();
    if (type !== FUNCREF) throw unsupported('reference type', type, this.at - 1);
  }

  referencedFunction(): void {
    const index = this.u32();
    if (!this.#references.has(index)) throw invalid('a reference to an undeclared function', { target: index });
  }

  dataSegment(): void {
    const index = this.u32();
    const count = this.#module.dataCount;
    if (count === undefined) throw malformed('data segments are used without their declared count', this.at);
    if (index >= count) throw invalid('an unknown data segment', { segment: index });
  }

  elementSegment(): void {
    const index = this.u32();
    if (index >= this.#module.elements.length) throw invalid('an unknown element segment', { segment: index });
  }
}
