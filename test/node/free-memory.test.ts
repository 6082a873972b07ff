import { expect, test } from 'vitest';
import { freeMemoryOf } from '../../src/util/free-memory.js';

const MIB = 1 << 20;

/** Whether a memory that nothing refers to is still there after `free`. A reference holds it until its job ends. */
async function isKept(free: () => void): Promise<boolean> {
  const held = new WeakRef(new WebAssembly.Memory({ initial: 16 }));
  await new Promise((resolve) => setImmediate(resolve));
  free();
  return held.deref() !== undefined;
}

test('the memory of a large run is free when the call returns', async () => {
  for (let run = 0; run < 3; run++) expect(await isKept(() => freeMemoryOf(64 * MIB))).toBe(false);
});

test('the means to collect are not left in new contexts', async () => {
  freeMemoryOf(64 * MIB);
  const { runInNewContext } = await import('node:vm');
  // The flag is the process's: another thread may be about to look.
  await expect.poll(() => runInNewContext('typeof gc') as string).toBe('undefined');
});
