import { sha256d } from '../bitcoin/hash.js';
import { MAX_BLOCK_LENGTH } from '../bitcoin/limits.js';
import { meetsTarget } from '../bitcoin/verify-block.js';
import { readU32 } from '../util/bytes.js';
import { HEADER_LENGTH } from './block-stream.js';

/** Up to `length` bytes from `offset`. */
export type Read = (offset: number, length: number) => Promise<Uint8Array>;

export interface ScanOptions {
  readonly read: Read;
  /** Length of the file. */
  readonly size: number;
  /** Where to begin: 0, or the result of the last scan of the file. */
  readonly from: number;
  /** Blocks that begin here or later are not searched; the file's length if not given. */
  readonly until?: number;
  readonly magic: Uint8Array;
  readonly signal: AbortSignal;
  /** `header` is a view that lasts for the call only; `offset` is that of its first byte. */
  found(hash: Uint8Array, header: Uint8Array, offset: number, length: number): void;
  /** Bytes before a block that belong to no block: padding, or the remains of a crash. */
  skipped(bytes: number): void;
}

/** Magic and length stand before each block. */
const FRAME = 8;
const SEARCH_BYTES = 1 << 18;
/** Blocks shorter than this are read many at a time, headers of longer ones one by one. */
const SMALL_BLOCK = 1 << 15;
const SMALL_READ = 1 << 12;

/**
 * Finds the blocks of one file, reading little more than their headers. Without a magic, a possible length, the whole
 * block after it and a header that meets its own target, there is no block; the next magic is searched from there.
 * Where neither a block nor padding follows a block, its length may be that of a record that others have overwritten:
 * they are searched within it. Resolves with the end of the last block: scan again from there once the file has
 * changed.
 */
export async function scanFile(options: ScanOptions): Promise<number> {
  const { size, magic, signal, until = size } = options;
  const window = new Window(options.read);
  let end = options.from;
  let at = options.from;
  while (at < until && at + FRAME + HEADER_LENGTH < size && !signal.aborted) {
    const head = await window.get(at, FRAME + HEADER_LENGTH);
    if (head.length < FRAME + HEADER_LENGTH) break;
    const length = readU32(head, 4);
    const possible = startsWith(head, magic) && length > HEADER_LENGTH && length <= MAX_BLOCK_LENGTH;
    const header = head.subarray(FRAME);
    const hash = possible && at + FRAME + length <= size ? sha256d(header) : undefined;
    if (hash && meetsTarget(hash, readU32(header, 72))) {
      if (at > end) options.skipped(at - end);
      options.found(hash, header, at + FRAME, length);
      const next = at + FRAME + length;
      end = Math.max(end, next);
      window.expect(length);
      const follows = await window.get(next, magic.length);
      const framed = startsWith(follows, magic) || follows.every((byte) => byte === 0);
      at = framed ? next : await search(options, at + FRAME + HEADER_LENGTH);
    } else {
      at = await search(options, at + 1);
    }
  }
  return end;
}

/** Offset of the next magic from `at` on; the file's length if there is none. */
async function search({ read, size, magic, signal }: ScanOptions, at: number): Promise<number> {
  for (let from = at; from + magic.length <= size && !signal.aborted; from += SEARCH_BYTES - magic.length + 1) {
    const bytes = await read(from, SEARCH_BYTES);
    const index = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(magic);
    if (index >= 0) return from + index;
  }
  return size;
}

function startsWith(bytes: Uint8Array, magic: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

/** A part of a file, read in pieces that suit the lengths of the blocks there. */
class Window {
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #piece = SMALL_READ;
  readonly #read: Read;

  constructor(read: Read) {
    this.#read = read;
  }

  /** Sets the expected length from the last block: its neighbours are of similar length. */
  expect(length: number): void {
    this.#piece = length < SMALL_BLOCK ? SEARCH_BYTES : SMALL_READ;
  }

  async get(at: number, length: number): Promise<Uint8Array> {
    if (at < this.#start || at + length > this.#start + this.#bytes.length) {
      this.#bytes = await this.#read(at, this.#piece);
      this.#start = at;
    }
    return this.#bytes.subarray(at - this.#start, at - this.#start + length);
  }
}
