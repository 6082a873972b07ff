import { kernelText } from './kernel-text.js';
import { schnorrData } from './secp256k1/data.js';
import { fieldWgsl } from './secp256k1/text.js';

/** What a kernel needs beyond its program to call the intrinsics it imports. */
export interface IntrinsicParts {
  readonly wgsl: string;
  /** Words for `program_data`, from the given index on. */
  readonly data: Uint32Array;
}

/** Texts of kernels/ with their data from word `at` of `program_data` on, in the order in which a kernel has them. */
const PARTS = {
  sha256: (at) => ({
    wgsl: `const SHA_CONSTANTS_AT = ${at}u;\n${kernelText('sha256')}`,
    data: Uint32Array.from(shaConstants()),
  }),
  'mul-div': () => ({ wgsl: kernelText('mul-div'), data: new Uint32Array(0) }),
  secp256k1: (at) => {
    const data = schnorrData();
    return { wgsl: `${fieldWgsl(data, `${at}u`)}\n${kernelText('secp256k1')}`, data: data.words };
  },
} as const satisfies Readonly<Record<string, (at: number) => IntrinsicParts>>;
export type PartName = keyof typeof PARTS;

/** The parts `needed`, with their data from word `at` of `program_data` on. Empty if nothing is needed. */
export function intrinsicParts(needed: ReadonlySet<PartName>, at: number): IntrinsicParts {
  const texts: string[] = [];
  const data: number[] = [];
  for (const [name, part] of Object.entries(PARTS)) {
    if (!needed.has(name as PartName)) continue;
    const { wgsl, data: words } = part(at + data.length);
    texts.push(wgsl);
    for (const word of words) data.push(word);
  }
  return { wgsl: texts.join('\n'), data: Uint32Array.from(data) };
}

/** First 32 bits of the fractions of the cube roots of the first 64 primes (FIPS 180-4). */
function shaConstants(): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes.map((prime) => {
    // The largest root with root³ ≤ prime · 2^96, bit by bit.
    let root = 0n;
    for (let bit = 1n << 34n; bit > 0n; bit >>= 1n) {
      const next = root | bit;
      if (next ** 3n <= BigInt(prime) << 96n) root = next;
    }
    return Number(root & 0xffff_ffffn);
  });
}
