import { BlockOffsets } from '../bitcoin/block-offsets.js';
import { sha256d } from '../bitcoin/hash.js';
import { verifyBlock } from '../bitcoin/verify-block.js';
import { InputError } from '../errors/errors.js';
import { bytesEqual } from '../util/bytes.js';
import type { BlkFolder } from './blk-folder.js';
import { HEADER_LENGTH } from './block-stream.js';
import type { BlockPlace, HeaderIndex } from './header-index.js';

/** A block as found in the files. */
export interface Copy {
  /** Undefined if no place holds a block with that hash any more. */
  readonly raw: Uint8Array | undefined;
  /** Code of the error that verifying it gave; undefined if it is valid, or was not verified. */
  readonly damage: string | undefined;
  /** Whether places tried before held a copy that is damaged or gone. */
  readonly another: boolean;
}

/**
 * Reads blocks from whichever of their places holds them whole: a crash of the node leaves records whose header was
 * written and whose transactions were not, or that later records were written over.
 */
export class BlockCopies {
  /** Places that were searched for records within them. */
  readonly #searched = new Set<string>();
  readonly #folder: BlkFolder;
  readonly #index: HeaderIndex;
  readonly #searchWithin: (place: BlockPlace) => Promise<void>;

  /** `searchWithin` adds the blocks that begin within a place to the index. */
  constructor(folder: BlkFolder, index: HeaderIndex, searchWithin: (place: BlockPlace) => Promise<void>) {
    this.#folder = folder;
    this.#index = index;
    this.#searchWithin = searchWithin;
  }

  /**
   * Reads block `id`. It is verified if `verify` is set or if it has several places: then the first valid copy counts.
   */
  async read(id: number, hash: Uint8Array, verify: boolean): Promise<Copy> {
    const tried = new Set<string>();
    let damaged: Copy | undefined;
    for (let place = this.#next(id, tried); place !== undefined; place = this.#next(id, tried)) {
      const another = tried.size > 1;
      const raw = await this.#readPlace(place, hash);
      const check = verify || this.#index.placesOf(id).length > 1;
      const damage = raw && check ? damageOf(raw) : undefined;
      if (raw !== undefined && damage === undefined) {
        if (another) this.#index.prefer(id, place);
        return { raw, damage, another };
      }
      damaged ??= raw && { raw, damage, another };
      await this.#searchOnce(place);
    }
    return damaged ?? { raw: undefined, damage: undefined, another: false };
  }

  #next(id: number, tried: Set<string>): BlockPlace | undefined {
    const place = this.#index.placesOf(id).find((other) => !tried.has(nameOf(other)));
    if (place !== undefined) tried.add(nameOf(place));
    return place;
  }

  async #searchOnce(place: BlockPlace): Promise<void> {
    if (this.#searched.has(nameOf(place))) return;
    this.#searched.add(nameOf(place));
    await unreadableIsNothing(this.#searchWithin(place));
  }

  /** The block, if its place in the files still holds its header. */
  async #readPlace({ file, offset, length }: BlockPlace, hash: Uint8Array): Promise<Uint8Array | undefined> {
    const raw = await unreadableIsNothing(this.#folder.withFile(file, (read) => read(offset, length)));
    const whole = raw?.length === length && bytesEqual(sha256d(raw.subarray(0, HEADER_LENGTH)), hash);
    return whole ? raw : undefined;
  }
}

function nameOf({ file, offset, length }: BlockPlace): string {
  return `${file} ${offset} ${length}`;
}

/** A pruning node deletes files: an unreadable one counts as absent. */
async function unreadableIsNothing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof InputError && error.code === 'BLOCK_FILES_UNREADABLE') return undefined;
    throw error;
  }
}

/** The error code of a block that is not valid, apart from its place in a chain; undefined for a valid one. */
function damageOf(raw: Uint8Array): string | undefined {
  try {
    verifyBlock(BlockOffsets.read(raw), {});
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return error.code;
    throw error;
  }
}
