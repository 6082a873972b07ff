import { readBody, readValueType, unsupported } from './decode-code.js';
import { LIMITS } from './limits.js';
import type {
  ConstantExpression,
  DataSegment,
  ElementSegment,
  ExportDefinition,
  FunctionImport,
  FunctionType,
  GlobalDefinition,
  RawBody,
  RawModule,
  ValueType,
  WasmModule,
} from './module.js';
import { FUNCREF, OP } from './opcodes.js';
import { invalid, malformed, overLimit, Reader } from './reader.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Draft = Mutable<Omit<RawModule, 'types' | 'bodies'>> & {
  types: FunctionType[];
  bodies: RawBody[];
  /** Type indices of the function section, waiting for their bodies. */
  declared: number[];
  /** Parameters and results of all types; declared locals of all functions; bytes of all data segments. */
  typeValues: number;
  declaredLocals: number;
  dataBytes: number;
};

/** Sections in the order in which they must stand: the data count (12) comes before code (10). */
const ORDER = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];
const EXPORT_KINDS = ['func', 'table', 'memory', 'global'] as const;

/** One more thing of which a module may have only so many in all. */
function total(limit: 'typeValues' | 'declaredLocals' | 'dataBytes', draft: Draft, more: number): void {
  draft[limit] += more;
  if (draft[limit] > LIMITS[limit]) throw overLimit(limit, draft[limit]);
}

function valueTypes(reader: Reader, limit: 'locals' | 'results', draft: Draft): ValueType[] {
  const count = reader.countUpTo(limit);
  total('typeValues', draft, count);
  const types: ValueType[] = [];
  for (let n = count; n > 0; n--) types.push(readValueType(reader));
  return types;
}

