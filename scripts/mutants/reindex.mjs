// Databases for a changed module, with the history that both share.
import { inFile } from './in-file.mjs';

const TEST = 'test/cli/reindex.test.ts';
const copy = inFile('src/store/earlier-copy.ts', TEST);
const says = inFile('src/standard/same-below.ts', TEST);

export const REINDEX = [
  copy(
    'reindex-later-values',
    "if (writtenAt(value) <= height) batch.put('latest', key, value);",
    "batch.put('latest', key, value);",
    'values of later blocks are copied',
  ),
  copy(
    'reindex-ended-lost',
    'else if (writtenAt(value) <= height) {',
    'else if (writtenAt(value) < 0) {',
    'a value that a later block ended is lost',
  ),
  copy(
    'reindex-later-undo',
    "if (readBeU32(key, 0) <= height) batch.put('undo', key, value);",
    "batch.put('undo', key, value);",
    'undo data of later blocks is copied',
  ),
  says(
    'reindex-any-module',
    ' || toHex(bytes.subarray(0, HASH_BYTES)) !== earlier',
    '',
    'what is said of another module counts',
  ),
];
