/** The backend that is faster where it works: its health, and a new one in the place of one that is lost. */
import { type ErrorCode, WarpshrewError } from '../../errors/errors.js';
import {
  type HealthState,
  type KernelCause,
  KernelHealth,
  type KernelTransition,
} from '../../execute/health/kernel-health.js';

interface Closable {
  close(): Promise<void>;
}

export interface FastSideOptions<B extends Closable> {
  /** Opens one; rejects where there is none. Asked when batches come, after the cool-down if it failed before. */
  readonly open: () => Promise<B>;
  readonly onFailure?: ((error: unknown) => void) | undefined;
  readonly onHealth?: ((transition: KernelTransition) => void) | undefined;
  /** Milliseconds of a clock that never goes back; that of the process if not given. */
  readonly now?: (() => number) | undefined;
}

export class FastSide<B extends Closable> {
  readonly #options: FastSideOptions<B>;
  readonly #health: KernelHealth;
  #backend: B | undefined;
  #opening: Promise<void> | undefined;
  #isClosed = false;
  #failures = 0;
  #lastFailure: ErrorCode | undefined;

  constructor(options: FastSideOptions<B>) {
    this.#options = options;
    const { now = () => performance.now(), onHealth: onTransition } = options;
    this.#health = new KernelHealth({ now, canReopen: true, onTransition });
  }

  /** The backend, if a batch may use it now. Waits for one that is being opened. */
  async usable(): Promise<B | undefined> {
    if (this.#isClosed || !this.#health.mayUse) return undefined;
    if (this.#backend === undefined) {
      this.#opening ??= this.#open().finally(() => {
        this.#opening = undefined;
      });
      await this.#opening;
    }
    return this.#backend;
  }

  begins(): void {
    this.#health.begins();
  }

  succeeded(checked: number): void {
    this.#health.succeeded(checked);
  }

  /** `backend` has failed: if it is lost, another one takes its place some time. */
  async failed(backend: B, error: unknown): Promise<void> {
    const code = error instanceof WarpshrewError ? error.code : 'INTERNAL';
    this.#note(code, causeOf(code), error);
    if (code !== 'GPU_DEVICE_LOST' || this.#backend !== backend) return;
    this.#backend = undefined;
    await backend.close().catch(() => undefined);
  }

  get state(): HealthState {
    return this.#health.state;
  }

  get figures(): {
    readonly failures: number;
    readonly lastFailure: ErrorCode | undefined;
    readonly causes: Readonly<Record<KernelCause, number>>;
    readonly why: string | undefined;
  } {
    const { failures: causes, why } = this.#health.report;
    return { failures: this.#failures, lastFailure: this.#lastFailure, causes, why };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#opening;
    await this.#backend?.close();
    this.#backend = undefined;
  }

  async #open(): Promise<void> {
    this.#health.begins();
    try {
      const backend = await this.#options.open();
      if (this.#isClosed) await backend.close();
      else this.#backend = backend;
    } catch (error) {
      this.#note(error instanceof WarpshrewError ? error.code : 'INTERNAL', 'not-opened', error);
    }
  }

  #note(code: ErrorCode, cause: KernelCause, error: unknown): void {
    this.#failures++;
    this.#lastFailure = code;
    this.#options.onFailure?.(error);
    this.#health.failed(cause);
  }
}

function causeOf(code: ErrorCode): KernelCause {
  if (code === 'GPU_DEVICE_LOST') return 'device-lost';
  if (code === 'GPU_TIMEOUT') return 'timeout';
  return code === 'GPU_MISMATCH' ? 'mismatch' : 'failure';
}
