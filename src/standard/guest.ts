import type { ProgramCode } from '../errors/codes/registry.js';
import { ProgramError } from '../errors/errors.js';
import { bytesEqual, readU32, toBinaryString, writeU32 } from '../util/bytes.js';
import { FetchedValues, NOT_FETCHED } from './fetched-values.js';
import { checkFlush, eachElement, FlushError } from './flush.js';
import { noSecondary, type SecondaryRead } from './secondary.js';

/** Value of a key before this block (or at the height of the view); undefined if there is none. */
export type StandardRead = (key: Uint8Array) => Uint8Array | undefined;

/** As {@link StandardRead}, of several keys in their order: cheaper than one read after the other. */
export type StandardReadMany = (keys: readonly Uint8Array[]) => readonly (Uint8Array | undefined)[];

/** Both ways to read one state. */
export interface StandardReads {
  readonly read: StandardRead;
  readonly readMany: StandardReadMany;
}

/** What the guest gets for a key pointer that designates no buffer. */
const INVALID_LENGTH = 0x7fffffff;

/** Limit of what one block may flush: several hundred times a mainnet block's writes. */
const MAX_FLUSH_BYTES = 1024 * 1024 * 1024;
/** What the host holds for each pair of a preview beside its bytes. */
const PREVIEW_PAIR_BYTES = 40;

/** Limits of a list of keys to read ahead: some hundred times what a full block needs. */
const MAX_AHEAD_BYTES = 64 * 1024 * 1024;
const MAX_AHEAD_KEYS = 1_000_000;
/** Values that are read ahead in a block: the rest is read when the module asks for it. */
const MAX_FETCHED_BYTES = 64 * 1024 * 1024;
/** Keys of the first read of the store, and of the largest: they grow while the values turn out to be short. */
const FIRST_FETCH = 64;
const MAX_FETCH = 4_096;

/** Longest key that a view reads, or the block of a preview. */
const MAX_VIEW_KEY_BYTES = 16 * 1024 * 1024;

/**
 * What becomes of what a run flushes: that of a block is stored, that of a view ignored, that of a block of a preview
 * held in memory, at most so many bytes.
 */
export type FlushRule = 'stored' | 'ignored' | { readonly heldBytes: number };

