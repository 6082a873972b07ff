import { SHEET_ENTRY_LIMIT } from '../protocol/edicts.js';
import type { SheetEntry } from '../protocol/sheet.js';
import type { AlkaneId } from '../protocol/types.js';

/** A message behind so many protostones would undo its transaction (docs/lane-rules.md, section 2). */
export const MOST_PROTOSTONES = 99;
/** Assets that are given to a message, at most: no transaction can write more. */
export const MOST_INCOMING = SHEET_ENTRY_LIMIT;

/** A message for a contract. */
export interface SimulatedMessage {
  /** The contract, or what creates one (docs/lane-rules.md, section 3): what stands behind 8:8 in calldata. */
  readonly target: AlkaneId;
  readonly inputs: readonly bigint[];
  /** Its place among the protostones of the transaction, below {@link MOST_PROTOSTONES}: it says the shadow output. */
  readonly protostone: number;
}

/** What to simulate; plain data that is sent to a thread. */
export interface SimulationRequest {
  /** The state is that after this block; what is simulated runs as in the next one. */
  readonly height: number;
  /** Undefined: all messages of `transaction`. */
  readonly message: SimulatedMessage | undefined;
  /** What the spent outputs hold. Undefined: nothing for a message, what the state says for a whole transaction. */
  readonly incoming: readonly SheetEntry[] | undefined;
  /** The transaction around the message, serialised with witnesses; undefined: a plausible one. */
  readonly transaction: Uint8Array | undefined;
  /** The block around it, serialised with witnesses; undefined: a plausible one. */
  readonly block: Uint8Array | undefined;
}
