import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeRunestone, encodeVarints } from '../../src/protocol/encode.js';
import { decodeRunestone } from '../../src/protocol/runestone.js';
import type { RunestoneArtifact } from '../../src/protocol/types.js';
import { concatBytes, fromHex, toHex, U128_MAX } from '../../src/util/bytes.js';

/** The script as the last of two outputs, as in the vectors. */
const decode = (script: Uint8Array | string): RunestoneArtifact =>
  decodeRunestone([{ script: Uint8Array.of(0x51) }, { script: typeof script === 'string' ? fromHex(script) : script }]);

const payload = (...integers: (bigint | number)[]): Uint8Array => {
  const bytes = encodeVarints(integers);
  return concatBytes(Uint8Array.of(0x6a, 0x5d, 0x4c, bytes.length), bytes);
};
const flaw = (script: Uint8Array | string): string | undefined => {
  const artifact = decode(script);
  return artifact.kind === 'cenotaph' ? artifact.flaw : undefined;
};

describe('where a runestone is', () => {
  test('the first output that starts with OP_RETURN OP_13 counts, later ones are ignored', () => {
    const [first, second] = [fromHex('6a5d021400'), fromHex('6a5d02140151')];
    const artifact = decodeRunestone([{ script: fromHex('6a01ff') }, { script: first }, { script: second }]);
    expect(artifact).toMatchObject({ kind: 'cenotaph', opReturnVout: 1, flaw: 'UnrecognizedEvenTag' });
    expect(decodeRunestone([{ script: second }, { script: first }])).toMatchObject({ flaw: 'Opcode', opReturnVout: 0 });
  });

  test.each(['', '6a', '5d', '6a5c', '5d6a', '6a015d', '016a5d'])('a script %s is none', (hex) => {
    expect(decode(hex)).toEqual({ kind: 'none' });
  });

  test('all kinds of pushes are joined, minimal or not, and empty ones add nothing', () => {
    const artifact = decode('6a5d00017f4c0109' + '4d01008f' + '4e010000004e' + '4c00' + '0101');
    expect(artifact).toMatchObject({ kind: 'runestone', payload: fromHex('7f098f4e01') });
  });

  test.each(['51', '60', '4f', '61', 'ac', '6a'])('opcode %s behind the start makes a cenotaph', (opcode) => {
    expect(flaw(`6a5d${opcode}`)).toBe('Opcode');
  });

  test.each(['0a01', '4c', '4c05aa', '4d', '4d01', '4d0500aa', '4e', '4e010000', '4effffffffaa'])(
    'a push %s that runs past the end makes a cenotaph',
    (push) => expect(flaw(`6a5d${push}`)).toBe('InvalidScript'),
  );

  test('the first flaw in the script wins', () => {
    expect(flaw('6a5d514c')).toBe('Opcode');
    expect(flaw('6a5d4c05')).toBe('InvalidScript');
    expect(flaw('6a5d018051')).toBe('Opcode');
  });

  test('a script of very many pushes is read', () => {
    const script = new Uint8Array(600_000);
    script.set([0x6a, 0x5d]);
    expect(decode(script)).toMatchObject({ kind: 'runestone', payload: new Uint8Array(0) });
  });
});

describe('fields', () => {
  test('flags: etching takes its fields, terms only with etching, left-over bits are a flaw', () => {
    expect(decode(payload(2, 1, 4, 7, 6, 100, 1, 38, 3, 0x07ffffff, 5, 0x10ffff))).toMatchObject({ etching: true });
    expect(decode(payload(2, 7, 4, 7, 6, 1, 8, 2, 10, 3, 12, 1, 14, 2, 16, 3, 18, 4))).toMatchObject({ etching: true });
    expect(flaw(payload(2, 2))).toBe('UnrecognizedFlag');
    expect(flaw(payload(2, 9))).toBe('UnrecognizedFlag');
    expect(flaw(payload(4, 7))).toBe('UnrecognizedEvenTag');
    expect(flaw(payload(2, 1, 8, 1))).toBe('UnrecognizedEvenTag');
  });

  test('a field out of range is not taken: odd tags do not matter, even ones do', () => {
    expect(decode(payload(2, 1, 1, 39, 3, 0x08000000, 5, 0xd800))).toMatchObject({ kind: 'runestone' });
    expect(flaw(payload(2, 3, 12, 1n << 64n))).toBe('UnrecognizedEvenTag');
  });

  test('a mint needs two values and an id that can be', () => {
    expect(decode(payload(20, 840000, 20, 3))).toMatchObject({ mint: { block: 840000n, tx: 3n } });
    expect(decode(payload(20, 0, 20, 0))).toMatchObject({ mint: { block: 0n, tx: 0n } });
    expect(flaw(payload(20, 840000))).toBe('UnrecognizedEvenTag');
    expect(flaw(payload(20, 0, 20, 1))).toBe('UnrecognizedEvenTag');
    expect(flaw(payload(20, 1n << 64n, 20, 1))).toBe('UnrecognizedEvenTag');
    expect(flaw(payload(20, 1, 20, 1n << 32n))).toBe('UnrecognizedEvenTag');
    expect(flaw(payload(20, 1, 20, 1, 20, 1))).toBe('UnrecognizedEvenTag');
  });

  test('a pointer must be less than the output count and stand once', () => {
    expect(decode(payload(22, 1))).toMatchObject({ pointer: 1 });
    expect(flaw(payload(22, 2))).toBe('UnrecognizedEvenTag');
    expect(flaw(payload(22, 0, 22, 0))).toBe('UnrecognizedEvenTag');
  });

  test('a supply over u128 is a flaw', () => {
    expect(decode(payload(2, 1, 6, U128_MAX))).toMatchObject({ kind: 'runestone' });
    expect(flaw(payload(2, 3, 6, U128_MAX, 8, 1, 10, 1))).toBe('SupplyOverflow');
    expect(flaw(payload(2, 3, 8, U128_MAX, 10, 2))).toBe('SupplyOverflow');
  });

  test('flaws are found in the order parsing, supply, flags, even tags', () => {
    expect(flaw(payload(2, 3 + 8, 8, U128_MAX, 10, 2, 24, 1, 1))).toBe('TruncatedField');
    expect(flaw(payload(2, 3 + 8, 8, U128_MAX, 10, 2, 24, 1))).toBe('SupplyOverflow');
    expect(flaw(payload(2, 8, 24, 1))).toBe('UnrecognizedFlag');
    expect(flaw(payload(126, 0))).toBe('UnrecognizedEvenTag');
    expect(decode(payload(127, 0))).toMatchObject({ kind: 'runestone' });
  });

  test('values of the protocol tag are kept in order', () => {
    expect(decode(payload(16383, 5, 127, 1, 16383, U128_MAX))).toMatchObject({ protocol: [5n, U128_MAX] });
    expect(decode(payload(127, 1))).toMatchObject({ protocol: undefined });
  });
});

