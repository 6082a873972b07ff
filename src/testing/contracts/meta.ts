/** What a contract build says of itself. */
import { readU32 } from '../../util/bytes.js';
import { type MetaMethod, methodsOf } from './arguments.js';

const MOST_BYTES = 1 << 20;

/**
 * The methods that `__meta` names, or why there are none in words. The build runs on V8 as it is, without a bound on
 * its time: this is for builds that a developer has chosen.
 */
export function metaOf(wasm: Uint8Array): MetaMethod[] | string {
  try {
    const module = new WebAssembly.Module(Uint8Array.from(wasm));
    const env = Object.fromEntries(WebAssembly.Module.imports(module).map(({ name }) => [name, () => 0]));
    const { __meta: meta, memory } = new WebAssembly.Instance(module, { env }).exports;
    if (typeof meta !== 'function' || !(memory instanceof WebAssembly.Memory)) return 'no __meta';
    const at = Number(meta()) >>> 0;
    const bytes = new Uint8Array(memory.buffer);
    if (at < 4 || at > bytes.length) return '__meta gives a bad pointer';
    const length = readU32(bytes, at - 4);
    if (length > MOST_BYTES || at + length > bytes.length) return '__meta gives a bad length';
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.slice(at, at + length)));
    return methodsOf(parsed) ?? '__meta gives JSON of another form';
  } catch (error) {
    return `__meta fails: ${error instanceof Error ? error.message.slice(0, 100) : 'unknown'}`;
  }
}
