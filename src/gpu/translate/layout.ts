import { STACK_SLOTS, WHY_FUEL } from '../../program/counters.js';
import { ENV, ENV_NAMES, type EnvFunction, HOST_CALL_FUEL } from '../../program/env.js';
import { RESULT_FUEL } from '../../program/prices.js';
import { MAX_KEY_BYTES, MAX_MAP_ENTRIES, MAX_TRANSFERS } from '../../program/result.js';
import { REVERT_REASONS } from '../../program/types.js';

/**
 * What TypeScript and WGSL must agree on, defined once: structs as word offsets, status words, bindings. Every buffer
 * is an array of u32 words. Unless said otherwise, `*_AT` fields are word indices and `*_BYTES` fields byte lengths.
 */
export const NONE = 0xffffffff;
export const WORKGROUP_SIZE = 64;
/** Most bytes of a call's result; a longer one is a PUNT. */
export const MAX_OUTPUT_BYTES = 2048;
/** Distance of the entries in the buffer of `params`: the largest alignment that WebGPU lets a device require. */
export const PARAMS_STRIDE = 256;

/**
 * Head of a call in {@link CallColumns.heads}, see records.ts; `*_AT` in bytes. EXPECTED_BYTES: length of the result to
 * reserve room for, NONE if unknown.
 */
export const CALL_RECORD = struct('CALL_RECORD', [
  'PROGRAM',
  'CONTEXT_AT',
  'CONTEXT_BYTES',
  'FUEL',
  'HEIGHT',
  'FIRST_ACCESS',
  'ACCESSES',
  'EXPECTED_BYTES',
]);

/**
 * A key in {@link CallColumns.keys}; `*_AT` in bytes. HASH is the hash of the key. VALUE_BYTES is NONE for an absent
 * value.
 */
export const KEY_RECORD = struct('KEY_RECORD', ['HASH', 'KEY_AT', 'KEY_BYTES', 'VALUE_AT', 'VALUE_BYTES']);

/** Declared key of a call in {@link CallColumns.accesses}: hash and number of the key, and flags. */
export const ACCESS_RECORD = struct('ACCESS_RECORD', ['HASH', 'KEY', 'FLAGS']);

/**
 * Head of a call in `tx_payloads`. CONTEXT_AT is a byte address in `input_state`; its keys are a range of
 * `access_lists`.
 */
export const CALL = struct('CALL', [
  'CONTEXT_AT',
  'CONTEXT_BYTES',
  'FUEL',
  'HEIGHT',
  'FIRST_ACCESS',
  'ACCESSES',
  'OUT_AT',
  'OUT_WORDS',
]);

/** Entry of `access_lists`, in ascending order of HASH within a call. SLOT: slot, with flags in the top two bits. */
export const ACCESS = struct('ACCESS', ['HASH', 'SLOT']);
export const KEY_READ = 0x80000000;
export const KEY_WRITTEN = 0x40000000;
export const MAX_SLOTS = 0x3fffffff;

/**
 * Entry of `state_map`, by slot: where its key lies in `input_state` (in words), and the byte address of its current
 * value; NONE if absent. The word before a value holds its length. An address with WRITTEN_ADDRESS lies in
 * `output_state` (a message of this block wrote the value), any other in `input_state`.
 */
export const SLOT = struct('SLOT', ['KEY_AT', 'KEY_BYTES', 'VALUE']);
export const WRITTEN_ADDRESS = 0x80000000;

/**
 * Result of a call in `status_flags`. STATUS: the status, with the detail from bit 8 on. BYTES: length of the result at
 * the call's OUT_AT, NONE for a bad pointer.
 */
export const RESULT = struct('RESULT', ['STATUS', 'FUEL', 'BYTES']);

/**
 * The uniform `params`, one per dispatch. FIRST, COUNT: its calls. STRIDE: invocations whose memory is interleaved.
 * SEED: where key hashes start. SEEN_AT: where the addresses of values that accesses read begin in `status_flags`.
 */
export const PARAMS = struct('PARAMS', ['FIRST', 'COUNT', 'STRIDE', 'SEED', 'SEEN_AT']);

export const STATUSES = ['OK', 'REVERT', 'TRAP', 'OUT_OF_FUEL', 'ACCESS_VIOLATION', 'PUNT'] as const;

/** Reasons for a PUNT, by their number in the detail of STATUS. */
export const PUNTS = [
  'none',
  'window',
  'output',
  'memory-grow',
  'indirect-call',
  'recursion',
  'import',
  'instruction',
  'multi-value',
  'branch-table',
  'table',
  'text',
] as const;
export type PuntReason = (typeof PUNTS)[number];

/** Status word of a stopped run: the status in the low byte, the detail above it. */
export function stopCode(status: (typeof STATUSES)[number], detail: number): number {
  return STATUSES.indexOf(status) | (detail << 8);
}

/** WGSL name of the stop code of a PUNT. */
export function puntStop(reason: PuntReason): string {
  return `STOP_PUNT_${wgslName(reason)}`;
}

