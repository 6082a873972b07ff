/** The buffers of a call of another contract (lane rules 9). */
import { idFromBytes } from '../protocol/alkane-id.js';
import type { AlkaneId } from '../protocol/types.js';
import { readU32 } from '../util/bytes.js';
import { hostFuel } from './env.js';
import { CALL_FUEL } from './prices.js';
import { COUNT_BYTES, countOfTransfers, endOfMap, mapAt, type ProgramResult, transfersAt } from './result.js';
import type { CallBuffers } from './types.js';

const NUMBER_BYTES = 16;
const TARGET_BYTES = 2 * NUMBER_BYTES;
const TRIPLE_BYTES = 3 * NUMBER_BYTES;

/** What a call asks for. Nothing is copied before it is asked for: nothing is paid yet. */
export class CallRequest {
  private constructor(
    readonly buffers: CallBuffers,
    readonly target: AlkaneId,
    /** Triples of the parcel. */
    readonly triples: number,
    /** What the call costs, but for a creation. */
    readonly fuel: number,
  ) {}

  /** Reads `buffers`; undefined if one of them does not parse. */
  static read(buffers: CallBuffers): CallRequest | undefined {
    const { kind, cellpack, parcel, checkpoint } = buffers;
    const triples = countOfTransfers(parcel, 0, parcel.length);
    if (cellpack.length < TARGET_BYTES || triples < 0) return undefined;
    if (endOfMap(checkpoint, 0, checkpoint.length) < 0) return undefined;
    const fuel =
      hostFuel(`__${kind}`) +
      CALL_FUEL.checkpointByte * checkpoint.length +
      CALL_FUEL.entry * readU32(checkpoint, 0) +
      CALL_FUEL.triple * triples +
      Math.ceil((cellpack.length + parcel.length) / CALL_FUEL.bytes);
    return new CallRequest(buffers, idFromBytes(cellpack), triples, fuel);
  }

  get parcel(): ProgramResult['transfers'] {
    return transfersAt(this.buffers.parcel, 0, this.triples);
  }

  /** The triples of the parcel as they came: a view. */
  get parcelBytes(): Uint8Array {
    return this.buffers.parcel.subarray(COUNT_BYTES, COUNT_BYTES + this.triples * TRIPLE_BYTES);
  }

  /** The numbers behind the target as they came, without a rest: a view. */
  get inputBytes(): Uint8Array {
    const { cellpack } = this.buffers;
    return cellpack.subarray(TARGET_BYTES, cellpack.length - (cellpack.length % NUMBER_BYTES));
  }

  get checkpoint(): ProgramResult['storage'] {
    return mapAt(this.buffers.checkpoint, 0);
  }
}
