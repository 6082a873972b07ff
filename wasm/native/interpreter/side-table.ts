// Makes the side table of a function when it is called first: one walk over its code, which is known to be valid.
import { behind, CONTROL, KINDS, NUMBER, prefixedChange, setKinds, TWO_NUMBERS } from './kinds';
import {
  BRANCH_BYTES,
  BRANCH_SIDE,
  BRANCH_VALUES,
  FUNCTION_BYTES,
  FUNCTION_CODE,
  FUNCTION_COST,
  FUNCTION_LOCALS,
  FUNCTION_PARAMS,
  FUNCTION_RESULTS,
  FUNCTION_SIDE,
  LAST_END,
  PROGRAM_FUNCTIONS,
  PROGRAM_ROOM,
  PROGRAM_TYPES,
  TYPE_BYTES,
  TYPE_RESULTS,
  WORD,
} from './layout';
import { after, longU32, skipped } from './numbers';

/** An open block: nesting is at most 512, and the body itself is one more. */
const BLOCK_BYTES: usize = 32;
const BLOCKS: usize = memory.data(16_448);
const BLOCK_OP: usize = 0;
/** Operands below the block's parameters. */
const BLOCK_HEIGHT: usize = 4;
const BLOCK_PARAMS: usize = 8;
const BLOCK_RESULTS: usize = 12;
/** Of a loop: where its code begins. */
const BLOCK_CODE: usize = 16;
/** Of a loop: where its side table begins. Of an if: the words that say where it goes if its condition is false. */
const BLOCK_SIDE: usize = 20;
/** Branches to its end whose place is not known yet: the last one, whose first word names the one before. */
const BLOCK_BRANCHES: usize = 24;
/** The words of a branch to it from a br_table, which all labels share that mean it; 0: no br_table has named it. */
const BLOCK_SEEN: usize = 28;

/** The program whose function is walked: what is written counts from there. */
let base: usize = 0;
// What is walked: the place in the side table where the next words go, and where the fuel of the basic block goes.
let side: usize = 0;
let costAt: usize = 0;
/** The innermost open block. */
let block: usize = 0;
/** Parameters and locals of the function: the operands lie behind them. */
let localCount: u32 = 0;

/** Opens a block of the type at `at`, whose parameters are on the operand stack of height `height`. */
function open(op: u32, at: usize, height: u32, types: usize): u32 {
  block += BLOCK_BYTES;
  let params: u32 = 0;
  let results: u32 = 0;
  const first = load<u8>(at);
  if (first >= 0x80 || !(first & 0x40)) {
    const type = types + <usize>longU32(at) * TYPE_BYTES;
    params = load<u16>(type);
    results = load<u16>(type, TYPE_RESULTS);
  } else if (first !== 0x40) results = 1;
  store<u32>(block, op, BLOCK_OP);
  store<u32>(block, height - params, BLOCK_HEIGHT);
  store<u32>(block, params, BLOCK_PARAMS);
  store<u32>(block, results, BLOCK_RESULTS);
  store<u32>(block, 0, BLOCK_BRANCHES);
  store<u32>(block, 0, BLOCK_SEEN);
  return params;
}

/** Writes where a branch to `target` goes, the three words at `at`; a place that is not known yet is written later. */
function writeBranch(at: usize, target: usize): void {
  const isLoop = load<u32>(target, BLOCK_OP) === 0x03;
  const values = isLoop ? load<u32>(target, BLOCK_PARAMS) : load<u32>(target, BLOCK_RESULTS);
  store<u32>(at, ((localCount + load<u32>(target, BLOCK_HEIGHT)) << 16) | values, BRANCH_VALUES);
  if (isLoop) {
    store<u32>(at, load<u32>(target, BLOCK_CODE) - <u32>base);
    store<u32>(at, load<u32>(target, BLOCK_SIDE) - <u32>base, BRANCH_SIDE);
  } else {
    store<u32>(at, load<u32>(target, BLOCK_BRANCHES));
    store<u32>(target, at, BLOCK_BRANCHES);
  }
}

