// Modules that say something to `__log` and `abort`.
import type { Instruction } from '../../src/program/module.js';
import { concatBytes, u32Bytes } from '../../src/util/bytes.js';
import { block, call, end, get, i32, loop, OP, op, set, WasmBuilder } from '../helpers/wasm-builder.js';

const sized = (bytes: Uint8Array): Uint8Array => concatBytes(u32Bytes(bytes.length), bytes);
/** An empty result: no transfers, no entries, no data. */
const RESULT = 4;

function begun(): WasmBuilder {
  return new WasmBuilder().data(0, sized(new Uint8Array(20)));
}

/** Puts buffers behind each other; gives where their data begin. */
function buffers(b: WasmBuilder, all: readonly Uint8Array[], from = 1_000): number[] {
  let at = from;
  return all.map((bytes) => {
    b.data(at, sized(bytes));
    const pointer = at + 4;
    at = (pointer + bytes.length + 7) & ~3;
    return pointer;
  });
}

/** Logs `texts`, one after the other; then what is at `pointer`, if that is given. */
export function says(texts: readonly (string | Uint8Array)[], pointer?: number): Uint8Array {
  const b = begun();
  const log = b.import('__log');
  const pointers = buffers(
    b,
    texts.map((text) => (typeof text === 'string' ? new TextEncoder().encode(text) : text)),
  );
  if (pointer !== undefined) pointers.push(pointer);
  return b.execute([...pointers.flatMap((at) => [i32(at), call(log)]), i32(RESULT)]).bytes();
}

/** Logs a text of `bytes` dots `times` times. */
export function logging(times: number, bytes: number): Uint8Array {
  const b = begun();
  const log = b.import('__log');
  const [text] = buffers(b, [new Uint8Array(bytes).fill(0x2e)]);
  const count = [get(0), i32(1), op(OP.i32Add), set(0)];
  const body = [i32(text), call(log), ...count, get(0), i32(times), op(OP.i32LtU), op(OP.brIf, 0)];
  return b.execute([block(), loop(), ...body, end, end, i32(RESULT)], ['i32']).bytes();
}

interface Given {
  readonly logs?: readonly string[];
  readonly message?: string;
  /** In the place of a message: where it is said to be. */
  readonly pointer?: number;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** Logs, then aborts as AssemblyScript does. */
export function abortsWith({ logs = [], message, pointer, file, line = 0, column = 0 }: Given): Uint8Array {
  const b = begun();
  const log = b.import('__log');
  const abort = b.import('abort');
  const at = (text: string | undefined, from: number): number =>
    text === undefined ? 0 : buffers(b, [new Uint8Array(Buffer.from(text, 'utf16le'))], from)[0];
  const said: Instruction[] = buffers(
    b,
    logs.map((text) => new TextEncoder().encode(text)),
  ).flatMap((text) => [i32(text), call(log)]);
  const [where, source] = [pointer ?? at(message, 10_000), at(file, 20_000)];
  return b.execute([...said, i32(where), i32(source), i32(line), i32(column), call(abort), op(OP.unreachable)]).bytes();
}
