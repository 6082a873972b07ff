import { describe, expect, it } from 'vitest';
import { decodeHeader, encodeHeader, headerKey, rowKey } from '../../src/store/tree/tree-rows.js';
import { verifyProof } from '../../src/store/tree/verify-proof.js';
import { fromBinaryString, toBinaryString, toHex } from '../../src/util/bytes.js';
import { bytes, generator, name } from './helpers.js';
import { NAMESPACE, randomWrites, rootOfPairs, TreeChain } from './tree-reference.js';

const NO_ROW = new Uint8Array(0);

/** Rows in the order of their keys, as text: long arrays are slow to compare. */
const hexOf = (rows: ReadonlyMap<string, Uint8Array>): string[] =>
  [...rows].map(([key, value]) => `${toHex(fromBinaryString(key))} ${toHex(value)}`).sort();

describe('stored rows', () => {
  it('give the tree after every step of a random history, with few or many blocks a sweep, closed or not', () => {
    const random = generator(21);
    for (let history = 0; history < 60; history++) {
      const blocks = 1 + random(8);
      const chain = new TreeChain({ blocks, behind: 2 * blocks, bytes: Number.POSITIVE_INFINITY });
      for (let step = 0; step < 12; step++) {
        if (chain.height >= 0 && random(4) === 0) chain.undo();
        else chain.commit(randomWrites(random, 2_000));
        if (random(6) === 0) chain.close();
        if (random(3) > 0) continue;
        expect(chain.reopen(), `history ${history}, step ${step}`).toBe(true);
        expect(toHex(chain.tree.root())).toBe(rootOfPairs(chain.state));
        expect(chain.tree.leaves).toBe(chain.state.size);
      }
    }
  });

  it('are never further behind than they may be, and each is written once in a sweep', () => {
    const random = generator(22);
    const blocks = 5;
    const chain = new TreeChain({ blocks, behind: 2 * blocks, bytes: Number.POSITIVE_INFINITY });
    const all = new Map(Array.from({ length: 20_000 }, (_, i) => [name(`key ${i}`), bytes('x')] as const));
    chain.commit(all);
    const whole = [...chain.rows.values()].reduce((sum, row) => sum + row.length, 0);
    let stored = 0;
    for (let height = 1; height <= 20; height++) {
      chain.commit(new Map(Array.from({ length: 4_000 }, () => [name(`key ${random(20_000)}`), bytes(`${height}`)])));
      stored += chain.stored;
      const { cleanNext } = chain.tree.header ?? { cleanNext: 0 };
      expect(height + 1 - cleanNext).toBeLessThanOrEqual(2 * blocks);
    }
    expect(stored).toBeLessThan((20 / blocks + 1) * whole * 1.2);
  });

  it('catch up at once when less undo data is kept than before', () => {
    const chain = new TreeChain({ blocks: 8, behind: 16, bytes: Number.POSITIVE_INFINITY });
    chain.commit(new Map(Array.from({ length: 3_000 }, (_, i) => [name(`key ${i}`), bytes('x')])));
    const touch = () => chain.commit(new Map(Array.from({ length: 300 }, (_, i) => [name(`key ${i}`), bytes('y')])));
    for (let height = 1; height <= 12; height++) touch();
    const lag = (): number => chain.height + 1 - (chain.tree.header?.cleanNext ?? 0);
    expect(lag()).toBeGreaterThan(3);
    chain.limits = { ...chain.limits, behind: 3 };
    const lags = Array.from({ length: 12 }, () => {
      touch();
      return lag();
    });
    expect(Math.max(...lags)).toBe(3);
    for (let height = 0; height <= chain.height - 3; height++) delete chain.touched[height];
    expect(chain.reopen()).toBe(true);
  });

  it('are split when the buckets grow, however far that has come when the tree is loaded', () => {
    const chain = new TreeChain({ blocks: 4, behind: 8, bytes: Number.POSITIVE_INFINITY });
    let bits = 0;
    const seen = new Set<number>();
    for (let height = 0; height < 24; height++) {
      const size = 20 * Math.round(1.4 ** Math.min(height, 13));
      chain.commit(new Map(Array.from({ length: size }, (_, i) => [name(`${height} ${i}`), bytes('x')])));
      const header = chain.tree.header;
      if (header === undefined) throw new Error('there is no header');
      if (header.oldBits !== header.newBits) seen.add(header.cursor);
      bits = Math.max(bits, header.newBits);
      if (height % 3 === 2) expect(chain.reopen(), `height ${height}`).toBe(true);
      if (height % 7 === 6) expect(chain.undo()).toBe(rootOfPairs(chain.state));
    }
    expect(bits).toBeGreaterThan(6);
    expect(seen.size).toBeGreaterThan(2);
  });

  it('of which any is damaged, missing or in the wrong place are not taken for the tree', () => {
    const chain = new TreeChain({ blocks: 2, behind: 4, bytes: Number.POSITIVE_INFINITY });
    for (let height = 0; height < 4; height++) {
      chain.commit(new Map(Array.from({ length: 300 }, (_, i) => [name(`${height} ${i}`), bytes('x')])));
    }
    chain.close();
    const sound = new Map(chain.rows);
    const head = toBinaryString(headerKey(NAMESPACE));
    const [row] = [...sound.keys()].filter((key) => key !== head);
    const value = sound.get(row) ?? NO_ROW;
    const header = decodeHeader(sound.get(head) ?? NO_ROW);
    if (header === undefined) throw new Error('there is no header');
    const swapped = new Uint8Array([...value.subarray(63, 126), ...value.subarray(0, 63), ...value.subarray(126)]);
    const damages: [string, string, Uint8Array | undefined][] = [
      ['a bit', row, value.map((byte, i) => (i === 40 ? byte ^ 1 : byte))],
      ['a bit of the first path', row, value.map((byte, i) => (i === 0 ? byte ^ 0x80 : byte))],
      ['a byte less', row, value.subarray(1)],
      ['no entry', row, NO_ROW],
      ['an order', row, swapped],
      ['an entry twice', row, new Uint8Array([...value.subarray(0, 63), ...value])],
      ['a row', row, undefined],
      ['a row too many', toBinaryString(rowKey(NAMESPACE, header.newBits + 1, 0)), value],
      ['a key', `${row}x`, value],
      ['no header', head, undefined],
      ['a short header', head, NO_ROW],
      ['bits beyond all', head, encodeHeader({ ...header, oldBits: 200, newBits: 200 })],
      ['bits of much memory', head, encodeHeader({ ...header, newBits: 21 })],
      ['a height above the tip', head, encodeHeader({ ...header, cleanNext: 9, sweepNext: 9 })],
    ];
    for (const [what, key, damaged] of damages) {
      chain.rows = new Map(sound);
      if (damaged === undefined) chain.rows.delete(key);
      else chain.rows.set(key, damaged);
      expect(chain.reopen(), what).toBe(false);
      chain.remake();
      expect(hexOf(chain.rows), what).toEqual(hexOf(sound));
    }
    expect(chain.reopen()).toBe(true);
  });

  it('are not taken where the undo data that tells of changes is gone', () => {
    const chain = new TreeChain({ blocks: 4, behind: 8, bytes: Number.POSITIVE_INFINITY });
    for (let height = 0; height < 6; height++) {
      chain.commit(new Map(Array.from({ length: 200 }, (_, i) => [name(`${height} ${i}`), bytes('x')])));
    }
    expect(chain.reopen()).toBe(true);
    delete chain.touched[5];
    expect(chain.reopen()).toBe(false);
  });
});

