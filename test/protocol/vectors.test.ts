import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkVectors } from '../../src/protocol/vectors.js';

const path = (relative: string) => new URL(`../../${relative}`, import.meta.url);
const bundled = readFileSync(path('fixtures/vectors/wire.json'), 'utf8');
const reference = path('../shared/reference/alkanes-wire-vectors.json');

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
interface VectorFile {
  vectors: { name: string; expect: { [key: string]: Json } }[];
}

describe('wire vectors', () => {
  const results = checkVectors(bundled);

  test('there are 45', () => expect(results).toHaveLength(45));

  test.each(results.map(({ name, differences }) => ({ name, differences })))('$name', ({ differences }) => {
    expect(differences).toEqual([]);
  });

  test.skipIf(!existsSync(reference))('the bundled file is the reference file', () => {
    expect(JSON.parse(bundled)).toEqual(JSON.parse(readFileSync(reference, 'utf8')));
  });
});

describe('the checker', () => {
  /** All leaves of an expectation, as paths. */
  function* leaves(value: Json, path: (string | number)[]): Generator<(string | number)[]> {
    if (value !== null && typeof value === 'object' && Object.keys(value).length > 0) {
      for (const [key, child] of Object.entries(value)) yield* leaves(child, [...path, key]);
    } else yield path;
  }

  function alter(value: Json, path: readonly (string | number)[]): Json {
    const [head, ...rest] = path;
    if (head === undefined) return value === 'altered' ? 'altered again' : 'altered';
    if (Array.isArray(value)) return value.map((item, i) => (i === Number(head) ? alter(item, rest) : item));
    const object = value as { [key: string]: Json };
    return { ...object, [head]: alter(object[head], rest) };
  }

  test('finds every single altered field of every vector', () => {
    const { vectors } = JSON.parse(bundled) as VectorFile;
    let altered = 0;
    for (const vector of vectors) {
      for (const leaf of leaves(vector.expect, [])) {
        const expectation = alter(vector.expect, leaf);
        const [result] = checkVectors(JSON.stringify({ vectors: [{ ...vector, expect: expectation }] }));
        expect(result.differences, `${vector.name} ${leaf.join('.')}`).not.toEqual([]);
        altered += 1;
      }
    }
    expect(altered).toBeGreaterThan(500);
  });

  test('an expected field that it does not know, a missing or surplus entry fails', () => {
    const { vectors } = JSON.parse(bundled) as VectorFile;
    const check = (name: string, change: { [key: string]: Json }) => {
      const vector = vectors.find((v) => v.name === name);
      return checkVectors(JSON.stringify({ vectors: [{ ...vector, expect: { ...vector?.expect, ...change } }] }))[0];
    };
    expect(check('empty-runestone', { colour: 'blue' }).differences).toHaveLength(1);
    expect(check('made-two-protostones-chained', { protostones: [] }).differences).toHaveLength(1);
    expect(check('abi-execute-return', { storage: { '2f61': '01' } }).differences).toEqual([
      'expect.storage.2f696e697469616c697a6564: not expected',
    ]);
  });

  test.each([
    ['bytes that are none of a transaction', { tx_hex: '00', expect: {} }],
    ['hex of half a byte', { script_hex: '6a5', outputs: 1, expect: {} }],
    ['a number of outputs that cannot be', { script_hex: '6a5d', outputs: 1e12, expect: {} }],
    ['no bytes at all', { expect: {} }],
    ['an unknown layout', { hex: '00', expect: { size: 1 } }],
    ['a parcel that declares more than it has', { hex: `${'ff'.repeat(16)}00`, expect: { transfers: [] } }],
  ])('a vector with %s fails by itself', (_, vector) => {
    expect(checkVectors(JSON.stringify({ vectors: [vector] }))[0].differences).toHaveLength(1);
  });

  test.each(['', '[]', '{}', '{"vectors":[]}', '{"vectors":[1]}', '{"vectors":[{"name":"x"}]}'])(
    'a file %j is refused',
    (text) => expect(() => checkVectors(text)).toThrow(expect.objectContaining({ code: 'FIXTURE_BAD_VECTORS' })),
  );
});
