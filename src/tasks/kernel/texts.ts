/** The kernels of batch tasks: their text, and the words that they read. */
import { bareParts, type IntrinsicParts, type PartName } from '../../gpu/intrinsics/intrinsics.js';
import { kernelText } from '../../gpu/intrinsics/kernel-text.js';
import { schnorrData } from '../../gpu/intrinsics/secp256k1/data.js';
import { orderWgsl } from '../../gpu/intrinsics/secp256k1/order.js';
import { fieldWgsl } from '../../gpu/intrinsics/secp256k1/text.js';
import type { WorkKind } from '../work/work.js';

interface KernelOf {
  /** Invocations of a workgroup, as its text says. */
  readonly workgroup: number;
  readonly parts: () => IntrinsicParts;
}

const SHA: ReadonlySet<PartName> = new Set(['sha256']);
const BOTH: ReadonlySet<PartName> = new Set(['sha256', 'secp256k1']);

const KERNELS: Readonly<Record<WorkKind, KernelOf>> = {
  sha256: { workgroup: 64, parts: () => withText(bareParts(SHA, 0), 'task-sha256') },
  forest: { workgroup: 64, parts: () => withText(bareParts(SHA, 0), 'task-merkle') },
  schnorr: { workgroup: 32, parts: () => withText(bareParts(BOTH, 0), 'task-schnorr') },
  ecdsa: { workgroup: 32, parts: () => withText(ecdsaParts(), 'task-ecdsa') },
};

/** The kernel for a kind of work, with the text of its bindings. */
export function kernelOf(kind: WorkKind): IntrinsicParts {
  return KERNELS[kind].parts();
}

export function workgroupsOf(kind: WorkKind, invocations: number): number {
  return Math.ceil(invocations / KERNELS[kind].workgroup);
}

function withText({ wgsl, data }: IntrinsicParts, name: string): IntrinsicParts {
  return { wgsl: [kernelText('task-input'), wgsl, kernelText(name)].join('\n'), data };
}

function ecdsaParts(): IntrinsicParts {
  const sha = bareParts(SHA, 0);
  const field = schnorrData('ecdsa');
  const texts = [sha.wgsl, fieldWgsl(field, `${sha.data.length}u`), kernelText('secp256k1'), orderWgsl()];
  const data = new Uint32Array(sha.data.length + field.words.length);
  data.set(sha.data);
  data.set(field.words, sha.data.length);
  return { wgsl: [...texts, kernelText('ecdsa')].join('\n'), data };
}
