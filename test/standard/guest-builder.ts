import type { Instruction } from '../../src/program/module.js';
import { concatBytes, u32Bytes } from '../../src/util/bytes.js';
import { call, i32, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';

const SIGNATURES = {
  __host_len: '()->i32',
  __load_input: '(i32)->()',
  __get_len: '(i32)->i32',
  __get: '(i32,i32)->()',
  __flush: '(i32)->()',
  __log: '(i32)->()',
  abort: '(i32,i32,i32,i32)->()',
} as const;

/** Of modules that read other indexes: imported only where they are asked for. */
const SECONDARY = { __secondary_get_len: '(i32,i32)->i32', __secondary_get: '(i32,i32,i32)->()' } as const;

export const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

/** The bytes of a flush: a protobuf list of short elements. */
export function list(...elements: string[]): Uint8Array {
  return concatBytes(...elements.map((text) => concatBytes(Uint8Array.of(0x0a, text.length), ascii(text))));
}

/**
 * A Metashrew module made by hand: all imports of the interface, buffers as data, `_start` and views from instructions.
 */
export class GuestBuilder {
  readonly wasm = new WasmBuilder();
  private readonly functions: Record<string, number> = {};
  private free = 64;

  constructor({ secondary = false } = {}) {
    for (const [name, signature] of Object.entries({ ...SIGNATURES, ...(secondary && SECONDARY) }))
      this.functions[name] = this.wasm.import(name, signature);
  }

  /** Places a buffer and gives its pointer. */
  buffer(bytes: Uint8Array): number {
    const pointer = this.free + 4;
    this.wasm.data(this.free, concatBytes(u32Bytes(bytes.length), bytes));
    this.free = pointer + ((bytes.length + 7) & ~3);
    return pointer;
  }

  host(name: keyof typeof SIGNATURES | keyof typeof SECONDARY, ...values: number[]): Instruction[] {
    return [...values.map(i32), call(this.functions[name])];
  }

  flush(...elements: string[]): Instruction[] {
    return this.host('__flush', this.buffer(list(...elements)));
  }

  start(...code: Instruction[][]): this {
    this.wasm.export('_start', this.wasm.function('()->()', code.flat()));
    return this;
  }

  view(name: string, ...code: Instruction[][]): this {
    this.wasm.export(name, this.wasm.function('()->i32', code.flat()));
    return this;
  }

  bytes(): Uint8Array {
    return this.wasm.bytes();
  }
}

export const drop = [op(OP.drop)];
export const unreachable = [op(OP.unreachable)];
export const number = (value: number): Instruction[] => [i32(value)];
