import { ProgramError } from '../errors/errors.js';
import { concatBytes } from '../util/bytes.js';

const HEADER_BYTES = 8;
const MEMORY_SECTION = 5;
const PAGE = 65_536;
/** Flags of a memory's limits. */
const HAS_MOST = 1;
const KNOWN_FLAGS = 7;

/**
 * The module with memories that cannot grow beyond `mostBytes` in total: `memory.grow` returns -1 then, as on a machine
 * without more memory. `wasm` must be a module that this engine compiles. Throws ProgramError VIEW_MEMORY if it begins
 * with more than that.
 */
export function limitMemory(wasm: Uint8Array, mostBytes: number): Uint8Array {
  const cursor = new Cursor(wasm, HEADER_BYTES);
  while (!cursor.atEnd) {
    const start = cursor.at;
    const section = wasm[cursor.at++];
    const end = cursor.number() + cursor.at;
    if (section === MEMORY_SECTION) {
      const body = limitedSection(cursor, mostBytes);
      const changed = concatBytes(Uint8Array.of(MEMORY_SECTION), leb(body.length), body);
      return concatBytes(wasm.subarray(0, start), changed, wasm.subarray(end));
    }
    cursor.at = end;
  }
  return wasm;
}

function limitedSection(cursor: Cursor, mostBytes: number): Uint8Array {
  const count = cursor.number();
  const mostPages = Math.floor(mostBytes / PAGE / Math.max(1, count));
  const parts = [leb(count)];
  for (let memory = 0; memory < count; memory++) {
    const flags = cursor.number();
    const least = cursor.number();
    const most = (flags & HAS_MOST) === 0 ? mostPages : Math.min(mostPages, cursor.number());
    if (flags > KNOWN_FLAGS || least > mostPages) {
      throw new ProgramError('VIEW_MEMORY', 'the module begins with more memory than a view may have', {
        facts: { memory: least * PAGE, limit: mostPages * PAGE },
        hint: 'Allow views more memory: --view-memory.',
      });
    }
    parts.push(leb(flags | HAS_MOST), leb(least), leb(most));
  }
  return concatBytes(...parts);
}

/** Reads LEB128 numbers below 2^53. */
class Cursor {
  readonly #bytes: Uint8Array;

  constructor(
    bytes: Uint8Array,
    public at: number,
  ) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
}

function leb(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Uint8Array.of(...bytes, rest);
}
