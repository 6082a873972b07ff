import { describe, expect, it } from 'vitest';
import { LentMemories } from '../../src/program/lent-memories.js';

const MIB = 1_048_576;

function lending(bytes: readonly number[]): LentMemories {
  const memories = new LentMemories(128 * MIB);
  bytes.forEach((taken, depth) => {
    memories.memoryOf(depth).used(0, taken, false);
  });
  return memories;
}

/** The depths whose memories are still there after a message. */
function keptOf(bytes: readonly number[]): number[] {
  const memories = lending(bytes);
  const before = bytes.map((_, depth) => memories.memoryOf(depth));
  memories.trim();
  return bytes.map((_, depth) => depth).filter((depth) => memories.memoryOf(depth) === before[depth]);
}

describe('lent memories after a message', () => {
  it('are kept while they take no more than they may', () => {
    expect(keptOf(new Array(4).fill(32 * MIB))).toEqual([0, 1, 2, 3]);
  });

  it('go from the deepest on, of equal ones', () => {
    expect(keptOf(new Array(6).fill(32 * MIB))).toEqual([0, 1, 2, 3]);
  });

  it('go by what they free: few large ones before many small ones', () => {
    expect(keptOf([32 * MIB, 32 * MIB, 32 * MIB, 30 * MIB, ...new Array(20).fill(MIB)])).not.toContain(3);
    expect(keptOf([MIB, 130 * MIB, MIB, MIB])).toEqual([0, 2, 3]);
  });

  it('stay while somebody has one', () => {
    const memories = lending(new Array(6).fill(32 * MIB));
    memories.take('hash', 0);
    expect(memories.trim()).toBe(0);
    memories.giveBack(0);
    expect(memories.trim()).toBe(64 * MIB);
  });
});
