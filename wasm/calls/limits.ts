// Goes to the limits of calls, for tests. Opcode 1, first, second, then a target and its inputs, or zeros: grows its
// memory by so many pages, twice, and keeps both answers; between that and its end it calls the target. Opcode 2: a
// call with 0 bytes of cellpack. Opcode 3, left: burns fuel until so much is left, less a few units that are always the
// same. Nothing else does anything.
import { callContract, noCheckpoint, noParcel } from '../sdk/calls';
import { contextBegin, input, inputBuffer, inputCount, inputU64, opcode } from '../sdk/context';
import { allocate, allocateBuffer } from '../sdk/memory';
import { finishEmpty, put, responseBegin } from '../sdk/response';
import { keyOf } from '../sdk/storage';
import * as u128 from '../sdk/u128';

@external('env', '__fuel')
declare function hostFuel(out: usize): void;

const NUMBER: usize = memory.data(16, 8);
const GROWN: usize = memory.data(8, 4);
/** Bytes that memory.fill takes one unit of fuel for. */
const BYTES_A_UNIT: u64 = 16;
/** Fuel of one turn, without the instructions; what is left to the last one is less than twice as much. */
const UNITS_A_TURN: u64 = 512;
const MOST_BYTES: u32 = 16_384;

function grow(): usize {
  // A frame of the same contract below this one has fewer inputs, and so a key of its own.
  u128.set(NUMBER, <u64>inputCount(), 0);
  const name = keyOf('grown/', NUMBER);
  store<i32>(GROWN, memory.grow(load<u32>(input(1))));
  store<i32>(GROWN, memory.grow(load<u32>(input(2))), 4);
  if (!u128.isZero(input(3))) {
    const cellpack = inputBuffer(3, inputCount() - 3);
    const parcel = noParcel();
    callContract(cellpack, parcel, noCheckpoint());
  }
  responseBegin();
  put(name, GROWN, 8);
  return finishEmpty();
}

function callNothing(): void {
  const cellpack = allocateBuffer(0);
  const parcel = noParcel();
  callContract(cellpack, parcel, noCheckpoint());
}

/** The last thing that is done: what follows costs the same each time. */
function burn(left: u64, fuel: usize, room: usize): void {
  do {
    memory.fill(room, 0, <usize>(UNITS_A_TURN * BYTES_A_UNIT));
    hostFuel(fuel);
  } while (load<u64>(fuel) > left + 2 * UNITS_A_TURN);
  memory.fill(room, 0, <usize>((load<u64>(fuel) - left) * BYTES_A_UNIT));
}

export function __execute(): usize {
  contextBegin();
  const what = opcode();
  if (what == 1) return grow();
  if (what == 2) callNothing();
  const left = inputU64(1);
  const fuel = allocateBuffer(8);
  const room = allocate(MOST_BYTES);
  responseBegin();
  const result = finishEmpty();
  if (what == 3) burn(left, fuel, room);
  return result;
}
