import type { DeclaredKey } from '../../gpu/pack/records.js';
import type { MessageCall } from '../../lane/message.js';
import type { CallBuffers, CallingFrame, RunHost } from '../../program/types.js';
import { fromBinaryString, toBinaryString } from '../../util/bytes.js';

/** Notes the contract's own keys that a run names on their way to its host, as binary strings. */
export class RecordingHost implements RunHost {
  readonly read = new Set<string>();
  readonly written = new Set<string>();
  /** Those of `read` whose value was read, not only declared. */
  readonly touched = new Set<string>();
  /** It has called another contract, which the kernel cannot. */
  hasCalled = false;

  readonly #host: RunHost;

  constructor(host: RunHost) {
    this.#host = host;
  }

  get isDryRun(): boolean {
    return this.#host.isDryRun;
  }

  get height(): number {
    return this.#host.height;
  }

  get context(): Uint8Array {
    return this.#host.context;
  }

  get transaction(): Uint8Array {
    return this.#host.transaction;
  }

  get block(): Uint8Array {
    return this.#host.block;
  }

  storage(key: Uint8Array): Uint8Array | undefined {
    const name = toBinaryString(key);
    this.read.add(name);
    this.touched.add(name);
    return this.#host.storage(key);
  }

  sequence(): bigint {
    return this.#host.sequence();
  }

  balance(who: Uint8Array, what: Uint8Array): Uint8Array {
    return this.#host.balance(who, what);
  }

  declareRead(key: Uint8Array): void {
    this.read.add(toBinaryString(key));
    this.#host.declareRead(key);
  }

  declareWrite(key: Uint8Array): void {
    this.written.add(toBinaryString(key));
    this.#host.declareWrite(key);
  }

  call(buffers: CallBuffers, frame: CallingFrame): Uint8Array {
    this.hasCalled = true;
    return this.#host.call(buffers, frame);
  }

  /** The keys with the values that `call` finds there. */
  declared(call: MessageCall): DeclaredKey[] {
    const keys: DeclaredKey[] = [];
    const add = (name: string, read: boolean): void => {
      const key = fromBinaryString(name);
      const touched = this.touched.has(name);
      keys.push({ key, value: call.peekStorage(key), read, written: this.written.has(name), touched });
    };
    for (const name of this.read) add(name, true);
    for (const name of this.written) if (!this.read.has(name)) add(name, false);
    return keys;
  }
}
