import { expect, vi } from 'vitest';
import type { Store } from '../../src/store/store.js';
import type { BlockCommit } from '../../src/store/types.js';
import * as shipped from '../../src/util/shipped.js';

/** What runs in the place of a thread beside a store: it takes one job, and says that it failed so. */
const codeOf = (code: string, kind: string): string => `
  import { workerData } from 'node:worker_threads';
  const { control, port } = workerData;
  const failure = { code: '${code}', kind: '${kind}', message: 'refused', facts: {}, hint: 'a hint' };
  for (;;) {
    Atomics.wait(control, 0, 0);
    if (Atomics.compareExchange(control, 0, 1, 2) !== 1) continue;
    port.postMessage(failure);
    Atomics.store(control, 0, 4);
    Atomics.notify(control, 0);
    Atomics.wait(control, 0, 4);
  }`;

/** Threads that are started from now on fail so: a write of theirs does, if nothing else is said. */
export function letThreadsFail(code = 'STORE_WRITE_FAILED', kind = 'store'): void {
  const text = encodeURIComponent(codeOf(code, kind));
  vi.spyOn(shipped, 'shipped').mockReturnValue(new URL(`data:text/javascript,${text}`));
}

/** Commits blocks until such a thread fails one, which ends the writing of the store before it. */
export async function expectFailure(store: Store, blockAt: (height: number) => BlockCommit): Promise<void> {
  const failed = expect.objectContaining({ code: 'STORE_WRITE_FAILED', hint: 'a hint' });
  for (let height = 0; ; height++) {
    try {
      store.commitBlock(blockAt(height));
    } catch (error) {
      expect(error).toEqual(failed);
      expect(() => store.commitBlock(blockAt(height))).toThrow(failed);
      expect(store.tip()?.height ?? -1).toBe(height - 1);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
