import { WarpshrewError } from '../errors.js';

/** JSON-RPC error codes. */
export const RPC = { invalidRequest: -32600, methodNotFound: -32601, invalidParams: -32602, failed: -32000 } as const;

export interface RpcErrorObject {
  readonly code: number;
  readonly message: string;
  /** `code`: stable name (docs/json-rpc.md); `hint`: what to do about it. */
  readonly data: Readonly<Record<string, string>>;
}

/**
 * An answer with an error. `name` is stable, `message` follows the wording of existing Metashrew hosts where they have
 * one.
 */
export class RpcError extends Error {
  constructor(
    readonly code: number,
    readonly stableCode: string,
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

export function invalidParams(stableCode: string, message: string, hint: string): RpcError {
  return new RpcError(RPC.invalidParams, stableCode, message, hint);
}

/** Wording of existing hosts for what a view does wrong: clients may look for it. */
const VIEW_MESSAGES: Readonly<Record<string, string>> = {
  VIEW_NOT_FOUND: 'Failed to get view function',
  VIEW_FAILED: 'Failed to execute view function',
  VIEW_MEMORY: 'Failed to execute view function',
  VIEW_ANSWER_TOO_LARGE: 'Failed to execute view function',
};

/** The error object of anything thrown. What is not an error of ours is reported without its text. */
export function errorObject(error: unknown, view?: string): RpcErrorObject {
  if (error instanceof RpcError) {
    return { code: error.code, message: error.message, data: { code: error.stableCode, hint: error.hint } };
  }
  if (error instanceof WarpshrewError) {
    const facts = Object.fromEntries(Object.entries(error.facts).map(([name, value]) => [name, String(value)]));
    const data = { ...facts, code: error.code, ...(error.hint !== undefined && { hint: error.hint }) };
    const known = view === undefined ? undefined : VIEW_MESSAGES[error.code];
    if (known === undefined) return { code: RPC.failed, message: error.message, data };
    const message = `View function error: View function failed: ${known} '${view}'`;
    return { code: RPC.failed, message, data: { ...data, reason: error.message } };
  }
  const hint = 'This is a defect: the server printed the details.';
  return { code: RPC.failed, message: 'Internal error', data: { code: 'INTERNAL', hint } };
}
