import { InternalError } from '../errors/errors.js';
import { EMPTY_BYTES, u128Bytes } from '../util/bytes.js';
import { abortText } from './abort-text.js';
import { type EnvName, hostFuel } from './env.js';
import type { FrameMemory } from './frame-memory.js';
import { type IntrinsicHost, intrinsicImports } from './intrinsics.js';
import { ReturnBuffer } from './return-buffer.js';
import type { RunState } from './run-state.js';
import { RunStop } from './run-stop.js';
import type { CallingFrame, CallKind, Program, RunHost, RunResult } from './types.js';
import { unshared } from './unshared.js';

/** Runs a program in a frame inside of the one that these functions serve; undefined: it has no pages left for it. */
export type RunInside = (program: Program, host: RunHost, fuel: number) => RunResult | undefined;

const ID_BYTES = 32;
const U64_BYTES = 8;
const U128_BYTES = 16;

/**
 * The functions of `env` for one instance (alkanes-wire 8, lane rules 4 and 5), for one run at a time. Each reads its
 * input buffers, then charges, then checks where it writes, then acts.
 */
export class HostFunctions implements IntrinsicHost, CallingFrame {
  askedDryRun = false;
  depth = 0;
  #memory: FrameMemory | undefined;
  #host: RunState | undefined;
  /** Of the last call of this run. */
  #returnData: Uint8Array = EMPTY_BYTES;
  readonly #runInside: RunInside;

  readonly #returned: ReturnBuffer;

  /** `returned`: of all frames of a runner. */
  constructor(runInside: RunInside, returned = new ReturnBuffer()) {
    this.#runInside = runInside;
    this.#returned = returned;
  }

  /** Gives the functions what exists only after the imports. */
  attach(memory: FrameMemory): void {
    this.#memory = memory;
  }

  /** The next run, `depth` calls below its message, asks `host`. */
  begin(host: RunState, depth: number): void {
    this.#host = host;
    this.askedDryRun = false;
    this.depth = depth;
  }

  /** The run is over: nothing of its host is kept alive. */
  finish(): void {
    this.#host = undefined;
    this.#returnData = EMPTY_BYTES;
  }

