import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** Has V8 collect all garbage of this thread now: what lives afterwards is held by something. */
export function collectGarbage(): void {
  if (typeof collect !== 'function') throw new Error('V8 does not collect garbage on demand');
  collect();
  // Buffers are freed on another thread, and before the next time.
  collect();
}
