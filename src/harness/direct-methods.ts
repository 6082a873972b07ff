/**
 * What calls of one contract and opcode touch, as far as it was seen: the kernel wants the keys of a call before it
 * runs. A call by itself is the contract's run alone, over a state that it does not change.
 */
import { balanceKeyOfBytes, SEQUENCE_KEY, storagePrefix } from '../lane/keys.js';
import type { LaneKey, StateReader } from '../lane/types.js';
import { parseResult } from '../program/result.js';
import { refuseCall } from '../program/run-stop.js';
import type { ProgramRunner } from '../program/runner.js';
import { NO_TEXTS, type Program, type RunHost, type RunResult } from '../program/types.js';
import { idBytes } from '../protocol/alkane-id.js';
import { LANE_TARGET } from '../protocol/cellpack.js';
import { encodeCellpack } from '../protocol/encode.js';
import type { AlkaneId } from '../protocol/types.js';
import { EMPTY_BYTES, fromBinaryString, readU128, toBinaryString } from '../util/bytes.js';

/** Keys of a method that are told to the kernel. */
const MOST_KEYS = 128;
/** Calls that are run here to learn the keys of a method. */
const SAMPLES = 4;
/** Bytes of a result beyond the longest that was seen. */
const SPARE_BYTES = 64;

export interface MethodKey {
  readonly own: Uint8Array;
  readonly full: LaneKey;
  read: boolean;
  written: boolean;
}

/** One contract and opcode. */
export class DirectMethod {
  /** By the contract's own key, as a binary string. */
  readonly keys = new Map<string, MethodKey>();
  readonly myself: Uint8Array;
  /** Bytes of calldata before the opcode. */
  readonly targetBytes: number;
  readonly #prefix: LaneKey;
  #samples = 0;
  #resultBytes = 0;

  constructor(
    readonly id: AlkaneId,
    readonly program: Program,
  ) {
    this.myself = idBytes(id);
    this.targetBytes = encodeCellpack(LANE_TARGET, [id.block, id.tx]).length;
    this.#prefix = storagePrefix(id);
  }

  /** Too little is known of it. */
  get isNew(): boolean {
    return this.#samples < SAMPLES;
  }

  /** Bytes to reserve for a result. */
  get resultBytes(): number {
    return this.#resultBytes + SPARE_BYTES;
  }

  /**
   * Runs a call over `state` and remembers what it touches. Undefined: it asks for what a call by itself does not have,
   * its transaction or block.
   */
  run(
    runner: ProgramRunner,
    context: Uint8Array,
    fuel: number,
    height: number,
    state: StateReader,
  ): RunResult | undefined {
    const host = new DirectHost(
      context,
      height,
      (key) => {
        const name = toBinaryString(key);
        this.#touch(name, 'read');
        return state.get(this.#prefix + name);
      },
      state,
    );
    const end = runner.run(this.program, host, fuel);
    this.#samples++;
    if (end.result !== undefined) {
      this.#resultBytes = Math.max(this.#resultBytes, end.result.length);
      for (const name of parseResult(end.result)?.storage.keys() ?? []) this.#touch(name, 'written');
    }
    return host.asked ? undefined : end;
  }

  #touch(name: string, how: 'read' | 'written'): void {
    let key = this.keys.get(name);
    if (key === undefined) {
      if (this.keys.size >= MOST_KEYS) return;
      key = { own: fromBinaryString(name), full: this.#prefix + name, read: false, written: false };
      this.keys.set(name, key);
    }
    key[how] = true;
  }
}

class DirectHost implements RunHost {
  readonly isDryRun = false;
  readonly texts = NO_TEXTS;
  readonly call = refuseCall;
  /** It wanted to see what surrounds a message. */
  asked = false;

  constructor(
    readonly context: Uint8Array,
    readonly height: number,
    readonly storage: (key: Uint8Array) => Uint8Array | undefined,
    readonly state: StateReader,
  ) {}

  get transaction(): Uint8Array {
    this.asked = true;
    return EMPTY_BYTES;
  }

  get block(): Uint8Array {
    this.asked = true;
    return EMPTY_BYTES;
  }

  sequence(): bigint {
    const value = this.state.get(SEQUENCE_KEY);
    return value === undefined ? 1n : readU128(value, 0);
  }

  balance(who: Uint8Array, what: Uint8Array): Uint8Array {
    return this.state.get(balanceKeyOfBytes(what, who)) ?? EMPTY_BYTES;
  }

  declareRead(): void {}
  declareWrite(): void {}
}
