import type { ProgramCode } from '../errors/codes/registry.js';
import { ProgramError } from '../errors/errors.js';
import { bytesEqual, readU32, writeU32 } from '../util/bytes.js';
import { checkFlush, FlushError } from './flush.js';

/** Value of a key before this block (or at the height of the view); undefined if there is none. */
export type StandardRead = (key: Uint8Array) => Uint8Array | undefined;

/** What the guest gets for a key pointer that designates no buffer. */
const INVALID_LENGTH = 0x7fffffff;

/** Limit of what one block may flush: several hundred times a mainnet block's writes. */
const MAX_FLUSH_BYTES = 1024 * 1024 * 1024;

/** Longest key that a view reads. */
const MAX_VIEW_KEY_BYTES = 16 * 1024 * 1024;

/** Ends the guest's run from inside an import; the reason is kept in {@link Guest.failure}. */
class GuestStop extends Error {}

/** The host functions of one run and what they collected. Pointers come from the guest and may be anything. */
export class Guest {
  /** Undefined until the instance exists: a start function runs before that. */
  memory: WebAssembly.Memory | undefined;
  /** The first failure inside an import. */
  failure: ProgramError | undefined;
  /** What `read` threw: a fault of the store, not of the module. */
  hostError: unknown;
  readonly flushes: Uint8Array[] = [];
  pairCount = 0;
  #flushedBytes = 0;
  /**
   * The last read: modules ask for the length of a value, then for the value. The state does not change during a run.
   */
  #last: { readonly key: Uint8Array; readonly value: Uint8Array | undefined } | undefined;
  readonly #input: Uint8Array;
  readonly #height: number;
  readonly #read: StandardRead;
  /** A view's flushes are ignored. */
  readonly #keepsFlushes: boolean;
  readonly #log: ((text: string) => void) | undefined;
  /** Bytes of a log line that are decoded. */
  readonly #logBytes: number;

  constructor(
    input: Uint8Array,
    height: number,
    read: StandardRead,
    keepsFlushes: boolean,
    log: ((text: string) => void) | undefined,
    logBytes = Number.POSITIVE_INFINITY,
  ) {
    this.#input = input;
    this.#height = height;
    this.#read = read;
    this.#keepsFlushes = keepsFlushes;
    this.#log = log;
    this.#logBytes = logBytes;
  }

  /** The bytes now designated by a buffer pointer, a view of the guest's memory; undefined if it is invalid. */
  buffer(pointer: number): Uint8Array | undefined {
    const at = pointer >>> 0;
    if (this.memory === undefined || at < 4) return undefined;
    const memory = new Uint8Array(this.memory.buffer);
    if (at > memory.length) return undefined;
    const length = readU32(memory, at - 4);
    return length > memory.length - at ? undefined : memory.subarray(at, at + length);
  }

  #stop(code: ProgramCode, message: string): never {
    this.failure ??= new ProgramError(code, message);
    throw new GuestStop(message);
  }

  /** Writes at a guest address. The run ends if the address is outside the memory. */
  #write(pointer: number, bytes: Uint8Array): void {
    const at = pointer >>> 0;
    if (this.memory === undefined || at + bytes.length > this.memory.buffer.byteLength) {
      this.#stop('MODULE_BAD_POINTER', 'the module passed an address outside its memory to write to');
    }
    new Uint8Array(this.memory.buffer).set(bytes, at);
  }

  #value(key: Uint8Array): Uint8Array | undefined {
    if (this.#last !== undefined && bytesEqual(this.#last.key, key)) return this.#last.value;
    // Only views: a block may have stored any key, but what a view reads is copied several times.
    if (!this.#keepsFlushes && key.length > MAX_VIEW_KEY_BYTES) {
      this.#stop('VIEW_MEMORY', 'the view read under a key of more than 16 MiB');
    }
    try {
      const own = key.slice();
      const value = this.#read(own);
      this.#last = { key: own, value };
      return value;
    } catch (error) {
      this.hostError ??= error;
      throw error;
    }
  }

  #flush(pointer: number): void {
    if (!this.#keepsFlushes) return;
    const buffer = this.buffer(pointer);
    if (buffer === undefined) {
      this.failure ??= new ProgramError('MODULE_BAD_FLUSH', 'the module flushed a buffer that is not in its memory');
      return;
    }
    this.#flushedBytes += buffer.length;
    if (this.#flushedBytes > MAX_FLUSH_BYTES)
      this.#stop('MODULE_FLUSH_TOO_LARGE', 'the module wrote more than 1 GiB in one block');
    const bytes = buffer.slice();
    try {
      this.pairCount += checkFlush(bytes);
      this.flushes.push(bytes);
    } catch (error) {
      if (!(error instanceof FlushError)) throw error;
      // The guest goes on, as with the reference host; the block is not kept.
      this.failure ??= new ProgramError(
        'MODULE_BAD_FLUSH',
        `the module flushed bytes that do not decode: ${error.message}`,
      );
    }
  }

  /** Text of AssemblyScript's abort: UTF-16LE with its byte length before it, 0 = none. */
  #utf16(pointer: number): string {
    const buffer = pointer === 0 ? undefined : this.buffer(pointer);
    return buffer ? new TextDecoder('utf-16le').decode(buffer.subarray(0, 2000)) : '';
  }

  /** The functions of module `env`. */
  imports(): Record<string, (...values: number[]) => number | undefined> {
    return {
      __host_len: () => this.#input.length + 4,
      __load_input: (pointer) => {
        const bytes = new Uint8Array(this.#input.length + 4);
        writeU32(bytes, 0, this.#height);
        bytes.set(this.#input, 4);
        this.#write(pointer, bytes);
        return undefined;
      },
      __get_len: (key) => {
        const bytes = this.buffer(key);
        return bytes === undefined ? INVALID_LENGTH : (this.#value(bytes)?.length ?? 0);
      },
      __get: (key, out) => {
        const bytes = this.buffer(key);
        if (bytes === undefined) {
          const length = new Uint8Array(4);
          writeU32(length, 0, INVALID_LENGTH);
          if (out >>> 0 >= 4) this.#write((out >>> 0) - 4, length);
          return undefined;
        }
        const value = this.#value(bytes);
        if (value !== undefined && value.length > 0) this.#write(out, value);
        return undefined;
      },
      __flush: (pointer) => {
        this.#flush(pointer);
        return undefined;
      },
      __log: (pointer) => {
        const bytes = this.#log && this.buffer(pointer);
        if (bytes) this.#logText(bytes);
        return undefined;
      },
      abort: (message, file, line, column) => {
        const where = this.#utf16(file);
        const text = this.#utf16(message) || 'no message';
        return this.#stop(
          'MODULE_ABORTED',
          `the module aborted: ${text}${where ? ` (${where}:${line >>> 0}:${column >>> 0})` : ''}`,
        );
      },
    };
  }

  #logText(bytes: Uint8Array): void {
    const cut = bytes.length > this.#logBytes;
    let text: string;
    try {
      // A cut line may end in the middle of a character.
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, this.#logBytes), { stream: cut });
    } catch {
      return;
    }
    this.#log?.(cut ? `${text}… (${bytes.length} bytes)` : text);
  }

  /** The error of a run that ended with `thrown`. Rethrows errors that the module did not cause. */
  explain(thrown: unknown, code: ProgramCode, what: string): ProgramError {
    if (this.hostError !== undefined) throw this.hostError;
    if (this.failure !== undefined) return this.failure;
    const reason = thrown instanceof Error ? thrown.message : 'an exception';
    return new ProgramError(code, `${what} trapped: ${reason}`, { cause: thrown });
  }
}
