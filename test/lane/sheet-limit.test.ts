// At most 10,000 sheet entries a transaction (docs/lane-rules.md, section 2), and what edicts may cost.
import { describe, expect, it } from 'vitest';
import { applyEdicts, OutputSheets } from '../../src/protocol/edicts.js';
import type { ProtostoneInput } from '../../src/protocol/encode.js';
import { Sheet } from '../../src/protocol/sheet.js';
import type { AlkaneId } from '../../src/protocol/types.js';
import { call, makeTx, ORDINARY, World } from './world.js';

const REASON = 'more than 10,000 sheet entries';
const asset = (tx: number): AlkaneId => ({ block: 2n, tx: BigInt(100 + tx) });
const scripts = (count: number): Uint8Array[] => Array.from({ length: count }, () => ORDINARY);
const assets = (count: number, amount: bigint): Record<string, bigint> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`2:${100 + i}`, amount]));
const splits = (count: number, outputs: number, amount = 0n) =>
  Array.from({ length: count }, (_, i) => ({ id: asset(i), amount, output: BigInt(outputs + 1) }));

/** Splits so many assets over so many outputs, in one protostone; the runestone is output n - 1. */
function splitting(count: number, outputs: number, more: readonly ProtostoneInput[] = []) {
  const world = new World();
  const coin = world.give(assets(count, BigInt(outputs)));
  const protostones = [{ pointer: 0xffffffff, edicts: splits(count, outputs) }, ...more];
  const tx = makeTx({ spend: [coin], outputs: scripts(outputs), protostones });
  const [outcome] = world.run(tx);
  return { world, tx, coin, outcome };
}

const entries = (world: World): number =>
  [...world.state].reduce((sum, [key, value]) => sum + (key.startsWith('sheet/') ? value.length / 48 : 0), 0);

describe('sheet entries', () => {
  it('10,000 are written', () => {
    const { world, outcome } = splitting(100, 100);
    expect([outcome.undone, entries(world)]).toEqual([undefined, 10_000]);
  });

  it('10,001 sheet entries: the transaction is undone, and its spent sheets are gone', () => {
    const { world, outcome } = splitting(73, 137);
    expect(outcome).toMatchObject({ undone: REASON, messages: [] });
    expect(world.state.size).toBe(0);
  });

  it.each([
    ['10,000', 10_000, undefined],
    ['10,001', 10_001, REASON],
  ])('%s without any split, moved on by the pointer', (_, count, undone) => {
    const world = new World();
    const tx = makeTx({ spend: [world.give(assets(count, 1n))], protostones: [{ pointer: 1 }] });
    expect(world.run(tx)[0].undone).toBe(undone);
    expect(entries(world)).toBe(undone === undefined ? count : 0);
  });

  it('over ordinary outputs only: what is lost is not counted', () => {
    const world = new World();
    const coin = world.give(assets(10_001, 1n));
    const edicts = [{ id: asset(0), amount: 0n, output: 4_000n }];
    const tx = makeTx({ spend: [coin], protostones: [{ pointer: 1, edicts }] });
    expect([world.run(tx)[0].undone, entries(world)]).toEqual([undefined, 10_000]);
    const lost = makeTx({ spend: [world.give(assets(10_001, 1n))], protostones: [{ pointer: 2 }] });
    expect([world.run(lost)[0].undone, entries(world)]).toEqual([undefined, 10_000]);
  });

  it('at the end only: what a later message takes off again is not counted', () => {
    const takes = (edicts: number): string | undefined => {
      const world = new World();
      const id = world.deploy();
      const coin = world.give(assets(5_001, 2n));
      const away = Array.from({ length: edicts }, (_, i) => ({ id: asset(i), amount: 0n, output: 2n }));
      // Two outputs and the runestone: 10,002 entries after the split, of which the message moves some to output 2.
      const tx = makeTx({
        spend: [coin],
        protostones: [
          { pointer: 0, edicts: Array.from({ length: 5_001 }, (_, i) => ({ id: asset(i), amount: 0n, output: 3n })) },
          { pointer: 0, refund: 0, message: call(id, 0), edicts: away },
        ],
      });
      return world.run(tx)[0].undone;
    };
    expect([takes(2), takes(3), takes(1), takes(0)]).toEqual([undefined, undefined, REASON, REASON]);
  });

  it('a message that fails takes nothing off', () => {
    const world = new World();
    const id = world.deploy();
    const away = Array.from({ length: 5_000 }, (_, i) => ({ id: asset(i), amount: 0n, output: 2n }));
    const tx = makeTx({
      spend: [world.give(assets(5_001, 2n))],
      protostones: [
        { pointer: 0, edicts: Array.from({ length: 5_001 }, (_, i) => ({ id: asset(i), amount: 0n, output: 3n })) },
        { pointer: 0, refund: 0, message: call(id, 1), edicts: away },
      ],
    });
    expect(world.run(tx)[0].undone).toBe(REASON);
  });
});

describe('what splits cost', () => {
  const outputs = (count: number) => scripts(count).map((script) => ({ script }));

  it('2,000 assets over 8,000 outputs are refused before anything is handed out', () => {
    const sheets = new OutputSheets(outputs(8_000));
    const working = Sheet.of(Array.from({ length: 2_000 }, (_, i) => ({ id: asset(i), amount: 8_000n })));
    const edicts = Array.from({ length: 2_000 }, (_, i) => ({ id: asset(i), amount: 0n, output: 8_000n }));
    expect(applyEdicts(working, edicts, sheets)).toBeUndefined();
    expect(sheets.settle()).toBe(REASON);
    // Still waiting: no output may be looked at, as none has its share.
    expect(() => sheets.peek(0)).toThrow('before its shares');
    expect(splitting(2_000, 8_000).outcome.undone).toBe(REASON);
  });

  it('what later edicts may take off is left out, at most what one output has for each of their pointers', () => {
    const settle = (later: readonly [number, number][]) => {
      const sheets = new OutputSheets(outputs(101));
      for (let i = 0; i < 100; i++) sheets.share(asset(i), 101, 1n);
      return sheets.settle(new Map(later));
    };
    expect(settle([])).toBe(REASON);
    expect(settle([[0, 99]])).toBe(REASON);
    expect(settle([[0, 100]])).toBeUndefined();
    expect(settle([[0, 5_000]])).toBeUndefined();
    const wide = new OutputSheets(outputs(10_200));
    wide.share(asset(1), 10_200, 1n);
    expect(wide.settle(new Map([[0, 5_000]]))).toBe(REASON);
  });

  it('splits of many protostones are handed out together', () => {
    // Each protostone gives the rest on to the next one; all of them split the same asset over 5,000 outputs.
    const world = new World();
    const count = 400;
    const n = 5_001;
    const protostones = Array.from({ length: count }, (_, i) => ({
      pointer: n + 2 + i,
      edicts: [{ id: asset(0), amount: 1n, output: BigInt(n) }],
    }));
    const tx = makeTx({ spend: [world.give(assets(1, 1n << 100n))], outputs: scripts(5_000), protostones });
    expect(world.run(tx)[0].undone).toBeUndefined();
    expect([world.sheet(tx, 0), world.sheet(tx, 4_999)]).toEqual([{ '2:100': 400n }, { '2:100': 400n }]);
  });

  it('a sum over u128 that splits make together is found', () => {
    const sheets = new OutputSheets(outputs(2));
    for (let i = 0; i < 2; i++) sheets.share(asset(0), 2, 1n << 127n);
    expect(sheets.settle()).toBe('sum over u128 in an edict');
  });
});
