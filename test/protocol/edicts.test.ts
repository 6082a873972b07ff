import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  applyEdicts,
  applyPointer,
  isOrdinaryOutput,
  OutputSheets,
  type UndoReason,
} from '../../src/protocol/edicts.js';
import { Sheet } from '../../src/protocol/sheet.js';
import type { ProtostoneEdict } from '../../src/protocol/types.js';
import { fromHex, U128_MAX } from '../../src/util/bytes.js';

const A = { block: 2n, tx: 1n };
const B = { block: 4n, tx: 7n };
const ORDINARY = { script: fromHex('51') };
const EMPTY = { script: new Uint8Array(0) };
const OP_RETURN = { script: fromHex('6a5d') };
/** Outputs 0 and 2 are ordinary, 1 is not; n = 3. */
const outputs = [ORDINARY, OP_RETURN, EMPTY];

const edict = (id: typeof A, amount: bigint | number, output: bigint | number): ProtostoneEdict => ({
  id,
  amount: BigInt(amount),
  output: BigInt(output),
});
const holding = (amount: bigint | number, id = A): Sheet => Sheet.of([{ id, amount: BigInt(amount) }]);
const amounts = (sheets: OutputSheets, id = A, upTo = 6): bigint[] =>
  Array.from({ length: upTo }, (_, output) => sheets.peek(output).get(id));

/** Applies edicts, and what they share. */
function applyAll(working: Sheet, edicts: ProtostoneEdict[], sheets: OutputSheets): UndoReason | undefined {
  return applyEdicts(working, edicts, sheets) ?? sheets.settle();
}

/** Applies edicts to 100 of A (or `working`) over the three outputs and returns sheets and rest. */
function apply(edicts: ProtostoneEdict[], working = holding(100), all = outputs) {
  const sheets = new OutputSheets(all);
  return { error: applyAll(working, edicts, sheets), sheets, rest: working.get(A) };
}

describe('outputs', () => {
  test('ordinary output: first script byte is not 6a (an empty script is ordinary)', () => {
    expect(outputs.map(isOrdinaryOutput)).toEqual([true, false, true]);
  });

  test('only ordinary real outputs keep what lies on them', () => {
    const sheets = new OutputSheets(outputs);
    for (const output of [0, 1, 2, 3, 4, 0xffffffff]) sheets.add(output, A, BigInt(output + 1));
    expect(sheets.kept().map(({ vout, sheet }) => [vout, sheet.get(A)])).toEqual([
      [0, 1n],
      [2, 3n],
    ]);
  });

  test('an output without amounts keeps nothing, taking empties it', () => {
    const sheets = new OutputSheets(outputs);
    sheets.add(0, A, 5n);
    expect(sheets.take(0).get(A)).toBe(5n);
    expect(sheets.take(0).isEmpty).toBe(true);
    sheets.add(2, A, 0n);
    expect(sheets.kept()).toEqual([]);
  });
});

describe('edicts', () => {
  test('amount 0 is all; an amount is capped to what is there', () => {
    const all = apply([edict(A, 0, 0), edict(A, 5, 2)]);
    expect([all.error, amounts(all.sheets, A, 3), all.rest]).toEqual([undefined, [100n, 0n, 0n], 0n]);
    const capped = apply([edict(A, 60, 0), edict(A, 60, 2)]);
    expect([capped.error, amounts(capped.sheets, A, 3), capped.rest]).toEqual([undefined, [60n, 0n, 40n], 0n]);
  });

  test('an id that is not there moves nothing', () => {
    const { error, sheets, rest } = apply([edict(B, 0, 0), edict(B, 5, 3)]);
    expect([error, amounts(sheets, B), rest]).toEqual([undefined, [0n, 0n, 0n, 0n, 0n, 0n], 100n]);
  });

  test('any output over n is a place of its own, up to u32', () => {
    const { sheets } = apply([edict(A, 1, 1), edict(A, 2, 4), edict(A, 3, 0xffffffff)]);
    expect([1, 4, 0xffffffff].map((output) => sheets.peek(output).get(A))).toEqual([1n, 2n, 3n]);
  });

  test('edict id 0:0 moves nothing; 0:x with x > 0 or output over u32: undone', () => {
    const zero = { block: 0n, tx: 0n };
    expect(apply([edict(zero, 0, 0)])).toMatchObject({ error: undefined, rest: 100n });
    expect(apply([edict({ block: 0n, tx: 1n }, 0, 0)]).error).toBe('edict id 0:x with x over 0');
    expect(apply([edict(A, 1, 1n << 32n)]).error).toBe('edict output over u32');
    expect(apply([edict(B, 1, U128_MAX)]).error).toBe('edict output over u32');
    expect(apply([edict(zero, 0, 1n << 32n)]).error).toBe('edict output over u32');
  });

  test('u128 overflow of an edict: undone, on a real output, on a shadow output, in a split', () => {
    for (const [output, over] of [
      [0, 0],
      [4, 4],
      [3, 2],
    ]) {
      const sheets = new OutputSheets(outputs);
      sheets.add(over, A, U128_MAX);
      expect(applyAll(holding(100), [edict(A, 0, output)], sheets)).toBe('sum over u128 in an edict');
      const fits = new OutputSheets(outputs);
      fits.add(over, A, U128_MAX - 100n);
      expect(applyAll(holding(100), [edict(A, 0, output)], fits)).toBeUndefined();
    }
  });
});

