/** Contracts assembled instruction by instruction that make one call. */
import { codeKey } from '../../../src/lane/keys.js';
import { readModule } from '../../../src/program/decode.js';
import type { CallKind } from '../../../src/program/types.js';
import { validateModule } from '../../../src/program/validate.js';
import { parseId } from '../../../src/protocol/alkane-id.js';
import { concatBytes, u32Bytes, u128Bytes } from '../../../src/util/bytes.js';
import { call, i32, i64, OP, op, store, WasmBuilder } from '../../helpers/wasm-builder.js';
import type { World } from '../world.js';

/** Where the result lies: no transfers, an empty map, and 4 bytes of data. */
const RESULT = 104;
const DATA = RESULT + 20;
const BUFFERS = 256;

export const sized = (bytes: Uint8Array): Uint8Array => concatBytes(u32Bytes(bytes.length), bytes);
export const numberBytes = (...numbers: (bigint | number)[]): Uint8Array =>
  concatBytes(...numbers.map((number) => u128Bytes(BigInt(number))));

/** Buffers of a call. Each may be given as a pointer instead. */
export interface HandMade {
  readonly kind?: CallKind;
  readonly cellpack: Uint8Array | number;
  readonly parcel?: Uint8Array | number;
  readonly checkpoint?: Uint8Array | number;
}

export const NO_PARCEL = numberBytes(0);
export const NO_CHECKPOINT = u32Bytes(0);

/** A storage map. */
export function storageMap(...entries: (readonly [key: Uint8Array, value: Uint8Array])[]): Uint8Array {
  return concatBytes(u32Bytes(entries.length), ...entries.flatMap(([key, value]) => [sized(key), sized(value)]));
}

/** Instructions of {@link caller} in one basic block: what it costs beside entry, call and result. */
export const CALLER_INSTRUCTIONS = 8;
/** What {@link caller} pays for its result: the 4 bytes of its map, and its data. */
export const CALLER_RESULT = 400 + 1;

/** A contract that makes the call and answers the length of the return data as 4 bytes. `pages`: of its memory. */
export function caller({
  kind = 'call',
  cellpack,
  parcel = NO_PARCEL,
  checkpoint = NO_CHECKPOINT,
}: HandMade): WasmBuilder {
  const b = new WasmBuilder();
  const makeCall = b.import(`__${kind}`);
  b.memory = { minPages: 2, maxPages: undefined };
  let at = BUFFERS;
  const place = (given: Uint8Array | number): number => {
    if (typeof given === 'number') return given;
    b.data(at, sized(given));
    const pointer = at + 4;
    at += 4 + given.length;
    return pointer;
  };
  const pointers = [cellpack, parcel, checkpoint].map(place);
  b.data(RESULT - 4, sized(new Uint8Array(24)));
  return b.execute([i32(DATA), ...pointers.map(i32), i64(0n), call(makeCall), store(0), i32(RESULT)]);
}

/** A contract that does nothing; or what `code` does first. */
export function quiet(pages = 1): WasmBuilder {
  const b = new WasmBuilder();
  b.memory = { minPages: pages, maxPages: undefined };
  if (pages > 0) b.data(RESULT - 4, sized(new Uint8Array(20)));
  return b.execute([i32(RESULT)]);
}

/** `amount` units of fuel in one basic block that leaves nothing on the stack: at least 2. */
export function burning(amount: number) {
  const three = amount % 2 === 1 ? [i32(0), op(OP.i32Eqz), op(OP.drop)] : [];
  const pairs = (amount - three.length) / 2;
  return [...Array.from({ length: pairs }, () => [i32(0), op(OP.drop)]).flat(), ...three];
}

/** Puts code under an id, as a creation that has run would. */
export function place(world: World, id: string, wasm: Uint8Array): void {
  world.state.set(codeKey(parseId(id)), concatBytes(Uint8Array.of(0), wasm));
}

/** Slots of a frame of each function. */
export function slotsOf(wasm: Uint8Array): Uint32Array {
  return validateModule(readModule(wasm)).slots;
}

/** A contract whose result is `bytes`. */
export function answering(bytes: Uint8Array): Uint8Array {
  return new WasmBuilder()
    .data(RESULT - 4, sized(bytes))
    .execute([i32(RESULT)])
    .bytes();
}