function readType(reader: Reader, draft: Draft): FunctionType {
  const form = reader.byte();
  if (form !== 0x60) throw unsupported('type form', form, reader.at - 1);
  return { params: valueTypes(reader, 'locals', draft), results: valueTypes(reader, 'results', draft) };
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

const REF_NULL: ConstantExpression = { kind: 'ref.null' };
const functionReferences: ConstantExpression[] = [];

/** References are shared, because a segment may list the same function a million times. */
function refFunc(index: number): ConstantExpression {
  if (index >= LIMITS.functions) throw invalid('a reference to an unknown function', { function: index });
  functionReferences[index] ??= { kind: 'ref.func', index };
  return functionReferences[index];
}

function readConstant(reader: Reader): ConstantExpression {
  const at = reader.at;
  const op = reader.byte();
  let out: ConstantExpression;
  if (op === OP.i32Const) out = { kind: 'i32', value: reader.i32() };
  else if (op === OP.i64Const) out = { kind: 'i64', value: reader.i64() };
  else if (op === OP.refFunc) out = refFunc(reader.u32());
  else if (op === OP.refNull) {
    readReferenceType(reader);
    out = REF_NULL;
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
    items.push(flag & 4 ? readConstant(reader) : refFunc(reader.u32()));
  }
  return { mode, table, offset, items };
}

function readData(reader: Reader, draft: Draft): DataSegment {
  const flag = reader.u32();
  if (flag > 2) throw malformed('an unknown kind of data segment', reader.at);
  if (flag === 2 && reader.u32() !== 0) throw unsupported('memory', 1, reader.at);
  const offset = flag === 1 ? undefined : readConstant(reader);
  const length = reader.u32();
  total('dataBytes', draft, length);
  return { mode: flag === 1 ? 'passive' : 'active', offset, bytes: reader.take(length) };
}

const NO_LOCALS: readonly ValueType[] = [];

function readLocals(reader: Reader, params: number, draft: Draft): readonly ValueType[] {
  let locals: ValueType[] | undefined;
  let count = params;
  for (let n = reader.count(); n > 0; n--) {
    const more = reader.u32();
    count += more;
    if (count > LIMITS.locals) throw overLimit('locals', count);
    total('declaredLocals', draft, more);
    const type = readValueType(reader);
    locals ??= [];
    for (let i = 0; i < more; i++) locals.push(type);
  }
  return locals ?? NO_LOCALS;
}

function readBodies(reader: Reader, draft: Draft): void {
  const count = reader.count();
  if (count !== draft.declared.length) throw malformed('functions declared and defined differ in number', reader.at);
  for (const typeIndex of draft.declared) {
    const type = draft.types[typeIndex];
    if (!type) throw invalid('a function has an unknown type', { type: typeIndex });
    const size = reader.u32();
    if (size > LIMITS.bodyBytes) throw overLimit('bodyBytes', size);
    const body = reader.inner(size);
    const locals = readLocals(body, type.params.length, draft);
    draft.bodies.push({ typeIndex, locals, start: body.at, end: body.end });
  }
}

function readItems<T>(reader: Reader, count: number, read: (reader: Reader) => T): T[] {
  const out: T[] = [];
  for (let n = count; n > 0; n--) out.push(read(reader));
  return out;
}

function readVector<T>(reader: Reader, limit: keyof typeof LIMITS, read: (reader: Reader) => T): T[] {
  return readItems(reader, reader.countUpTo(limit), read);
}

/** Type indices of the functions; imported functions count for the limit. */
function readFunctions(reader: Reader, imports: number): number[] {
  const count = reader.u32();
  if (count + imports > LIMITS.functions) throw overLimit('functions', count + imports);
  if (count > reader.end - reader.at) throw malformed('a vector is longer than what is left', reader.at);
  return readItems(reader, count, (r) => r.u32());
}

/** A vector of which only none or one is allowed. */
function atMostOne<T>(reader: Reader, what: string, read: (reader: Reader) => T): T | undefined {
  const count = reader.count();
  if (count > 1) throw unsupported(`more than one ${what}:`, count, reader.at);
  return count === 0 ? undefined : read(reader);
}

function readTable(reader: Reader): WasmModule['table'] {
  readReferenceType(reader);
  const { min, max } = readLimits(reader, 'table');
  if (min > LIMITS.tableElements) throw overLimit('tableElements', min);
  if (max !== undefined && max < min) throw invalid('a maximum is below its minimum', { min, max });
  return { min, max };
}

/** The greatest memory of WebAssembly, in pages. A maximum may be as large; it is cut to the limit later. */
const GREATEST_MEMORY = 65_536;

function readMemory(reader: Reader): WasmModule['memory'] {
  const { min, max } = readLimits(reader, 'memory');
  if (min > LIMITS.memoryPages) throw overLimit('memoryPages', min);
  if (max !== undefined && max < min) throw invalid('a maximum is below its minimum', { min, max });
  if (max !== undefined && max > GREATEST_MEMORY) throw invalid('a memory is larger than 4 GiB', { max });
  return { minPages: min, maxPages: max };
}

function readSection(id: number, reader: Reader, draft: Draft): void {
  switch (id) {
    case 1:
      draft.types = readVector(reader, 'types', (r) => readType(r, draft));
      return;
    case 2:
      draft.imports = readVector(reader, 'imports', readImport);
      return;
    case 3:
      draft.declared = readFunctions(reader, draft.imports.length);
      return;
    case 4:
      draft.table = atMostOne(reader, 'table', readTable);
      return;
    case 5:
      draft.memory = atMostOne(reader, 'memory', readMemory);
      return;
    case 6:
      draft.globals = readVector(reader, 'globals', readGlobal);
      return;
    case 7:
      draft.exports = readVector(reader, 'exports', readExport);
      return;
    case 8:
      draft.start = reader.u32();
      return;
    case 9:
      draft.elements = readVector(reader, 'elementSegments', readElements);
      return;
    case 12:
      draft.dataCount = reader.u32();
      return;
    case 10:
      readBodies(reader, draft);
      return;
    case 11:
      draft.dataSegments = readVector(reader, 'dataSegments', (r) => readData(r, draft));
  }
}

function readSections(reader: Reader, draft: Draft): void {
  let next = 0;
  while (!reader.done) {
    const at = reader.at;
    const id = reader.byte();
    const section = reader.inner(reader.u32());
    if (id === 0) {
      section.skipName();
      continue;
    }
    const place = ORDER.indexOf(id);
    if (place < 0) throw unsupported('section', id, at);
    if (place < next) throw malformed('a section is repeated or out of order', at);
    next = place + 1;
    readSection(id, section, draft);
    if (!section.done) throw malformed('bytes follow the end of a section', section.at);
  }
}

/**
 * Decodes a WASM module (binary format of WebAssembly 2.0, without floats, vectors and external references) except for
 * its instructions, within the limits of lane rules 3 that can be seen without them. Custom sections are skipped.
 * Throws {@link ProgramError}: `WASM_MALFORMED`, `WASM_UNSUPPORTED`, `WASM_FLOAT`, `WASM_LIMIT`, `WASM_INVALID`.
 */
export function readModule(bytes: Uint8Array): RawModule {
  if (bytes.length > LIMITS.moduleBytes) throw overLimit('moduleBytes', bytes.length);
  const reader = new Reader(bytes, 0, bytes.length);
  const header = reader.take(8);
  const expected = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  if (!expected.every((b, i) => header[i] === b)) throw malformed('not a WASM module of version 1', 0);
  const draft: Draft = {
    ...{ bytes, types: [], imports: [], bodies: [], table: undefined, memory: undefined, globals: [], exports: [] },
    ...{ start: undefined, elements: [], dataSegments: [], dataCount: undefined, declared: [] },
    ...{ typeValues: 0, declaredLocals: 0, dataBytes: 0 },
  };
  readSections(reader, draft);
  if (draft.bodies.length !== draft.declared.length) throw malformed('functions have no bodies', reader.at);
  if (draft.dataCount !== undefined && draft.dataCount !== draft.dataSegments.length) {
    throw malformed('data segments and their declared count differ', reader.at);
  }
  const { declared: _1, typeValues: _2, declaredLocals: _3, dataBytes: _4, ...module } = draft;
  return module;
}

/** The module with its instructions decoded. Meant for one that `validateModule` has accepted. */
export function decodeBodies({ bodies, bytes, ...module }: RawModule): WasmModule {
  const functions = bodies.map(({ typeIndex, locals, start, end }) => {
    return { typeIndex, locals, code: readBody(new Reader(bytes, start, end)) };
  });
  return { ...module, functions };
}

/** Decodes a whole module. What it accepts is well formed but not yet valid: see `validateModule`. */
export function decodeModule(bytes: Uint8Array): WasmModule {
  return decodeBodies(readModule(bytes));
}