describe('splits', () => {
  test('amount 0: in equal shares over the ordinary outputs, the first ones get one more', () => {
    const four = [ORDINARY, OP_RETURN, ORDINARY, ORDINARY, ORDINARY];
    const { sheets, rest } = apply([edict(A, 0, 5)], holding(102), four);
    expect([amounts(sheets), rest]).toEqual([[26n, 0n, 26n, 25n, 25n, 0n], 0n]);
    const few = apply([edict(A, 0, 5)], holding(3), four);
    expect([amounts(few.sheets), few.rest]).toEqual([[1n, 0n, 1n, 1n, 0n, 0n], 0n]);
  });

  test('an amount goes to each in order until it runs out', () => {
    const enough = apply([edict(A, 30, 3)]);
    expect([amounts(enough.sheets, A, 4), enough.rest]).toEqual([[30n, 0n, 30n, 0n], 40n]);
    const short = apply([edict(A, 70, 3)]);
    expect([amounts(short.sheets, A, 4), short.rest]).toEqual([[70n, 0n, 30n, 0n], 0n]);
  });

  test('a split over no ordinary output does nothing', () => {
    for (const amount of [0, 5]) {
      const { error, sheets, rest } = apply([edict(A, amount, 2)], holding(100), [OP_RETURN, OP_RETURN]);
      expect([error, amounts(sheets), rest]).toEqual([undefined, [0n, 0n, 0n, 0n, 0n, 0n], 100n]);
    }
  });

  test('very many splits over very many outputs stay cheap', () => {
    const many = Array.from({ length: 10_000 }, () => ORDINARY);
    const edicts = Array.from({ length: 40_000 }, () => edict(A, 1, many.length));
    const { error, sheets, rest } = apply(edicts, holding(U128_MAX), many);
    expect(error).toBeUndefined();
    expect(rest).toBe(U128_MAX - 400_000_000n);
    expect(sheets.take(9_999).get(A)).toBe(40_000n);
    expect(sheets.kept()).toHaveLength(9_999);
  });
});

describe('pointer', () => {
  test('the rest goes to the pointer, or without one to the first ordinary output, 0 if there is none', () => {
    const sheets = new OutputSheets([OP_RETURN, ORDINARY]);
    expect(applyPointer(holding(7), 4294967295, sheets)).toBeUndefined();
    expect(sheets.peek(4294967295).get(A)).toBe(7n);
    expect(applyPointer(holding(8), undefined, sheets)).toBeUndefined();
    expect(sheets.peek(1).get(A)).toBe(8n);
    const lost = new OutputSheets([OP_RETURN]);
    expect(applyPointer(holding(9), undefined, lost)).toBeUndefined();
    expect([lost.peek(0).get(A), lost.kept()]).toEqual([9n, []]);
  });

  test('u128 overflow of the rest to a pointer: undone', () => {
    const sheets = new OutputSheets(outputs);
    sheets.add(0, A, U128_MAX);
    expect(applyPointer(holding(1), 0, sheets)).toBe('sum over u128 at a pointer');
  });
});

