import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors/errors.js';
import { readU32, toDisplayHash } from '../util/bytes.js';
import { coinbaseHeight } from './coinbase-height.js';
import {
  BLOCKS_FILE,
  type FixtureBlock,
  type FixtureIndex,
  INDEX_FILE,
  MAXIMUM_INDEX_BYTES,
  parseFixtureIndex,
  REBUILD_HINT,
} from './fixture-format.js';
import { MAX_BLOCK_LENGTH } from './limits.js';

/** A block as it lies in a source; not parsed, verified only as far as the source itself promises. */
export interface SourceBlock {
  readonly height: number;
  readonly raw: Uint8Array;
}

/** Blocks by ascending height. Heights may have gaps in a folder of files, never in a fixture chain. */
export interface BlockSource {
  readonly kind: 'fixture' | 'folder' | 'file';
  readonly path: string;
  /** `regtest`, `mainnet`, or the name that a fixture chain gives. */
  readonly network: string;
  readonly firstHeight: number;
  readonly lastHeight: number;
  /** Every height of the source, ascending. */
  readonly heights: readonly number[];
  /**
   * Reads the blocks from height `from` to height `to` (both included), one at a time: never more than one is in
   * memory.
   */
  blocks(from?: number, to?: number): Generator<SourceBlock, void, void>;
}

/** A coinbase script has at most 100 bytes and stands at most 80 + 9 + 4 + 2 + 1 + 36 + 9 bytes into the block. */
const HEAD_BYTES = 256;
const REGTEST_BITS = 0x207fffff;

/**
 * Opens a fixture chain (a folder with `chain.json`), a folder of raw blocks (`*.bin`, ordered by the height in their
 * coinbase), or one raw block file. Throws InputError: BLOCK_FILE_UNREADABLE, BLOCK_FILE_TRUNCATED,
 * BLOCK_FILE_TOO_LARGE, BLOCK_FILE_NO_HEIGHT, BLOCK_FILE_DUPLICATE, BLOCK_FILE_FOLDER_EMPTY, FIXTURE_UNREADABLE,
 * FIXTURE_INDEX, FIXTURE_TRUNCATED; while reading also FIXTURE_HASH.
 */
export function openSource(path: string): BlockSource {
  const info = attempt(path, 'BLOCK_FILE_UNREADABLE', () => statSync(path));
  if (info.isFile()) return fileSource(path, 'file', [describeFile(path)]);
  const names = attempt(path, 'BLOCK_FILE_UNREADABLE', () => readdirSync(path));
  if (names.includes(INDEX_FILE)) return fixtureSource(path);
  const files: BlockFile[] = [];
  for (const name of names.filter((n) => n.endsWith('.bin'))) files.push(describeFile(join(path, name)));
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
    *blocks(from = 0, to = Number.MAX_SAFE_INTEGER) {
      for (const file of files) {
        if (file.height < from || file.height > to) continue;
        yield { height: file.height, raw: readBlockFile(file.path) };
      }
    },
  };
}

/** Height and network of a raw block from its first bytes. */
function describeFile(path: string): BlockFile {
  const head = withFile(path, 'BLOCK_FILE_UNREADABLE', (fd) => readAt(fd, 0, HEAD_BYTES));
  if (head.length < 81) throw truncatedFile(path, head.length);
  const height = heightOf(head);
  if (height === undefined) {
    throw new InputError('BLOCK_FILE_NO_HEIGHT', 'the coinbase does not begin with a block height', {
      facts: { path },
      hint:
        'A raw block is an 80-byte header, a transaction count and the transactions, with nothing before them. ' +
        'Blocks older than BIP34 carry no height.',
    });
  }
  return { path, height, network: readU32(head, 72) === REGTEST_BITS ? 'regtest' : 'mainnet' };
}

/** The height that a raw block names, given at least its first {@link HEAD_BYTES} bytes; undefined if it names none. */
function heightOf(head: Uint8Array): number | undefined {
  const script = coinbaseScript(head);
  return script && coinbaseHeight(head.subarray(0, 80), script);
}

/** The script of the first input of the first transaction; undefined if that is no coinbase. */
function coinbaseScript(head: Uint8Array): Uint8Array | undefined {
  let at = 80;
  at += head[at] < 0xfd ? 1 : head[at] === 0xfd ? 3 : head[at] === 0xfe ? 5 : 9;
  at += 4; // version
  if (head[at] === 0x00 && head[at + 1] === 0x01) at += 2; // segwit marker and flag
  if (head[at] !== 0x01) return undefined; // a coinbase has one input
  at += 1 + 36;
  const length = head[at];
  // Longer ones are not valid, and their length would take more than a byte only then.
  if (length === undefined || length > 100 || at + 1 + length > head.length) return undefined;
  return head.subarray(at + 1, at + 1 + length);
}

