import { EnvironmentError } from '../../errors/errors.js';

/** The step at which a program lost its kernel: translating, compiling, packing its calls, or reading back. */
export type KernelStage = 'translate' | 'compile' | 'pack' | 'read';

/** A program that lost its kernel to an unexpected failure. The CPU runs it from then on. */
export interface KernelFailure {
  /** Program hash. */
  readonly program: string;
  readonly stage: KernelStage;
  readonly message: string;
}

/** Most characters kept of a driver's message: some quote the whole kernel. */
const MAX_MESSAGE = 500;
/** Most programs remembered as reported, so that each is reported once. */
const MAX_REPORTED = 4_096;

/** Counts kernel failures and reports each program once. */
export class KernelFailures {
  #count = 0;
  #last: KernelFailure | undefined;
  readonly #reported = new Set<string>();
  /** Called once per failed program. */
  listener: ((failure: KernelFailure) => void) | undefined;

  get count(): number {
    return this.#count;
  }

  get last(): KernelFailure | undefined {
    return this.#last;
  }

  /** Counts a failure of `program`; returns the reason why it has no kernel. */
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

/** The failure as the error to log. */
export function kernelError({ program, stage, message }: KernelFailure): EnvironmentError {
  return new EnvironmentError('GPU_KERNEL_FAILED', `a program has no kernel: ${message}`, {
    facts: { program, stage },
    hint: 'The CPU runs it, with the same result. Please report this with the hash of the program.',
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
