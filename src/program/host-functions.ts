import { InternalError } from '../errors/errors.js';
import { EMPTY_BYTES, u128Bytes } from '../util/bytes.js';
import { type EnvName, hostFuel } from './env.js';
import { GuestMemory } from './guest-memory.js';
import { type IntrinsicHost, intrinsicImports } from './intrinsics.js';
import type { RevertReason, RunHost } from './types.js';
import { unshared } from './unshared.js';

/**
 * Thrown by a host function to end the run at once; no program can catch it. No Error, for a stack trace costs more
 * than most runs.
 */
export class RunStop {
  constructor(readonly reason: RevertReason | 'out-of-fuel') {}
}

const ID_BYTES = 32;
const U64_BYTES = 8;
const U128_BYTES = 16;

/**
 * The functions of `env` for one instance (alkanes-wire 8, lane rules 4 and 5), for one run at a time. Each reads its
 * input buffers, then charges, then checks where it writes, then acts.
 */
export class HostFunctions implements IntrinsicHost {
  askedDryRun = false;
  #memory: GuestMemory | undefined;
  #host: RunHost | undefined;

  /**
   * Gives the functions what exists only after the imports: the instance's memory, its fuel counter, of a lent memory
   * the bytes that the program sees of it, and whether a page below them is hidden.
   */
  attach(...parts: ConstructorParameters<typeof GuestMemory>): void {
    this.#memory = new GuestMemory(...parts);
  }

  /** The next run asks `host`. */
  begin(host: RunHost): void {
    this.#host = host;
    this.askedDryRun = false;
  }

  /** The run is over: nothing of its host is kept alive. */
  finish(): void {
    this.#host = undefined;
  }

  get memory(): GuestMemory {
    if (!this.#memory) throw new InternalError('a host function was called before the instance existed');
    return this.#memory;
  }

  private get host(): RunHost {
    if (!this.#host) throw new InternalError('a host function was called outside a run');
    return this.#host;
  }

  /** Takes `amount` of fuel, or ends the run with OUT_OF_FUEL. */
  charge(amount: number): void {
    if (!this.memory.charge(amount)) throw new RunStop('out-of-fuel');
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

  private inputId(pointer: number): Uint8Array {
    const bytes = this.input(pointer);
    if (bytes.length < ID_BYTES) throw new RunStop('short-id');
    return bytes.subarray(0, ID_BYTES);
  }

  checkOutput(pointer: number, length: number): void {
    if (!this.memory.fits(pointer, length)) throw new RunStop('bad-pointer');
  }

  output(pointer: number, data: Uint8Array): void {
    this.checkOutput(pointer, data.length);
    this.memory.write(pointer, data);
  }

  /** The value of a key of its own storage, once it is paid for. */
  private storage(name: '__request_storage' | '__load_storage', pointer: number): Uint8Array {
    const key = this.input(pointer);
    // Whoever cannot pay for the key alone reads nothing: a name of many megabytes would be kept as a read.
    if (hostFuel(name, key.length) > this.memory.fuelLeft) throw new RunStop('out-of-fuel');
    const keyBytes = key.length;
    const value = this.host.storage(key) ?? EMPTY_BYTES;
    this.pay(name, keyBytes + value.length);
    return value;
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
    const record = (name: EnvName, declare: (key: Uint8Array) => void) => (pointer: number) => {
      const key = this.input(pointer);
      this.pay(name, key.length);
      declare(key);
      return undefined;
    };
    const stop = (name: EnvName, reason: RevertReason) => () => {
      this.pay(name);
      throw new RunStop(reason);
    };
    return {
      abort: stop('abort', 'abort'),
      __request_storage: (pointer: number) => this.storage('__request_storage', pointer).length,
      __load_storage: (pointer: number, out: number) => {
        this.output(out, this.storage('__load_storage', pointer));
        return out;
      },
      __request_context: request('__request_context', () => this.host.context),
      __load_context: (out: number) => {
        this.pay('__load_context', this.host.context.length);
        this.output(out, this.host.context);
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
        this.output(out, this.host.balance(holder, asset));
        return undefined;
      },
      // Inner calls do not exist in these rules, so the last call's response is always empty.
      __returndatacopy: load('__returndatacopy', () => EMPTY_BYTES),
      __log: (pointer: number) => {
        this.pay('__log', this.inputLength(pointer));
        return undefined;
      },
      __call: stop('__call', 'inner-call'),
      __delegatecall: stop('__delegatecall', 'inner-call'),
      __staticcall: stop('__staticcall', 'inner-call'),
      __is_dry_run: () => {
        this.askedDryRun = true;
        this.pay('__is_dry_run');
        return this.host.isDryRun ? 1 : 0;
      },
      __record_get: record('__record_get', (key) => this.host.declareRead(key)),
      __record_put: record('__record_put', (key) => this.host.declareWrite(key)),
      ...intrinsicImports(this),
    };
  }
}