/** Bindings of group 0, in order. */
export const BUFFERS = [
  { name: 'tx_payloads', access: 'read', type: 'array<u32>' },
  { name: 'input_state', access: 'read', type: 'array<u32>' },
  { name: 'state_map', access: 'read_write', type: 'array<u32>' },
  { name: 'access_lists', access: 'read', type: 'array<u32>' },
  { name: 'program_data', access: 'read', type: 'array<u32>' },
  { name: 'memory', access: 'read_write', type: 'array<u32>' },
  { name: 'output_state', access: 'read_write', type: 'array<u32>' },
  { name: 'status_flags', access: 'read_write', type: 'array<u32>' },
] as const;
export type BufferName = (typeof BUFFERS)[number]['name'];
export const PARAMS_BINDING = BUFFERS.length;
/** Bytes after the memory window that kernels/memory.wgsl may touch. */
export const WINDOW_SPARE_BYTES = 12;

/** WGSL declarations of everything above. */
export function layoutWgsl(): string {
  const lines: string[] = [];
  const constant = (name: string, value: number): void => {
    lines.push(`const ${name} = ${value}u;`);
  };
  constant('NONE', NONE);
  constant('WORKGROUP_SIZE', WORKGROUP_SIZE);
  constant('KEY_READ', KEY_READ);
  constant('KEY_WRITTEN', KEY_WRITTEN);
  constant('MAX_SLOTS', MAX_SLOTS);
  constant('WRITTEN_ADDRESS', WRITTEN_ADDRESS);
  constant('MAX_MAP_ENTRIES', MAX_MAP_ENTRIES);
  constant('MAX_KEY_BYTES', MAX_KEY_BYTES);
  constant('MAX_TRANSFERS', MAX_TRANSFERS);
  constant('FUEL_MAP_BYTE', RESULT_FUEL.mapByte);
  constant('FUEL_MAP_ENTRY', RESULT_FUEL.entry);
  constant('FUEL_TRANSFER', RESULT_FUEL.transfer);
  constant('DATA_BYTES_PER_FUEL', RESULT_FUEL.dataBytes);
  lines.push(...ENV_NAMES.map(hostFuelWgsl));
  constant('STACK_SLOTS', STACK_SLOTS);
  constant('WHY_FUEL', WHY_FUEL);
  STATUSES.forEach((name, i) => {
    constant(`STATUS_${name}`, i);
  });
  REVERT_REASONS.forEach((name, i) => {
    constant(`STOP_${wgslName(name)}`, stopCode('REVERT', i));
  });
  PUNTS.forEach((name, i) => {
    constant(`STOP_PUNT_${wgslName(name)}`, stopCode('PUNT', i));
  });
  for (const s of [CALL, ACCESS, SLOT, RESULT]) lines.push(...s.wgsl);
  lines.push(`struct Params { ${PARAMS.fields.map((f) => `${f.toLowerCase()}: u32`).join(', ')} }`);
  BUFFERS.forEach(({ name, access, type }, i) => {
    lines.push(`@group(0) @binding(${i}) var<storage, ${access}> ${name}: ${type};`);
  });
  lines.push(
    `@group(0) @binding(${PARAMS_BINDING}) var<uniform> params: Params;`,
    '// Number of the call in the block, and of the invocation in the dispatch.',
    'var<private> call_index: u32;',
    'var<private> invocation_index: u32;',
  );
  return `${lines.join('\n')}\n`;
}

/** Fuel price of a host call: a constant, or a function of the number of bytes it works on. */
function hostFuelWgsl(env: (typeof ENV_NAMES)[number]): string {
  const { fuel, perUnit, unit }: EnvFunction = ENV[env];
  const name = env.replace(/^_+/, '');
  const fixed = `${HOST_CALL_FUEL + fuel}u`;
  if (perUnit === 0) return `const FUEL_${name.toUpperCase()} = ${fixed};`;
  const units = unit === 1 ? 'bytes' : `((bytes + ${unit - 1}u) / ${unit}u)`;
  return `fn fuel_${name}(bytes: u32) -> u32 { return ${fixed} + ${perUnit}u * ${units}; }`;
}

/** Most fuel of a call: the instrumentation's arithmetic needs it to fit a positive i32. */
export const MAX_CALL_FUEL = 0x7fffffff;

function wgslName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}

interface Struct<F extends string> {
  readonly words: number;
  readonly fields: readonly F[];
  readonly offset: Readonly<Record<F, number>>;
  readonly wgsl: readonly string[];
}

function struct<F extends string>(name: string, fields: readonly F[]): Struct<F> {
  const offset = Object.fromEntries(fields.map((field, i) => [field, i])) as Record<F, number>;
  const wgsl = [`const ${name}_WORDS = ${fields.length}u;`, ...fields.map((f, i) => `const ${name}_${f} = ${i}u;`)];
  return { words: fields.length, fields, offset, wgsl };
}
