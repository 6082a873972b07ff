import { readBody, readValueType, unsupported } from './decode-code.js';
import { LIMITS } from './limits.js';
import type {
  ConstantExpression,
  DataSegment,
  ElementSegment,
  ExportDefinition,
  FunctionBody,
  FunctionImport,
  FunctionType,
  GlobalDefinition,
  ValueType,
  WasmModule,
} from './module.js';
import { FUNCREF, OP } from './opcodes.js';
import { malformed, overLimit, Reader } from './reader.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Draft = Mutable<Omit<WasmModule, 'types' | 'imports' | 'functions' | 'exports' | 'globals'>> & {
  types: FunctionType[];
  imports: FunctionImport[];
  functions: FunctionBody[];
  exports: ExportDefinition[];
  globals: GlobalDefinition[];
  /** Type indices of the function section, waiting for their bodies. */
  declared: number[];
};

/** Sections in the order in which they must stand: the data count (12) comes before code (10). */
const ORDER = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];
const EXPORT_KINDS = ['func', 'table', 'memory', 'global'] as const;

function valueTypes(reader: Reader): ValueType[] {
  const types: ValueType[] = [];
  for (let n = reader.count(); n > 0; n--) types.push(readValueType(reader));
  return types;
}

function readType(reader: Reader): FunctionType {
  const form = reader.byte();
  if (form !== 0x60) throw unsupported('type form', form, reader.at - 1);
  const params = valueTypes(reader);
  if (params.length > LIMITS.locals) throw overLimit('locals', params.length);
  const results = valueTypes(reader);
  if (results.length > LIMITS.results) throw overLimit('results', results.length);
  return { params, results };
}

function readImport(reader: Reader): FunctionImport {
  const module = reader.name();
  const name = reader.name();
  const kind = reader.byte();
  if (kind !== 0) throw unsupported('an import that is not a function: kind', kind, reader.at - 1);
  return { module, name, typeIndex: reader.u32() };
}

function readLimits(reader: Reader, what: string): { min: number; max: number | undefined } {
  const flag = reader.byte();
  if (flag > 1) throw unsupported(`${what} limits (shared or 64-bit)`, flag, reader.at - 1);
  const min = reader.u32();
  return { min, max: flag === 1 ? reader.u32() : undefined };
}

function readReferenceType(reader: Reader): void {
  const type = reader.byte();
  if (type !== FUNCREF) throw unsupported('reference type', type, reader.at - 1);
}

function readConstant(reader: Reader): ConstantExpression {
  const at = reader.at;
  const op = reader.byte();
  let out: ConstantExpression;
  if (op === OP.i32Const) out = { kind: 'i32', value: reader.i32() };
  else if (op === OP.i64Const) out = { kind: 'i64', value: reader.i64() };
  else if (op === OP.refFunc) out = { kind: 'ref.func', index: reader.u32() };
  else if (op === OP.refNull) {
    readReferenceType(reader);
    out = { kind: 'ref.null' };
  } else throw unsupported('constant expression', op, at);
  if (reader.byte() !== OP.end) throw unsupported('constant expression of several instructions', op, at);
  return out;
}

function readGlobal(reader: Reader): GlobalDefinition {
  const type = readValueType(reader);
  const mutability = reader.byte();
  if (mutability > 1) throw malformed('a global is neither constant nor mutable', reader.at - 1);
  return { type, mutable: mutability === 1, init: readConstant(reader) };
}

function readExport(reader: Reader): ExportDefinition {
  const name = reader.name();
  const kind = reader.byte();
  if (kind > 3) throw unsupported('export kind', kind, reader.at - 1);
  return { name, kind: EXPORT_KINDS[kind], index: reader.u32() };
}

function readElements(reader: Reader): ElementSegment {
  const flag = reader.u32();
  if (flag > 7) throw malformed('an unknown kind of element segment', reader.at);
  const mode = (flag & 1) === 0 ? 'active' : (flag & 2) === 0 ? 'passive' : 'declarative';
  const table = mode === 'active' && flag & 2 ? reader.u32() : 0;
  const offset = mode === 'active' ? readConstant(reader) : undefined;
  if (flag & 3) {
    if (flag & 4) readReferenceType(reader);
    else if (reader.byte() !== 0) throw unsupported('element kind', reader.bytes[reader.at - 1], reader.at - 1);
  }
  const items: ConstantExpression[] = [];
  for (let n = reader.count(); n > 0; n--) {
    items.push(flag & 4 ? readConstant(reader) : { kind: 'ref.func', index: reader.u32() });
  }
  return { mode, table, offset, items };
}

function readData(reader: Reader): DataSegment {
  const flag = reader.u32();
  if (flag > 2) throw malformed('an unknown kind of data segment', reader.at);
  if (flag === 2 && reader.u32() !== 0) throw unsupported('memory', 1, reader.at);
  const offset = flag === 1 ? undefined : readConstant(reader);
  return { mode: flag === 1 ? 'passive' : 'active', offset, bytes: reader.take(reader.u32()) };
}