describe('Runes edicts', () => {
  test('ids run on: a tx difference is added within a block and replaces with a new block', () => {
    expect(decode(payload(0, 5, 2, 10, 0, 0, 3, 11, 1, 2, 1, 12, 2))).toMatchObject({
      edicts: [
        { id: { block: 5n, tx: 2n }, amount: 10n, output: 0 },
        { id: { block: 5n, tx: 5n }, amount: 11n, output: 1 },
        { id: { block: 7n, tx: 1n }, amount: 12n, output: 2 },
      ],
    });
  });

  test('bad ids, outputs and groups are flaws', () => {
    expect(flaw(payload(0, 0, 1, 1, 0))).toBe('EdictRuneId');
    expect(flaw(payload(0, 1n << 64n, 1, 1, 0))).toBe('EdictRuneId');
    expect(flaw(payload(0, 1, 1n << 32n, 1, 0))).toBe('EdictRuneId');
    expect(flaw(payload(0, (1n << 64n) - 1n, 1, 1, 0, 1, 1, 1, 0))).toBe('EdictRuneId');
    expect(flaw(payload(0, 1, (1n << 32n) - 1n, 1, 0, 0, 1, 1, 0))).toBe('EdictRuneId');
    expect(flaw(payload(0, 1, 1, 1, 3))).toBe('EdictOutput');
    expect(flaw(payload(0, 1, 1, 1, 2))).toBeUndefined();
    expect(flaw(payload(0, 1, 1, 1, 0, 1, 1, 1))).toBe('TrailingIntegers');
    expect(flaw(payload(0, 1, 1, 1, 3, 1))).toBe('EdictOutput');
  });
});

describe('builder', () => {
  const id = fc.record({ block: fc.bigInt(1n, (1n << 64n) - 1n), tx: fc.bigInt(0n, (1n << 32n) - 1n) });
  const edict = fc.record({ id, amount: fc.bigInt(0n, U128_MAX), output: fc.integer({ min: 0, max: 2 }) });

  test('what is encoded decodes to itself', () => {
    fc.assert(
      fc.property(fc.array(edict), fc.option(fc.constantFrom(0, 1), { nil: undefined }), (edicts, pointer) => {
        const artifact = decode(encodeRunestone({ edicts, pointer }));
        if (artifact.kind !== 'runestone') throw new Error('not a runestone');
        expect(artifact.pointer).toBe(pointer);
        const text = (list: readonly { id: { block: bigint; tx: bigint }; amount: bigint; output: number }[]) =>
          list.map((e) => `${e.id.block}:${e.id.tx} ${e.amount} ${e.output}`).sort();
        expect(text(artifact.edicts)).toEqual(text(edicts));
      }),
    );
  });

  test('any bytes at all decode without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const artifact = decode(concatBytes(Uint8Array.of(0x6a, 0x5d), bytes));
        expect(['runestone', 'cenotaph']).toContain(artifact.kind);
      }),
    );
  });

  test('a long payload is pushed in parts of at most 520 bytes', () => {
    const rawFields = Array.from({ length: 100 }, () => [16383n, U128_MAX] as const);
    const script = encodeRunestone({ rawFields });
    expect(toHex(script.subarray(2, 5))).toBe('4d0802');
    expect(decode(script)).toMatchObject({ protocol: rawFields.map(([, value]) => value) });
  });
});
