import { kernelText } from './kernel-text.js';
import { schnorrData } from './secp256k1/data.js';
import { fieldWgsl } from './secp256k1/text.js';
import { shaConstants } from './sha256.js';

/** What a kernel needs beyond its program to call the intrinsics it imports. */
export interface IntrinsicParts {
  readonly wgsl: string;
  /** Words for `program_data`, from the given index on. */
  readonly data: Uint32Array;
}

/** A part and the host functions over it. */
interface Part extends IntrinsicParts {
  readonly host: string;
}

/** Texts of kernels/ with their data from word `at` of `program_data` on, in the order in which a kernel has them. */
const PARTS = {
  sha256: (at) => ({
    wgsl: `const SHA_CONSTANTS_AT = ${at}u;\n${kernelText('sha256')}`,
    host: kernelText('sha256-host'),
    data: Uint32Array.from(shaConstants()),
  }),
  'mul-div': () => ({ wgsl: '', host: kernelText('mul-div'), data: new Uint32Array(0) }),
  secp256k1: (at) => {
    const data = schnorrData();
    return {
      wgsl: `${fieldWgsl(data, `${at}u`)}\n${kernelText('secp256k1')}`,
      host: kernelText('secp256k1-host'),
      data: data.words,
    };
  },
} as const satisfies Readonly<Record<string, (at: number) => Part>>;
export type PartName = keyof typeof PARTS;

/** The parts `needed`, with their data from word `at` of `program_data` on. Empty if nothing is needed. */
export function intrinsicParts(needed: ReadonlySet<PartName>, at: number): IntrinsicParts {
  return joined(needed, at, ({ wgsl, host }) => `${wgsl}\n${host}`);
}

/** As {@link intrinsicParts} without host functions, for kernels that are no programs. */
export function bareParts(needed: ReadonlySet<PartName>, at: number): IntrinsicParts {
  return joined(needed, at, ({ wgsl }) => wgsl);
}

function joined(needed: ReadonlySet<PartName>, at: number, textOf: (part: Part) => string): IntrinsicParts {
  const texts: string[] = [];
  const data: number[] = [];
  for (const [name, part] of Object.entries(PARTS)) {
    if (!needed.has(name as PartName)) continue;
    const made = part(at + data.length);
    texts.push(textOf(made));
    for (const word of made.data) data.push(word);
  }
  return { wgsl: texts.join('\n'), data: Uint32Array.from(data) };
}
