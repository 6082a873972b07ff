/** Block files as a node writes them: magic, length, block; several files; the key of `xor.dat` over all of them. */
import { appendFileSync, closeSync, openSync, readSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { concatBytes, fromHex, u32Bytes } from '../../util/bytes.js';
import type { ServedBlock } from './fake-node.js';
import type { SyntheticBlock } from './synthetic-chain.js';

/** Of regtest. */
const MAGIC = fromHex('fabfb5da');
const KEY = fromHex('5ac31e84f0972b6d');
/** A file that a block would make longer than this is left; a node reserves room in such pieces, which stay zero behind the last block. */
const FILE_BYTES = 128 << 20;
const PIECE_BYTES = 16 << 20;

/** A block that lies in a file, and is read from there each time. */
class FiledBlock implements ServedBlock {
  constructor(
    readonly hash: Uint8Array,
    private readonly path: string,
    private readonly offset: number,
    private readonly length: number,
  ) {}

  get raw(): Uint8Array {
    const file = openSync(this.path, 'r');
    try {
      const bytes = new Uint8Array(this.length);
      const read = readSync(file, bytes, 0, bytes.length, this.offset);
      if (read !== this.length) throw new Error(`${this.path} ends within a block`);
      return combined(bytes, this.offset);
    } finally {
      closeSync(file);
    }
  }
}

/** Writes blocks into `blk00000.dat` and on, with an `xor.dat` beside them, in a folder that exists. */
export function writeBlockFiles(
  folder: string,
  blocks: Iterable<SyntheticBlock>,
  fileBytes = FILE_BYTES,
): { readonly blocks: readonly ServedBlock[]; readonly bytes: number; readonly files: number } {
  writeFileSync(join(folder, 'xor.dat'), KEY);
  const pathOf = (number: number): string => join(folder, `blk${String(number).padStart(5, '0')}.dat`);
  const filed: FiledBlock[] = [];
  let bytes = 0;
  let file = 0;
  let end = 0;
  for (const { hash, raw } of blocks) {
    const record = concatBytes(MAGIC, u32Bytes(raw.length), raw);
    if (end > 0 && end + record.length > fileBytes) {
      file++;
      end = 0;
    }
    filed.push(new FiledBlock(hash, pathOf(file), end + record.length - raw.length, raw.length));
    appendFileSync(pathOf(file), combined(record, end));
    end += record.length;
    bytes += raw.length;
  }
  truncateSync(pathOf(file), Math.ceil(end / PIECE_BYTES) * PIECE_BYTES);
  return { blocks: filed, bytes, files: file + 1 };
}

/** The bytes combined in place with the key as it lies over a file from `offset` on. */
function combined(bytes: Uint8Array, offset: number): Uint8Array {
  for (let i = 0; i < bytes.length; i++) bytes[i] ^= KEY[(offset + i) % KEY.length];
  return bytes;
}
