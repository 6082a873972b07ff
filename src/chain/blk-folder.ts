import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors/errors.js';

const NAME = /^blk(\d{5,6})\.dat$/;
const XOR_FILE = 'xor.dat';
const XOR_LENGTH = 8;

export interface BlkFile {
  readonly number: number;
  readonly size: number;
  readonly modifiedMs: number;
}

/** A node's folder of block files, opened read-only. Reads remove the XOR key of `xor.dat`. */
export class BlkFolder {
  /** Eight bytes that repeat over each file from its first byte on; undefined if there is no `xor.dat`. */
  readonly #xor: Uint8Array | undefined;

  private constructor(
    readonly path: string,
    xor: Uint8Array | undefined,
  ) {
    this.#xor = xor;
  }

  /** State of `xor.dat`, for errors: a node writes a file of zeros for plain files. */
  get key(): 'missing' | 'zeros' | 'a key' {
    if (this.#xor === undefined) return 'missing';
    return this.#xor.every((byte) => byte === 0) ? 'zeros' : 'a key';
  }

  /** Throws InputError BLOCK_FILES_UNREADABLE (no folder, no block files in it) or BLOCK_FILES_XOR. */
  static async open(path: string): Promise<BlkFolder> {
    const folder = new BlkFolder(path, undefined);
    if ((await folder.#names()).length === 0) {
      throw new InputError('BLOCK_FILES_UNREADABLE', 'the folder has no block files', {
        facts: { path },
        hint: 'Give the folder `blocks` in the folder of the node and network: it holds blk00000.dat and so on.',
      });
    }
    return new BlkFolder(path, await readKey(join(path, XOR_FILE)));
  }

  /** All block files by ascending number. */
  async files(): Promise<BlkFile[]> {
    const files: BlkFile[] = [];
    for (const { number, name } of await this.#names()) {
      try {
        const info = await stat(join(this.path, name));
        files.push({ number, size: info.size, modifiedMs: info.mtimeMs });
      } catch (error) {
        // A pruning node deletes files.
        if (!isMissing(error)) throw unreadable(join(this.path, name), error);
      }
    }
    return files;
  }

  /**
   * Calls `use` with a reader of one file: up to `length` bytes from `offset`, fewer where the file ends. Throws
   * BLOCK_FILES_UNREADABLE.
   */
  async withFile<T>(
    number: number,
    use: (read: (offset: number, length: number) => Promise<Uint8Array>) => Promise<T>,
  ): Promise<T> {
    const path = join(this.path, `blk${String(number).padStart(5, '0')}.dat`);
    const handle = await open(path, 'r').catch((error: unknown) => {
      throw unreadable(path, error);
    });
    try {
      return await use(async (offset, length) => {
        const bytes = new Uint8Array(length);
        let filled = 0;
        while (filled < length) {
          const { bytesRead } = await handle
            .read(bytes, filled, length - filled, offset + filled)
            .catch((error: unknown) => {
              throw unreadable(path, error);
            });
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        const got = filled === length ? bytes : bytes.slice(0, filled);
        if (this.#xor) applyKey(got, this.#xor, offset);
        return got;
      });
    } finally {
      await handle.close();
    }
  }

  async #names(): Promise<{ number: number; name: string }[]> {
    const names = await readdir(this.path).catch((error: unknown) => {
      throw unreadable(this.path, error);
    });
    return names
      .flatMap((name) => {
        const match = NAME.exec(name);
        return match ? [{ number: Number(match[1]), name }] : [];
      })
      .sort((a, b) => a.number - b.number);
  }
}

/** Combines `bytes`, which begin at `offset` of their file (and of an ArrayBuffer), with the repeated key. */
function applyKey(bytes: Uint8Array, key: Uint8Array, offset: number): void {
  const turned = Uint8Array.from(key, (_, i) => key[(offset + i) % XOR_LENGTH]);
  const [even, odd] = new Uint32Array(turned.buffer);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  for (let i = 0; i < words.length; i++) words[i] ^= i & 1 ? odd : even;
  for (let i = words.length * 4; i < bytes.length; i++) bytes[i] ^= turned[i % XOR_LENGTH];
}

async function readKey(path: string): Promise<Uint8Array | undefined> {
  let key: Uint8Array;
  try {
    const { size } = await stat(path);
    if (size !== XOR_LENGTH) {
      throw new InputError('BLOCK_FILES_XOR', 'the key of the block files is not eight bytes', {
        facts: { path, bytes: size, 'xor.dat': 'of a wrong length' },
        hint: 'Take it from the folder of the node that wrote the block files.',
      });
    }
    key = await readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error instanceof InputError ? error : unreadable(path, error);
  }
  return key;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function unreadable(path: string, cause: unknown): InputError {
  return new InputError('BLOCK_FILES_UNREADABLE', 'the block files cannot be read', {
    facts: { path },
    hint: 'Check the path, and that this user may read what the node writes.',
    cause,
  });
}