describe('against a plain model', () => {
  const ids = [A, B];
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('edict' as const),
      id: fc.constantFrom(...ids),
      amount: fc.oneof(fc.bigInt(0n, 50n), fc.constant(U128_MAX / 2n)),
      output: fc.integer({ min: 0, max: 7 }),
    }),
    fc.record({ kind: fc.constant('take' as const), output: fc.integer({ min: 0, max: 7 }) }),
    fc.record({ kind: fc.constant('pay' as const), output: fc.integer({ min: 0, max: 7 }), amount: fc.bigInt(0n, 9n) }),
  );

  /** One loop over numbers, no sharing of work: what the rules say word for word. `false`: a sum passes u128. */
  class Model {
    readonly at = new Map<string, bigint>();
    constructor(
      readonly working: Map<(typeof ids)[number], bigint>,
      readonly ordinary: number[],
      readonly count: number,
    ) {}

    put(id: typeof A, output: number, amount: bigint): boolean {
      const key = `${id.block} ${output}`;
      const sum = (this.at.get(key) ?? 0n) + amount;
      this.at.set(key, sum);
      return sum <= U128_MAX;
    }

    edict(id: typeof A, amount: bigint, output: number): boolean {
      let rest = this.working.get(id) ?? 0n;
      const give = (to: number, wanted: bigint): boolean => {
        const moved = wanted < rest ? wanted : rest;
        rest -= moved;
        return this.put(id, to, moved);
      };
      let ok = true;
      if (output !== this.count) ok = give(output, amount === 0n ? rest : amount);
      else {
        const total = rest;
        const each = BigInt(this.ordinary.length || 1);
        this.ordinary.forEach((to, i) => {
          const share = total / each + (BigInt(i) < total % each ? 1n : 0n);
          ok = give(to, amount === 0n ? share : amount) && ok;
        });
      }
      this.working.set(id, rest);
      return ok;
    }
  }

  test('random edicts, payments and takings give the same amounts everywhere, or both overflow', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
        fc.oneof(fc.bigInt(0n, 400n), fc.bigInt(U128_MAX - 99n, U128_MAX)),
        fc.array(step, { maxLength: 25 }),
        // Whether shares are settled at once, or when they must be.
        fc.boolean(),
        (isReturn, amount, steps, exact) => {
          const all = isReturn.map((yes) => (yes ? OP_RETURN : ORDINARY));
          const sheets = new OutputSheets(all);
          const model = new Model(
            new Map([
              [A, amount],
              [B, 77n],
            ]),
            [...sheets.ordinary],
            all.length,
          );
          const working = Sheet.of([
            { id: A, amount },
            { id: B, amount: 77n },
          ]);
          let [real, plain] = [true, true];
          for (const next of steps) {
            if (next.kind === 'edict') {
              const one = [edict(next.id, next.amount, next.output)];
              real = applyEdicts(working, one, sheets) === undefined && real;
              if (exact) real = sheets.settle() === undefined && real;
              plain = model.edict(next.id, next.amount, next.output) && plain;
            } else if (next.kind === 'pay') {
              real = applyPointer(holding(next.amount), next.output, sheets) === undefined && real;
              plain = model.put(A, next.output, next.amount) && plain;
            } else {
              real = sheets.settle() === undefined && real;
              expect(real).toBe(plain);
              if (!plain) return;
              const taken = sheets.take(next.output);
              for (const id of ids) {
                expect(taken.get(id)).toBe(model.at.get(`${id.block} ${next.output}`) ?? 0n);
                model.at.delete(`${id.block} ${next.output}`);
              }
            }
            if (!exact && real) continue;
            expect(real).toBe(plain);
            if (!plain) return;
          }
          expect(real && sheets.settle() === undefined).toBe(plain);
          if (!plain) return;
          for (const id of ids) {
            expect(working.get(id)).toBe(model.working.get(id) ?? 0n);
            for (let output = 0; output < 8; output++) {
              expect(sheets.peek(output).get(id)).toBe(model.at.get(`${id.block} ${output}`) ?? 0n);
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
