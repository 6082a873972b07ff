import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { FlushedPairs } from '../../src/standard/flushed-pairs.js';
import { makePreparation, type Preparation, prepare, takePrepared } from '../../src/standard/preparation.js';
import { TreeMemory } from '../../src/store/tree/tree-memory.js';
import { concatBytes, fromBinaryString, toHex } from '../../src/util/bytes.js';
import { sortedByKey } from '../../src/util/sort-packed.js';
import { block, withStore } from '../store/helpers.js';

const COUNT = 3_000;
const noLoad = (): void => {
  throw new Error('nothing is dropped');
};

/** Keys and values alternating, each with its length as a varint. */
function encodeFlush(pairs: readonly (readonly [Uint8Array, Uint8Array])[]): Uint8Array {
  const element = (bytes: Uint8Array): Uint8Array => {
    const { length } = bytes;
    return concatBytes(
      length < 128 ? Uint8Array.of(10, length) : Uint8Array.of(10, (length & 127) | 128, length >> 7),
      bytes,
    );
  };
  return concatBytes(...pairs.flat().map(element));
}

/** Pairs of all lengths: the tree hashes long ones elsewhere. */
function pairsOf(round: number, preparation?: Preparation): FlushedPairs {
  const pairs = Array.from({ length: COUNT }, (_, i): [Uint8Array, Uint8Array] => {
    const key = i % 997 === 0 ? 'k'.repeat(5_000 + i) : `key ${(i * 7_919) % 4_001} ${round % 2}`;
    return [fromBinaryString(key), new Uint8Array(i % 499 === 0 ? 6_000 : (i * round) % 80).fill(i)];
  });
  const own = FlushedPairs.of([encodeFlush(pairs)], COUNT);
  return FlushedPairs.at([encodeFlush(pairs)], own.places(), preparation);
}

function prepared(pairs: FlushedPairs): Preparation {
  const preparation = makePreparation(pairs.size);
  if (preparation === undefined) throw new Error('too few pairs');
  prepare(preparation, pairs);
  return preparation;
}

describe('what the thread of the module prepares', () => {
  it('is what storing finds without it', () => {
    const pairs = pairsOf(1);
    const preparation = prepared(pairs);
    expect(takePrepared(preparation)?.order).toEqual(sortedByKey(pairs, pairs.addresses()));
    const [plain, fast] = [new TreeMemory(), new TreeMemory()];
    for (const round of [1, 2, 3]) {
      const existed = plain.apply(pairsOf(round), noLoad);
      const other = pairsOf(round, prepared(pairsOf(round)));
      expect(fast.apply(other, noLoad)).toEqual(existed);
      expect(other.prepared()).toBeDefined();
      expect(toHex(fast.hash())).toBe(toHex(plain.hash()));
    }
  });

  it('gives a store the same rows and roots, again after a block that was refused', async () => {
    const contents = await Promise.all(
      [false, true].map(async (isPrepared) => {
        let content: unknown;
        await withStore((store) => {
          for (let height = 0; height < 4; height++) {
            const pairs = pairsOf(height, isPrepared ? prepared(pairsOf(height)) : undefined);
            const commit = { ...block(height), standardWrites: pairs };
            const check = (): void => {
              throw new Error('another root');
            };
            if (height === 2) expect(() => store.commitBlock(commit, { check })).toThrow('another root');
            store.commitBlock(commit);
          }
          store.rollback(2);
          content = [...store.rawContent()];
        });
        return content;
      }),
    );
    expect(contents[1]).toEqual(contents[0]);
  });

  it('is not begun once it was asked for, and not asked for again', () => {
    const preparation = makePreparation(COUNT) as Preparation;
    expect(takePrepared(preparation)).toBeUndefined();
    prepare(preparation, pairsOf(1));
    expect(takePrepared(preparation)).toBeUndefined();
    expect(preparation.order.every((place) => place === 0)).toBe(true);
  });

  it('is waited for where it was begun, but not for ever', async () => {
    const preparation = makePreparation(COUNT) as Preparation;
    Atomics.store(preparation.state, 0, 1);
    expect(takePrepared(preparation)).toBeUndefined();
    const code = `
      const { workerData } = require('node:worker_threads');
      setTimeout(() => {
        workerData.order[0] = 7;
        Atomics.store(workerData.state, 0, 2);
        Atomics.notify(workerData.state, 0);
      }, 20);`;
    const worker = new Worker(code, { eval: true, workerData: preparation });
    while (takePrepared(preparation) === undefined);
    expect(takePrepared(preparation)?.order[0]).toBe(7);
    await worker.terminate();
  });

  it('is left out for few pairs', () => {
    expect(makePreparation(10)).toBeUndefined();
    expect(makePreparation(2 ** 18 + 1)).toBeUndefined();
  });
});
