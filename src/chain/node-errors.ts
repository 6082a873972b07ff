import { NodeError, WarpshrewError } from '../errors.js';

/** JSON-RPC error codes of a Core-compatible node. */
export const RPC = { misc: -1, notFound: -5, invalidParameter: -8, warmUp: -28 } as const;

/**
 * Codes of what passes by itself: a node that is starting, busy or away, a password file that a restart is about to write
 * anew, a block served for another one, a block that it named before it was killed. Each call has been tried several times when it ends with one of them.
 */
const PASSING: ReadonlySet<string> = new Set([
  'NODE_UNREACHABLE',
  'NODE_WARMING_UP',
  'NODE_BUSY',
  'NODE_COOKIE_UNREADABLE',
  'NODE_WRONG_BLOCK',
  'NODE_BLOCK_MISSING',
]);

/** Whether who follows a chain should wait and try again. */
export function isPassing(error: unknown): boolean {
  return error instanceof WarpshrewError && PASSING.has(error.code);
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
  if (method === 'getblock' && (nodeCode === RPC.notFound || (nodeCode === RPC.misc && /not available/i.test(said)))) {
    return new NodeError('NODE_BLOCK_MISSING', 'the node does not have a block that it has named', {
      facts: { says: said },
      hint: 'A node that was killed forgets its last blocks, and downloads them again.',
    });
  }
  return new NodeError('NODE_RPC_ERROR', `the node refuses ${method}: ${said}`, { facts: { method, nodeCode } });
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
