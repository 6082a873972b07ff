import { maskUserInfo } from './util/mask.js';

/** Everything known of where an error happened; printed with the message and sent as `data` over JSON-RPC. */
export type ErrorFacts = Readonly<Record<string, string | number | bigint | boolean>>;

export interface ErrorOptions {
  facts?: ErrorFacts;
  /** What the user can do about it, one sentence. */
  hint?: string;
  cause?: unknown;
}

/**
 * Exit statuses of the command line, one per kind of failure. 1: a check failed; 2: wrong usage; 3: bad input (file,
 * block, WASM); 4: store; 5: environment (port, GPU, permissions); 70: a defect of ours.
 */
export const EXIT = { check: 1, usage: 2, input: 3, store: 4, environment: 5, internal: 70 } as const;
export type ExitKind = keyof typeof EXIT;

/**
 * Base of every error that a user can meet: a stable `code` (documented in docs/errors.md), facts and a hint. No user
 * info of addresses is kept.
 */
export class WarpshrewError extends Error {
  readonly code: string;
  readonly kind: ExitKind;
  readonly facts: ErrorFacts;
  readonly hint: string | undefined;

  constructor(code: string, kind: ExitKind, message: string, options: ErrorOptions = {}) {
    super(maskUserInfo(message), { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.kind = kind;
    this.facts = masked(options.facts ?? {});
    this.hint = options.hint === undefined ? undefined : maskUserInfo(options.hint);
  }

  get exitStatus(): number {
    return EXIT[this.kind];
  }

  /** One printable text: code, message, facts, hint. */
  explain(): string {
    const facts = Object.entries(this.facts).map(([k, v]) => `  ${k}: ${v}`);
    return [`${this.code}: ${this.message}`, ...facts, ...(this.hint ? [`  hint: ${this.hint}`] : [])].join('\n');
  }
}

function masked(facts: ErrorFacts): ErrorFacts {
  const entries = Object.entries(facts);
  if (!entries.some(([, value]) => typeof value === 'string' && value.includes('://'))) return facts;
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? maskUserInfo(value) : value]),
  );
}

/**
 * A block, transaction or fixture file that is not what it should be. Codes `BLOCK_*`, `TX_*`, `FIXTURE_*`,
 * `SNAPSHOT_*`.
 */
export class InputError extends WarpshrewError {
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(code, 'input', message, options);
  }
}

/** A WASM module that is refused. Codes `WASM_*`. */
export class ProgramError extends WarpshrewError {
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(code, 'input', message, options);
  }
}

/** The database cannot be opened, read or written. Codes `STORE_*`. */
export class StoreError extends WarpshrewError {
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(code, 'store', message, options);
  }
}

/** Ports, folders, GPU: the machine does not give what was asked for. Codes `ENV_*`, `GPU_*`. */
export class EnvironmentError extends WarpshrewError {
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(code, 'environment', message, options);
  }
}

/** A bitcoin node that cannot be asked, or answers what it should not. Codes `NODE_*`. */
export class NodeError extends WarpshrewError {
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(code, 'environment', message, options);
  }
}

/**
 * A chain that cannot be followed: another network, a reorg deeper than the undo data, a bad block. Codes `CHAIN_*`.
 */
export class ChainError extends WarpshrewError {
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(code, 'environment', message, options);
  }
}

/** Wrong command line or RPC parameters. Codes `USAGE_*`. */
export class UsageError extends WarpshrewError {
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(code, 'usage', message, options);
  }
}

/** A state that cannot be: stop, never continue. Code `INTERNAL`. */
export class InternalError extends WarpshrewError {
  constructor(message: string, options?: ErrorOptions) {
    super('INTERNAL', 'internal', message, options);
  }
}

/** An error as it crosses threads and is shown over HTTP. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly facts: ErrorFacts;
  readonly hint: string | undefined;
  readonly kind: ExitKind;
}

/** Anything thrown, as it crosses threads. What is no error of ours is a defect, told with its stack. */
export function failureOf(error: unknown): Failure {
  if (error instanceof WarpshrewError) {
    const { code, kind, message, facts, hint } = error;
    return { code, kind, message, facts, hint };
  }
  const message = maskUserInfo(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return { code: 'INTERNAL', kind: 'internal', message, facts: {}, hint: undefined };
}

/** The error that a failure was. */
export function errorOf({ code, kind, message, facts, hint }: Failure): WarpshrewError {
  return new WarpshrewError(code, kind, message, { facts, hint });
}
