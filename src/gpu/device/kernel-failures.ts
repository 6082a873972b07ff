import { EnvironmentError } from '../../errors.js';

/** Where a program lost its kernel: as its calls were recorded, translated, compiled by the driver, packed, or read back. */
export type KernelStage = 'record' | 'translate' | 'compile' | 'pack' | 'read';

/** A program that has no kernel from here on because something failed that should not; the CPU runs it. */
export interface KernelFailure {
  /** Program hash. */
  readonly program: string;
  readonly stage: KernelStage;
  readonly message: string;
}

/** Characters of a driver's message that are kept: some quote the whole kernel. */
const MAX_MESSAGE = 500;
/** Programs that are remembered as told of, so that each is told of once. */
const MAX_REPORTED = 4_096;

/** Counts kernel failures and tells of each program once. */
export class KernelFailures {
  #count = 0;
  #last: KernelFailure | undefined;
  readonly #reported = new Set<string>();
  /** Hears of every failed program once. */
  listener: ((failure: KernelFailure) => void) | undefined;

  get count(): number {
    return this.#count;
  }

  get last(): KernelFailure | undefined {
    return this.#last;
  }

  /** Counts a failure of `program`; gives the text that says why it has no kernel. */
  add(program: string, stage: KernelStage, error: unknown): string {
    const message = messageOf(error).slice(0, MAX_MESSAGE);
    this.#count++;
    this.#last = { program, stage, message };
    if (!this.#reported.has(program)) {
      if (this.#reported.size >= MAX_REPORTED) this.#reported.clear();
      this.#reported.add(program);
      this.listener?.(this.#last);
    }
    return `${stage}: ${message}`;
  }
}

/** The failure as the error that logs show. */
export function kernelError({ program, stage, message }: KernelFailure): EnvironmentError {
  return new EnvironmentError('GPU_KERNEL_FAILED', `a program has no kernel: ${message}`, {
    facts: { program, stage },
    hint: 'The CPU runs it, with the same result. Please report it with the hash of the program.',
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
