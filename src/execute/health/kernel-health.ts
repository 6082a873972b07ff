/**
 * Whether the kernel may be used, by how its last uses went. Pure: it knows no device, and its only clock is the one it
 * is given. A *use* is the kernel's part of one block (or of one part of a large one).
 */

/** `probing`: one block, or the opening of a new device, decides whether an unhealthy kernel is used again. */
export const HEALTH_STATES = ['healthy', 'degraded', 'unhealthy', 'probing'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

/**
 * `failure`: a batch or an allocation that the device refused. `not-opened`: there is no device, or none in place of a
 * lost one.
 */
const KERNEL_CAUSES = ['device-lost', 'timeout', 'failure', 'mismatch', 'not-opened'] as const;
export type KernelCause = (typeof KERNEL_CAUSES)[number];

/** Uses that the failure rate is taken of. */
const WINDOW = 32;
/** Fewer uses say nothing of the rate. */
const LEAST_USES = 4;
/** This share of failed uses in the window opens the breaker. */
const MOST_FAILED = 0.5;
/** So do so many timeouts in it: each of them has held up a block for half a minute or more. */
const MOST_TIMEOUTS = 2;
/** So do so many mismatches without a checked use between them that had none. */
const MOST_MISMATCHES = 2;
/** So many uses without a failure make the kernel healthy again. */
const RECOVERY = 16;
export const FIRST_COOL_DOWN_MS = 60_000;
export const LONGEST_COOL_DOWN_MS = 3_600_000;

export interface KernelTransition {
  readonly from: HealthState;
  readonly to: HealthState;
  /** In plain words. */
  readonly why: string;
}

export interface KernelHealthReport {
  /** Why the last transition happened; undefined: there was none. */
  readonly why: string | undefined;
  /** Milliseconds until the next probe; undefined unless the kernel is unhealthy, and if it is so for good. */
  readonly probeInMs: number | undefined;
  readonly failures: Readonly<Record<KernelCause, number>>;
  /** Transitions, by the state that they led to. */
  readonly transitions: Readonly<Record<HealthState, number>>;
}

export interface KernelHealthOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Whether a lost device can be opened anew. Otherwise its loss is final. */
  readonly canReopen: boolean;
  readonly onTransition?: (transition: KernelTransition) => void;
}

interface Use {
  /** undefined: it went well. */
  readonly cause: KernelCause | undefined;
}

export class KernelHealth {
  readonly #options: KernelHealthOptions;
  #state: HealthState = 'healthy';
  #why: string | undefined;
  /** The last uses since the last probe, newest last. */
  #uses: Use[] = [];
  #goodInRow = 0;
  #mismatchesInRow = 0;
  #coolDownMs = FIRST_COOL_DOWN_MS;
  /** When an unhealthy kernel may be probed; undefined: never. */
  #probeAt: number | undefined;
  readonly #failures = countsOf(KERNEL_CAUSES);
  readonly #transitions = countsOf(HEALTH_STATES);

  constructor(options: KernelHealthOptions) {
    this.#options = options;
  }

  get state(): HealthState {
    return this.#state;
  }

  /** Whether the next block may use the kernel, as a probe if it is unhealthy. */
  get mayUse(): boolean {
    if (this.#state !== 'unhealthy') return true;
    return this.#probeAt !== undefined && this.#options.now() >= this.#probeAt;
  }

  get report(): KernelHealthReport {
    const left = this.#probeAt === undefined ? undefined : Math.max(0, this.#probeAt - this.#options.now());
    return {
      why: this.#why,
      probeInMs: this.#state === 'unhealthy' ? left : undefined,
      failures: { ...this.#failures },
      transitions: { ...this.#transitions },
    };
  }

  /** A use begins, or a new device is opened. */
  begins(): void {
    if (this.#state === 'unhealthy') this.#goTo('probing', 'the cool-down is over');
  }

  /** A use went well; `checked`: results of it that the CPU has confirmed. */
  succeeded(checked: number): void {
    this.#goodInRow++;
    if (checked > 0) this.#mismatchesInRow = 0;
    if (this.#state === 'probing') {
      this.#uses = [];
      this.#mismatchesInRow = 0;
      this.#goodInRow = 0;
      this.#goTo('degraded', 'the probe succeeded');
      return;
    }
    this.#note(undefined);
    if (this.#state !== 'degraded' || this.#goodInRow < RECOVERY) return;
    this.#coolDownMs = FIRST_COOL_DOWN_MS;
    this.#goTo('healthy', `${RECOVERY} uses in a row without a failure`);
  }

  /** A use failed, or no new device could be opened. */
  failed(cause: KernelCause): void {
    this.#failures[cause]++;
    this.#goodInRow = 0;
    if (cause === 'mismatch') this.#mismatchesInRow++;
    this.#note(cause);
    if (cause === 'device-lost' && !this.#options.canReopen) {
      this.#probeAt = undefined;
      if (this.#state !== 'unhealthy') this.#goTo('unhealthy', 'the device is lost, and cannot be opened anew here');
      return;
    }
    if (this.#state === 'probing') {
      this.#coolDownMs = Math.min(LONGEST_COOL_DOWN_MS, 2 * this.#coolDownMs);
      this.#open(`the probe failed: ${cause}`);
      return;
    }
    if (this.#state === 'unhealthy') return;
    const why = this.#whyOpen(cause);
    if (why !== undefined) this.#open(why);
    else if (this.#state === 'healthy') this.#goTo('degraded', `a use failed: ${cause}`);
  }

  /** Why the breaker opens now; undefined: it does not. */
  #whyOpen(cause: KernelCause): string | undefined {
    if (cause === 'device-lost') return 'the device is lost';
    if (cause === 'not-opened') return 'no device could be opened';
    if (this.#mismatchesInRow >= MOST_MISMATCHES) return `${MOST_MISMATCHES} mismatches in a row`;
    const timeouts = this.#uses.filter((use) => use.cause === 'timeout').length;
    if (timeouts >= MOST_TIMEOUTS) return `${timeouts} timeouts in ${this.#uses.length} uses`;
    const failed = this.#uses.filter((use) => use.cause !== undefined).length;
    if (this.#uses.length < LEAST_USES || failed < MOST_FAILED * this.#uses.length) return undefined;
    return `${failed} of ${this.#uses.length} uses failed`;
  }

  #open(why: string): void {
    this.#probeAt = this.#options.now() + this.#coolDownMs;
    this.#goTo('unhealthy', why);
  }

  #note(cause: KernelCause | undefined): void {
    this.#uses.push({ cause });
    if (this.#uses.length > WINDOW) this.#uses.shift();
  }

  #goTo(to: HealthState, why: string): void {
    const from = this.#state;
    this.#state = to;
    this.#why = why;
    this.#transitions[to]++;
    this.#options.onTransition?.({ from, to, why });
  }
}

function countsOf<const N extends string>(names: readonly N[]): Record<N, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<N, number>;
}
