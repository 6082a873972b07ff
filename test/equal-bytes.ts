// Runs before each file of tests (vitest.config.ts). For `toEqual` vitest compares bytes as it does any iterable:
// number by number through all its rules, and then once more as properties. That was most of the time of tests that
// compare states and receipts. Here they are compared at once, with the same result.
import { expect } from 'vitest';

const ADDED = Symbol.for('warpshrew.equal-bytes');

/** Whether both are bytes of the same kind and equal; undefined if vitest shall look at them. */
function equalBytes(a: unknown, b: unknown): boolean | undefined {
  if (!(a instanceof Uint8Array && b instanceof Uint8Array) || a.constructor !== b.constructor) return undefined;
  return Buffer.compare(a, b) === 0;
}

// Files that share a process share what compares, too.
if (!Reflect.has(globalThis, ADDED)) {
  Reflect.set(globalThis, ADDED, true);
  expect.addEqualityTesters([equalBytes]);
}
