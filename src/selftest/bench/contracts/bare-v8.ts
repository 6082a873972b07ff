/** Calls on V8 with nothing around them: the contract as it came, without fuel, limits or records. */
import { createHash } from 'node:crypto';
import type { EnvName } from '../../../program/env.js';
import { type IntrinsicHost, intrinsicImports } from '../../../program/intrinsics.js';
import { bytesEqual, readU32, u64Bytes, u128Bytes, writeU32 } from '../../../util/bytes.js';
import type { RecordedFrame } from './recorded.js';

const NOTHING = new Uint8Array(0);

/** What a call took, microseconds. */
export interface BareTimes {
  /** With making the instance, which a call needs whose memory is to be fresh. */
  readonly whole: number;
  /** `__execute` alone. */
  readonly execution: number;
}

/** Modules as they came, compiled once. */
export class BareModules {
  readonly #compiled = new Map<string, WebAssembly.Module>();

  of({ hash, source }: RecordedFrame['program']): WebAssembly.Module {
    let module = this.#compiled.get(hash);
    if (module === undefined) {
      module = new WebAssembly.Module(new Uint8Array(source));
      this.#compiled.set(hash, module);
    }
    return module;
  }
}

/** The run of one frame on an instance of its own, answered as the lane answered it. */
export class BareRun {
  /** The contract asked for its fuel, which only the lane counts: what it returns may differ. */
  askedFuel = false;
  /** A frame inside it returned something else than in the lane. */
  differs = false;
  #memory: WebAssembly.Memory | undefined;
  #found = 0;
  #sequences = 0;
  #calls = 0;
  #returned: Uint8Array = NOTHING;

  constructor(
    readonly frame: RecordedFrame,
    readonly modules: BareModules,
  ) {}

  /** Runs `__execute`; what it returned, or undefined if it failed. */
  run(times?: (times: BareTimes) => void): Uint8Array | undefined {
    const started = performance.now();
    const { exports } = new WebAssembly.Instance(this.modules.of(this.frame.program), { env: this.#env() });
    const { __execute: execute, memory } = exports;
    if (typeof execute !== 'function' || !(memory instanceof WebAssembly.Memory)) return undefined;
    this.#memory = memory;
    try {
      const entered = performance.now();
      const pointer = Number(execute());
      const left = performance.now();
      const result = this.#input(pointer).slice();
      const ended = performance.now();
      times?.({ whole: (ended - started) * 1_000, execution: (left - entered) * 1_000 });
      return result;
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError || error instanceof Stopped) return undefined;
      throw error;
    }
  }

  get #bytes(): Uint8Array {
    if (this.#memory === undefined) throw new RangeError('the instance does not exist yet');
    return new Uint8Array(this.#memory.buffer);
  }

  #input(pointer: number): Uint8Array {
    const bytes = this.#bytes;
    const at = pointer >>> 0;
    if (at < 4 || at > bytes.length) throw new Stopped();
    return bytes.subarray(at, at + readU32(bytes, at - 4));
  }

  #output(pointer: number, data: Uint8Array): void {
    const bytes = this.#bytes;
    const at = pointer >>> 0;
    writeU32(bytes, at - 4, data.length);
    bytes.set(data, at);
  }

  #nextFound(): Uint8Array {
    return this.frame.found[this.#found++] ?? NOTHING;
  }

  /** Runs the frame inside; the caller is given what it was given in the lane. */
  #call(): number {
    const call = this.frame.calls[this.#calls++];
    if (call === undefined) throw new Stopped();
    if (call.frame !== undefined) {
      const inside = new BareRun(call.frame, this.modules);
      const result = inside.run();
      this.askedFuel ||= inside.askedFuel;
      this.differs ||= inside.differs || !bytesEqual(result, call.frame.end?.result);
      if (call.frame.end?.status !== 'OK') throw new Stopped();
    }
    this.#returned = call.returned;
    return call.returned.length;
  }

  #env(): Record<EnvName, (...args: never[]) => number | undefined> {
    const { frame } = this;
    const load = (data: () => Uint8Array) => (out: number) => {
      this.#output(out, data());
      return undefined;
    };
    const ignore = () => undefined;
    const intrinsics: IntrinsicHost = {
      memory: { hash: (pointer, _length, out, twice) => this.#hash(pointer, out, twice) },
      inputLength: (pointer) => this.#input(pointer).length,
      input: (pointer) => this.#input(pointer),
      inputOf: (pointer) => this.#input(pointer),
      pay: ignore,
      checkOutput: ignore,
      output: (pointer, data) => this.#output(pointer, data),
    };
    return {
      abort: () => {
        throw new Stopped();
      },
      __request_storage: () => this.#nextFound().length,
      __load_storage: (_key: number, out: number) => {
        this.#output(out, this.#nextFound());
        return out;
      },
      __request_context: () => frame.context.length,
      __load_context: (out: number) => {
        this.#output(out, frame.context);
        return out;
      },
      __request_transaction: () => frame.transaction.length,
      __load_transaction: load(() => frame.transaction),
      __request_block: () => frame.block.length,
      __load_block: load(() => frame.block),
      __sequence: load(() => u128Bytes(frame.sequences[this.#sequences++] ?? 0n)),
      __fuel: (out: number) => {
        this.askedFuel = true;
        this.#output(out, u64Bytes(0n));
        return undefined;
      },
      __height: load(() => u64Bytes(BigInt(frame.height))),
      __balance: (_who: number, _what: number, out: number) => {
        this.#output(out, this.#nextFound());
        return undefined;
      },
      __returndatacopy: load(() => this.#returned),
      __log: ignore,
      __call: () => this.#call(),
      __delegatecall: () => this.#call(),
      __staticcall: () => this.#call(),
      __is_dry_run: () => 0,
      __record_get: ignore,
      __record_put: ignore,
      ...intrinsicImports(intrinsics),
    };
  }

  #hash(pointer: number, out: number, twice: boolean): void {
    const once = createHash('sha256').update(this.#input(pointer)).digest();
    this.#output(out, twice ? createHash('sha256').update(once).digest() : once);
  }
}

/** The contract ends the run. */
class Stopped extends Error {}
