/** Codes of databases. */
import type { Texts } from './texts.js';

/** A database that cannot be opened, read or written. */
export const STORE_CODES = {
  STORE_MISSING: ['no database in the folder', 'replay first'],
  STORE_FOREIGN: [
    'the folder holds something else than a database of warpshrew; nothing in it was changed',
    'name another folder: a missing or empty one for a new database',
  ],
  STORE_EMPTY: ['the database never had a block, so it is not bound to a chain yet', 'index or replay a chain into it'],
  STORE_LOCKED: ['another process has it open', 'stop that one'],
  STORE_UNWRITABLE: ['the folder cannot be written', 'check permissions and space'],
  STORE_OPEN_FAILED: ['RocksDB cannot open it, or files are missing', 'see the cause; restore a copy or a snapshot'],
  STORE_FILE_LIMIT: [
    'the process may open fewer files than the database needs',
    'raise `ulimit -n`, `LimitNOFILE=` or `--ulimit`',
  ],
  STORE_SCHEMA_MISMATCH: [
    'made by a version with another layout',
    'restore a snapshot of this layout, or index into a new folder',
  ],
  STORE_RULES_MISMATCH: [
    'made under other lane rules (version 1, for one)',
    'index into a new folder, or restore a snapshot made under these rules',
  ],
  STORE_NETWORK_MISMATCH: ['made for another network', 'use another `--db`'],
  STORE_LANE_START_MISMATCH: ['made with another `--lane-start-block`', 'use the recorded one'],
  STORE_DEPENDENT_MISMATCH: ['made with another `--dependent`', 'use the recorded one'],
  STORE_MODULE_MISMATCH: ['made with another module', 'name it with `--indexer`'],
  STORE_INDEX_MISMATCH: [
    'made with another `--index`: blocks are not stored, so an index cannot be made afterwards',
    'use the recorded value, or index into a new folder',
  ],
  STORE_NOT_NEXT: ['the block does not follow the tip', 'heights must be consecutive: one database a range'],
  STORE_READ_ONLY: ['a write to a store opened for reading', 'open it for writing'],
  STORE_CLOSED: [
    'used after closing, or closed before it answered',
    'ask again; where nothing was being stopped it is a defect: report it',
  ],
  STORE_WRITE_FAILED: ['the database refused a write', 'check disk space; the last whole block is kept'],
  STORE_READ_FAILED: [
    'the database cannot read what it stored: damaged files, or a disk that fails',
    'check the disk; restore a snapshot, or index into a new folder',
  ],
  STORE_LIST_UNDONE: ['the block that a listing was begun at was undone meanwhile', 'begin it again, without cursor'],
  STORE_REORG_UNDER_WAY: ['blocks were undone while they were read, each time', 'ask again'],
  STORE_CORRUPT: ['records contradict each other', 'replay into a new folder and report it'],
  STORE_OTHER_CHAIN: [
    "the source has another block 0, or another block at a height of the store, than the store's chain",
    'name a source of that chain, or another `--db`',
  ],
  STORE_ROLLBACK_TOO_DEEP: [
    'the undo data does not reach down to that height',
    'restore an older snapshot, or index into a new folder',
  ],
  STORE_HISTORY_PRUNED: [
    'the state after that block is no longer kept (`--history`)',
    'ask for a newer height; index with more `--history` to reach further back',
  ],
  STORE_NO_RECEIPT: ['no receipt of that transaction', 'it is not a lane transaction, or its block is not indexed yet'],
  STORE_NO_BLOCK_BYTES: [
    'the block of a transaction that shall run again is not at hand',
    'name a folder that has it with `--blocks`, or ask a server that follows a node',
  ],
  STORE_BAD_SHEET: ['a stored balance sheet is damaged', 'replay into a new folder and report it'],
  STORE_NOT_PROVABLE: [
    'the state after that block cannot be proved any more',
    'ask for a height that the message names',
  ],
  SNAPSHOT_EMPTY: ['the store has no block to put into a snapshot', 'index first'],
  SNAPSHOT_ROW_TOO_LONG: ['a row of the store has more than 128 MiB', 'copy the folder of the database instead'],
} as const satisfies Readonly<Record<string, Texts>>;

/** What `db check` finds: lines of its report, never thrown. */
export const CHECK_CODES = {
  CHECK_META: ['`db check`: identity, tip, genesis or label', 'restore a snapshot, or index into a new folder'],
  CHECK_HEIGHT: ['`db check`: heights without a block record', 'restore a snapshot, or index into a new folder'],
  CHECK_RECORD: [
    '`db check`: a block record that cannot be read, or a row of no known kind',
    'restore a snapshot, or index into a new folder',
  ],
  CHECK_HEADER: [
    "`db check`: a header that does not hash to the block's hash",
    'restore a snapshot, or index into a new folder',
  ],
  CHECK_PREVIOUS: [
    '`db check`: a header that does not name the block before',
    'restore a snapshot, or index into a new folder',
  ],
  CHECK_PLAN: ['`db check`: a plan missing, unreadable or too many', 'restore a snapshot, or index into a new folder'],
  CHECK_RECEIPT: [
    '`db check`: receipts that are not as many as recorded, or belong elsewhere',
    'restore a snapshot, or index into a new folder',
  ],
  CHECK_ADDRESS_INDEX: [
    '`db check`: rows of the index by address disagree, or their undo data',
    'restore a snapshot, or index into a new folder',
  ],
  CHECK_CONTRACT_INDEX: [
    '`db check`: receipts and their index by contract disagree',
    'restore a snapshot, or index into a new folder',
  ],
  CHECK_TX_INDEX: [
    '`db check`: receipts and the index of txids disagree',
    'restore a snapshot, or index into a new folder',
  ],
  CHECK_HISTORY: [
    '`db check`: a version that no commit can have written',
    'restore a snapshot, or index into a new folder',
  ],
  CHECK_LATEST: [
    '`db check`: a current value that is not the newest version',
    'restore a snapshot, or index into a new folder',
  ],
  CHECK_UNDO: [
    '`db check`: undo data that does not match the history',
    'restore a snapshot, or index into a new folder',
  ],
  CHECK_PAGE: [
    '`db check`: a stored row of a state tree missing, wrong or too many',
    'check the disk; the next start makes the tree from the state',
  ],
  CHECK_ROOT: [
    '`db check`: the recorded root is not that of the state',
    'restore a snapshot, or index into a new folder',
  ],
  CHECK_UNREADABLE: [
    '`db check`: RocksDB cannot read it (damaged files)',
    'restore a snapshot, or index into a new folder; check the disk',
  ],
} as const satisfies Readonly<Record<string, Texts>>;

/** Why `proof verify` refuses a proof: in its output, never thrown. */
export const PROOF_CODES = {
  PROOF_OTHER_KEY: [
    '`proof verify`: the proof is about another key than `--key` in `--namespace`',
    'ask for the right one',
  ],
  PROOF_OTHER_HEIGHT: ['`proof verify`: the proof is about another height than `--height`', 'ask for the right one'],
  PROOF_OTHER_ROOT: [
    '`proof verify`: the proof is under another root than `--root`',
    'get the root of the height of the proof, or a proof of the height of the root',
  ],
  PROOF_WRONG: ['`proof verify`: the hashes do not show what the proof says', 'do not trust who gave it'],
} as const satisfies Readonly<Record<string, Texts>>;
