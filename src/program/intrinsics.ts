/** Lane rules 6: what is native code on the CPU and hand-written WGSL in the kernel, with one meaning. */
import { readU128, U128_MAX, u128Bytes } from '../util/bytes.js';
import type { EnvName, IntrinsicName } from './env.js';
import type { FrameMemory } from './frame-memory.js';
import { schnorrVerify } from './schnorr.js';

/** What an intrinsic may do with the run that calls it; every function ends the run where the rules say so. */
export interface IntrinsicHost {
  readonly memory: Pick<FrameMemory, 'hash'>;
  /** Bytes of the buffer at `pointer`. */
  inputLength(pointer: number): number;
  /** The buffer at `pointer`, as a view of memory. */
  input(pointer: number): Uint8Array;
  /** The same, which must have exactly `length` bytes. */
  inputOf(pointer: number, length: number): Uint8Array;
  /** Takes the price of a call of `name` that works on `bytes`. */
  pay(name: EnvName, bytes?: number): void;
  checkOutput(pointer: number, length: number): void;
  /** Writes length word and data where {@link IntrinsicHost.checkOutput} has said yes. */
  output(pointer: number, data: Uint8Array): void;
}

const HASH_BYTES = 32;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const U128_BYTES = 16;

/**
 * The intrinsics of `env`. Each reads its inputs in the order of its parameters (pointer, then length of each),
 * charges, checks where it writes, whether it will write or not, and has read all it needs before it writes: so an
 * output may overlap the inputs.
 */
export function intrinsicImports(host: IntrinsicHost): Record<IntrinsicName, (...args: never[]) => number | undefined> {
  const hash = (name: IntrinsicName, twice: boolean) => (pointer: number, out: number) => {
    const length = host.inputLength(pointer);
    host.pay(name, length);
    host.checkOutput(out, HASH_BYTES);
    host.memory.hash(pointer, length, out, twice);
    return undefined;
  };
  return {
    __sha256: hash('__sha256', false),
    __sha256d: hash('__sha256d', true),
    __u128_mul_div: (a: number, b: number, c: number, out: number) => {
      const first = readU128(host.inputOf(a, U128_BYTES), 0);
      const second = readU128(host.inputOf(b, U128_BYTES), 0);
      const divisor = readU128(host.inputOf(c, U128_BYTES), 0);
      host.pay('__u128_mul_div');
      host.checkOutput(out, U128_BYTES);
      const quotient = mulDiv(first, second, divisor);
      if (quotient === undefined) return 0;
      host.output(out, u128Bytes(quotient));
      return 1;
    },
    __schnorr_verify: (message: number, key: number, signature: number) => {
      const hashed = host.inputOf(message, HASH_BYTES);
      const keyBytes = host.inputOf(key, KEY_BYTES);
      const signatureBytes = host.inputOf(signature, SIGNATURE_BYTES);
      host.pay('__schnorr_verify');
      return schnorrVerify(hashed, keyBytes, signatureBytes) ? 1 : 0;
    },
  };
}

/** ⌊a · b / c⌋, or undefined if c is 0 or the quotient exceeds 128 bits. */
function mulDiv(a: bigint, b: bigint, c: bigint): bigint | undefined {
  if (c === 0n) return undefined;
  const quotient = (a * b) / c;
  return quotient > U128_MAX ? undefined : quotient;
}
