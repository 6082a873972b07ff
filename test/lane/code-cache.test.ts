// What is remembered of envelopes and of stored code: bounded in bytes, and never wrong.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EnvelopeCodes } from '../../src/lane/envelope-code.js';
import { StoredPrograms } from '../../src/lane/programs.js';
import { inflateBody } from '../../src/program/inflate.js';
import { encodeEnvelope } from '../../src/protocol/encode.js';
import { concatBytes } from '../../src/util/bytes.js';
import { collectGarbage } from '../helpers/collect-garbage.js';
import { i32, WasmBuilder } from '../helpers/wasm-builder.js';
import { envelope, makeTx, PROBE } from './world.js';

/** Codes that count how often a body is inflated. */
function counting() {
  const counts = { inflated: 0 };
  const codes = new EnvelopeCodes((body) => {
    counts.inflated++;
    return inflateBody(body);
  }, 4);
  return { codes, counts };
}

const program = (answer: number): Uint8Array => new WasmBuilder().execute([i32(answer)]).bytes();
const stored = (wasm: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(0), wasm);

describe('the code in an envelope', () => {
  it('is found, inflated and checked once per transaction', () => {
    const { codes, counts } = counting();
    const tx = makeTx({ witnesses: [envelope(PROBE)] });
    const first = codes.of(tx);
    for (let i = 0; i < 5; i++) expect(codes.of(tx)).toEqual(first);
    expect([first.ok, counts.inflated]).toEqual([true, 1]);
    const none = makeTx();
    for (let i = 0; i < 2; i++) expect(codes.of(none)).toEqual({ ok: false, error: 'no envelope' });
    expect(counts.inflated).toBe(1);
  });

  it('a body that was refused is not inflated again, in whatever transaction', () => {
    const { codes, counts } = counting();
    const bodies: [Uint8Array, RegExp][] = [
      [encodeEnvelope(PROBE), /^the envelope is no gzip body$/],
      [envelope(Uint8Array.of(0, 1, 2)), /^invalid code: WASM_/],
    ];
    for (const [witness, error] of bodies) {
      for (let i = 0; i < 3; i++) {
        expect(codes.of(makeTx({ witnesses: [witness] }))).toEqual({
          ok: false,
          error: expect.stringMatching(error),
        });
      }
    }
    expect(counts.inflated).toBe(2);
  });

  it('forgets the refusals that were asked for longest ago', () => {
    const { codes, counts } = counting();
    const ask = (byte: number): unknown => codes.of(makeTx({ witnesses: [encodeEnvelope(Uint8Array.of(byte))] }));
    for (const byte of [1, 2, 3, 4, 5]) ask(byte);
    ask(5);
    expect(counts.inflated).toBe(5);
    ask(1);
    expect(counts.inflated).toBe(6);
  });
});

describe('programs of stored code', () => {
  it('are found by their code, in whatever array and under whatever key it comes', () => {
    const programs = new StoredPrograms();
    const [one, two] = [program(4), program(8)];
    const value = stored(one);
    const first = programs.ofStored(value);
    expect(programs.ofStored(value)).toBe(first);
    expect(programs.ofStored(stored(one))).toBe(first);
    const second = programs.ofStored(stored(two));
    expect([first.source, second.source]).toEqual([one, two]);
    expect(programs.ofStored(stored(one)).hash).toBe(first.hash);
    expect(programs.kept).toBe(2);
  });

  it('codes that differ in a byte, or in their length alone, are other programs', () => {
    const programs = new StoredPrograms();
    const wasm = new WasmBuilder()
      .data(0, new Uint8Array(64))
      .execute([i32(4)])
      .bytes();
    const named = (bytes: number): Uint8Array =>
      concatBytes(wasm, Uint8Array.of(0, bytes + 1, bytes), new Uint8Array(bytes));
    const codes = Array.from({ length: 64 }, (_, at) => {
      const other = new Uint8Array(64);
      other[at] = 1;
      return new WasmBuilder()
        .data(0, other)
        .execute([i32(4)])
        .bytes();
    });
    codes.push(wasm, ...Array.from({ length: 32 }, (_, i) => named(i)));
    for (let round = 0; round < 2; round++) {
      const found = codes.map((code) => programs.ofStored(stored(code)));
      expect(found.map(({ hash }) => hash)).toEqual(
        codes.map((code) => createHash('sha256').update(code).digest('hex')),
      );
    }
  });

  it('are bounded in number', () => {
    const few = new StoredPrograms(3);
    for (let i = 0; i < 10; i++) few.ofStored(stored(program(i)));
    expect(few.kept).toBe(3);
  });

  it('hold no more bytes than the caches count, however many one block runs through', () => {
    const block = new Uint8Array(500_000);
    // Each is another program, and no job ends in between: what a WeakRef points to would stay.
    const programs = new StoredPrograms();
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 200; i++) {
      const module = new WasmBuilder().data(0, block.fill(i)).execute([i32(i)]);
      module.memory = { minPages: 8, maxPages: undefined };
      const wasm = module.bytes();
      expect(programs.ofStored(stored(wasm)).source).toHaveLength(wasm.length);
    }
    collectGarbage();
    // 64 MiB of prepared programs, and little else, of 100 MB of code that is 200 MB with what was made of it.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(80 * 2 ** 20);
  });
});
