// Predicted reads in a kernel that is V8 inside, and keeps what the kernel promises.
import { describe, it } from 'vitest';
import { FakeGpu } from '../fake-gpu.js';
import { KernelCases } from './kernel-cases.js';

const gpu = new FakeGpu();
const cases = new KernelCases(gpu, () => gpu.batches);

describe('a kernel call with a predicted value', () => {
  it('that is right: 5,000 mints of one counter are one dispatch, and none runs twice', () => cases.right(5_000));
  it('that is wrong, because a cap was hit midway, is repaired', () => cases.wrong());
  it('that is right by luck is repaired where another value that it read is stale', () => cases.rightByLuck());
  it('that overflows at its width is repaired, and the width corrected', () => cases.overflow());
  it('sees its prediction beside what earlier transactions have written', () => cases.mixed());
});
