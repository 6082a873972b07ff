/**
 * Every code that an error, a log line, an answer or `/health` can name. A code is written nowhere else: the classes of
 * errors.ts take only their own, and docs/errors.md is generated from here (scripts/generate-docs.mjs).
 */
import { CHAIN_CODES, ENVIRONMENT_CODES, NODE_CODES, NOTICE_CODES } from './environment.js';
import { INPUT_CODES, PROGRAM_CODES } from './input.js';
import { RPC_CODES, USAGE_CODES } from './requests.js';
import { CHECK_CODES, PROOF_CODES, STORE_CODES } from './store.js';
import { STREAM_CODES } from './stream.js';
import type { RpcTexts, Texts } from './texts.js';

/**
 * Exit statuses of the command line, one per kind of failure.
 * 1: a check failed; 2: wrong usage; 3: bad input (file, block, WASM); 4: store; 5: environment (port, GPU,
 * permissions); 70: a defect of ours.
 */
export const EXIT = { check: 1, usage: 2, input: 3, store: 4, environment: 5, internal: 70 } as const;
export type ExitKind = keyof typeof EXIT;

const INTERNAL_CODES = {
  INTERNAL: ['a state that cannot be', 'report it with the whole text'],
} as const satisfies Readonly<Record<string, Texts>>;

export type InputCode = keyof typeof INPUT_CODES;
export type ProgramCode = keyof typeof PROGRAM_CODES;
export type StoreCode = keyof typeof STORE_CODES;
export type CheckCode = keyof typeof CHECK_CODES;
export type RefutationCode = keyof typeof PROOF_CODES;
export type EnvironmentCode = keyof typeof ENVIRONMENT_CODES;
export type NodeCode = keyof typeof NODE_CODES;
export type ChainCode = keyof typeof CHAIN_CODES;
export type StreamCode = keyof typeof STREAM_CODES;
export type UsageCode = keyof typeof USAGE_CODES;
export type RpcCode = keyof typeof RPC_CODES;
export type NoticeCode = keyof typeof NOTICE_CODES;

/** Codes that a WarpshrewError can have. */
export type ErrorCode =
  | keyof typeof INTERNAL_CODES
  | InputCode
  | ProgramCode
  | StoreCode
  | EnvironmentCode
  | NodeCode
  | ChainCode
  | StreamCode
  | UsageCode;

/** One class of codes. */
interface CodeClass {
  /** The class of errors.ts or rpc/errors.ts; undefined where nothing is thrown. */
  readonly name: string | undefined;
  readonly title: string;
  /** How the command line ends where it ends with such a code. */
  readonly exit: ExitKind | undefined;
  readonly codes: Readonly<Record<string, RpcTexts>>;
}

export const CODE_CLASSES: readonly CodeClass[] = [
  { name: 'InternalError', title: 'A defect of warpshrew', exit: 'internal', codes: INTERNAL_CODES },
  { name: 'InputError', title: 'Blocks, transactions and files', exit: 'input', codes: INPUT_CODES },
  { name: 'ProgramError', title: 'WebAssembly', exit: 'input', codes: PROGRAM_CODES },
  { name: 'StoreError', title: 'The database', exit: 'store', codes: STORE_CODES },
  { name: undefined, title: 'Findings of `db check`', exit: 'check', codes: CHECK_CODES },
  { name: undefined, title: 'Findings of `proof verify`', exit: 'check', codes: PROOF_CODES },
  { name: 'EnvironmentError', title: 'The machine', exit: 'environment', codes: ENVIRONMENT_CODES },
  { name: 'NodeError', title: 'The node', exit: 'environment', codes: NODE_CODES },
  { name: 'ChainError', title: 'The chain', exit: 'environment', codes: CHAIN_CODES },
  { name: 'StreamError', title: 'Streams of blocks', exit: 'environment', codes: STREAM_CODES },
  { name: 'UsageError', title: 'Command line and configuration', exit: 'usage', codes: USAGE_CODES },
  { name: 'RpcError', title: 'JSON-RPC and HTTP', exit: undefined, codes: RPC_CODES },
  { name: undefined, title: 'Conditions that are no errors', exit: undefined, codes: NOTICE_CODES },
];

/** The number of the JSON-RPC error object with this code; -32000 (the server failed) where the registry has none. */
export function rpcNumber(code: RpcCode): number {
  const [, , rpc = -32000]: RpcTexts = RPC_CODES[code];
  return rpc;
}

/** The HTTP status of an answer with this code. */
export function httpStatus(code: RpcCode): number {
  const [, , , http = 200]: RpcTexts = RPC_CODES[code];
  return http;
}
