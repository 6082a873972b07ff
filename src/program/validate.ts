import { ProgramError } from '../errors.js';
import { functionType } from './height.js';
import { LIMITS } from './limits.js';
import type { FunctionType, WasmModule } from './module.js';
import { overLimit } from './reader.js';
import { ENV_IMPORTS } from './types.js';

/** A function type as text, e.g. `(i32,i32)->i32`; no results are written `()`. */
export function signatureOf(type: FunctionType): string {
  return `(${type.params.join(',')})->${type.results.length === 0 ? '()' : type.results.join(',')}`;
}

function checkImports(module: WasmModule): void {
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

function checkExports(module: WasmModule): void {
  const memory = module.exports.find((e) => e.name === 'memory');
  if (memory?.kind !== 'memory' || !module.memory) throw missingExport('memory', 'its memory');
  const execute = module.exports.find((e) => e.name === '__execute');
  const known = module.imports.length + module.functions.length;
  if (execute?.kind !== 'func' || execute.index >= known) throw missingExport('__execute', 'a function');
  if (signatureOf(functionType(module, execute.index)) !== '()->i32') throw missingExport('__execute', '() -> i32');
}

function checkLimits(module: WasmModule): void {
  const functions = module.imports.length + module.functions.length;
  if (functions > LIMITS.functions) throw overLimit('functions', functions);
  if (module.globals.length > LIMITS.globals) throw overLimit('globals', module.globals.length);
  if (module.dataSegments.length > LIMITS.dataSegments) throw overLimit('dataSegments', module.dataSegments.length);
  const data = module.dataSegments.reduce((sum, segment) => sum + segment.bytes.length, 0);
  if (data > LIMITS.dataBytes) throw overLimit('dataBytes', data);
  if (module.memory && module.memory.minPages > LIMITS.memoryPages) {
    throw overLimit('memoryPages', module.memory.minPages);
  }
  if (module.table && module.table.min > LIMITS.tableElements) throw overLimit('tableElements', module.table.min);
}

/**
 * Checks a decoded module against lane rules 3 (its decoding has already refused floats, unknown features, too many
 * locals, results, nesting and targets). `bytes` are the module as it came: their types are checked by the engine.
 * Throws {@link ProgramError}: `WASM_LIMIT`, `WASM_IMPORT`, `WASM_EXPORT`, `WASM_INVALID`.
 */
export function validateModule(module: WasmModule, bytes: Uint8Array): void {
  checkLimits(module);
  checkImports(module);
  checkExports(module);
  if (!WebAssembly.validate(Uint8Array.from(bytes))) {
    throw new ProgramError('WASM_INVALID', 'the module is not valid WebAssembly');
  }
}
