/** The frames below that of one message (docs/lane-rules.md, section 9): what its receipt tells of them. */
import type { ProgramResult } from '../program/result.js';
import type { CallKind, Program } from '../program/types.js';
import { formatId } from '../protocol/alkane-id.js';
import type { AlkaneId } from '../protocol/types.js';
import { RECEIPT_CALLS } from './receipt.js';
import { MessageTexts } from './texts.js';
import type { CallReceipt, FailedStatus } from './types.js';

/** How a frame has failed, and with it all around it. */
export interface Failure {
  readonly status: FailedStatus;
  /** Stable text. */
  readonly error: string;
}

/** What is called. */
interface Called {
  /** 1: by the contract of the message. */
  readonly depth: number;
  readonly kind: CallKind;
  readonly target: AlkaneId;
  readonly program: Program;
}

/** A call that has been entered. */
interface Open extends Called {
  readonly opcode: bigint | undefined;
  readonly parcel: number;
  /** Its place among those kept; more are only counted. */
  readonly place: number;
  readonly fuelBefore: number;
  /** Fuel that frames below it have used. */
  below: number;
}

export class CallTree {
  /** In call order, at most as many as a receipt keeps. */
  readonly calls: CallReceipt[] = [];
  /** All that were entered. */
  total = 0;
  /** How the frame failed that made the message fail. */
  failure: Failure | undefined;
  /** What the frames say. */
  readonly texts = new MessageTexts(this);
  readonly #open: Open[] = [];

  /** The frame that runs: 0 is the message's own, n that of its n-th call. */
  get frame(): number {
    const open = this.#open.at(-1);
    return open === undefined ? 0 : open.place + 1;
  }

  /** A frame begins: its parcel has moved. */
  enter(call: Called, opcode: bigint | undefined, parcel: number, fuel: number): void {
    const { depth, kind, target, program } = call;
    const place = this.total++;
    this.#open.push({ depth, kind, target, program, opcode, parcel, place, fuelBefore: fuel, below: 0 });
  }

  /** The frame that began last ends, with `fuel` left. */
  leave(status: CallReceipt['status'], fuel: number, result?: ProgramResult): void {
    const open = this.#open.pop();
    if (open === undefined) throw new RangeError('no frame is open');
    const used = open.fuelBefore - fuel;
    const around = this.#open.at(-1);
    if (around !== undefined) around.below += used;
    if (open.place >= RECEIPT_CALLS) return;
    const { depth, kind, target, program, opcode, parcel } = open;
    // In the order of the stored bytes, so that two texts of one receipt are one.
    this.calls[open.place] = {
      depth,
      kind,
      target: formatId(target),
      codeHash: program.hash,
      opcode: opcode?.toString(),
      fuelUsed: used - open.below,
      status,
      parcel,
      transfers: result?.transfers.length ?? 0,
      dataBytes: result?.data.length ?? 0,
    };
  }
}
