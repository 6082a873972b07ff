/** Runestones of the common kind, decoded by WASM from a block's bytes into rows (wasm/native/lane-scan.ts). */
import { inSharedMemory } from '../../bitcoin/block-offsets.js';
import { laneScanModule } from '../../util/built-wasm.js';

const PAGE = 65_536;
const IN_WORDS = 3;
const OUT_WORDS = 5;
/** Contexts of one block, at most: what does not fit is decoded the other way. */
const MOST_CONTEXT_BYTES = 64 * 1024 * 1024;
/** Room for contexts of one call. */
const CONTEXT_ROOM = 4 * 1024 * 1024;

/** The runestones of a block that may have a protocol field. */
export interface RunestoneScripts {
  readonly raw: Uint8Array;
  readonly count: number;
  /**
   * By runestone: where its script begins and ends in `raw`, and how many outputs its transaction has. What lies behind
   * `count` means nothing.
   */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly outputs: Uint32Array;
}

/** By runestone; of those that are not of the common kind only `contextEnd`, which equals `contextStart`. */
export interface RunestoneRows {
  readonly pointer: Uint32Array;
  readonly refund: Uint32Array;
  /** Where the context of the call lies in `contexts`, as a contract sees it that is given no assets. */
  readonly contextStart: Uint32Array;
  readonly contextEnd: Uint32Array;
  readonly contexts: Uint8Array;
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  base(): number;
  mostContext(): number;
  decodeRows(table: number, row: number, count: number, rows: number, contexts: number, limit: number): number;
}

let exportsOfThread: Exports | undefined;

function wasm(): Exports {
  exportsOfThread ??= new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(laneScanModule())))
    .exports as WebAssembly.Exports & Exports;
  return exportsOfThread;
}

/**
 * Decodes runestones whose protocol field holds one protostone with tag 1 and nothing but a message to a contract 2:n
 * or 4:n behind 8:8, pointer and refund, with no other field that matters in the runestone. All others are left to
 * `decodeRunestone` and `decodeProtostones`, and so is what has no room.
 */
export function decodeRunestoneRows({ raw, count, starts, ends, outputs }: RunestoneScripts): RunestoneRows {
  const { memory, base, mostContext, decodeRows } = wasm();
  // The whole block in one copy takes less time than its scripts one by one.
  const block = base();
  const table = (block + (count === 0 ? 0 : raw.length) + 3) & ~3;
  const rows = table + 4 * IN_WORDS * count;
  const contexts = (rows + 4 * OUT_WORDS * count + 15) & ~15;
  const room = Math.max(CONTEXT_ROOM, 2 * mostContext());
  const missing = contexts + room - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));

  const whole = new Uint8Array(memory.buffer);
  if (count > 0) whole.set(raw, block);
  const words = new Uint32Array(memory.buffer, table, IN_WORDS * count);
  for (let i = 0; i < count; i++) {
    words[IN_WORDS * i] = block + starts[i];
    words[IN_WORDS * i + 1] = block + ends[i];
    words[IN_WORDS * i + 2] = outputs[i];
  }

  const found = new Uint32Array(memory.buffer, rows, OUT_WORDS * count);
  const pointer = new Uint32Array(count);
  const refund = new Uint32Array(count);
  const contextStart = new Uint32Array(count);
  const contextEnd = new Uint32Array(count);
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (let row = 0; row < count && length < MOST_CONTEXT_BYTES; ) {
    const next = decodeRows(table, row, count, rows, contexts, contexts + room);
    let used = contexts;
    for (; row < next; row++) {
      const at = OUT_WORDS * row;
      if (found[at + 3] === 0) continue;
      pointer[row] = found[at];
      refund[row] = found[at + 1];
      contextStart[row] = length + found[at + 2] - contexts;
      contextEnd[row] = length + found[at + 3] - contexts;
      used = found[at + 3];
    }
    pieces.push(inSharedMemory(whole.subarray(contexts, used)));
    length += used - contexts;
  }
  return {
    pointer,
    refund,
    contextStart,
    contextEnd,
    contexts: pieces.length === 1 ? pieces[0] : joined(pieces, length),
  };
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(new SharedArrayBuffer(length));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
