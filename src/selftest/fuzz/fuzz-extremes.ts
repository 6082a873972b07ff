/** Protostones of which a transaction seldom has any: at the limits of numbers, counts and outputs. */
import type { ProtostoneInput } from '../../protocol/encode.js';
import type { AlkaneId } from '../../protocol/types.js';
import { U128_MAX } from '../../util/bytes.js';
import type { Prng } from '../inputs/prng.js';

/** Numbers about which something is cut, or no longer fits. */
const NUMBERS: readonly bigint[] = [
  ...[0n, 1n, 127n, 128n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 64n - 1n, 2n ** 64n],
  ...[2n ** 127n, U128_MAX - 1n, U128_MAX],
];
/** Protostones of a crowd: messages behind the hundredth shadow output undo a transaction. */
const CROWDS = [8, 30, 99, 100, 101, 160];
const MOST_EDICTS = 60;

export class FuzzExtremes {
  readonly #random: Prng;

  constructor(random: Prng) {
    this.#random = random;
  }

  /** A protostone of extreme numbers; some are none that hold. */
  numbers(asset: AlkaneId, message: Uint8Array | undefined): ProtostoneInput {
    const extreme = (): bigint => this.#random.pick(NUMBERS);
    const often = <T>(usual: T, rare: T): T => (this.#random.below(100) < 60 ? usual : rare);
    return {
      protocolTag: often(1n, extreme()),
      pointer: often<bigint | undefined>(0n, extreme()),
      refund: often<bigint | undefined>(0n, extreme()),
      burn: often<bigint | undefined>(undefined, extreme()),
      from: often<bigint | undefined>(undefined, extreme()),
      message,
      edicts: Array.from({ length: this.#random.below(4) }, () => ({
        id: often(asset, { block: extreme(), tx: extreme() }),
        amount: extreme(),
        output: often(BigInt(this.#random.below(6)), extreme()),
      })),
      rawFields: this.#random.below(4) === 0 ? [[extreme(), extreme()]] : [],
      length: this.#random.below(20) === 0 ? extreme() : undefined,
    };
  }

  /** Very many protostones, each of which passes on to the next what lies on its shadow output. */
  crowd(outputs: number, message: () => Uint8Array): ProtostoneInput[] {
    const count = this.#random.pick(CROWDS);
    return Array.from({ length: count }, (_, i) => {
      const next = i + 1 < count ? outputs + 2 + i : 0;
      const calls = i === 0 || this.#random.below(10) === 0;
      return calls ? { pointer: next, refund: next, message: message() } : { pointer: next };
    });
  }

  /** A message, and edicts that spread over all outputs what it gives, again and again. */
  spread(outputs: number, asset: AlkaneId, message: Uint8Array): ProtostoneInput[] {
    const edicts = Array.from({ length: 1 + this.#random.below(MOST_EDICTS) }, () => ({
      id: asset,
      amount: BigInt(this.#random.pick([0, 1, 1, 2, 7])),
      output: BigInt(this.#random.below(3) === 0 ? this.#random.below(outputs + 2) : outputs),
    }));
    return [{ pointer: 0, refund: 0, message, edicts }];
  }
}
