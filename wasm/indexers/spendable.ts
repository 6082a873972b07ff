// Unspent outputs by outpoint and by script. Keys and values: docs/programs.md, "The default indexer".
import { lengthOf } from './arena';
import { get, set, want } from './state';
import { sha256 } from '../sdk/sha256';

/** `s` script hash, position. */
const SCRIPT_KEY: usize = memory.data(40, 4);
const SCRIPT_KEY_BYTES: u32 = 33;
const ENTRY_KEY_BYTES: u32 = 37;
const OUTPOINT_KEY: usize = memory.data(40, 4);
const OUTPOINT_KEY_BYTES: u32 = 37;
/** Script hash, position, value. */
const RECORD: usize = memory.data(44, 4);
/** Outpoint, value. */
const ENTRY: usize = memory.data(44, 4);
const COUNT: usize = memory.data(4, 4);
export const ENTRY_BYTES: u32 = 44;

/** Selects the list of the script with this hash. */
function selectList(hash: usize): void {
  store<u8>(SCRIPT_KEY, 0x73);
  memory.copy(SCRIPT_KEY + 1, hash, 32);
}

/** Selects the list of a script. */
export function selectScript(script: usize, length: u32): void {
  store<u8>(SCRIPT_KEY, 0x73);
  sha256(script, length, SCRIPT_KEY + 1);
}

/** Length of the selected list. */
export function listLength(): u32 {
  const value = get(SCRIPT_KEY, SCRIPT_KEY_BYTES);
  return lengthOf(value) == 4 ? load<u32>(value) : 0;
}

function setLength(length: u32): void {
  store<u32>(COUNT, length);
  set(SCRIPT_KEY, SCRIPT_KEY_BYTES, COUNT, 4);
}

/** Entry of the selected list: outpoint and value. */
export function entryAt(position: u32): usize {
  store<u32>(SCRIPT_KEY + SCRIPT_KEY_BYTES, position);
  return get(SCRIPT_KEY, ENTRY_KEY_BYTES);
}

function setEntry(position: u32, entry: usize, size: u32): void {
  store<u32>(SCRIPT_KEY + SCRIPT_KEY_BYTES, position);
  set(SCRIPT_KEY, ENTRY_KEY_BYTES, entry, size);
}

function outpointKey(outpoint: usize): usize {
  store<u8>(OUTPOINT_KEY, 0x6f);
  memory.copy(OUTPOINT_KEY + 1, outpoint, 36);
  return OUTPOINT_KEY;
}

/** Writes the record of an outpoint of the selected list. */
function setRecord(outpoint: usize, position: u32, value: u64): void {
  memory.copy(RECORD, SCRIPT_KEY + 1, 32);
  store<u32>(RECORD, position, 32);
  store<u64>(RECORD, value, 36);
  set(outpointKey(outpoint), OUTPOINT_KEY_BYTES, RECORD, 44);
}

/** Lists a new output under the hash of its script. `outpoint` is txid and vout. */
export function addOutput(outpoint: usize, hash: usize, value: u64): void {
  selectList(hash);
  const position = listLength();
  memory.copy(ENTRY, outpoint, 36);
  store<u64>(ENTRY, value, 36);
  setEntry(position, ENTRY, ENTRY_BYTES);
  setLength(position + 1);
  setRecord(outpoint, position, value);
}

/**
 * Removes an output from its script's list; the list's last entry moves into the gap. Does nothing if it is not listed.
 */
export function spendOutput(outpoint: usize): void {
  const record = get(outpointKey(outpoint), OUTPOINT_KEY_BYTES);
  if (lengthOf(record) != 44) return;
  const position = load<u32>(record, 32);
  selectList(record);
  const last = listLength() - 1;
  if (position != last) {
    const moved = entryAt(last);
    if (lengthOf(moved) != ENTRY_BYTES) unreachable();
    setEntry(position, moved, ENTRY_BYTES);
    setRecord(moved, position, load<u64>(moved, 36));
  }
  setEntry(last, 0, 0);
  setLength(last);
  set(outpointKey(outpoint), OUTPOINT_KEY_BYTES, 0, 0);
}

/** Wants the length of the list of the script with this hash. */
export function wantLength(hash: usize): void {
  selectList(hash);
  want(SCRIPT_KEY, SCRIPT_KEY_BYTES);
}

/** Wants the record of an outpoint. */
export function wantRecord(outpoint: usize): void {
  want(outpointKey(outpoint), OUTPOINT_KEY_BYTES);
}

/** Wants the length of the list that holds an outpoint, whose record is there. */
export function wantListOf(outpoint: usize): void {
  const record = get(outpointKey(outpoint), OUTPOINT_KEY_BYTES);
  if (lengthOf(record) == 44) wantLength(record);
}

/** Wants the entry that takes the place of a spent outpoint in its list, whose length is there. */
export function wantLastOf(outpoint: usize): void {
  const record = get(outpointKey(outpoint), OUTPOINT_KEY_BYTES);
  if (lengthOf(record) != 44) return;
  selectList(record);
  const last = listLength() - 1;
  if (load<u32>(record, 32) == last) return;
  store<u32>(SCRIPT_KEY + SCRIPT_KEY_BYTES, last);
  want(SCRIPT_KEY, ENTRY_KEY_BYTES);
}
