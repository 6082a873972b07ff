/**
 * Reads Bitcoin scripts one instruction at a time: a script may hold millions, so they are never collected in a list.
 */

export const OP_PUSHDATA1 = 0x4c;
export const OP_PUSHDATA2 = 0x4d;
export const OP_PUSHDATA4 = 0x4e;
export const OP_1NEGATE = 0x4f;
export const OP_1 = 0x51;
export const OP_13 = 0x5d;
export const OP_16 = 0x60;
export const OP_IF = 0x63;
export const OP_ENDIF = 0x68;
export const OP_RETURN = 0x6a;

export interface Instruction {
  readonly opcode: number;
  /** True for a data push (opcodes 00..4e). */
  readonly isPush: boolean;
  /** Where the pushed bytes start; they end at `next`. Equal to `next` if nothing is pushed. */
  readonly start: number;
  /** Where the next instruction starts. */
  readonly next: number;
}

/** The instruction at `at` (which must lie inside), or undefined if it is a push that runs past the end. */
export function readInstruction(script: Uint8Array, at: number): Instruction | undefined {
  const opcode = script[at];
  if (opcode > OP_PUSHDATA4) return { opcode, isPush: false, start: at + 1, next: at + 1 };
  const lengthBytes = opcode < OP_PUSHDATA1 ? 0 : 1 << (opcode - OP_PUSHDATA1);
  const start = at + 1 + lengthBytes;
  if (start > script.length) return undefined;
  let length = opcode;
  if (lengthBytes > 0) {
    length = 0;
    // Not by shifts: four bytes may exceed 2^31.
    for (let i = lengthBytes; i > 0; i--) length = length * 256 + script[at + i];
  }
  const next = start + length;
  return next > script.length ? undefined : { opcode, isPush: true, start, next };
}
