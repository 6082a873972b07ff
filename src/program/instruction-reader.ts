/** Walks over the instructions of a valid body and decodes only what the caller needs. */
import { OP, opcodeInfo } from './opcodes.js';

/** How the immediates of an opcode are passed over. */
const NONE = 0;
const ONE_NUMBER = 1;
const TWO_NUMBERS = 2;
const ONE_BYTE = 3;
const NUMBER_AND_BYTE = 4;
const LABELS = 5;
const PREFIX = 6;

const KINDS = { none: NONE, block: ONE_NUMBER, index: ONE_NUMBER, i32: ONE_NUMBER, i64: ONE_NUMBER } as const;
const OTHERS = {
  index2: TWO_NUMBERS,
  memory: TWO_NUMBERS,
  zero: ONE_BYTE,
  refType: ONE_BYTE,
  brTable: LABELS,
} as const;
const RARE = { zero2: TWO_NUMBERS, indexZero: NUMBER_AND_BYTE, select: NUMBER_AND_BYTE } as const;
const WALKS: Readonly<Record<string, number>> = { ...KINDS, ...OTHERS, ...RARE };

const walkOf = (op: number): number => WALKS[opcodeInfo(op)?.immediate ?? 'none'];
const SINGLE = Uint8Array.from({ length: 256 }, (_, op) => (op === 0xfc ? PREFIX : walkOf(op)));
const PREFIXED = Uint8Array.from({ length: 32 }, (_, sub) => walkOf(0xfc00 | sub));

/** Reads opcodes one after the other; the bytes must be a body that was found valid. */
export class InstructionReader {
  at = 0;
  /**
   * The first number after the current opcode; the opcode after 0xfc. Labels of a br_table: see `leaves`.
   */
  index = 0;
  /** The second number after the current load or store: its offset. */
  offset = 0;
  #labels = 0;

  constructor(readonly bytes: Uint8Array) {}

  begin(at: number): this {
    this.at = at;
    return this;
  }

  /** Moves past the next instruction and returns its opcode byte. */
  next(): number {
    const op = this.bytes[this.at++];
    const walk = SINGLE[op];
    if (walk !== NONE) this.#immediates(walk, op);
    return op;
  }

  /** Whether the br_table that was read last has this label. */
  leaves(label: number): boolean {
    const end = this.at;
    let found = false;
    for (this.at = this.#labels; this.at < end; ) if (this.#number() === label) found = true;
    return found;
  }

  /** The first number after the 0xfc-prefixed opcode that begins at `at`, if it has any. */
  firstAfterPrefix(at: number): number {
    const end = this.at;
    this.at = at + 1;
    this.#skip();
    const first = this.#number();
    this.at = end;
    return first;
  }

  #immediates(walk: number, op: number): void {
    switch (walk) {
      case ONE_NUMBER:
        // Constants may have ten bytes, and callers do not need them.
        if (op === OP.i64Const || op === OP.i32Const) this.#skip();
        else this.index = this.#number();
        return;
      case TWO_NUMBERS:
        this.#skip();
        this.offset = this.#number();
        return;
      case ONE_BYTE:
        this.at++;
        return;
      case NUMBER_AND_BYTE:
        this.#skip();
        this.at++;
        return;
      case LABELS: {
        const count = this.#number();
        this.#labels = this.at;
        for (let i = 0; i <= count; i++) this.#skip();
        return;
      }
      default: {
        const sub = this.#number();
        this.#immediates(PREFIXED[sub], op);
        this.index = sub;
      }
    }
  }

  #skip(): void {
    while (this.bytes[this.at++] >= 0x80);
  }

  #number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }
}
