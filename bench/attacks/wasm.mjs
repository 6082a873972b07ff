// Modules of the attacks, instruction by instruction, in the project's own encoding.
import { make } from '../../dist/program/decode-code.js';
import { encodeModule } from '../../dist/program/encode.js';
import { ENV_IMPORTS } from '../../dist/program/env.js';
import { OP } from '../../dist/program/opcodes.js';

export { OP };
export const op = (code, a, b) => make(code, a, b);
export const i32 = (value) => make(OP.i32Const, value);
export const i64 = (value) => make(OP.i64Const, undefined, undefined, BigInt(value));
export const get = (local) => make(OP.localGet, local);
export const set = (local) => make(OP.localSet, local);
export const tee = (local) => make(OP.localTee, local);
export const call = (index) => make(OP.call, index);
export const end = make(OP.end);
export const brTable = (...targets) => make(OP.brTable, undefined, undefined, undefined, targets);
/** Block, loop or if: `result` is a value type, a type's index, or absent. */
export const opener = (code, result) => {
  const block =
    result === undefined
      ? { kind: 'empty' }
      : typeof result === 'number'
        ? { kind: 'type', index: result }
        : { kind: 'value', type: result };
  return make(code, undefined, undefined, undefined, undefined, block);
};
/** `times` copies of what `code` makes of 0, 1, 2 ... */
export const repeat = (times, code) => Array.from({ length: times }, (_, i) => code(i)).flat();
/** `text(i32,i64)->i32` as a type. */
const typeOf = (text) => {
  const [params, results] = text.split('->').map((side) => side.replace(/[()]/g, '').split(',').filter(Boolean));
  return { params, results };
};

/** A module in the making: imports first, then functions; `__execute` and `memory` are exported. */
export class Module {
  types = [];
  imports = [];
  functions = [];
  globals = [];
  exports = [{ name: 'memory', kind: 'memory', index: 0 }];
  dataSegments = [];
  elements = [];
  table;
  memory = { minPages: 1, maxPages: undefined };

  type(text) {
    const wanted = JSON.stringify(typeOf(text));
    const known = this.types.findIndex((type) => JSON.stringify(type) === wanted);
    return known >= 0 ? known : this.types.push(JSON.parse(wanted)) - 1;
  }

  import(name) {
    return this.imports.push({ module: 'env', name, typeIndex: this.type(ENV_IMPORTS[name]) }) - 1;
  }

  /** Index of the next function. */
  get next() {
    return this.imports.length + this.functions.length;
  }

  function(signature, code, locals = []) {
    this.functions.push({ typeIndex: this.type(signature), locals, code: [...code, end] });
    return this.next - 1;
  }

  execute(code, locals = []) {
    this.exports.push({ name: '__execute', kind: 'func', index: this.function('()->i32', code, locals) });
    return this;
  }

  data(offset, bytes) {
    this.dataSegments.push({ mode: 'active', offset: { kind: 'i32', value: offset }, bytes });
    return this;
  }

  bytes() {
    const { types, imports, functions, table, memory, globals, exports, elements, dataSegments } = this;
    const rest = { start: undefined, dataCount: undefined };
    return encodeModule({
      types,
      imports,
      functions,
      table,
      memory,
      globals,
      exports,
      elements,
      dataSegments,
      ...rest,
    });
  }
}
