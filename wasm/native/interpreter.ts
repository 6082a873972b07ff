// Runs programs that are not worth compiling (src/program/interpreter.ts): their bytes as they came, with the fuel and
// the stack budget of the lane rules 4 and 5. Same results as their instrumented code on V8, to the unit of fuel.
import { access } from './interpreter/accesses';
import {
  BRANCH_BYTES, BRANCH_SIDE, CALLER_BYTES, CALLER_FUNCTION, CALLER_LOCALS, CALLER_SIDE,
  FUNCTION_BYTES, FUNCTION_CODE, FUNCTION_COST, FUNCTION_HOST, FUNCTION_LOCALS, FUNCTION_PARAMS, FUNCTION_RESULTS,
  FUNCTION_SIDE, FUNCTION_SLOTS, FUNCTION_TYPE, PROGRAM_FUNCTIONS, PROGRAM_PARTS, PROGRAM_TYPES, STATE_BYTES,
  STATE_GLOBALS, STATE_MEMORY, STATE_TABLE, STATE_TABLE_SIZE, TYPE_BYTES, TYPE_NUMBER, WORD,
} from './interpreter/layout';
import { after, longI64, longU32, skipped } from './interpreter/numbers';
import { clear, keepCaller, left, moved, put, right } from './interpreter/operands';
import { arrive, comesInParts, InParts, tableBranch, Whole } from './interpreter/parts';
import { makeReady } from './interpreter/ready';
import { growMemory, onReferences, payBlock, prefixed, trapFor, WHY_STACK } from './interpreter/state';

export { makeSideTables, markStarts, sumOf } from './interpreter/ready';
export { fuel, heapBase, why } from './interpreter/state';

/** Calls host function `number` with the operands at `operands`, eight bytes each; gives its result, if it has one. */
@external('env', 'host')
declare function host(number: u32, operands: usize): i32;

/** Slots of the stack budget that are left. */
export let slots: u32 = 0;
/** Where operands and callers of a frame inside of the one that calls the host may begin. */
export let operandsTop: usize = 0;
export let callersTop: usize = 0;

/** Begins the basic block whose code is at `at` and whose words are at `side`; gives the place behind its fuel. */
@inline
function entered<T>(at: usize, side: usize): usize {
  if (comesInParts<T>()) arrive(program, at, side);
  payBlock(side);
  return side + WORD;
}

// Of the run that is under way. What few instructions need is no local of the loop, for V8 keeps those in registers.
let program: usize = 0;
let state: usize = 0;
let functions: usize = 0;
let types: usize = 0;
/** Callers that wait: where they begin and end. */
let callers: usize = 0;
let caller: usize = 0;
/** The function that runs. */
let fn: usize = 0;

function use(programAt: usize): void {
  program = programAt;
  functions = program + <usize>load<u32>(program, PROGRAM_FUNCTIONS);
  types = program + <usize>load<u32>(program, PROGRAM_TYPES);
}

/** Calls a host function, in which other runs may begin and end. */
function callHost(number: u32, operands: usize): i32 {
  const ownProgram = program;
  const ownState = state;
  const ownCallers = callers;
  const ownCaller = caller;
  const ownFn = fn;
  operandsTop = operands;
  callersTop = caller;
  const result = host(number, operands);
  use(ownProgram);
  state = ownState;
  callers = ownCallers;
  caller = ownCaller;
  fn = ownFn;
  return result;
}

/** Runs a function without parameters in the frame `stateAt`; gives its result, if any. A trap says why in `why`. */
export function run(programAt: usize, stateAt: usize, index: u32, operands: usize, callersAt: usize): i32 {
  return load<u32>(programAt, PROGRAM_PARTS) === 0
    ? runAs<Whole>(programAt, stateAt, index, operands, callersAt)
    : runAs<InParts>(programAt, stateAt, index, operands, callersAt);
}

