import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { InputError } from '../errors.js';
import {
  BLOCKS_FILE,
  type FixtureBlock,
  type FixtureIndex,
  INDEX_FILE,
  MAXIMUM_BLOCK_BYTES,
  MAXIMUM_INDEX_BYTES,
  PACKED_BLOCKS_FILE,
  parseFixtureIndex,
} from '../fixtures/format.js';
import { readU32, toDisplayHash } from '../util/bytes.js';

/** A block as it lies in a source; not parsed, not verified beyond what the source itself promises. */
export interface SourceBlock {
  readonly height: number;
  readonly raw: Uint8Array;
}

/** Blocks by ascending height. Heights may have gaps in a folder of files, never in a fixture chain. */
export interface BlockSource {
  readonly kind: 'fixture' | 'folder' | 'file';
  readonly path: string;
  /** `regtest`, `mainnet`, or what a fixture chain names itself. */
  readonly network: string;
  readonly firstHeight: number;
  readonly lastHeight: number;
  /** Every height of the source, ascending. */
  readonly heights: readonly number[];
  /** Reads the blocks from height `from` to height `to` (both included), one at a time: never more than one is in memory. */
  blocks(from?: number, to?: number): AsyncGenerator<SourceBlock, void, void>;
}

/** A coinbase script has at most 100 bytes and stands at most 80 + 9 + 4 + 2 + 1 + 36 + 9 bytes into the block. */
const HEAD_BYTES = 256;
const REGTEST_BITS = 0x207fffff;

/**
 * Opens a fixture chain (a folder with `chain.json`), a folder of raw blocks (`*.bin`, ordered by the height in their
 * coinbase), or one raw block file. Throws InputError: BLOCK_FILE_UNREADABLE, BLOCK_FILE_TRUNCATED, BLOCK_FILE_TOO_LARGE,
 * BLOCK_FILE_NO_HEIGHT, BLOCK_FILE_DUPLICATE, BLOCK_FILE_FOLDER_EMPTY, FIXTURE_UNREADABLE, FIXTURE_INDEX, FIXTURE_TRUNCATED;
 * while reading also FIXTURE_HASH.
 */
export async function openSource(path: string): Promise<BlockSource> {
  const info = await stat(path).catch((cause: unknown) => {
    throw new InputError('BLOCK_FILE_UNREADABLE', 'the path cannot be read', { facts: { path }, cause });
  });
  if (info.isFile()) return fileSource(path, 'file', [await describeFile(path)]);
  const names = await readdir(path).catch((cause: unknown) => {
    throw new InputError('BLOCK_FILE_UNREADABLE', 'the folder cannot be read', { facts: { path }, cause });
  });
  if (names.includes(INDEX_FILE)) return fixtureSource(path, names);
  const files: BlockFile[] = [];
  for (const name of names.filter((n) => n.endsWith('.bin'))) files.push(await describeFile(join(path, name)));
  if (files.length === 0) {
    throw new InputError('BLOCK_FILE_FOLDER_EMPTY', 'the folder holds neither a fixture chain nor raw blocks', {
      facts: { path },
      hint: `A fixture chain has a ${INDEX_FILE}; raw blocks are files named *.bin.`,
    });
  }
  return fileSource(path, 'folder', files);
}

// ---- raw block files ----

interface BlockFile {
  readonly path: string;
  readonly height: number;
  readonly network: string;
}

function fileSource(path: string, kind: 'folder' | 'file', files: BlockFile[]): BlockSource {
  files.sort((a, b) => a.height - b.height);
  for (let i = 1; i < files.length; i++) {
    if (files[i].height === files[i - 1].height) {
      throw new InputError('BLOCK_FILE_DUPLICATE', 'two files hold a block of one height', {
        facts: { height: files[i].height, first: files[i - 1].path, second: files[i].path },
      });
    }
  }
  return {
    kind,
    path,
    network: files[0].network,
    heights: files.map((file) => file.height),
    firstHeight: files[0].height,
    lastHeight: files[files.length - 1].height,
    async *blocks(from = 0, to = Number.MAX_SAFE_INTEGER) {
      for (const file of files) {
        if (file.height < from || file.height > to) continue;
        yield { height: file.height, raw: await readBlockFile(file.path) };
      }
    },
  };
}