function readBlockFile(path: string): Uint8Array {
  return withFile(path, 'BLOCK_FILE_UNREADABLE', (fd) => {
    const { size } = fstatSync(fd);
    if (size > MAX_BLOCK_LENGTH) {
      throw new InputError('BLOCK_FILE_TOO_LARGE', 'the file is larger than a block can be', {
        facts: { path, bytes: size, maximum: MAX_BLOCK_LENGTH },
      });
    }
    return readAt(fd, 0, size);
  });
}

function truncatedFile(path: string, bytes: number): InputError {
  return new InputError('BLOCK_FILE_TRUNCATED', 'the file is too short for a block', { facts: { path, bytes } });
}

// ---- fixture chains ----

function fixtureSource(path: string): BlockSource {
  const index = readIndex(join(path, INDEX_FILE));
  const data = join(path, BLOCKS_FILE);
  const last = index.blocks[index.blocks.length - 1];
  const { size } = withFile(data, 'FIXTURE_UNREADABLE', (fd) => fstatSync(fd));
  if (size < last.offset + last.length) throw truncatedChain(data, last, size);
  return {
    kind: 'fixture',
    path,
    network: index.network,
    heights: index.blocks.map((entry) => entry.height),
    firstHeight: index.firstHeight,
    lastHeight: last.height,
    *blocks(from = 0, to = Number.MAX_SAFE_INTEGER) {
      const fd = openFile(data, 'FIXTURE_UNREADABLE');
      try {
        for (const entry of index.blocks) {
          if (entry.height >= from && entry.height <= to) {
            yield { height: entry.height, raw: readFixtureBlock(fd, entry, data) };
          }
        }
      } finally {
        closeSync(fd);
      }
    },
  };
}

function readIndex(path: string): FixtureIndex {
  const bytes = withFile(path, 'FIXTURE_UNREADABLE', (fd) => {
    const { size } = fstatSync(fd);
    if (size > MAXIMUM_INDEX_BYTES) {
      throw new InputError('FIXTURE_INDEX', 'the index of the fixture chain is too large', {
        facts: { path, bytes: size, maximum: MAXIMUM_INDEX_BYTES },
      });
    }
    return readAt(fd, 0, size);
  });
  return parseFixtureIndex(new TextDecoder().decode(bytes), path);
}

/** One block, whose header must have the hash of the index. */
function readFixtureBlock(fd: number, entry: FixtureBlock, path: string): Uint8Array {
  const raw = readAt(fd, entry.offset, entry.length);
  if (raw.length < entry.length) throw truncatedChain(path, entry, entry.offset + raw.length);
  const once = createHash('sha256').update(raw.subarray(0, 80)).digest();
  const hash = toDisplayHash(createHash('sha256').update(once).digest());
  if (hash === entry.hash) return raw;
  throw new InputError('FIXTURE_HASH', 'a block of the fixture chain does not have the hash of the index', {
    facts: { path, height: entry.height, expected: entry.hash, got: hash },
    hint: REBUILD_HINT,
  });
}

function truncatedChain(path: string, entry: FixtureBlock, bytes: number): InputError {
  return new InputError('FIXTURE_TRUNCATED', 'the blocks of the fixture chain end before the index says so', {
    facts: { path, height: entry.height, needed: entry.offset + entry.length, bytes },
    hint: REBUILD_HINT,
  });
}

// ---- files ----

type UnreadableCode = 'BLOCK_FILE_UNREADABLE' | 'FIXTURE_UNREADABLE';

function attempt<T>(path: string, code: UnreadableCode, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new InputError(code, 'the path cannot be read', { facts: { path }, cause });
  }
}

function openFile(path: string, code: UnreadableCode): number {
  return attempt(path, code, () => openSync(path, 'r'));
}

function withFile<T>(path: string, code: UnreadableCode, use: (fd: number) => T): T {
  const fd = openFile(path, code);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Up to `length` bytes from `offset`; fewer where the file ends. */
function readAt(fd: number, offset: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(fd, out, filled, length - filled, offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled === length ? out : out.slice(0, filled);
}