/** There are two of it: a program that is whole need not ask at each of its blocks whether that is there. */
function runAs<T>(programAt: usize, stateAt: usize, index: u32, operands: usize, callersAt: usize): i32 {
  use(programAt);
  state = stateAt;
  callers = callersAt;
  caller = callersAt;
  fn = 0;
  const memoryAt: usize = load<u32>(state, STATE_MEMORY);
  let bytes: u64 = load<u32>(state, STATE_BYTES);
  let top = operands;
  let locals = operands;
  let at: usize = 0;
  let side: usize = 0;
  /** The function that is called next; 0: the one that runs returns. */
  let next = functions + <usize>index * FUNCTION_BYTES;
  while (true) {
    if (next === 0) {
      const results = <usize>load<u16>(fn, FUNCTION_RESULTS) << 3;
      if (results === 8) store<u64>(locals, load<u64>(top - 8));
      else if (results !== 0) memory.copy(locals, top - results, results);
      top = locals + results;
      slots += load<u32>(fn, FUNCTION_SLOTS);
      if (caller === callers) return results === 0 ? 0 : load<i32>(locals);
      caller -= CALLER_BYTES;
      at = load<u32>(caller);
      side = load<u32>(caller, CALLER_SIDE);
      locals = load<u32>(caller, CALLER_LOCALS);
      fn = load<u32>(caller, CALLER_FUNCTION);
    } else if (load<u16>(next, FUNCTION_HOST) !== 0) {
      top -= <usize>load<u16>(next, FUNCTION_PARAMS) << 3;
      const result = callHost(<u32>load<u16>(next, FUNCTION_HOST) - 1, top);
      if (fn === 0) return result;
      if (load<u16>(next, FUNCTION_RESULTS) !== 0) {
        store<i32>(top, result);
        top += 8;
      }
    } else {
      const taken = load<u32>(next, FUNCTION_SLOTS);
      if (taken > slots) trapFor(WHY_STACK);
      slots -= taken;
      if (load<u32>(next, FUNCTION_SIDE) === 0) makeReady(programAt, next);
      if (fn !== 0) {
        keepCaller(caller, at, side, locals, fn);
        caller += CALLER_BYTES;
      }
      fn = next;
      locals = top - (<usize>load<u16>(fn, FUNCTION_PARAMS) << 3);
      const cleared = <usize>load<u16>(fn, FUNCTION_LOCALS) << 3;
      clear(top, cleared);
      top += cleared;
      at = programAt + <usize>load<u32>(fn, FUNCTION_CODE);
      side = programAt + <usize>load<u32>(fn, FUNCTION_SIDE);
      if (comesInParts<T>()) arrive(program, at, side);
      payBlock(fn + FUNCTION_COST);
    }
    // What ends this loop has set `next`.
    while (true) {
      const op: u32 = load<u8>(at++);
      switch (op) {
        case 0x00: // unreachable
          unreachable();
        case 0x01: // nop
          continue;
        case 0x02: // block
          at = skipped(at);
          continue;
        case 0x03: // loop
          at = skipped(at);
          side = entered<T>(at, side);
          continue;
        case 0x04: // if
          top -= 8;
          if (load<u32>(top) !== 0) {
            at = skipped(at);
            side += 2 * WORD;
          } else {
            at = programAt + <usize>load<u32>(side);
            side = programAt + <usize>load<u32>(side, BRANCH_SIDE);
          }
          side = entered<T>(at, side);
          continue;
        case 0x05: // else, behind what ran because the condition was true
          at = programAt + <usize>load<u32>(side);
          side = programAt + <usize>load<u32>(side, BRANCH_SIDE);
          side = entered<T>(at, side);
          continue;
        case 0x0b: // end
          side = entered<T>(at, side);
          continue;
        case 0x0d: // br_if
          top -= 8;
          if (load<u32>(top) === 0) {
            at = skipped(at);
            side += BRANCH_BYTES;
            side = entered<T>(at, side);
            continue;
          }
        // What follows is br.
        case 0x0c:
          top = moved(side, locals, top);
          at = programAt + <usize>load<u32>(side);
          side = programAt + <usize>load<u32>(side, BRANCH_SIDE);
          side = entered<T>(at, side);
          continue;
        case 0x0e: {
          // br_table
          top -= 8;
          const last = longU32(at);
          const label = load<u32>(top);
          const branch = tableBranch<T>(programAt, side, label < last ? label : last);
          top = moved(branch, locals, top);
          at = programAt + <usize>load<u32>(branch);
          side = programAt + <usize>load<u32>(branch, BRANCH_SIDE);
          side = entered<T>(at, side);
          continue;
        }
        case 0x0f: // return
        case 0xff: // the last end
          next = 0;
          break;
        case 0x10: {
          // call
          let callee: u32 = load<u8>(at++);
          if (callee >= 0x80) {
            callee = longU32(at - 1);
            at = after;
          }
          next = functions + <usize>callee * FUNCTION_BYTES;
          break;
        }
        case 0x11: {
          // call_indirect
          const type = types + <usize>longU32(at) * TYPE_BYTES;
          at = skipped(after);
          top -= 8;
          const element = load<u32>(top);
          if (element >= load<u32>(state, STATE_TABLE_SIZE)) unreachable();
          const reference = load<u32>(state + (<usize>element << 2), STATE_TABLE);
          if (reference === 0) unreachable();
          next = functions + <usize>(reference - 1) * FUNCTION_BYTES;
          if (load<u32>(next, FUNCTION_TYPE) !== load<u32>(type, TYPE_NUMBER)) unreachable();
          break;
        }
        case 0x1a: // drop
          top -= 8;
          continue;
        case 0x1c: // select of a type
          at = skipped(skipped(at));
        case 0x1b: // select
          top -= 16;
          if (load<u32>(top, 8) === 0) store<u64>(top - 8, load<u64>(top));
          continue;
        case 0x20: {
          // local.get
          let local: u32 = load<u8>(at++);
          if (local >= 0x80) {
            local = longU32(at - 1);
            at = after;
          }
          store<u64>(top, load<u64>(locals + (<usize>local << 3)));
          top += 8;
          continue;
        }
        case 0x21: {
          // local.set
          let local: u32 = load<u8>(at++);
          if (local >= 0x80) {
            local = longU32(at - 1);
            at = after;
          }
          top -= 8;
          store<u64>(locals + (<usize>local << 3), load<u64>(top));
          continue;
        }
        case 0x22: {
          // local.tee
          let local: u32 = load<u8>(at++);
          if (local >= 0x80) {
            local = longU32(at - 1);
            at = after;
          }
          store<u64>(locals + (<usize>local << 3), load<u64>(top - 8));
          continue;
        }
        case 0x23: // global.get
          store<u64>(top, load<u64>(state + (<usize>longU32(at) << 3), STATE_GLOBALS));
          at = after;
          top += 8;
          continue;
        case 0x24: // global.set
          top -= 8;
          store<u64>(state + (<usize>longU32(at) << 3), load<u64>(top), STATE_GLOBALS);
          at = after;
          continue;
        case 0x3f: // memory.size
          at++;
          store<u32>(top, <u32>(bytes >> 16));
          top += 8;
          continue;
        case 0x40: // memory.grow
          at++;
          store<u32>(top - 8, growMemory(state, load<u32>(top - 8)));
          bytes = load<u32>(state, STATE_BYTES);
          continue;
        case 0x41: {
          // i32.const
          let value: i32 = load<u8>(at++);
          if (value < 0x80) value = (value << 25) >> 25;
          else {
            value = <i32>longI64(at - 1);
            at = after;
          }
          store<i32>(top, value);
          top += 8;
          continue;
        }
        case 0x42: {
          // i64.const
          let value: i64 = load<u8>(at++);
          if (value < 0x80) value = (value << 57) >> 57;
          else {
            value = longI64(at - 1);
            at = after;
          }
          store<i64>(top, value);
          top += 8;
          continue;
        }

        // Integers: one or two operands, one result.
        case 0x45: store<u32>(top - 8, <u32>(right<u32>(top) === 0)); continue; // i32.eqz
        case 0x46: put<u32>(top, <u32>(left<u32>(top) === right<u32>(top))); top -= 8; continue; // i32.eq
        case 0x47: put<u32>(top, <u32>(left<u32>(top) !== right<u32>(top))); top -= 8; continue; // i32.ne
        case 0x48: put<u32>(top, <u32>(left<i32>(top) < right<i32>(top))); top -= 8; continue; // i32.lt_s
        case 0x49: put<u32>(top, <u32>(left<u32>(top) < right<u32>(top))); top -= 8; continue; // i32.lt_u
        case 0x4a: put<u32>(top, <u32>(left<i32>(top) > right<i32>(top))); top -= 8; continue; // i32.gt_s
        case 0x4b: put<u32>(top, <u32>(left<u32>(top) > right<u32>(top))); top -= 8; continue; // i32.gt_u
        case 0x4c: put<u32>(top, <u32>(left<i32>(top) <= right<i32>(top))); top -= 8; continue; // i32.le_s
        case 0x4d: put<u32>(top, <u32>(left<u32>(top) <= right<u32>(top))); top -= 8; continue; // i32.le_u
        case 0x4e: put<u32>(top, <u32>(left<i32>(top) >= right<i32>(top))); top -= 8; continue; // i32.ge_s
        case 0x4f: put<u32>(top, <u32>(left<u32>(top) >= right<u32>(top))); top -= 8; continue; // i32.ge_u
        case 0x50: store<u32>(top - 8, <u32>(right<u64>(top) === 0)); continue; // i64.eqz
        case 0x51: put<u32>(top, <u32>(left<u64>(top) === right<u64>(top))); top -= 8; continue; // i64.eq
        case 0x52: put<u32>(top, <u32>(left<u64>(top) !== right<u64>(top))); top -= 8; continue; // i64.ne
        case 0x53: put<u32>(top, <u32>(left<i64>(top) < right<i64>(top))); top -= 8; continue; // i64.lt_s
        case 0x54: put<u32>(top, <u32>(left<u64>(top) < right<u64>(top))); top -= 8; continue; // i64.lt_u
        case 0x55: put<u32>(top, <u32>(left<i64>(top) > right<i64>(top))); top -= 8; continue; // i64.gt_s
        case 0x56: put<u32>(top, <u32>(left<u64>(top) > right<u64>(top))); top -= 8; continue; // i64.gt_u
        case 0x57: put<u32>(top, <u32>(left<i64>(top) <= right<i64>(top))); top -= 8; continue; // i64.le_s
        case 0x58: put<u32>(top, <u32>(left<u64>(top) <= right<u64>(top))); top -= 8; continue; // i64.le_u
        case 0x59: put<u32>(top, <u32>(left<i64>(top) >= right<i64>(top))); top -= 8; continue; // i64.ge_s
        case 0x5a: put<u32>(top, <u32>(left<u64>(top) >= right<u64>(top))); top -= 8; continue; // i64.ge_u
        case 0x67: store<u32>(top - 8, clz<u32>(right<u32>(top))); continue; // i32.clz
        case 0x68: store<u32>(top - 8, ctz<u32>(right<u32>(top))); continue; // i32.ctz
        case 0x69: store<u32>(top - 8, popcnt<u32>(right<u32>(top))); continue; // i32.popcnt
        case 0x6a: put<u32>(top, left<u32>(top) + right<u32>(top)); top -= 8; continue; // i32.add
        case 0x6b: put<u32>(top, left<u32>(top) - right<u32>(top)); top -= 8; continue; // i32.sub
        case 0x6c: put<u32>(top, left<u32>(top) * right<u32>(top)); top -= 8; continue; // i32.mul
        case 0x6d: put<i32>(top, left<i32>(top) / right<i32>(top)); top -= 8; continue; // i32.div_s
        case 0x6e: put<u32>(top, left<u32>(top) / right<u32>(top)); top -= 8; continue; // i32.div_u
        case 0x6f: put<i32>(top, left<i32>(top) % right<i32>(top)); top -= 8; continue; // i32.rem_s
        case 0x70: put<u32>(top, left<u32>(top) % right<u32>(top)); top -= 8; continue; // i32.rem_u
        case 0x71: put<u32>(top, left<u32>(top) & right<u32>(top)); top -= 8; continue; // i32.and
        case 0x72: put<u32>(top, left<u32>(top) | right<u32>(top)); top -= 8; continue; // i32.or
        case 0x73: put<u32>(top, left<u32>(top) ^ right<u32>(top)); top -= 8; continue; // i32.xor
        case 0x74: put<u32>(top, left<u32>(top) << right<u32>(top)); top -= 8; continue; // i32.shl
        case 0x75: put<i32>(top, left<i32>(top) >> right<i32>(top)); top -= 8; continue; // i32.shr_s
        case 0x76: put<u32>(top, left<u32>(top) >> right<u32>(top)); top -= 8; continue; // i32.shr_u
        case 0x77: put<u32>(top, rotl<u32>(left<u32>(top), right<u32>(top))); top -= 8; continue; // i32.rotl
        case 0x78: put<u32>(top, rotr<u32>(left<u32>(top), right<u32>(top))); top -= 8; continue; // i32.rotr
        case 0x79: store<u64>(top - 8, clz<u64>(right<u64>(top))); continue; // i64.clz
        case 0x7a: store<u64>(top - 8, ctz<u64>(right<u64>(top))); continue; // i64.ctz
        case 0x7b: store<u64>(top - 8, popcnt<u64>(right<u64>(top))); continue; // i64.popcnt
        case 0x7c: put<u64>(top, left<u64>(top) + right<u64>(top)); top -= 8; continue; // i64.add
        case 0x7d: put<u64>(top, left<u64>(top) - right<u64>(top)); top -= 8; continue; // i64.sub
        case 0x7e: put<u64>(top, left<u64>(top) * right<u64>(top)); top -= 8; continue; // i64.mul
        case 0x7f: put<i64>(top, left<i64>(top) / right<i64>(top)); top -= 8; continue; // i64.div_s
        case 0x80: put<u64>(top, left<u64>(top) / right<u64>(top)); top -= 8; continue; // i64.div_u
        case 0x81: put<i64>(top, left<i64>(top) % right<i64>(top)); top -= 8; continue; // i64.rem_s
        case 0x82: put<u64>(top, left<u64>(top) % right<u64>(top)); top -= 8; continue; // i64.rem_u
        case 0x83: put<u64>(top, left<u64>(top) & right<u64>(top)); top -= 8; continue; // i64.and
        case 0x84: put<u64>(top, left<u64>(top) | right<u64>(top)); top -= 8; continue; // i64.or
        case 0x85: put<u64>(top, left<u64>(top) ^ right<u64>(top)); top -= 8; continue; // i64.xor
        case 0x86: put<u64>(top, left<u64>(top) << right<u64>(top)); top -= 8; continue; // i64.shl
        case 0x87: put<i64>(top, left<i64>(top) >> right<i64>(top)); top -= 8; continue; // i64.shr_s
        case 0x88: put<u64>(top, left<u64>(top) >> right<u64>(top)); top -= 8; continue; // i64.shr_u
        case 0x89: put<u64>(top, rotl<u64>(left<u64>(top), right<u64>(top))); top -= 8; continue; // i64.rotl
        case 0x8a: put<u64>(top, rotr<u64>(left<u64>(top), right<u64>(top))); top -= 8; continue; // i64.rotr
        case 0xa7: store<u32>(top - 8, <u32>right<u64>(top)); continue; // i32.wrap_i64
        case 0xac: store<i64>(top - 8, <i64>right<i32>(top)); continue; // i64.extend_i32_s
        case 0xad: store<u64>(top - 8, <u64>right<u32>(top)); continue; // i64.extend_i32_u
        case 0xc0: store<i32>(top - 8, <i32>right<i8>(top)); continue; // i32.extend8_s
        case 0xc1: store<i32>(top - 8, <i32>right<i16>(top)); continue; // i32.extend16_s
        case 0xc2: store<i64>(top - 8, <i64>right<i8>(top)); continue; // i64.extend8_s
        case 0xc3: store<i64>(top - 8, <i64>right<i16>(top)); continue; // i64.extend16_s
        case 0xc4: store<i64>(top - 8, <i64>right<i32>(top)); continue; // i64.extend32_s
        case 0x25: case 0x26: case 0xd0: case 0xd1: case 0xd2: // table.get, table.set, references
          top = onReferences(op, state, at, top);
          at = after;
          continue;
        case 0xfc:
          top = prefixed(programAt, state, at, top);
          at = after;
          continue;
        case 0xfe: // NOT_THERE
          at--;
          arrive(programAt, at, side);
          continue;
        default: // loads and stores
          at = skipped(at);
          let offset: u32 = load<u8>(at++);
          if (offset >= 0x80) {
            offset = longU32(at - 1);
            at = after;
          }
          top = access(op, offset, top, memoryAt, bytes);
          continue;
      }
      break;
    }
  }
}