@inline
function targetOf(label: u32): usize {
  return block - <usize>label * BLOCK_BYTES;
}

/** The branches of a br_table whose labels begin at `at`: one word for each label, behind them what these name. */
function writeTable(at: usize, count: u32): usize {
  const table = side;
  side += (<usize>count + 1) * WORD;
  for (let i: usize = 0; i <= <usize>count; i++) {
    const target = targetOf(longU32(at));
    at = after;
    let branch: usize = load<u32>(target, BLOCK_SEEN);
    if (branch === 0) {
      branch = side;
      side += BRANCH_BYTES;
      writeBranch(branch, target);
      store<u32>(target, branch, BLOCK_SEEN);
    }
    store<u32>(table + i * WORD, <u32>(branch - base));
  }
  return at;
}

/** Tells the branches to the end of the block where it is. */
function land(at: usize, place: usize): void {
  let branch: usize = load<u32>(block, BLOCK_BRANCHES);
  while (branch !== 0) {
    const before: usize = load<u32>(branch);
    store<u32>(branch, <u32>(at - base));
    store<u32>(branch, <u32>(place - base), BRANCH_SIDE);
    branch = before;
  }
}

/** The `else` behind which the code goes on at `at`. `isReached`: from the instruction before it. */
function writeElse(at: usize): u32 {
  const here = side;
  side += 3 * WORD;
  const opener: usize = load<u32>(block, BLOCK_SIDE);
  store<u32>(opener, <u32>(at - base));
  store<u32>(opener, <u32>(here + 2 * WORD - base), BRANCH_SIDE);
  store<u32>(block, 0x05, BLOCK_OP);
  // Whoever comes here goes to the end.
  store<u32>(here, load<u32>(block, BLOCK_BRANCHES));
  store<u32>(block, here, BLOCK_BRANCHES);
  costAt = here + 2 * WORD;
  return load<u32>(block, BLOCK_HEIGHT) + load<u32>(block, BLOCK_PARAMS);
}

/** The `end` behind which the code goes on at `at`. */
function writeEnd(at: usize, isLast: bool): u32 {
  const here = side;
  side += WORD;
  if (load<u32>(block, BLOCK_OP) === 0x04) {
    const opener: usize = load<u32>(block, BLOCK_SIDE);
    store<u32>(opener, <u32>(at - base));
    store<u32>(opener, <u32>(here - base), BRANCH_SIDE);
  }
  // Branches to the body itself go to its last `end`, which returns.
  land(isLast ? at - 1 : at, here);
  costAt = here;
  const height = load<u32>(block, BLOCK_HEIGHT) + load<u32>(block, BLOCK_RESULTS);
  block -= BLOCK_BYTES;
  return height;
}

/** The place of the `else` or `end` that ends the dead code from `at` on. */
function endOfDead(at: usize): usize {
  let depth: u32 = 0;
  let op: u32 = load<u8>(at);
  while (depth !== 0 || (op !== 0x0b && op !== 0x05)) {
    if (op >= 0x02 && op <= 0x04) depth++;
    else if (op === 0x0b) depth--;
    at = behind(op, at + 1);
    op = load<u8>(at);
  }
  return at;
}

