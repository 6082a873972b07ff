import { expect, it } from 'vitest';
import { BlockState } from '../../../src/lane/columns/block-state.js';
import { giveStateBack, lendState } from '../../../src/lane/columns/lent-state.js';
import { StateKeys } from '../../../src/lane/columns/state-keys.js';
import { balanceKey, codeKey, SEQUENCE_KEY, sheetKey, storagePrefix } from '../../../src/lane/keys.js';
import { idBytes } from '../../../src/protocol/alkane-id.js';
import { concatBytes, toBinaryString, u32Bytes } from '../../../src/util/bytes.js';
import { viewOf } from '../../../src/util/words.js';

const NOTHING = { get: () => undefined };

/** Ids that differ in one of their numbers, in low bytes and in high ones. */
const IDS = [2n, 4n, 2n ** 127n].flatMap((block) =>
  [0n, 1n, 2n, 64n, 2n ** 32n, 2n ** 64n + 1n, 2n ** 128n - 1n].map((tx) => ({ block, tx })),
);

it('keys are those of the rules, and those that were found before are found again', () => {
  const state = new BlockState(NOTHING);
  const keys = new StateKeys(state);
  const numbers = new Map<string, number>();
  const check = (number: number, key: string): void => {
    expect(state.keyText(number)).toBe(key);
    expect(number).toBe(numbers.get(key) ?? number);
    numbers.set(key, number);
  };
  const own = [
    '',
    'a',
    'ab',
    'abc',
    'abcd',
    'abce',
    'xbcd',
    'count',
    'counu',
    'a longer key',
    'b longer key',
    'k'.repeat(1_024),
  ];
  for (let round = 0; round < 3; round++) {
    for (const id of IDS) {
      const at = viewOf(idBytes(id));
      check(keys.code(at, 0), codeKey(id));
      for (const asset of IDS) check(keys.balance(viewOf(idBytes(asset)), 0, at, 0), balanceKey(asset, id));
      for (const key of own) {
        const memory = new TextEncoder().encode(`...${key}`);
        check(keys.own(at, 0, viewOf(memory), 3, memory.length), storagePrefix(id) + key);
      }
      const txid = concatBytes(idBytes(id), u32Bytes(round));
      check(keys.sheetAt(viewOf(txid), 0), sheetKey(idBytes(id), round));
      check(keys.sheetOn(viewOf(txid), 0, round), sheetKey(idBytes(id), round));
    }
    check(keys.sequence(), SEQUENCE_KEY);
  }
  expect(new Set(numbers.values()).size).toBe(numbers.size);
});

it('keys that are remembered at one place are told apart', () => {
  const state = new BlockState(NOTHING);
  const keys = new StateKeys(state);
  const id = { block: 2n, tx: 1n };
  const ids = viewOf(idBytes(id));
  for (let i = 0; i < 1_000; i++) {
    const memory = new TextEncoder().encode(`key ${i} and more`);
    // The second one is the beginning of the first one; some of so many pairs have one place.
    for (const length of [memory.length, memory.length - 5, memory.length - 9]) {
      const number = keys.own(ids, 0, viewOf(memory), 0, length);
      expect(state.keyText(number)).toBe(storagePrefix(id) + toBinaryString(memory.subarray(0, length)));
    }
    const holders = [BigInt(i), BigInt(i) + 2n ** 64n, BigInt(i) + 2n ** 96n].map((tx) => ({ block: 4n, tx }));
    for (const holder of holders) {
      expect(state.keyText(keys.balance(ids, 0, viewOf(idBytes(holder)), 0))).toBe(balanceKey(id, holder));
      expect(state.keyText(keys.balance(viewOf(idBytes(holder)), 0, ids, 0))).toBe(balanceKey(holder, id));
      expect(state.keyText(keys.code(viewOf(idBytes(holder)), 0))).toBe(codeKey(holder));
    }
  }
});

it('nothing of a block is left to the next one that has its memory', () => {
  const first = lendState({ get: (key) => (key === 'a' ? Uint8Array.of(1) : undefined) });
  const keys = new StateKeys(first);
  const id = viewOf(idBytes({ block: 2n, tx: 1n }));
  expect(first.load(first.keyOfText('a'))).toBe(1);
  const written = keys.code(id, 0);
  first.set(written, 0, 3);
  expect(lendState(NOTHING)).not.toBe(first);
  giveStateBack(first);

  const second = lendState({ get: () => Uint8Array.of(7, 8) });
  expect(second).toBe(first);
  expect([second.keys, second.used, second.writes().size]).toEqual([0, 0, 0]);
  for (const key of ['b', 'a', codeKey({ block: 2n, tx: 1n })]) {
    expect(second.hasBelow(key)).toBeUndefined();
    const number = second.keyOfText(key);
    expect([second.isKnown(number), second.load(number), second.isWritten(number)]).toEqual([false, 2, false]);
    expect(toBinaryString(second.bytes.slice(second.starts[number], second.ends[number]))).toBe('\x07\x08');
  }
  giveStateBack(second);
});
