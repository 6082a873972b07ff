import { isUtf8 } from 'node:buffer';
import { type ErrorFacts, ProgramError } from '../errors/errors.js';
import { LIMITS } from './limits.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A module that does not follow the binary format. */
export function malformed(message: string, at: number): ProgramError {
  return new ProgramError('WASM_MALFORMED', message, { facts: { offset: at } });
}

/** A module that is well formed and breaks a rule of validation. */
export function invalid(message: string, facts: ErrorFacts): ProgramError {
  return new ProgramError('WASM_INVALID', message, { facts });
}

/** A module over one of the limits; `allowed` where the limit depends on the module. */
export function overLimit(limit: keyof typeof LIMITS, found: number, allowed: number = LIMITS[limit]): ProgramError {
  return new ProgramError('WASM_LIMIT', `the module is over the limit on ${limit}`, {
    facts: { limit, allowed, found },
  });
}

/** Reads the WASM binary format between two offsets; every read is bounded, errors are `WASM_MALFORMED`. */
export class Reader {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
    public end: number,
  ) {}

  get done(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    if (this.at >= this.end) throw malformed('the module ends too early', this.at);
    return this.bytes[this.at++];
  }

  /** The next `length` bytes, not copied. */
  take(length: number): Uint8Array {
    if (length > this.end - this.at) throw malformed('the module ends too early', this.at);
    const out = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return out;
  }

  /** A reader over the next `length` bytes; this one continues after them. */
  inner(length: number): Reader {
    if (length > this.end - this.at) throw malformed('a section or body is longer than what is left', this.at);
    const out = new Reader(this.bytes, this.at, this.at + length);
    this.at += length;
    return out;
  }

  u32(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      const b = this.byte();
      value |= (b & 0x7f) << shift;
      if (b < 0x80) return value;
    }
    const last = this.byte();
    if (last > 0x0f) throw malformed('a number does not fit 32 bits', this.at - 1);
    return (value | (last << 28)) >>> 0;
  }

  i32(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const b = this.byte();
      value |= (b & 0x7f) << shift;
      if (b < 0x80) return (value << (25 - shift)) >> (25 - shift);
    }
    const last = this.byte();
    // Bit 3 is the sign; the bits above repeat it.
    if (last >= 0x80 || (last & 0x78 && (last & 0x78) !== 0x78))
      throw malformed('a number does not fit 32 bits', this.at - 1);
    return value | (last << 28);
  }

  i64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 63n; shift += 7n) {
      const b = this.byte();
      value |= BigInt(b & 0x7f) << shift;
      if (b < 0x80) return BigInt.asIntN(Number(shift) + 7, value);
    }
    const last = this.byte();
    if (last !== 0x00 && last !== 0x7f) throw malformed('a number does not fit 64 bits', this.at - 1);
    return BigInt.asIntN(64, value | (BigInt(last & 1) << 63n));
  }

  /** Skips a number as `i64` reads it, with the same checks. */
  skipI64(): void {
    for (let i = 0; i < 9; i++) if (this.byte() < 0x80) return;
    const last = this.byte();
    if (last !== 0x00 && last !== 0x7f) throw malformed('a number does not fit 64 bits', this.at - 1);
  }

  /** The length of a vector whose items take at least one byte each, so that no count can outgrow the module. */
  count(): number {
    const n = this.u32();
    if (n > this.end - this.at) throw malformed('a vector is longer than what is left', this.at);
    return n;
  }

  /** The length of a vector that has a limit; it is looked at before the bytes that are left. */
  countUpTo(limit: keyof typeof LIMITS): number {
    const n = this.u32();
    if (n > LIMITS[limit]) throw overLimit(limit, n);
    if (n > this.end - this.at) throw malformed('a vector is longer than what is left', this.at);
    return n;
  }

  name(): string {
    return utf8.decode(this.#nameBytes());
  }

  /** Skips a name; most names are never needed. */
  skipName(): void {
    this.#nameBytes();
  }

  #nameBytes(): Uint8Array {
    const length = this.u32();
    if (length > LIMITS.nameBytes) throw overLimit('nameBytes', length);
    const at = this.at;
    const bytes = this.take(length);
    if (!isUtf8(bytes)) throw malformed('a name is not UTF-8', at);
    return bytes;
  }
}