/** Longest key of another index, and longest name of one. */
const MAX_OTHER_KEY_BYTES = 1024 * 1024;
const MAX_NAME_BYTES = 64;

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
  /** What was read ahead, a list of keys each. */
  readonly #fetched: FetchedValues[] = [];
  #fetchedBytes = 0;
  /** All of the memory, as long as it does not grow. */
  #view: Uint8Array | undefined;
  readonly #input: Uint8Array;
  readonly #height: number;
  readonly #read: StandardRead;
  readonly #flushRule: FlushRule;
  readonly #log: ((text: string) => void) | undefined;
  /** Bytes of a log line that are decoded. */
  readonly #logBytes: number;
  readonly #secondary: SecondaryRead | undefined;
  /** The last read of another index, as {@link #last}. */
  #lastOther: { readonly name: string; readonly key: Uint8Array; readonly value: Uint8Array | undefined } | undefined;

  constructor(
    input: Uint8Array,
    height: number,
    read: StandardRead,
    flushRule: FlushRule,
    log: ((text: string) => void) | undefined,
    logBytes = Number.POSITIVE_INFINITY,
    secondary?: SecondaryRead,
  ) {
    this.#secondary = secondary;
    this.#input = input;
    this.#height = height;
    this.#read = read;
    this.#flushRule = flushRule;
    this.#log = log;
    this.#logBytes = logBytes;
  }

  /** The bytes now designated by a buffer pointer, a view of the guest's memory; undefined if it is invalid. */
  buffer(pointer: number): Uint8Array | undefined {
    const at = pointer >>> 0;
    const memory = this.#all();
    if (memory === undefined || at < 4 || at > memory.length) return undefined;
    const length = readU32(memory, at - 4);
    return length > memory.length - at ? undefined : memory.subarray(at, at + length);
  }

  /** Size of the memory. */
  get memoryBytes(): number {
    return this.memory?.buffer.byteLength ?? 0;
  }

  /** All bytes of the memory; undefined before the instance exists. */
  #all(): Uint8Array | undefined {
    const buffer = this.memory?.buffer;
    // Growing detaches the buffer.
    if (buffer !== undefined && this.#view?.buffer !== buffer) this.#view = new Uint8Array(buffer);
    return this.#view;
  }

  #stop(code: ProgramCode, message: string): never {
    this.failure ??= new ProgramError(code, message);
    throw new GuestStop(message);
  }

  /** The memory at a guest address. The run ends if not all of `length` bytes are inside. */
  #room(pointer: number, length: number): Uint8Array {
    const at = pointer >>> 0;
    const memory = this.#all();
    if (memory === undefined || at + length > memory.length) {
      this.#stop('MODULE_BAD_POINTER', 'the module passed an address outside its memory to write to');
    }
    return memory.subarray(at, at + length);
  }

  /** Writes at a guest address. The run ends if the address is outside the memory. */
  #write(pointer: number, bytes: Uint8Array): void {
    this.#room(pointer, bytes.length).set(bytes);
  }

  #value(key: Uint8Array): Uint8Array | undefined {
    if (this.#last !== undefined && bytesEqual(this.#last.key, key)) return this.#last.value;
    // Only views and previews: a block may have stored any key, but what a view reads is copied several times.
    if (this.#flushRule !== 'stored' && key.length > MAX_VIEW_KEY_BYTES) {
      this.#stop('VIEW_MEMORY', 'the view read under a key of more than 16 MiB');
    }
    try {
      const own = key.slice();
      const fetched = this.#takeFetched(own);
      const value = fetched === NOT_FETCHED ? this.#read(own) : fetched;
      this.#last = { key: own, value };
      return value;
    } catch (error) {
      this.hostError ??= error;
      throw error;
    }
  }

  /**
   * Reads the keys that a buffer lists, before the module asks for them. Returns how many there are. A buffer that is
   * none, or does not decode, is the module's failure.
   */
  readAhead(pointer: number, readMany: StandardReadMany): number {
    const keys = this.#listed(pointer);
    try {
      this.#fetched.push(new FetchedValues(keys, this.#fetch(keys, readMany)));
    } catch (error) {
      this.hostError ??= error;
      throw error;
    }
    return keys.length;
  }

  /** Values of the first keys: of all, unless those read ahead take too much memory. */
  #fetch(keys: readonly Uint8Array[], readMany: StandardReadMany): (Uint8Array | undefined)[] {
    const values: (Uint8Array | undefined)[] = [];
    for (let size = FIRST_FETCH; values.length < keys.length && this.#fetchedBytes <= MAX_FETCHED_BYTES; ) {
      for (const value of readMany(keys.slice(values.length, values.length + size))) {
        values.push(value);
        this.#fetchedBytes += value?.length ?? 0;
      }
      size = Math.min(2 * size, MAX_FETCH);
    }
    return values;
  }

  #takeFetched(key: Uint8Array): Uint8Array | undefined | typeof NOT_FETCHED {
    for (const fetched of this.#fetched) {
      const value = fetched.take(key);
      if (value !== NOT_FETCHED) return value;
    }
    return NOT_FETCHED;
  }

  #listed(pointer: number): Uint8Array[] {
    const keys: Uint8Array[] = [];
    try {
      const buffer = this.buffer(pointer);
      if (buffer === undefined) throw new FlushError('it is not in the memory');
      if (buffer.length > MAX_AHEAD_BYTES) throw new FlushError('it is larger than 64 MiB');
      // The memory changes while the keys are in use.
      const list = buffer.slice();
      eachElement(list, (start, end) => {
        if (keys.length >= MAX_AHEAD_KEYS) throw new FlushError('it has more than a million keys');
        keys.push(list.subarray(start, end));
      });
    } catch (error) {
      if (!(error instanceof FlushError)) throw error;
      this.#stop('MODULE_BAD_READ_AHEAD', `the list of keys to read ahead does not decode: ${error.message}`);
    }
    return keys;
  }

  #flush(pointer: number): void {
    if (this.#flushRule === 'ignored') return;
    const buffer = this.buffer(pointer);
    if (buffer === undefined) {
      this.failure ??= new ProgramError('MODULE_BAD_FLUSH', 'the module flushed a buffer that is not in its memory');
      return;
    }
    this.#flushedBytes += buffer.length;
    this.#checkFlushed();
    const bytes = buffer.slice();
    try {
      this.pairCount += checkFlush(bytes);
      this.#checkFlushed();
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

  #checkFlushed(): void {
    const rule = this.#flushRule;
    if (typeof rule === 'object') {
      const held = this.#flushedBytes + this.pairCount * PREVIEW_PAIR_BYTES;
      if (held > rule.heldBytes) this.#stop('VIEW_MEMORY', 'the block of the preview writes too much');
    } else if (this.#flushedBytes > MAX_FLUSH_BYTES) {
      this.#stop('MODULE_FLUSH_TOO_LARGE', 'the module wrote more than 1 GiB in one block');
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
        const room = this.#room(pointer, this.#input.length + 4);
        writeU32(room, 0, this.#height);
        room.set(this.#input, 4);
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
      __secondary_get_len: (name, key) => this.#ofOther(name, key)?.length ?? 0,
      __secondary_get: (name, key, out) => {
        const value = this.#ofOther(name, key);
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

  /** The value of a key of another index; undefined if it has none, or a pointer designates no buffer or no name. */
  #ofOther(namePointer: number, keyPointer: number): Uint8Array | undefined {
    const key = this.buffer(keyPointer)?.slice();
    const bytes = this.buffer(namePointer);
    if (key === undefined || bytes === undefined) return undefined;
    if (key.length > MAX_OTHER_KEY_BYTES) this.#stop('MODULE_SECONDARY', 'the module reads a key of more than 1 MiB');
    // One unit per byte: what is not the text of a name is the name of no index.
    const name = toBinaryString(bytes.subarray(0, MAX_NAME_BYTES + 1));
    const last = this.#lastOther;
    if (last?.name === name && bytesEqual(last.key, key)) return last.value;
    try {
      if (this.#secondary === undefined) throw noSecondary(name);
      const value = this.#secondary(name, key);
      this.#lastOther = { name, key, value };
      return value;
    } catch (error) {
      if (!(error instanceof ProgramError)) {
        this.hostError ??= error;
        throw error;
      }
      this.failure ??= error;
      throw new GuestStop(error.message);
    }
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
