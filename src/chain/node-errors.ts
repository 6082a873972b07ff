import { type ErrorCode, NodeError, WarpshrewError } from '../errors/errors.js';

/** JSON-RPC error codes of a Core-compatible node. */
export const RPC = {
  misc: -1,
  notFound: -5,
  invalidParameter: -8,
  warmUp: -28,
  internal: -32603,
  unknownMethod: -32601,
} as const;

/**
 * Codes of errors that pass by themselves: a node that is starting, busy or unreachable, a cookie file that a restart
 * is about to rewrite, a wrong block served, a block that the node named before it was killed. Each call was retried
 * several times before it ends with one of them.
 */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'NODE_UNREACHABLE',
  'NODE_WARMING_UP',
  'NODE_BUSY',
  'NODE_COOKIE_UNREADABLE',
  'NODE_WRONG_BLOCK',
  'NODE_BLOCK_MISSING',
  'SECONDARY_AWAY',
]);

/** Codes of errors that waiting does not change: another network, a pruned block, files that hold no chain. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  'NODE_BLOCK_PRUNED',
  'BLOCK_FILES_NETWORK',
  'BLOCK_FILES_XOR',
  'BLOCK_FILES_NO_CHAIN',
  'BLOCK_FILES_TOO_MANY',
]);

/** Milliseconds for which credentials, which are read again at each retry, may stay refused. */
const CREDENTIALS_MS = 600_000;

/**
 * Milliseconds for which a follower should retry after an error of its source: Infinity for errors that pass by
 * themselves, 0 for final ones, `most` for every other error of a node or of its files: versions and proxies report the
 * same thing in many ways, so an unknown error may be temporary.
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
  const said = shortAscii(typeof error.message === 'string' ? error.message : 'no message');
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
    return new NodeError('NODE_BLOCK_MISSING', 'the node does not have a block that it announced', {
      facts: { says: said },
      hint: 'It may still be downloading it, or again after a crash. If this persists, check its log and disk.',
    });
  }
  return new NodeError('NODE_RPC_ERROR', `the node refuses ${method}: ${said}`, { facts: { method, nodeCode } });
}

/**
 * Whether an error of `getblock` says that the bytes of a block are not available (yet). The code comes first: -5 means
 * an unknown block, -1 and -32603 have more than one meaning. Core since 28: "Block not available (not fully
 * downloaded)"; before: "Block not found on disk", and before that "Can't read block from disk"
 * (https://github.com/bitcoin/bitcoin/issues/9074).
 */
function isMissingBlock(nodeCode: number, said: string): boolean {
  if (nodeCode === RPC.notFound) return true;
  return (nodeCode === RPC.misc || nodeCode === RPC.internal) && /not available|not found|download|disk/i.test(said);
}

/** The node's own error code in a NODE_RPC_ERROR; undefined for any other error. */
export function nodeCodeOf(error: unknown): number | undefined {
  const code = error instanceof NodeError && error.code === 'NODE_RPC_ERROR' ? error.facts.nodeCode : undefined;
  return typeof code === 'number' ? code : undefined;
}

export function badResponse(why: string, facts: Record<string, string | number> = {}): NodeError {
  return new NodeError('NODE_BAD_RESPONSE', `the node's answer cannot be used: ${why}`, {
    facts,
    hint: 'Check that the address belongs to a bitcoin node, not to another server or a proxy.',
  });
}

/** Text from outside, shortened and without terminal control codes. */
export function shortAscii(text: string): string {
  return text.slice(0, MAX_MESSAGE).replace(/[^\x20-\x7e]+/g, ' ');
}
