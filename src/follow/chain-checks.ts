import { genesisOf } from '../chain/networks.js';
/** What ends a follower for good: another chain, a reorg too deep, a block that stays bad. */
import { ChainError, InputError } from '../errors/errors.js';
import { bytesEqual, toDisplayHash } from '../util/bytes.js';
import type { Fork } from './fork-point.js';

/**
 * Throws CHAIN_OTHER_GENESIS if the index was built from another chain than the network's or the source's,
 * CHAIN_WRONG_NETWORK if the source serves another network. Hashes in wire order; undefined hashes are unknown and not
 * checked.
 */
export function checkGenesis(
  network: string,
  source: string,
  offered: Uint8Array | undefined,
  indexed: Uint8Array | undefined,
): void {
  const known = genesisOf(network);
  if (known !== undefined && offered !== undefined && !bytesEqual(known, offered)) {
    throw new ChainError('CHAIN_WRONG_NETWORK', `the node does not serve ${network}`, {
      facts: { source, expected: toDisplayHash(known), found: toDisplayHash(offered) },
      hint: 'Name the network of the node with --network, or another node.',
    });
  }
  const expected = offered ?? known;
  if (indexed !== undefined && expected !== undefined && !bytesEqual(indexed, expected)) {
    throw new ChainError('CHAIN_OTHER_GENESIS', 'the index was built from a chain with another genesis block', {
      facts: { source, indexed: toDisplayHash(indexed), found: toDisplayHash(expected) },
      hint: 'Use a node of the chain that the index was built from, or another folder with --db.',
    });
  }
}

/** The error of a reorg that the undo data does not cover. */
export function tooDeep(
  fork: Exclude<Fork, { kind: 'unsettled' }>,
  lowest: number,
  tip: number,
  startBlock: number | undefined,
): ChainError {
  const where = fork.kind === 'at' ? `at height ${fork.height}` : `below height ${fork.firstIndexed}`;
  const again = startBlock ? ` --start-block ${startBlock}` : '';
  return new ChainError('CHAIN_REORG_TOO_DEEP', 'the chain of the node forks from the index below the undo data', {
    facts: { fork: where, tip, lowestRollback: lowest, blocksKept: tip - lowest },
    hint:
      `Check that the node is on the right chain; if it is, index into a new folder (index --db NEW${again}) ` +
      'and keep more undo data.',
  });
}

/**
 * Whether the error says that a block is not valid or does not build on the tip; BLOCK_FILES_* errors are about the
 * source instead.
 */
export function isRefusedBlock(error: unknown): error is InputError {
  return error instanceof InputError && /^BLOCK_(?!FILES_)/.test(error.code);
}

/** Counts how often the same block is refused in a row. */
export class Refusals {
  #what: string | undefined;
  #times = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  clear(): void {
    this.#what = undefined;
    this.#times = 0;
  }

  /** `hash` in display order, empty if unknown. Throws CHAIN_BAD_BLOCK when the block has been refused too often. */
  add(height: number, hash: string, cause: InputError | { readonly code: string; readonly message: string }): void {
    const what = `${height} ${hash === '' ? cause.code : hash}`;
    this.#times = what === this.#what ? this.#times + 1 : 1;
    this.#what = what;
    if (this.#times < this.#most) return;
    throw new ChainError('CHAIN_BAD_BLOCK', `the node serves a block that cannot be indexed: ${cause.message}`, {
      facts: { height, hash: hash === '' ? 'unknown' : hash, reason: cause.code, tries: this.#times },
      hint: 'A bad block is never skipped: check the node and its disk (-reindex), or follow another node.',
      cause,
    });
  }
}
