import { ProgramError } from '../errors/errors.js';
import { ENV_IMPORTS } from './env.js';
import { compileWorkAllowed } from './limits.js';
import type { ConstantExpression, FunctionType, RawModule, ValueType } from './module.js';
import { invalid, overLimit } from './reader.js';
import { BodyValidator } from './validate-code.js';

/** A function type as text, e.g. `(i32,i32)->i32`; no results are written `()`. */
function signatureOf(type: FunctionType): string {
  return `(${type.params.join(',')})->${type.results.length === 0 ? '()' : type.results.join(',')}`;
}

function checkImports(module: RawModule): void {
  for (const { module: from, name, typeIndex } of module.imports) {
    // Object.hasOwn: a name such as `toString` must not be found on the prototype.
    const wanted = from === 'env' && Object.hasOwn(ENV_IMPORTS, name) ? ENV_IMPORTS[name] : undefined;
    if (wanted === undefined) {
      throw new ProgramError('WASM_IMPORT', 'the module imports something the host does not have', {
        facts: { module: from, name },
        hint: 'Imports come from `env`; docs/programs.md lists their names.',
      });
    }
    const type = module.types[typeIndex];
    if (!type || signatureOf(type) !== wanted) {
      throw new ProgramError('WASM_IMPORT', 'an import has another signature than the host function', {
        facts: { name, expected: wanted, found: type ? signatureOf(type) : 'none' },
      });
    }
  }
}

function missingExport(name: string, what: string): ProgramError {
  return new ProgramError('WASM_EXPORT', `the module does not export \`${name}\` as ${what}`, { facts: { name } });
}

function functionCount(module: RawModule): number {
  return module.imports.length + module.bodies.length;
}

function typeOfFunction(module: RawModule, index: number): FunctionType {
  const imported = module.imports.length;
  return module.types[(index < imported ? module.imports[index] : module.bodies[index - imported]).typeIndex];
}

function checkExports(module: RawModule): void {
  const counts = {
    func: functionCount(module),
    table: module.table ? 1 : 0,
    memory: module.memory ? 1 : 0,
    global: module.globals.length,
  };
  const names = new Set<string>();
  for (const { name, kind, index } of module.exports) {
    if (index >= counts[kind]) throw invalid('an export names something unknown', { name, kind, index });
    if (names.has(name)) throw invalid('two exports have the same name', { name });
    names.add(name);
  }
  const memory = module.exports.find((e) => e.name === 'memory');
  if (memory?.kind !== 'memory') throw missingExport('memory', 'its memory');
  const execute = module.exports.find((e) => e.name === '__execute');
  if (execute?.kind !== 'func') throw missingExport('__execute', 'a function');
  if (signatureOf(typeOfFunction(module, execute.index)) !== '()->i32') throw missingExport('__execute', '() -> i32');
}

function checkStart(module: RawModule): void {
  const { start } = module;
  if (start === undefined) return;
  if (start >= functionCount(module)) throw invalid('the start function is unknown', { function: start });
  if (signatureOf(typeOfFunction(module, start)) !== '()->()') {
    throw invalid('the start function takes or gives values', { function: start });
  }
}

const CONSTANT_TYPE: Readonly<Record<ConstantExpression['kind'], ValueType>> = {
  i32: 'i32',
  i64: 'i64',
  'ref.func': 'funcref',
  'ref.null': 'funcref',
};

function checkConstant(module: RawModule, constant: ConstantExpression, type: ValueType, where: string): void {
  if (CONSTANT_TYPE[constant.kind] !== type) {
    throw invalid('a constant has another type than its place', { where, expected: type, found: constant.kind });
  }
  if (constant.kind === 'ref.func' && constant.index >= functionCount(module)) {
    throw invalid('a reference to an unknown function', { where, function: constant.index });
  }
}

function checkConstants(module: RawModule): void {
  for (const { type, init } of module.globals) checkConstant(module, init, type, 'global');
  for (const { mode, table, offset, items } of module.elements) {
    if (mode === 'active' && (table !== 0 || !module.table)) throw invalid('a segment of an unknown table', { table });
    if (offset) checkConstant(module, offset, 'i32', 'offset of elements');
    for (const item of items) checkConstant(module, item, 'funcref', 'element');
  }
  for (const { mode, offset } of module.dataSegments) {
    if (mode === 'active' && !module.memory) throw invalid('a data segment without a memory', {});
    if (offset) checkConstant(module, offset, 'i32', 'offset of data');
  }
}

/**
 * Slots that a frame takes of the stack budget (lane rules 4): 16, one for each parameter, local and operand, and one
 * for every started 16 instructions of the body as it came, each counted: nop, block, else, end, dead code, the last
 * `end`.
 */
function frameSlots(locals: number, operandDepth: number, instructions: number): number {
  return 16 + locals + operandDepth + Math.ceil(instructions / 16);
}

/** What validation finds out about a module. */
export interface Admitted {
  /** Slots of each function's frame (lane rules 4), imported functions not counted. */
  readonly slots: Uint32Array;
  /** Bytes of machine code that all functions make, by an estimate (code-size.ts). */
  readonly codeBytes: number;
  /** Bytes that the interpreter's side tables take at most. */
  readonly sideBytes: number;
}

/**
 * Decides whether a module is admitted (lane rules 3) and is valid WebAssembly 2.0; no engine is asked. `readModule`
 * has checked all that shows without the instructions' meaning.
 * Throws {@link ProgramError}: `WASM_LIMIT`, `WASM_IMPORT`, `WASM_EXPORT`, `WASM_INVALID`, and for instructions also
 * `WASM_MALFORMED`, `WASM_UNSUPPORTED`, `WASM_FLOAT`.
 */
export function validateModule(module: RawModule): Admitted {
  checkImports(module);
  checkExports(module);
  checkStart(module);
  checkConstants(module);
  const allowed = compileWorkAllowed(module.bytes.length);
  const validator = new BodyValidator(module);
  let work = 0;
  let codeBytes = 0;
  let sideWords = 0;
  const slots = Uint32Array.from(module.bodies, (body, i) => {
    const {
      instructions,
      operandDepth,
      compileWork,
      codeBytes: more,
      sideWords: words,
    } = validator.check(body, module.imports.length + i);
    work += compileWork;
    if (work > allowed) throw overLimit('compileWork', work, allowed);
    const locals = module.types[body.typeIndex].params.length + body.locals.length;
    codeBytes += more;
    sideWords += words;
    return frameSlots(locals, operandDepth, instructions);
  });
  return { slots, codeBytes, sideBytes: 4 * sideWords };
}
