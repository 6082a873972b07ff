import { REVERT_REASONS, STACK_SLOTS, WHY_FUEL } from '../program/types.js';

/**
 * What TypeScript and WGSL must agree on, defined once: structs as word offsets, status words, bindings.
 * Every buffer is an array of u32 words; `*_AT` fields are word indices, `*_BYTES` byte lengths.
 */
export const NONE = 0xffffffff;
export const WORKGROUP_SIZE = 64;
/** Bytes of result kept per call; a longer one is a PUNT. */
export const OUTPUT_BYTES = 2048;

/** Head of a call in `tx_payloads` (all heads first, then the contexts). Read and write records are ranges of `access_lists`. */
export const CALL = struct('CALL', [
  'CONTEXT_AT',
  'CONTEXT_BYTES',
  'FUEL',
  'HEIGHT',
  'FIRST_READ',
  'READS',
  'FIRST_WRITE',
  'WRITES',
  'TOUCHED_AT',
]);

/** Record of `access_lists`: one declared key; key and value lie in `input_state`. VALUE_BYTES is NONE for an absent value. */
export const ACCESS = struct('ACCESS', ['HASH', 'KEY_AT', 'KEY_BYTES', 'VALUE_AT', 'VALUE_BYTES']);

/** Result of a call in `status_flags.words`; AT is an index into `output_state`, NONE for a bad result pointer. */
export const RESULT = struct('RESULT', ['STATUS', 'DETAIL', 'FUEL', 'AT', 'BYTES']);

/** The uniform `params`. */
export const PARAMS = struct('PARAMS', ['CALLS', 'STRIDE', 'MAP_MASK', 'SEED']);

export const STATUSES = ['OK', 'REVERT', 'TRAP', 'OUT_OF_FUEL', 'ACCESS_VIOLATION', 'PUNT'] as const;

/** Why a run was handed to the CPU, by number in the result's DETAIL. */
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
] as const;
export type PuntReason = (typeof PUNTS)[number];

/** What a run is stopped with: the status in the low byte, the detail above it. */
function stopCode(status: (typeof STATUSES)[number], detail: number): number {
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
  { name: 'state_map', access: 'read', type: 'array<u32>' },
  { name: 'access_lists', access: 'read', type: 'array<u32>' },
  { name: 'program_data', access: 'read', type: 'array<u32>' },
  { name: 'memory', access: 'read_write', type: 'array<u32>' },
  { name: 'output_state', access: 'read_write', type: 'array<u32>' },
  { name: 'status_flags', access: 'read_write', type: 'StatusFlags' },
] as const;
export type BufferName = (typeof BUFFERS)[number]['name'];
export const PARAMS_BINDING = BUFFERS.length;
/** Words of `status_flags` before the results: the atomic count of words taken of `output_state`. */
export const STATUS_HEAD_WORDS = 1;

/** Words behind the memory window that kernels/memory.wgsl may touch. */
export const WINDOW_SPARE_BYTES = 12;

/** WGSL declarations of everything above. */
export function layoutWgsl(): string {
  const lines: string[] = [];
  const constant = (name: string, value: number): void => {
    lines.push(`const ${name} = ${value}u;`);
  };
  constant('NONE', NONE);
  constant('WORKGROUP_SIZE', WORKGROUP_SIZE);
  constant('OUTPUT_BYTES', OUTPUT_BYTES);
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
  for (const s of [CALL, ACCESS, RESULT]) lines.push(...s.wgsl);
  lines.push(
    `struct Params { ${PARAMS.fields.map((f) => `${f.toLowerCase()}: u32`).join(', ')} }`,
    'struct StatusFlags { output_words: atomic<u32>, words: array<u32> }',
  );
  BUFFERS.forEach(({ name, access, type }, i) => {
    lines.push(`@group(0) @binding(${i}) var<storage, ${access}> ${name}: ${type};`);
  });
  lines.push(`@group(0) @binding(${PARAMS_BINDING}) var<uniform> params: Params;`, 'var<private> call_index: u32;');
  return `${lines.join('\n')}\n`;
}

/** A message's fuel must stay a positive i32, for the instrumentation subtracts and compares signed. */
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
