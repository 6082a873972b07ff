/** A contract's client in TypeScript: one file that needs no other. */
import { HELPERS } from './helpers.js';
import { bad, type ContractMeta, type Field, type MetaMethod, type MetaStorage } from './read-meta.js';
import { type WireType, wireType } from './types.js';

const RESERVED = new Set([
  'delete',
  'default',
  'new',
  'class',
  'function',
  'in',
  'var',
  'const',
  'with',
  'this',
  'void',
]);

/** Throws InputError CODEGEN_META for types that are not known. */
export function typescriptClient(meta: ContractMeta): string {
  const parts = [
    ...meta.methods.flatMap((method, i) => methodParts(method, `$.methods[${i}]`)),
    ...meta.storage.flatMap((kind, i) => storageParts(kind, `$.storage[${i}]`)),
  ];
  const needed = helpersFor(parts.join('\n'));
  const opcodes = meta.methods.map(({ name, opcode }) => `  ${name}: ${opcode}n,`);
  const head = [
    `// Written by \`warpshrew codegen\`: a client of the contract ${printable(meta.contract)}. Changes will be lost.`,
    ...(needed.includes('AlkaneId') ? [HELPERS.AlkaneId] : []),
    `/** First inputs of messages. */\nexport const OPCODES = {\n${opcodes.join('\n')}\n} as const;`,
  ];
  const helpers = needed.filter((name) => name !== 'AlkaneId').map((name) => HELPERS[name]);
  return `${[...head, ...parts, ...helpers].join('\n\n')}\n`;
}

function methodParts({ name, opcode, params, returns }: MetaMethod, at: string): string[] {
  const names = distinct(params);
  const list = params.map(({ type }, i) => `${names[i]}: ${argumentType(type, `${at}.params[${i}].type`)}`).join(', ');
  const inputs = params.map(({ type }, i) => `...${inputsOf(type, names[i], `${at}.params[${i}].type`)}`);
  const encode = `/** Inputs of \`${name}\`, for a message to the contract. */
export function encode${capital(name)}(${list}): bigint[] {
  return [${[`${opcode}n`, ...inputs].join(', ')}];
}`;
  if (returns === 'void' || returns === '') return [encode];
  const type = wireType(returns) ?? wireType('bytes');
  if (type === undefined) return [encode];
  return [
    encode,
    `/** What \`${name}\` answers, from the data of its receipt. */
export function decode${capital(name)}(data: Uint8Array): ${type.typescript} {
  return ${type.read}(data);
}`,
  ];
}

function storageParts({ name, key, value }: MetaStorage, at: string): string[] {
  const fields = key.filter((part): part is Field => typeof part !== 'string');
  const names = distinct(fields);
  const list = fields.map(({ type }, i) => `${names[i]}: ${known(type, `${at}.key`).typescript}`).join(', ');
  const bytes = key.map((part) =>
    typeof part === 'string'
      ? `textBytes(${JSON.stringify(part)})`
      : `${known(part.type, `${at}.key`).write}(${names[fields.indexOf(part)]})`,
  );
  let from = 0;
  const read = value.map(({ name: field, type }, i) => {
    const { width, read: reader, typescript } = known(type, `${at}.value[${i}].type`);
    if (width === undefined && i < value.length - 1)
      throw bad(`${at}.value[${i}]`, 'only the last field may be of any length');
    const start = from;
    from += width ?? 0;
    const part = width === undefined ? `value.subarray(${start})` : `value.subarray(${start}, ${start + width})`;
    return { field, typescript, text: `    ${field}: ${reader}(${part}),` };
  });
  const type = read.map(({ field, typescript }) => `  readonly ${field}: ${typescript};`).join('\n');
  return [
    `export interface ${capital(name)} {\n${type}\n}`,
    `/** The key of ${name} in the storage of the contract. */
export function keyOf${capital(name)}(${list}): Uint8Array {
  return join(${bytes.join(', ')});
}`,
    `/** What lies there. Throws RangeError if it is shorter. */
export function read${capital(name)}(value: Uint8Array): ${capital(name)} {
  sized(value, ${from}, ${JSON.stringify(name)});
  return {\n${read.map(({ text }) => text).join('\n')}\n  };
}`,
  ];
}

function argumentType(type: string, at: string): string {
  const item = listItem(type);
  return item === undefined ? known(type, at).typescript : `readonly (${argumentType(item, at)})[]`;
}

function inputsOf(type: string, name: string, at: string): string {
  const item = listItem(type);
  if (item === undefined) return `${known(type, at).inputs}(${name})`;
  return `listInputs(${name}, (item) => ${inputsOf(item, 'item', at)})`;
}

/** `Vec<T>`, but for bytes. */
function listItem(type: string): string | undefined {
  return type === 'Vec<u8>' || type.length > 100 ? undefined : /^Vec<(.+)>$/.exec(type)?.[1];
}

function known(type: string, at: string): WireType {
  const found = wireType(type);
  if (found === undefined) throw bad(at, `the type ${printable(type)} is not known`);
  return found;
}

/** Names of parameters, each once and none that TypeScript keeps for itself. */
function distinct(fields: readonly Field[]): string[] {
  const used = new Set<string>();
  return fields.map(({ name }) => {
    let own = RESERVED.has(name) ? `${name}_` : name;
    while (used.has(own)) own += '_';
    used.add(own);
    return own;
  });
}

/** Those that a text names, and those that these name. */
function helpersFor(text: string): string[] {
  const needed = new Set<string>();
  const look = (in_: string): void => {
    for (const name of Object.keys(HELPERS)) {
      if (needed.has(name) || !new RegExp(`\\b${name}\\b`).test(in_)) continue;
      needed.add(name);
      look(HELPERS[name]);
    }
  };
  look(text);
  return Object.keys(HELPERS).filter((name) => needed.has(name));
}

function capital(name: string): string {
  return name[0].toUpperCase() + name.slice(1);
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, '?').slice(0, 100);
}
