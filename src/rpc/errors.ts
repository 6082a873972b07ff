import { type RpcCode, rpcNumber } from '../errors/codes/registry.js';
import { WarpshrewError } from '../errors/errors.js';

/** The number of everything that is no error of the request itself. */
const FAILED = -32000;

export interface RpcErrorObject {
  readonly code: number;
  readonly message: string;
  /** `code`: stable name (docs/json-rpc.md); `hint`: what to do. */
  readonly data: Readonly<Record<string, string>>;
}

/** An answer with an error; its text follows the wording of existing Metashrew hosts where they have one. */
export class RpcError extends Error {
  constructor(
    readonly code: RpcCode,
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
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
    const { code, message, hint } = error;
    return { code: rpcNumber(code), message, data: { code, hint } };
  }
  if (error instanceof WarpshrewError) {
    const facts = Object.fromEntries(Object.entries(error.facts).map(([name, value]) => [name, String(value)]));
    const data = { ...facts, code: error.code, ...(error.hint !== undefined && { hint: error.hint }) };
    const known = view === undefined ? undefined : VIEW_MESSAGES[error.code];
    if (known === undefined) return { code: FAILED, message: error.message, data };
    const message = `View function error: View function failed: ${known} '${view}'`;
    return { code: FAILED, message, data: { ...data, reason: error.message } };
  }
  const hint = 'This is a defect: the server printed the details.';
  return { code: FAILED, message: 'Internal error', data: { code: 'INTERNAL', hint } };
}
