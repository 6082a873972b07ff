import { WarpshrewError } from '../errors.js';

/** JSON-RPC error codes. */
export const RPC = { invalidRequest: -32600, methodNotFound: -32601, invalidParams: -32602, failed: -32000 } as const;

export interface RpcErrorObject {
  readonly code: number;
  readonly message: string;
  /** `code`: stable name (docs/json-rpc.md); `hint`: what to do. */
  readonly data: Readonly<Record<string, string>>;
}

/** An error answer. `name` is stable; `message` follows the wording of existing Metashrew hosts where there is one. */
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

/** Wording of existing hosts for errors of views: clients may depend on it. */
const VIEW_MESSAGES: Readonly<Record<string, string>> = {
  VIEW_NOT_FOUND: 'Failed to get view function',
  VIEW_FAILED: 'Failed to execute view function',
  VIEW_MEMORY: 'Failed to execute view function',
  VIEW_ANSWER_TOO_LARGE: 'Failed to execute view function',
};

/** The error object for anything thrown. The text of an unexpected error is not shown. */
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
