/** The frames of a message as they ran in the lane: what each was answered, and what it returned. */
import type { CallBuffers, CallingFrame, Program, RunHost, RunResult } from '../../../program/types.js';

export interface RecordedFrame {
  readonly program: Program;
  readonly context: Uint8Array;
  readonly transaction: Uint8Array;
  readonly block: Uint8Array;
  readonly height: number;
  /** Values and balances in the order in which it asked; undefined for a value that is absent. */
  readonly found: (Uint8Array | undefined)[];
  readonly sequences: bigint[];
  /** Its calls of others, in their order. */
  readonly calls: RecordedCall[];
  end: RunResult | undefined;
}

export interface RecordedCall {
  /** Undefined: a built-in. */
  frame: RecordedFrame | undefined;
  /** What the caller was given; empty where the call failed. */
  returned: Uint8Array;
}

/** Answers as `host` does, and writes it down. */
export class RecordingHost implements RunHost {
  readonly frame: RecordedFrame;

  constructor(
    readonly inner: RunHost,
    program: Program,
  ) {
    const { context, transaction, block, height } = inner;
    this.frame = {
      ...{ program, height, context: context.slice(), transaction: transaction.slice(), block: block.slice() },
      ...{ found: [], sequences: [], calls: [], end: undefined },
    };
  }

  get isDryRun(): boolean {
    return this.inner.isDryRun;
  }

  get height(): number {
    return this.inner.height;
  }

  get texts(): RunHost['texts'] {
    return this.inner.texts;
  }

  get context(): Uint8Array {
    return this.inner.context;
  }

  get transaction(): Uint8Array {
    return this.inner.transaction;
  }

  get block(): Uint8Array {
    return this.inner.block;
  }

  storage(key: Uint8Array): Uint8Array | undefined {
    return this.#keep(this.inner.storage(key));
  }

  sequence(): bigint {
    const sequence = this.inner.sequence();
    this.frame.sequences.push(sequence);
    return sequence;
  }

  balance(who: Uint8Array, what: Uint8Array): Uint8Array {
    const balance = this.inner.balance(who, what);
    this.#keep(balance);
    return balance;
  }

  declareRead(key: Uint8Array): void {
    this.inner.declareRead(key);
  }

  declareWrite(key: Uint8Array): void {
    this.inner.declareWrite(key);
  }

  call(buffers: CallBuffers, from: CallingFrame): Uint8Array {
    const call: RecordedCall = { frame: undefined, returned: new Uint8Array(0) };
    this.frame.calls.push(call);
    const returned = this.inner.call(buffers, {
      depth: from.depth,
      get fuelLeft() {
        return from.fuelLeft;
      },
      charge: (amount) => from.charge(amount),
      returned: (...parts) => from.returned(...parts),
      run: (program, host) => {
        const recording = new RecordingHost(host, program);
        call.frame = recording.frame;
        const end = from.run(program, recording);
        call.frame.end = end && { ...end, result: end.result?.slice() };
        return end;
      },
    });
    call.returned = returned.slice();
    return returned;
  }

  #keep(value: Uint8Array | undefined): Uint8Array | undefined {
    this.frame.found.push(value?.slice());
    return value;
  }
}