/** Reads locals; equal declarations of one module share one array, because ten thousand times a thousand is much. */
function readLocals(reader: Reader, params: number, seen: Map<string, ValueType[]>): ValueType[] {
  const runs: [number, ValueType][] = [];
  let total = params;
  for (let n = reader.count(); n > 0; n--) {
    const count = reader.u32();
    total += count;
    if (total > LIMITS.locals) throw overLimit('locals', total);
    const type = readValueType(reader);
    if (count > 0) runs.push([count, type]);
  }
  const key = runs.join(';');
  let locals = seen.get(key);
  if (!locals) {
    locals = runs.flatMap(([count, type]) => new Array<ValueType>(count).fill(type));
    seen.set(key, locals);
  }
  return locals;
}

function readCode(reader: Reader, draft: Draft): void {
  const count = reader.count();
  if (count !== draft.declared.length) throw malformed('functions declared and defined differ in number', reader.at);
  const seen = new Map<string, ValueType[]>();
  for (const typeIndex of draft.declared) {
    const type = draft.types[typeIndex];
    if (!type) throw malformed('a function has an unknown type', reader.at);
    const body = reader.inner(reader.u32());
    const locals = readLocals(body, type.params.length, seen);
    draft.functions.push({ typeIndex, locals, code: readBody(body) });
  }
}

function readVector<T>(reader: Reader, read: (reader: Reader) => T): T[] {
  const out: T[] = [];
  for (let n = reader.count(); n > 0; n--) out.push(read(reader));
  return out;
}

function atMostOne<T>(items: T[], what: string, at: number): T | undefined {
  if (items.length > 1) throw unsupported(`more than one ${what}:`, items.length, at);
  return items[0];
}

function readSection(id: number, reader: Reader, draft: Draft): void {
  switch (id) {
    case 1:
      draft.types = readVector(reader, readType);
      return;
    case 2:
      draft.imports = readVector(reader, readImport);
      return;
    case 3:
      draft.declared = readVector(reader, (r) => r.u32());
      if (draft.declared.length + draft.imports.length > LIMITS.functions) {
        throw overLimit('functions', draft.declared.length + draft.imports.length);
      }
      return;
    case 4: {
      const read = (r: Reader): { min: number; max: number | undefined } => {
        readReferenceType(r);
        return readLimits(r, 'table');
      };
      draft.table = atMostOne(readVector(reader, read), 'table', reader.at);
      return;
    }
    case 5: {
      const memory = atMostOne(
        readVector(reader, (r) => readLimits(r, 'memory')),
        'memory',
        reader.at,
      );
      draft.memory = memory && { minPages: memory.min, maxPages: memory.max };
      return;
    }
    case 6:
      draft.globals = readVector(reader, readGlobal);
      return;
    case 7:
      draft.exports = readVector(reader, readExport);
      return;
    case 8:
      draft.start = reader.u32();
      return;
    case 9:
      draft.elements = readVector(reader, readElements);
      return;
    case 12:
      draft.dataCount = reader.u32();
      return;
    case 10:
      readCode(reader, draft);
      return;
    case 11:
      draft.dataSegments = readVector(reader, readData);
  }
}

/**
 * Decodes a WASM module (binary format of WebAssembly 2.0, without floats, vectors and external references).
 * Custom sections are skipped. Throws {@link ProgramError}: `WASM_MALFORMED`, `WASM_UNSUPPORTED`, `WASM_FLOAT`, `WASM_LIMIT`.
 * What it accepts is well formed but not yet valid: see `validateModule`.
 */
export function decodeModule(bytes: Uint8Array): WasmModule {
  const reader = new Reader(bytes, 0, bytes.length);
  const header = reader.take(8);
  const expected = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  if (!expected.every((b, i) => header[i] === b)) throw malformed('not a WASM module of version 1', 0);
  const draft: Draft = {
    types: [],
    imports: [],
    functions: [],
    table: undefined,
    memory: undefined,
    globals: [],
    exports: [],
    start: undefined,
    elements: [],
    dataSegments: [],
    dataCount: undefined,
    declared: [],
  };
  let next = 0;
  while (!reader.done) {
    const at = reader.at;
    const id = reader.byte();
    const section = reader.inner(reader.u32());
    if (id === 0) {
      section.name();
      continue;
    }
    const place = ORDER.indexOf(id);
    if (place < 0) throw unsupported('section', id, at);
    if (place < next) throw malformed('a section is repeated or out of order', at);
    next = place + 1;
    readSection(id, section, draft);
    if (!section.done) throw malformed('bytes follow the end of a section', section.at);
  }
  if (draft.functions.length !== draft.declared.length) throw malformed('functions have no bodies', reader.at);
  const { declared: _, ...module } = draft;
  return module;
}