  get memory(): FrameMemory {
    if (!this.#memory) throw new InternalError('a host function was called before the instance existed');
    return this.#memory;
  }

  private get host(): RunState {
    if (!this.#host) throw new InternalError('a host function was called outside a run');
    return this.#host;
  }

  /** Takes `amount` of fuel, or ends the run with OUT_OF_FUEL. */
  charge(amount: number): void {
    if (!this.memory.charge(amount)) throw new RunStop('out-of-fuel');
  }

  get fuelLeft(): number {
    return this.memory.fuelLeft;
  }

  run(program: Program, host: RunHost): RunResult | undefined {
    const end = this.#runInside(program, host, this.memory.fuelLeft);
    if (end === undefined) return undefined;
    this.memory.fuelLeft = end.fuelLeft;
    this.askedDryRun ||= end.askedDryRun;
    return end;
  }

  returned(...parts: readonly Uint8Array[]): Uint8Array {
    return this.#returned.join(...parts);
  }

  /** A call of another contract: reads its buffers; the host does the rest. Gives the length of the return data. */
  private call(kind: CallKind, cellpack: number, parcel: number, checkpoint: number): number {
    const buffers = {
      kind,
      cellpack: this.input(cellpack),
      parcel: this.input(parcel),
      checkpoint: this.input(checkpoint),
    };
    this.#returnData = this.host.call(buffers, this);
    return this.#returnData.length;
  }

  /** Takes the price of a call of `name` that works on `bytes`. */
  pay(name: EnvName, bytes = 0): void {
    this.charge(hostFuel(name, bytes));
  }

  inputLength(pointer: number): number {
    const length = this.memory.lengthAt(pointer);
    if (length < 0) throw new RunStop('bad-pointer');
    return length;
  }

  input(pointer: number): Uint8Array {
    const bytes = this.memory.view(pointer);
    if (!bytes) throw new RunStop('bad-pointer');
    return bytes;
  }

  inputOf(pointer: number, length: number): Uint8Array {
    const bytes = this.input(pointer);
    if (bytes.length !== length) throw new RunStop('host-error');
    return bytes;
  }

  /** Where the id at `pointer` lies. */
  private inputId(pointer: number): number {
    if (this.inputLength(pointer) < ID_BYTES) throw new RunStop('short-id');
    return pointer >>> 0;
  }

  checkOutput(pointer: number, length: number): void {
    if (!this.memory.fits(pointer, length)) throw new RunStop('bad-pointer');
  }

  output(pointer: number, data: Uint8Array): void {
    this.checkOutput(pointer, data.length);
    this.memory.write(pointer, data);
  }

  /** Finds the value of a key of its own storage, and gives its length, once that is paid for. */
  private findStorage(name: '__request_storage' | '__load_storage', pointer: number): number {
    const length = this.inputLength(pointer);
    // Whoever cannot pay for the key alone reads nothing: a name of many megabytes would be kept as a read.
    if (hostFuel(name, length) > this.memory.fuelLeft) throw new RunStop('out-of-fuel');
    const start = pointer >>> 0;
    const found = this.host.findStorage(this.memory.bytes, start, start + length);
    this.pay(name, length + found);
    return found;
  }

  /** Writes what was found, `length` bytes, with its length word. */
  private outputFound(pointer: number, length: number): void {
    this.checkOutput(pointer, length);
    this.memory.writeLength(pointer, length);
    this.host.writeFound(this.memory.bytes, pointer >>> 0);
  }

  /** The import object's `env`: every name of ENV. Prices: lane rules 5 and 6, from env.ts. */
  imports(): Record<EnvName, (...args: never[]) => number | undefined> {
    const load = (name: EnvName, data: () => Uint8Array) => (out: number) => {
      const bytes = data();
      this.pay(name, bytes.length);
      this.checkOutput(out, bytes.length);
      this.output(out, unshared(bytes));
      return undefined;
    };
    const request = (name: EnvName, data: () => Uint8Array) => () => {
      this.pay(name);
      return data().length;
    };
    const number = (name: EnvName, value: () => number) => (out: number) => {
      this.pay(name);
      this.checkOutput(out, U64_BYTES);
      this.memory.writeNumber(out, value());
      return undefined;
    };
    const record = (name: '__record_get' | '__record_put') => (pointer: number) => {
      const length = this.inputLength(pointer);
      this.pay(name, length);
      const start = pointer >>> 0;
      if (name === '__record_get') this.host.declareRead(this.memory.bytes, start, start + length);
      else this.host.declareWrite(this.memory.bytes, start, start + length);
      return undefined;
    };
    const call = (kind: CallKind) => (cellpack: number, parcel: number, checkpoint: number) =>
      this.call(kind, cellpack, parcel, checkpoint);
    return {
      abort: (message: number, file: number, line: number, column: number) => {
        this.pay('abort');
        const text = abortText(this.memory, message, file, line, column);
        if (text !== undefined) this.host.texts.aborted(text);
        throw new RunStop('abort');
      },
      __request_storage: (pointer: number) => this.findStorage('__request_storage', pointer),
      __load_storage: (pointer: number, out: number) => {
        this.outputFound(out, this.findStorage('__load_storage', pointer));
        return out;
      },
      __request_context: () => {
        this.pay('__request_context');
        return this.host.contextBytes;
      },
      __load_context: (out: number) => {
        const { contextBytes } = this.host;
        this.pay('__load_context', contextBytes);
        this.checkOutput(out, contextBytes);
        this.memory.writeLength(out, contextBytes);
        this.host.writeContext(this.memory.bytes, out >>> 0);
        return out;
      },
      __request_transaction: request('__request_transaction', () => this.host.transaction),
      __load_transaction: load('__load_transaction', () => this.host.transaction),
      __request_block: request('__request_block', () => this.host.block),
      __load_block: load('__load_block', () => this.host.block),
      __sequence: (out: number) => {
        this.pay('__sequence');
        // Checked before the sequence is read, so that a bad pointer leaves no read behind.
        this.checkOutput(out, U128_BYTES);
        this.output(out, u128Bytes(this.host.sequence()));
        return undefined;
      },
      __fuel: number('__fuel', () => this.memory.fuelLeft),
      __height: number('__height', () => this.host.height),
      __balance: (who: number, what: number, out: number) => {
        const holder = this.inputId(who);
        const asset = this.inputId(what);
        this.pay('__balance');
        this.outputFound(out, this.host.findBalance(this.memory.bytes, holder, asset));
        return undefined;
      },
      __returndatacopy: load('__returndatacopy', () => this.#returnData),
      __log: (pointer: number) => {
        const length = this.inputLength(pointer);
        this.pay('__log', length);
        const start = pointer >>> 0;
        this.host.texts.log(this.memory.bytes, start, start + length);
        return undefined;
      },
      __call: call('call'),
      __delegatecall: call('delegatecall'),
      __staticcall: call('staticcall'),
      __is_dry_run: () => {
        this.askedDryRun = true;
        this.pay('__is_dry_run');
        return this.host.isDryRun ? 1 : 0;
      },
      __record_get: record('__record_get'),
      __record_put: record('__record_put'),
      ...intrinsicImports(this),
    };
  }
}
