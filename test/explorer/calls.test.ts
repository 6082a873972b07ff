import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BadInput, inputsOf, metaOf, numbersOf } from '../../explorer/data/calls.js';

const U128 = (1n << 128n) - 1n;

describe('what a contract says of itself', () => {
  it('is read in its usual forms', () => {
    const methods = [
      { name: 'lift', opcode: 1, params: [], returns: 'String' },
      { name: 'swap', opcode: '77', params: ['u128', { name: 'to', type: 'AlkaneId' }], returns: 'void' },
    ];
    expect(metaOf({ contract: 'Cap', methods })).toEqual({
      name: 'Cap',
      methods: [
        { name: 'lift', opcode: '1', params: [], returns: 'String' },
        {
          name: 'swap',
          opcode: '77',
          params: [
            { name: 'input 1', type: 'u128' },
            { name: 'to', type: 'AlkaneId' },
          ],
          returns: 'void',
        },
      ],
    });
  });

  it('may be anything, and is bounded', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        expect(metaOf(json).methods.length).toBe(0);
        expect(metaOf({ contract: json, methods: [json, json] }).methods.length).toBeLessThanOrEqual(2);
      }),
      { seed: 15 },
    );
    const method = { name: 'n'.repeat(10_000), opcode: 1, params: new Array(1_000).fill('u128') };
    const meta = metaOf({ contract: 5, methods: new Array(1_000).fill(method) });
    expect([meta.name, meta.methods.length, meta.methods[0].params.length]).toEqual(['', 200, 32]);
    expect(meta.methods[0].name.length).toBe(80);
    expect(metaOf({ methods: [{ opcode: -1 }, { opcode: 1.5 }, {}, null] }).methods).toEqual([]);
  });
});

describe('the inputs of a call', () => {
  const of = (type: string, given: string): string[] => inputsOf({ name: 'x', type }, given);

  it('are numbers below 2^128, ids as two, texts as words with a zero behind them', () => {
    expect(of('u128', ` ${U128} `)).toEqual([String(U128)]);
    expect(of('u64', '0xff')).toEqual(['255']);
    expect(of('AlkaneId', '2:1')).toEqual(['2', '1']);
    expect(of('Vec<u8>', '1, 2 0x03')).toEqual(['1', '2', '3']);
    expect(of('String', 'cap')).toEqual([String(0x706163)]);
    expect(of('string', '')).toEqual(['0']);
    // 16 bytes fill a word: the zero is another one.
    expect(of('String', 'a'.repeat(16))).toEqual([String(BigInt(`0x${'61'.repeat(16)}`)), '0']);
    expect(numbersOf('x', '')).toEqual([]);
  });

  it.each([
    ['u128', String(U128 + 1n)],
    ['u128', '-1'],
    ['u128', '1.5'],
    ['u128', ''],
    ['AlkaneId', '2'],
    ['AlkaneId', '2:x'],
    ['bytes', 'zz'],
  ])('%s cannot be "%s"', (type, given) => {
    expect(() => of(type, given)).toThrow(BadInput);
  });
});
