import { InternalError } from '../errors.js';
import { EMPTY_BYTES, u64Bytes, u128Bytes } from '../util/bytes.js';
import { GuestMemory } from './guest-memory.js';
import { type IntrinsicHost, intrinsicImports } from './intrinsics.js';
import type { RevertReason, RunHost } from './types.js';

/** Thrown by a host function to end the run at once; no program can catch it. No Error, for a stack trace costs more than most runs. */
export class RunStop {
  constructor(readonly reason: RevertReason | 'out-of-fuel') {}
}

const ID_BYTES = 32;

/**
 * The functions of `env` for one instance (alkanes-wire 8, lane rules 4 and 5), for one run at a time. Each reads its
 * input buffers, then charges, then checks where it writes, then acts.
 */
export class HostFunctions implements IntrinsicHost {
  askedDryRun = false;
  #memory: GuestMemory | undefined;
  #fuel: WebAssembly.Global | undefined;
  #host: RunHost | undefined;

  /** Gives the functions the instance's memory and fuel counter, which exist only after the imports. */
  attach(memory: WebAssembly.Memory, fuel: WebAssembly.Global): void {
    this.#memory = new GuestMemory(memory);
    this.#fuel = fuel;
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
    const fuel = this.#fuel!;
    const left = fuel.value;
    if (amount > left) throw new RunStop('out-of-fuel');
    fuel.value = left - amount;
  }

  input(pointer: number): Uint8Array {
    const bytes = this.memory.read(pointer);
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

  private innerCall(): never {
    throw new RunStop('inner-call');
  }

  /** The import object's `env`: every name of ENV_IMPORTS. */
  imports(): Record<string, (...args: never[]) => number | undefined> {
    const load = (charge: number, data: () => Uint8Array) => (out: number) => {
      this.charge(charge);
      this.output(out, data());
      return undefined;
    };
    const request = (charge: number, data: () => Uint8Array) => () => {
      this.charge(charge);
      return data().length;
    };
    const record = (declare: (key: Uint8Array) => void) => (pointer: number) => {
      const key = this.input(pointer);
      this.charge(key.length);
      declare(key);
      return undefined;
    };
    return {
      abort: () => {
        throw new RunStop('abort');
      },
      __request_storage: (pointer: number) => {
        const key = this.input(pointer);
        const value = this.host.storage(key) ?? EMPTY_BYTES;
        this.charge(key.length + value.length);
        return value.length;
      },
      __load_storage: (pointer: number, out: number) => {
        const key = this.input(pointer);
        const value = this.host.storage(key) ?? EMPTY_BYTES;
        this.charge(2 * (key.length + value.length));
        this.output(out, value);
        return out;
      },
      __request_context: request(1, () => this.host.context),
      __load_context: (out: number) => {
        this.charge(2 * this.host.context.length);
        this.output(out, this.host.context);
        return out;
      },
      __request_transaction: request(50, () => this.host.transaction),
      __load_transaction: load(500, () => this.host.transaction),
      __request_block: request(100, () => this.host.block),
      __load_block: load(1_000, () => this.host.block),
      __sequence: (out: number) => {
        this.charge(5);
        // Checked before the sequence is read, so that a bad pointer leaves no read behind.
        this.checkOutput(out, 16);
        this.output(out, u128Bytes(this.host.sequence()));
        return undefined;
      },
      __fuel: load(5, () => u64Bytes(BigInt(this.#fuel!.value))),
      __height: load(10, () => u64Bytes(BigInt(this.host.height))),
      __balance: (who: number, what: number, out: number) => {
        const holder = this.inputId(who);
        const asset = this.inputId(what);
        this.charge(10);
        this.output(out, this.host.balance(holder, asset));
        return undefined;
      },
      // Inner calls do not exist in these rules, so the last call's response is always empty and the charge 0.
      __returndatacopy: load(0, () => EMPTY_BYTES),
      __log: record(() => {}),
      __call: () => this.innerCall(),
      __delegatecall: () => this.innerCall(),
      __staticcall: () => this.innerCall(),
      __is_dry_run: () => {
        this.askedDryRun = true;
        this.charge(1);
        return this.host.isDryRun ? 1 : 0;
      },
      __record_get: record((key) => this.host.declareRead(key)),
      __record_put: record((key) => this.host.declareWrite(key)),
      ...intrinsicImports(this),
    };
  }
}
