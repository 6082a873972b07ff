/** What a contract build says of itself. */
import { ProgramError } from '../../errors/errors.js';
import type { CpuRunner } from '../../execute/tasks/drive.js';
import { codeKey } from '../../lane/keys.js';
import { Metas } from '../../simulate/meta.js';
import { concatBytes } from '../../util/bytes.js';
import { id } from '../regtest/messages.js';
import { type MetaMethod, methodsOf } from './arguments.js';

const SOMEWHERE = id(2, 1);
const KEY = codeKey(SOMEWHERE);

/**
 * The methods that the `__meta` of an admitted module names, or why there are none in words. It runs as a message does:
 * its fuel, slots and pages are bounded.
 */
export function metaOf(wasm: Uint8Array, runner: CpuRunner): MetaMethod[] | string {
  const code = concatBytes(Uint8Array.of(0), wasm);
  try {
    const meta = new Metas(runner).of(SOMEWHERE, { get: (key) => (key === KEY ? code : undefined) });
    return methodsOf(meta) ?? '__meta gives JSON of another form';
  } catch (error) {
    return error instanceof ProgramError ? `${error.code}: ${error.message}` : `INTERNAL: ${String(error)}`;
  }
}