/** Height and network of a raw block from its first bytes. */
async function describeFile(path: string): Promise<BlockFile> {
  const head = await withFile(path, async (handle) => readAt(handle, 0, HEAD_BYTES));
  if (head.length < 81) throw truncatedFile(path, head.length);
  const height = coinbaseHeight(head);
  if (height === undefined) {
    throw new InputError('BLOCK_FILE_NO_HEIGHT', 'the coinbase does not begin with a block height', {
      facts: { path },
      hint: 'A raw block is an 80-byte header, a transaction count and the transactions, nothing before them; blocks older than BIP34 carry no height.',
    });
  }
  return { path, height, network: readU32(head, 72) === REGTEST_BITS ? 'regtest' : 'mainnet' };
}

/** The BIP34 height of a raw block, given at least its first {@link HEAD_BYTES} bytes. */
function coinbaseHeight(head: Uint8Array): number | undefined {
  let at = 80;
  at += head[at] < 0xfd ? 1 : head[at] === 0xfd ? 3 : head[at] === 0xfe ? 5 : 9;
  at += 4; // version
  if (head[at] === 0x00 && head[at + 1] === 0x01) at += 2; // segwit marker and flag
  if (head[at] !== 0x01) return undefined; // a coinbase has one input
  at += 1 + 36;
  const scriptLength = head[at++];
  const push = head[at];
  if (scriptLength === undefined || scriptLength < 2 || scriptLength > 100 || push === undefined) return undefined;
  if (push >= 0x51 && push <= 0x60) return push - 0x50;
  if (push === 0 || push > 4 || push >= scriptLength || at + push >= head.length) return undefined;
  let height = 0;
  for (let i = push; i >= 1; i--) height = height * 256 + head[at + i];
  return head[at + push] & 0x80 ? undefined : height;
}

async function readBlockFile(path: string): Promise<Uint8Array> {
  return withFile(path, async (handle) => {
    const { size } = await handle.stat();
    if (size > MAXIMUM_BLOCK_BYTES) {
      throw new InputError('BLOCK_FILE_TOO_LARGE', 'the file is larger than a block can be', {
        facts: { path, bytes: size, maximum: MAXIMUM_BLOCK_BYTES },
      });
    }
    return readAt(handle, 0, size);
  });
}

function truncatedFile(path: string, bytes: number): InputError {
  return new InputError('BLOCK_FILE_TRUNCATED', 'the file is too short for a block', { facts: { path, bytes } });
}

// ---- fixture chains ----

async function fixtureSource(path: string, names: readonly string[]): Promise<BlockSource> {
  const index = await readIndex(join(path, INDEX_FILE));
  const packed = !names.includes(BLOCKS_FILE);
  const data = join(path, packed ? PACKED_BLOCKS_FILE : BLOCKS_FILE);
  if (packed && !names.includes(PACKED_BLOCKS_FILE)) {
    throw new InputError('FIXTURE_UNREADABLE', `the fixture chain has no ${BLOCKS_FILE}`, { facts: { path } });
  }
  const last = index.blocks[index.blocks.length - 1];
  if (!packed) {
    const { size } = await withFile(data, (handle) => handle.stat());
    if (size < last.offset + last.length) throw truncatedChain(data, last, size);
  }
  return {
    kind: 'fixture',
    path,
    network: index.network,
    heights: index.blocks.map((entry) => entry.height),
    firstHeight: index.firstHeight,
    lastHeight: last.height,
    async *blocks(from = 0, to = Number.MAX_SAFE_INTEGER) {
      const wanted = index.blocks.filter((entry) => entry.height >= from && entry.height <= to);
      const read = packed ? unpackedBlocks(data, wanted) : plainBlocks(data, wanted);
      for await (const block of read) {
        checkHash(block, wanted[block.height - wanted[0].height], data);
        yield block;
      }
    },
  };
}