describe('a tree that is larger than its memory', () => {
  const BYTES = 60_000;
  const large = (): TreeChain => new TreeChain({ blocks: 5, behind: 10, bytes: BYTES }, 8);

  it('drops what is written, reads it again, and has the root of the definition after every step', () => {
    const random = generator(31);
    const chain = large();
    let most = 0;
    for (let height = 0; height < 18; height++) {
      const undo = chain.height > 0 && random(5) === 0;
      expect(undo ? chain.undo() : chain.commit(randomWrites(random, 3_000))).toBe(rootOfPairs(chain.state));
      if (height === 3) {
        chain.commit(new Map(Array.from({ length: 2_000 }, (_, i) => [name(`key ${i}`), bytes('x')])));
      }
      if (height > 5) most = Math.max(most, chain.tree.droppedRows);
      if (random(4) === 0) expect(chain.reopen()).toBe(true);
      for (let i = 0; i < 8; i++) {
        const key = name(`key ${random(3_000)}`);
        const raw = fromBinaryString(key);
        expect(verifyProof(chain.tree.root(), raw, chain.state.get(key), chain.tree.prove(raw))).toBe(true);
      }
    }
    expect(most).toBeGreaterThan(10);
  });

  it('is made from the state, closed and grown in the same memory', () => {
    const chain = large();
    chain.commit(new Map(Array.from({ length: 3_000 }, (_, i) => [name(`key ${i}`), bytes('x')])));
    chain.rows.clear();
    expect(chain.reopen()).toBe(false);
    chain.remake();
    expect(chain.tree.droppedRows).toBeGreaterThan(0);
    expect(chain.reopen()).toBe(true);
    chain.commit(new Map(Array.from({ length: 3_000 }, (_, i) => [name(`more ${i}`), bytes('x')])));
    chain.close();
    expect(chain.reopen()).toBe(true);
    expect(toHex(chain.tree.root())).toBe(rootOfPairs(chain.state));
  });

  it('says so if a row that it dropped cannot be read again', () => {
    const chain = large();
    chain.commit(new Map(Array.from({ length: 3_000 }, (_, i) => [name(`key ${i}`), bytes('x')])));
    expect(chain.tree.droppedRows).toBeGreaterThan(0);
    for (const [key, value] of chain.rows) chain.rows.set(key, value.subarray(1));
    const again = new Map(Array.from({ length: 3_000 }, (_, i) => [name(`key ${i}`), bytes('y')]));
    expect(() => chain.tree.update(again)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
  });
});
