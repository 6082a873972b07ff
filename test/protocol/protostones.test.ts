import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeCellpack, readCellpack } from '../../src/protocol/cellpack.js';
import {
  encodeCellpack,
  encodeProtostones,
  encodeRunestone,
  encodeVarints,
  type ProtostoneInput,
  packChunks,
} from '../../src/protocol/encode.js';
import { decodeProtostones, unpackChunks } from '../../src/protocol/protostones.js';
import { decodeRunestone } from '../../src/protocol/runestone.js';
import type { Protostone } from '../../src/protocol/types.js';
import { fromHex, U128_MAX } from '../../src/util/bytes.js';

const OUTPUTS = 3;
const decodeIntegers = (...integers: (bigint | number)[]) =>
  decodeProtostones(packChunks(encodeVarints(integers)), OUTPUTS);
const list = (...integers: (bigint | number)[]): readonly Protostone[] => {
  const result = decodeIntegers(...integers);
  if (!result.ok) throw new Error(result.error);
  return result.protostones;
};

describe('chunks', () => {
  test('each value gives its lowest 15 bytes, the sixteenth is lost', () => {
    const value = BigInt('0xff0e0d0c0b0a09080706050403020100');
    expect(unpackChunks([value, 1n])).toEqual(fromHex(`000102030405060708090a0b0c0d0e01${'00'.repeat(14)}`));
  });

  test('what is packed unpacks to itself with padding zeros', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const back = unpackChunks(packChunks(bytes));
        expect(back.length).toBe(Math.ceil(bytes.length / 15) * 15);
        expect(back.subarray(0, bytes.length)).toEqual(bytes);
        expect(back.subarray(bytes.length).every((byte) => byte === 0)).toBe(true);
      }),
    );
  });
});

describe('protostones', () => {
  test('shadow outputs count all protostones, whatever their tag', () => {
    expect(list(1, 0, 2, 0, 1, 0).map((p) => [p.index, p.shadowVout, p.protocolTag])).toEqual([
      [0, 4, 1n],
      [1, 5, 2n],
      [2, 6, 1n],
    ]);
  });

  test('tag 0 or the end of the data stops the list, also where a length is missing', () => {
    expect(list(1, 0, 0, 5, 1, 0)).toHaveLength(1);
    // Fifteen bytes exactly: no padding follows, the data ends behind the second tag.
    const exact = encodeVarints([1, 12, 91, 0, 93, 0, 83, 1, 83, 1, 83, 1, 83, 1]);
    expect(exact.length).toBe(14);
    const result = decodeProtostones(packChunks(Uint8Array.of(...exact, 7)), OUTPUTS);
    expect(result).toMatchObject({ ok: true, protostones: [{ length: 12n }] });
    expect(result.ok && result.protostones).toHaveLength(1);
  });

  test('more integers declared than left, or a bad integer, undoes the transaction', () => {
    expect(decodeIntegers(1, 14)).toEqual({ ok: false, error: 'less values than expected' });
    expect(decodeIntegers(1, U128_MAX)).toEqual({ ok: false, error: 'less values than expected' });
    expect(decodeIntegers(1, 13)).toMatchObject({ ok: true });
    expect(decodeProtostones([0x80n << 112n], OUTPUTS)).toEqual({ ok: false, error: 'unterminated' });
  });

  test('the first value of a key counts; message values are joined', () => {
    const [p] = list(1, 14, 91, 1, 91, 2, 93, 3, 93, 4, 81, 5, 81, 6, 95, 7);
    expect(p).toMatchObject({ pointer: 1, refund: 3, from: 7, burn: undefined });
    expect(p.message).toEqual(fromHex(`05${'00'.repeat(14)}06${'00'.repeat(14)}`));
  });

  test('pointer and refund are cut to 32 bits before any check', () => {
    const [p] = list(1, 6, 91, (1n << 32n) + 2n, 93, U128_MAX, 95, 1n << 40n);
    expect(p).toMatchObject({ pointer: 2, refund: 0xffffffff, from: 0 });
  });

  test('key 81 with zeros only is a message; no key 81 is none', () => {
    expect(list(1, 2, 81, 0)[0].message).toEqual(new Uint8Array(15));
    expect(list(1, 2, 91, 0)[0].message).toBeUndefined();
  });

  test('unknown keys and a last key without value are ignored', () => {
    expect(list(1, 5, 99, 1, 91, 2, 81)[0]).toMatchObject({ pointer: 2, message: undefined });
  });

  test('key 0 takes all the rest as edicts, running ids included', () => {
    const [p] = list(1, 11, 91, 0, 0, 2, 5, 10, 1, 0, 3, 11, U128_MAX);
    expect(p.edicts).toEqual([
      { id: { block: 2n, tx: 5n }, amount: 10n, output: 1n },
      { id: { block: 2n, tx: 8n }, amount: 11n, output: U128_MAX },
    ]);
  });

  test('a short group or an id over u128 drops all edicts and keeps the protostone', () => {
    expect(list(1, 8, 91, 7, 0, 2, 5, 10, 1, 9)[0]).toMatchObject({ pointer: 7, edicts: [] });
    expect(list(1, 9, 0, 2, U128_MAX, 1, 0, 0, 1, 1, 0)[0].edicts).toEqual([]);
    expect(list(1, 9, 0, U128_MAX, 0, 1, 0, 1, 1, 1, 0)[0].edicts).toEqual([]);
    expect(list(1, 9, 0, 2, U128_MAX, 1, 0, 1, 1, 1, 0)[0].edicts).toHaveLength(2);
  });
});