async function readIndex(path: string): Promise<FixtureIndex> {
  const bytes = await withFile(path, async (handle) => {
    const { size } = await handle.stat();
    if (size > MAXIMUM_INDEX_BYTES) {
      throw new InputError('FIXTURE_INDEX', 'the index of the fixture chain is too large', {
        facts: { path, bytes: size },
      });
    }
    return readAt(handle, 0, size);
  });
  return parseFixtureIndex(new TextDecoder().decode(bytes), path);
}

async function* plainBlocks(path: string, wanted: readonly FixtureBlock[]): AsyncGenerator<SourceBlock, void, void> {
  const handle = await openFile(path);
  try {
    for (const entry of wanted) {
      const raw = await readAt(handle, entry.offset, entry.length);
      if (raw.length < entry.length) throw truncatedChain(path, entry, entry.offset + raw.length);
      yield { height: entry.height, raw };
    }
  } finally {
    await handle.close();
  }
}

/** Inflates from the start and cuts the wanted blocks out as they pass; memory is one block and zlib's window. */
async function* unpackedBlocks(path: string, wanted: readonly FixtureBlock[]): AsyncGenerator<SourceBlock, void, void> {
  const file = createReadStream(path);
  const inflated = createGunzip();
  file.on('error', (cause) => inflated.destroy(cause));
  file.pipe(inflated);
  let next = 0;
  let raw = new Uint8Array(wanted[0]?.length ?? 0);
  let position = 0;
  try {
    for await (const chunk of inflated as AsyncIterable<Uint8Array>) {
      while (next < wanted.length && position + chunk.length > wanted[next].offset) {
        const { offset, length, height } = wanted[next];
        const begin = Math.max(0, offset - position);
        const end = Math.min(chunk.length, offset + length - position);
        if (end > begin) raw.set(chunk.subarray(begin, end), position + begin - offset);
        if (position + end < offset + length) break;
        yield { height, raw };
        next++;
        raw = new Uint8Array(wanted[next]?.length ?? 0);
      }
      position += chunk.length;
      if (next === wanted.length) return;
    }
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw new InputError('FIXTURE_UNREADABLE', 'the packed blocks cannot be inflated', { facts: { path }, cause });
  } finally {
    file.destroy();
    inflated.destroy();
  }
  if (next < wanted.length) throw truncatedChain(path, wanted[next], position);
}

function truncatedChain(path: string, entry: FixtureBlock, bytes: number): InputError {
  return new InputError('FIXTURE_TRUNCATED', 'the blocks of the fixture chain end before the index says so', {
    facts: { path, height: entry.height, needed: entry.offset + entry.length, bytes },
    hint: 'Restore the folder from the repository, or build it again with `warpshrew fixtures`.',
  });
}

function checkHash(block: SourceBlock, entry: FixtureBlock, path: string): void {
  const once = createHash('sha256').update(block.raw.subarray(0, 80)).digest();
  const hash = toDisplayHash(createHash('sha256').update(once).digest());
  if (hash !== entry.hash) {
    throw new InputError('FIXTURE_HASH', 'a block of the fixture chain does not have the hash of the index', {
      facts: { path, height: block.height, expected: entry.hash, got: hash },
      hint: 'Restore the folder from the repository, or build it again with `warpshrew fixtures`.',
    });
  }
}

// ---- files ----

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw new InputError('BLOCK_FILE_UNREADABLE', 'the file cannot be read', { facts: { path }, cause });
  }
}

async function withFile<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await openFile(path);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

/** Up to `length` bytes from `offset`; fewer where the file ends. */
async function readAt(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const out = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(out, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled === length ? out : out.slice(0, filled);
}
