// Long code is told by its hash, so that it is not read for every call of it; what was read and written stays the same.
import { describe, expect, it } from 'vitest';
import { CachingReader } from '../../src/execute/tasks/caching-reader.js';
import { BlockState, BlockStateReader } from '../../src/lane/columns/block-state.js';
import { finalCode } from '../../src/lane/creation.js';
import { codeKey } from '../../src/lane/keys.js';
import { LONG_CODE, MapOverlay, TransactionView } from '../../src/lane/overlay.js';
import type { StateReader } from '../../src/lane/types.js';
import { knownProgram } from '../../src/program/prepare.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { idBytes } from '../../src/protocol/alkane-id.js';
import { concatBytes } from '../../src/util/bytes.js';
import { i32, store, WasmBuilder } from '../helpers/wasm-builder.js';
import { testHost } from '../program/support.js';

const CONTRACT = { block: 2n, tx: 7n };
const CLONE = { block: 2n, tx: 8n };
const KEY = codeKey(CONTRACT);
const FUEL = 1_000_000;

/** Code of a contract whose result is `value`. */
function codeOf(value: number, bytes = 70_000): Uint8Array {
  const b = new WasmBuilder();
  b.dataSegments.push({ mode: 'passive', offset: undefined, bytes: new Uint8Array(bytes).fill(value) });
  b.execute([i32(8), i32(value), store(), i32(4), i32(4), store(), i32(8)]);
  return concatBytes(Uint8Array.of(0), b.bytes());
}

/** A state that counts how often the code is read. */
function stored() {
  const values = new Map([
    [KEY, codeOf(1)],
    [codeKey(CLONE), concatBytes(Uint8Array.of(1), idBytes(CONTRACT))],
  ]);
  const state = { reads: 0 };
  // What it gives is another array each time, as that of a database is.
  const reader: StateReader = {
    get: (key) => {
      if (key === KEY) state.reads++;
      return values.get(key)?.slice();
    },
  };
  return { state, before: new CachingReader(reader, undefined, 1_000) };
}

describe('long code', () => {
  it('is read once in a block, whoever calls it and its clone, and runs as it is', () => {
    const { state, before } = stored();
    const runner = new ProgramRunner();
    const readers: StateReader[] = [
      before,
      new MapOverlay(before),
      new BlockStateReader(new BlockState(before), before),
    ];
    for (let i = 0; i < 3; i++) {
      for (const reader of readers) {
        for (const id of [CONTRACT, CLONE]) {
          const view = new TransactionView(reader);
          const code = finalCode(id, view);
          expect(code?.id).toEqual(CONTRACT);
          expect(runner.run(code!.program, testHost().host, FUEL).result).toEqual(Uint8Array.of(1, 0, 0, 0));
          expect(view.end().reads.get(KEY)).toBe(LONG_CODE);
        }
      }
    }
    expect(state.reads).toBe(1);
  });

  it('has its bytes when they are asked for, though only its hash is known', () => {
    const { state, before } = stored();
    const first = finalCode(CONTRACT, new TransactionView(before))!.program;
    // Nobody keeps its program any more: a block runs through more code than caches hold.
    for (let value = 2; value < 200; value++) finalCode(CONTRACT, { get: () => codeOf(value, 500_000) });
    expect(knownProgram(first.hash)).toBeUndefined();
    const again = finalCode(CONTRACT, new TransactionView(before))!.program;
    expect([again.hash, again.sourceBytes]).toEqual([first.hash, first.source.length]);
    expect(again.source).toEqual(codeOf(1).subarray(1));
    expect(state.reads).toBeLessThan(4);
  });

  it('that was written before is what was written, for the transaction, the block and its parts', () => {
    const { before } = stored();
    finalCode(CONTRACT, new TransactionView(before));
    expect(before.programAt(KEY)).toBeDefined();
    const writes = new Map([[KEY, codeOf(2)]]);
    const inBlock = new BlockStateReader(new BlockState(before), before);
    const inMap = new MapOverlay(before);
    for (const reader of [inBlock, inMap]) {
      expect(reader.programAt(KEY)).toBeDefined();
      reader.apply(writes);
      expect(reader.programAt(KEY)).toBeUndefined();
      expect(resultOf(new TransactionView(reader))).toBe(2);
      // Nor is what it is taken for what it was before the block.
      expect(finalCode(CONTRACT, new TransactionView(before))?.program.source).toEqual(codeOf(1).subarray(1));
    }
    const view = new TransactionView(before);
    view.set(KEY, codeOf(3));
    expect(view.programAt(KEY)).toBeUndefined();
    expect(resultOf(view)).toBe(3);
    expect(resultOf(new TransactionView(before))).toBe(1);
    expect(view.end().reads.has(KEY)).toBe(false);
  });
});

/** What the contract says as `view` sees it. */
function resultOf(view: TransactionView): number | undefined {
  const code = finalCode(CONTRACT, view);
  return code && new ProgramRunner().run(code.program, testHost().host, FUEL).result?.[0];
}
