import { InputError } from '../errors/errors.js';
import type { BlkFolder } from './blk-folder.js';

const KEY_LENGTH = 8;
/**
 * The first block of the first file is block 0: after magic, length and version its header holds 32 zeros, the previous
 * hash.
 */
const ZEROS_AT = 12;
const ZEROS = 32;

/** What a `xor.dat` that does not fit looks like. */
const WRONG = {
  missing: 'missing',
  zeros: 'all zeros, as if the files were plain',
  'a key': 'the key of other files, or the files are plain',
} as const;

/**
 * Throws InputError BLOCK_FILES_XOR if the first file shows that it was written with another key than that of
 * `xor.dat`: then the 32 zeros in the header of block 0 read as eight other bytes, four times. The files of a pruned
 * node do not begin with block 0 and show nothing.
 */
export async function assertKey(folder: BlkFolder): Promise<void> {
  const [first] = await folder.files();
  if (first?.number !== 0 || first.size < ZEROS_AT + ZEROS) return;
  const bytes = await folder.withFile(0, (read) => read(ZEROS_AT, ZEROS));
  const repeats = bytes.length === ZEROS && bytes.every((byte, i) => byte === bytes[i % KEY_LENGTH]);
  if (!repeats || bytes.every((byte) => byte === 0)) return;
  throw new InputError('BLOCK_FILES_XOR', 'the block files were written with another key than that of xor.dat', {
    facts: { path: folder.path, 'xor.dat': WRONG[folder.key] },
    hint: 'Take the file xor.dat from the folder of the node that wrote the block files, and put it beside them.',
  });
}
