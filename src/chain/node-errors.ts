import { type ErrorCode, NodeError, WarpshrewError } from '../errors.js';

/** JSON-RPC error codes of a Core-compatible node. */
export const RPC = { misc: -1, notFound: -5, invalidParameter: -8, warmUp: -28, internal: -32603 } as const;

/**
 * Codes of what passes by itself: a node that is starting, busy or away, a password file that a restart is about to
 * write anew, a block served for another one, a block that it named before it was killed. Each call has been tried
 * several times when it ends with one of them.
 */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'NODE_UNREACHABLE',
  'NODE_WARMING_UP',
  'NODE_BUSY',
  'NODE_COOKIE_UNREADABLE',
  'NODE_WRONG_BLOCK',
  'NODE_BLOCK_MISSING',
]);

/**
 * Codes of what no waiting changes: another network, a block that is gone for good, files that are not those of a
 * chain.
 */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  'NODE_BLOCK_PRUNED',
  'BLOCK_FILES_NETWORK',
  'BLOCK_FILES_XOR',
  'BLOCK_FILES_NO_CHAIN',
  'BLOCK_FILES_TOO_MANY',
]);

/** Milliseconds for which refused credentials, which are read anew each time, may stay refused. */
const CREDENTIALS_MS = 600_000;

/**
 * Milliseconds for which who follows a chain should try again after an error of its source: Infinity for what passes
 * by itself, 0 for what is final, `most` for every other error of a node or of its files: versions and proxies say the
 * same thing in many ways, so what is not known may pass.
 */
export function patienceWith(error: unknown, most: number): number {
  if (!(error instanceof WarpshrewError) || FINAL.has(error.code)) return 0;
  if (PASSING.has(error.code)) return Number.POSITIVE_INFINITY;
  if (error.code === 'NODE_UNAUTHORISED') return Math.min(most, CREDENTIALS_MS);
  return /^(NODE|BLOCK_FILES)_/.test(error.code) ? most : 0;
}

const MAX_MESSAGE = 300;

/** The error of an answer `{"code": …, "message": …}` to `method`. */
export function rpcError(method: string, error: Readonly<Record<string, unknown>>): NodeError {
  const nodeCode = typeof error.code === 'number' ? error.code : 0;
  const said = printable(typeof error.message === 'string' ? error.message : 'no message');
  if (nodeCode === RPC.warmUp) {
    return new NodeError('NODE_WARMING_UP', 'the node is starting and answers no calls yet', { facts: { says: said } });
  }
  if (nodeCode === RPC.misc && /pruned/i.test(said)) {
    return new NodeError('NODE_BLOCK_PRUNED', 'the node has deleted the block', {
      facts: { method, says: said },
      hint: 'Use a node that is not pruned, or start at a block that it still has (`--start-block`).',
    });
  }
  if (method === 'getblock' && isMissingBlock(nodeCode, said)) {
    return new NodeError('NODE_BLOCK_MISSING', 'the node does not have a block that it has named', {
      facts: { says: said },
      hint: 'It downloads it, or does so again after it was killed. If this goes on, look at its log and disk.',
    });
  }
  return new NodeError('NODE_RPC_ERROR', `the node refuses ${method}: ${said}`, { facts: { method, nodeCode } });
}

/**
 * Whether an error of `getblock` says that the bytes of a block are not there (yet). Code first: -5 is of a block that
 * is not known, -1 and -32603 stand for more than one thing. Core since 28: "Block not available (not fully
 * downloaded)"; before: "Block not found on disk", and before that "Can't read block from disk"
 * (https://github.com/bitcoin/bitcoin/issues/9074).
 */
function isMissingBlock(nodeCode: number, said: string): boolean {
  if (nodeCode === RPC.notFound) return true;
  return (nodeCode === RPC.misc || nodeCode === RPC.internal) && /not available|not found|download|disk/i.test(said);
}

/** The node's own code of a NODE_RPC_ERROR; undefined for anything else. */
export function nodeCodeOf(error: unknown): number | undefined {
  const code = error instanceof NodeError && error.code === 'NODE_RPC_ERROR' ? error.facts.nodeCode : undefined;
  return typeof code === 'number' ? code : undefined;
}

export function badResponse(why: string, facts: Record<string, string | number> = {}): NodeError {
  return new NodeError('NODE_BAD_RESPONSE', `the node's answer cannot be used: ${why}`, {
    facts,
    hint: 'Check that the address is that of a bitcoin node, not of another server or a proxy.',
  });
}

/** Text of others, cut and without what would move a terminal. */
export function printable(text: string): string {
  return text.slice(0, MAX_MESSAGE).replace(/[^\x20-\x7e]+/g, ' ');
}
