import { BlockOffsets, inSharedMemory } from '../bitcoin/block-offsets.js';
import { sha256d } from '../bitcoin/hash.js';
import { verifyBlock } from '../bitcoin/verify-block.js';
import type { ScanAhead } from '../lane/columns/scan-ahead.js';
import type { KnownSheets } from '../lane/columns/scan-columns.js';
import { sheetKeyAt } from '../lane/keys.js';
import type { LaneKey } from '../lane/types.js';
import { bytesEqual } from '../util/bytes.js';
import type { BlockReader } from './block-reader.js';
import type { Following } from './look-ahead.js';
import type { BlockRead } from './reader-protocol.js';

/** A block as a source delivers it. */
export interface RawBlock {
  readonly height: number;
  readonly raw: Uint8Array;
}

/** A block that was read and verified. */
export interface VerifiedBlock extends RawBlock {
  readonly block: BlockOffsets;
  /** What another thread has found of it; undefined if this thread has read it. */
  readonly ahead: AheadScan | undefined;
  /** Milliseconds that reading and verifying took, in this thread or in the other. */
  readonly ms: number;
}

interface AheadScan {
  readonly scan: ScanAhead;
  readonly held: Uint8Array;
  /** The tip when the sheets were asked for. */
  readonly tip: number;
}

/** A block that the other thread is reading. */
interface Reading {
  readonly raw: Uint8Array;
  readonly previousHash: Uint8Array;
  readonly tip: number;
  readonly read: Promise<BlockRead | undefined>;
}

/** What a block that was just stored has written. */
interface Stored {
  readonly height: number;
  /** Wire order. */
  readonly hash: Uint8Array;
  readonly writes: ReadonlyMap<LaneKey, Uint8Array | undefined>;
}

/** How many blocks are read before their turn. */
const DEPTH = 2;
const HEADER_LENGTH = 80;
/** Shorter blocks are read here: that takes no longer than to have them read. */
const LEAST_BYTES = 1 << 16;

/**
 * The blocks that come next, read by another thread while this one works: none is taken for valid or for the next one
 * before that is known.
 *
 * The other thread looks up sheets in the store at some time between the request and the answer. Meanwhile blocks are
 * stored; whatever they write lies over what it has seen, so it does not matter which of them it saw.
 */
export class BlocksAhead {
  readonly #reader: Pick<BlockReader, 'read'> | undefined;
  readonly #leastBytes: number;
  readonly #readings = new Map<number, Reading>();
  #stored: readonly Stored[] = [];

  /** Without a `reader` every block is read in this thread, as those are that have fewer than `leastBytes`. */
  constructor(reader: Pick<BlockReader, 'read'> | undefined, leastBytes = LEAST_BYTES) {
    this.#reader = reader;
    this.#leastBytes = leastBytes;
  }

  /** Says which block the store has for its tip now, so that nothing stays of a chain that it has left. */
  begin(tipHash: Uint8Array | undefined): void {
    if (bytesEqual(tipHash, this.#stored.at(-1)?.hash)) return;
    this.#stored = [];
    this.#readings.clear();
  }

  /** Says that a block has been stored. */
  stored(block: Stored): void {
    this.#stored = [...this.#stored, block].slice(-DEPTH);
    this.#readings.delete(block.height);
  }

  /** Has the blocks after `current` read, as far as they are there. `tip`: height of the store's, -1 if it is empty. */
  look(following: Following<RawBlock> | undefined, current: VerifiedBlock, tip: number): void {
    let previous: Uint8Array = current.block.hash;
    for (let distance = 1; distance <= DEPTH; distance++) {
      const next = following?.(distance);
      if (next?.height !== current.height + distance) return;
      this.#ask(next, previous, tip);
      previous = sha256d(next.raw.subarray(0, HEADER_LENGTH));
    }
  }

  #ask({ raw, height }: RawBlock, previousHash: Uint8Array, tip: number): void {
    if (this.#reader === undefined || raw.length < this.#leastBytes) return;
    const asked = this.#readings.get(height);
    if (asked?.raw === raw && bytesEqual(asked.previousHash, previousHash)) return;
    const read = this.#reader.read(inSharedMemory(raw), previousHash);
    // Whoever takes it handles a rejection.
    read.catch(() => undefined);
    this.#readings.set(height, { raw, previousHash, tip, read });
  }

  /**
   * The block after `current`, if it is one: what is wrong with it is said in its own turn. Rejects with InternalError
   * if the other thread fails.
   */
  async next(next: RawBlock | undefined, current: VerifiedBlock): Promise<VerifiedBlock | undefined> {
    if (next?.height !== current.height + 1) return undefined;
    const { height, raw } = next;
    const reading = this.#readings.get(height);
    if (reading?.raw !== raw || !bytesEqual(reading.previousHash, current.block.hash)) {
      try {
        return this.verify(next, current.block.hash);
      } catch {
        return undefined;
      }
    }
    const read = await reading.read;
    if (read === undefined) return undefined;
    const { columns, scan, held, ms } = read;
    return { height, raw, block: new BlockOffsets(columns), ahead: { scan, held, tip: reading.tip }, ms };
  }

  /**
   * Reads a block here and verifies it. `previousHash` (wire order): not checked if undefined. Throws InputError
   * BLOCK_*.
   */
  verify({ raw, height }: RawBlock, previousHash: Uint8Array | undefined): VerifiedBlock {
    const started = performance.now();
    const block = BlockOffsets.read(raw);
    verifyBlock(block, { previousHash });
    return { height, raw, block, ahead: undefined, ms: performance.now() - started };
  }

  /** The sheets before the block, as far as what has been stored since they were asked for is known. */
  sheetsOf({ height, block, ahead }: VerifiedBlock): KnownSheets | undefined {
    if (ahead === undefined) return undefined;
    const since = this.#stored.filter((stored) => stored.height > ahead.tip);
    if (since.length !== height - 1 - ahead.tip) return undefined;
    const { held } = ahead;
    const over = since.map(({ writes }) => writes).filter((writes) => writes.size > 0);
    if (over.length === 0) return { has: (input) => held[input] === 1 };
    return {
      has: (input) => {
        const key = sheetKeyAt(block.raw, block.inputs[input]);
        const writes = over.findLast((map) => map.has(key));
        return writes === undefined ? held[input] === 1 : writes.get(key) !== undefined;
      },
    };
  }
}
