import {
  type ChainCode,
  type EnvironmentCode,
  type ErrorCode,
  EXIT,
  type ExitKind,
  type InputCode,
  type NodeCode,
  type ProgramCode,
  type StoreCode,
  type StreamCode,
  type UsageCode,
} from './codes/registry.js';
import { maskUserInfo } from './mask.js';

export { type ErrorCode, EXIT, type ExitKind };

/** Everything known of where an error happened; printed with the message and sent as `data` over JSON-RPC. */
export type ErrorFacts = Readonly<Record<string, string | number | bigint | boolean>>;

export interface ErrorOptions {
  facts?: ErrorFacts;
  /** What the user can do about it, one sentence. */
  hint?: string;
  cause?: unknown;
}

/**
 * Base of every error that a user can meet: a stable `code` of the registry, facts and a hint. No user info of
 * addresses is kept.
 */
export class WarpshrewError extends Error {
  readonly code: ErrorCode;
  readonly kind: ExitKind;
  readonly facts: ErrorFacts;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, kind: ExitKind, message: string, options: ErrorOptions = {}) {
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

/** A malformed or invalid block, transaction or fixture file. */
export class InputError extends WarpshrewError {
  declare readonly code: InputCode;

  constructor(code: InputCode, message: string, options?: ErrorOptions) {
    super(code, 'input', message, options);
  }
}

/** A WASM module that is refused. */
export class ProgramError extends WarpshrewError {
  declare readonly code: ProgramCode;

  constructor(code: ProgramCode, message: string, options?: ErrorOptions) {
    super(code, 'input', message, options);
  }
}

/** The database cannot be opened, read or written. */
export class StoreError extends WarpshrewError {
  declare readonly code: StoreCode;

  constructor(code: StoreCode, message: string, options?: ErrorOptions) {
    super(code, 'store', message, options);
  }
}

/** Ports, folders, GPU: the machine lacks something that the program needs. */
export class EnvironmentError extends WarpshrewError {
  declare readonly code: EnvironmentCode;

  constructor(code: EnvironmentCode, message: string, options?: ErrorOptions) {
    super(code, 'environment', message, options);
  }
}

/** A Bitcoin node that cannot be reached, or gives a wrong answer. */
export class NodeError extends WarpshrewError {
  declare readonly code: NodeCode;

  constructor(code: NodeCode, message: string, options?: ErrorOptions) {
    super(code, 'environment', message, options);
  }
}

/** A chain that cannot be followed: another network, a reorg deeper than the undo data, a bad block. */
export class ChainError extends WarpshrewError {
  declare readonly code: ChainCode;

  constructor(code: ChainCode, message: string, options?: ErrorOptions) {
    super(code, 'environment', message, options);
  }
}

/** A stream of blocks that cannot be written or followed. */
export class StreamError extends WarpshrewError {
  declare readonly code: StreamCode;

  constructor(code: StreamCode, message: string, options?: ErrorOptions) {
    super(code, 'environment', message, options);
  }
}

/** Wrong command line or RPC parameters. */
export class UsageError extends WarpshrewError {
  declare readonly code: UsageCode;

  constructor(code: UsageCode, message: string, options?: ErrorOptions) {
    super(code, 'usage', message, options);
  }
}

/** A state that cannot be: stop, never continue. */
export class InternalError extends WarpshrewError {
  constructor(message: string, options?: ErrorOptions) {
    super('INTERNAL', 'internal', message, options);
  }
}

/** An error as it crosses threads and is shown over HTTP. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly facts: ErrorFacts;
  readonly hint: string | undefined;
  readonly kind: ExitKind;
}

/** Anything thrown, as it crosses threads. Any other error is a defect, reported with its stack. */
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