/** Makes the side table of `fn`, and marks its last `end`. */
export function makeSideTable(program: usize, fn: usize): void {
  setKinds();
  base = program;
  const functions = program + <usize>load<u32>(program, PROGRAM_FUNCTIONS);
  const types = program + <usize>load<u32>(program, PROGRAM_TYPES);
  let at = program + <usize>load<u32>(fn, FUNCTION_CODE);
  store<u32>(fn, load<u32>(program, PROGRAM_ROOM), FUNCTION_SIDE);
  side = program + <usize>load<u32>(program, PROGRAM_ROOM);
  costAt = fn + FUNCTION_COST;
  localCount = <u32>load<u16>(fn, FUNCTION_PARAMS) + <u32>load<u16>(fn, FUNCTION_LOCALS);
  block = BLOCKS;
  store<u32>(block, 0x02, BLOCK_OP);
  store<u32>(block, 0, BLOCK_HEIGHT);
  store<u32>(block, <u32>load<u16>(fn, FUNCTION_RESULTS), BLOCK_RESULTS);
  store<u32>(block, 0, BLOCK_BRANCHES);
  store<u32>(block, 0, BLOCK_SEEN);
  let height: u32 = 0;
  let cost: u32 = 0;
  while (true) {
    const op: u32 = load<u8>(at++);
    const kind = load<i16>(KINDS + (<usize>op << 1));
    if (!(kind & CONTROL)) {
      cost++;
      height += <u32>(<i32>kind >> 8);
      if (kind & NUMBER) at = skipped(at);
      else if (kind & TWO_NUMBERS) at = skipped(skipped(at));
      continue;
    }
    let dies = false;
    switch (op) {
      case 0x00: // unreachable
      case 0x0f: // return
        store<u32>(costAt, cost + 1);
        dies = true;
        break;
      case 0x01: // nop
        continue;
      case 0x02: // block
        open(op, at, height, types);
        at = skipped(at);
        continue;
      case 0x03: // loop
        store<u32>(costAt, cost);
        open(op, at, height, types);
        at = skipped(at);
        store<u32>(block, <u32>at, BLOCK_CODE);
        store<u32>(block, <u32>side, BLOCK_SIDE);
        costAt = side;
        side += WORD;
        cost = 0;
        continue;
      case 0x04: // if
        store<u32>(costAt, cost + 1);
        open(op, at, --height, types);
        at = skipped(at);
        store<u32>(block, <u32>side, BLOCK_SIDE);
        costAt = side + 2 * WORD;
        side += 3 * WORD;
        cost = 0;
        continue;
      case 0x05: // else
        store<u32>(costAt, cost);
        height = writeElse(at);
        cost = 0;
        continue;
      case 0x0b: // end
        store<u32>(costAt, cost);
        cost = 0;
        if (block === BLOCKS) break;
        height = writeEnd(at, false);
        continue;
      case 0x0c: // br
        store<u32>(costAt, cost + 1);
        writeBranch(side, targetOf(longU32(at)));
        at = after;
        side += BRANCH_BYTES;
        dies = true;
        break;
      case 0x0d: // br_if
        store<u32>(costAt, cost + 1);
        writeBranch(side, targetOf(longU32(at)));
        at = after;
        costAt = side + BRANCH_BYTES;
        side += BRANCH_BYTES + WORD;
        cost = 0;
        height--;
        continue;
      case 0x0e: {
        // br_table
        store<u32>(costAt, cost + 1);
        const count = longU32(at);
        at = writeTable(after, count);
        dies = true;
        break;
      }
      case 0x10: {
        // call
        const callee = functions + <usize>longU32(at) * FUNCTION_BYTES;
        at = after;
        height += <u32>load<u16>(callee, FUNCTION_RESULTS) - <u32>load<u16>(callee, FUNCTION_PARAMS);
        cost++;
        continue;
      }
      case 0x11: {
        // call_indirect
        const type = types + <usize>longU32(at) * TYPE_BYTES;
        at = skipped(after);
        height += <u32>load<u16>(type, TYPE_RESULTS) - <u32>load<u16>(type) - 1;
        cost++;
        continue;
      }
      default: // those behind 0xfc
        height += <u32>prefixedChange(load<u8>(at));
        at = behind(op, at);
        cost++;
        continue;
    }
    cost = 0;
    if (dies) {
      at = endOfDead(at);
      if (load<u8>(at) === 0x05) {
        height = writeElse(++at);
        continue;
      }
      at++;
      if (block !== BLOCKS) {
        height = writeEnd(at, false);
        continue;
      }
    }
    // The last `end`: nothing follows it.
    writeEnd(at, true);
    store<u32>(costAt, 0);
    store<u8>(at - 1, LAST_END);
    store<u32>(program, <u32>(side - program), PROGRAM_ROOM);
    return;
  }
}