test('a hundred thousand edicts are written and read back, in a protostone and in a runestone', () => {
  const edicts = Array.from({ length: 100_000 }, (_, i) => ({
    id: { block: 2n, tx: BigInt(i) },
    amount: 7n,
    output: 0n,
  }));
  const values = encodeProtostones([{ edicts }, { pointer: 1 }]);
  const decoded = decodeProtostones(values, OUTPUTS);
  const protostones = decoded.ok ? decoded.protostones : [];
  expect(protostones.map((protostone) => protostone.edicts.length)).toEqual([100_000, 0]);
  expect(protostones[0].edicts.at(-1)).toMatchObject({ id: { block: 2n, tx: 99_999n }, amount: 7n });
  const artifact = decodeRunestone([{ script: encodeRunestone({ edicts }) }]);
  expect(artifact.kind === 'runestone' && artifact.edicts).toHaveLength(100_000);
});

describe('cellpacks', () => {
  test('padding zeros become inputs', () => {
    const [p] = list(1, 2, 81, BigInt('0x4d0002'));
    expect(decodeCellpack(p.message!)).toEqual({ target: { block: 2n, tx: 0n }, inputs: [77n, ...Array(12).fill(0n)] });
  });

  test('calldata of exactly 15 bytes without padding', () => {
    const message = encodeCellpack({ block: 8n, tx: 8n }, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(message.length).toBe(15);
    const script = encodeRunestone({ protostones: [{ message, pointer: 0, refund: 0 }] });
    const artifact = decodeRunestone([{ script }]);
    if (artifact.kind !== 'runestone') throw new Error('not a runestone');
    const result = decodeProtostones(artifact.protocol ?? [], 1);
    const decoded = result.ok ? result.protostones[0].message : undefined;
    expect(decoded).toEqual(message);
    expect(decodeCellpack(message)?.inputs).toEqual(Array.from({ length: 13 }, (_, i) => BigInt(i + 1)));
  });

  test('fewer than two integers or a bad one is no cellpack', () => {
    expect(readCellpack(fromHex('08'))).toEqual({ ok: false, error: 'short' });
    expect(readCellpack(fromHex(''))).toEqual({ ok: false, error: 'short' });
    expect(readCellpack(fromHex('080880'))).toEqual({ ok: false, error: 'unterminated' });
    expect(decodeCellpack(fromHex('080880'))).toBeUndefined();
    expect(decodeCellpack(fromHex('0808'))).toEqual({ target: { block: 8n, tx: 8n }, inputs: [] });
  });
});

describe('builder', () => {
  const u128 = fc.bigInt(0n, U128_MAX);
  const u32 = fc.option(fc.integer({ min: 0, max: 0xffffffff }), { nil: undefined });
  const edict = fc.record({ id: fc.record({ block: u128, tx: u128 }), amount: u128, output: u128 });
  const protostone: fc.Arbitrary<ProtostoneInput> = fc.record({
    protocolTag: fc.bigInt(1n, U128_MAX),
    burn: fc.option(u128, { nil: undefined }),
    pointer: u32,
    refund: u32,
    from: u32,
    message: fc.uint8Array({ maxLength: 60 }),
    edicts: fc.array(edict, { maxLength: 5 }),
  });

  test('what is encoded decodes to itself, through the script', () => {
    fc.assert(
      fc.property(fc.array(protostone, { maxLength: 6 }), (protostones) => {
        const artifact = decodeRunestone([{ script: encodeRunestone({ protostones }) }]);
        if (artifact.kind !== 'runestone') throw new Error('not a runestone');
        expect(artifact.protocol ?? []).toEqual(encodeProtostones(protostones));
        const result = decodeProtostones(artifact.protocol ?? [], 1);
        if (!result.ok) throw new Error(result.error);
        expect(result.protostones.map(withoutPlace)).toEqual(protostones.map(asDecoded));
      }),
    );
  });

  function withoutPlace({ index: _index, shadowVout: _shadow, length: _length, ...rest }: Protostone) {
    return rest;
  }

  function asDecoded(input: ProtostoneInput) {
    const message = input.message ?? new Uint8Array(0);
    const edicts = [...(input.edicts ?? [])].sort((a, b) => {
      if (a.id.block !== b.id.block) return a.id.block < b.id.block ? -1 : 1;
      return a.id.tx === b.id.tx ? 0 : a.id.tx < b.id.tx ? -1 : 1;
    });
    const { protocolTag, burn, pointer, refund, from } = input;
    const padded = message.length === 0 ? undefined : unpackChunks(packChunks(message));
    return { protocolTag, burn, pointer, refund, from, message: padded, edicts };
  }
});

test('chunks of messages and of protostones are written in the shortest form, as any other number is', () => {
  for (const bytes of [[1], [0], [0, 0, 7], [255, 127], Array.from({ length: 31 }, (_, i) => (i === 20 ? 200 : 0))]) {
    const message = Uint8Array.from(bytes);
    const protostones = [{ message }];
    const fields = packChunks(message).map((value) => [81n, value] as const);
    expect(encodeProtostones(protostones)).toEqual(encodeProtostones([{ rawFields: fields }]));
    const raw = encodeProtostones(protostones).map((value) => [16_383n, value] as const);
    expect(encodeRunestone({ protostones })).toEqual(encodeRunestone({ rawFields: raw }));
  }
});
