// Encodings that our decoder takes, whatever engines do (docs/lane-rules.md, 3.10).
import { describe, expect, it } from 'vitest';
import { ProgramError } from '../../src/errors/errors.js';
import { prepareProgram } from '../../src/program/prepare.js';

const ANSWER = [0x41, 4];
const DROP = 0x1a;

/**
 * A module whose `__execute` has these bytes between its (empty) locals and its end, before the answer; with a table.
 */
function module(...code: number[]): Uint8Array {
  const body = [0, ...code, ...ANSWER, 0x0b];
  const section = [1, body.length, ...body];
  return Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 4, 4, 1, 0x70, 0, 1, 5, 3, 1, 0, 1],
    ...[7, 22, 2, 6, ...Buffer.from('memory'), 2, 0, 9, ...Buffer.from('__execute'), 0, 0],
    ...[10, section.length, ...section],
  );
}

/** Whether a module with this code is admitted. */
function admitted(...code: number[]): boolean {
  try {
    prepareProgram(module(...code));
    return true;
  } catch (error) {
    if (error instanceof ProgramError) return false;
    throw error;
  }
}

describe('encodings (lane rules 3)', () => {
  it('integers of 32 bits have at most 5 bytes, and of signed ones the bits beyond repeat the sign', () => {
    const constant = (...bytes: number[]): boolean => admitted(0x41, ...bytes, DROP);
    expect(constant(0x80, 0x80, 0x80, 0x80, 0x00)).toBe(true);
    expect(constant(0x80, 0x80, 0x80, 0x80, 0x80, 0x00)).toBe(false);
    expect(constant(0xff, 0xff, 0xff, 0xff, 0x7f)).toBe(true);
    expect(constant(0xff, 0xff, 0xff, 0xff, 0x07)).toBe(true);
    for (const last of [0x0f, 0x3f, 0x77, 0x08, 0x10, 0x70]) {
      expect(constant(0xff, 0xff, 0xff, 0xff, last)).toBe(false);
    }
  });

  it('integers of 64 bits have at most 10 bytes, the last one 00 or 7f', () => {
    const constant = (last: number[]): boolean => admitted(0x42, ...new Array<number>(9).fill(0xff), ...last, DROP);
    expect([constant([0x00]), constant([0x7f])]).toEqual([true, true]);
    for (const last of [[0x01], [0x3f], [0x7e], [0x80, 0x00]]) expect(constant(last)).toBe(false);
  });

  it('indices have at most 5 bytes and no bits beyond 32, table indices included', () => {
    const call = (...index: number[]): boolean => admitted(0x10, ...index, DROP);
    expect([call(0), call(0x80, 0x00), call(0x80, 0x80, 0x80, 0x80, 0x00)]).toEqual([true, true, true]);
    expect([call(0x80, 0x80, 0x80, 0x80, 0x10), call(0x80, 0x80, 0x80, 0x80, 0x80, 0x00)]).toEqual([false, false]);
    const indirect = (...table: number[]): boolean => admitted(0x41, 0, 0x11, 0, ...table, DROP);
    expect([indirect(0), indirect(0x80, 0x80, 0x80, 0x80, 0x00), indirect(1)]).toEqual([true, true, false]);
  });

  it('the memory bytes of memory.size, grow, copy and fill are 00', () => {
    const three = [0x41, 0, 0x41, 0, 0x41, 0];
    const cases: ((...memory: number[]) => boolean)[] = [
      (...memory) => admitted(0x3f, ...memory, DROP),
      (...memory) => admitted(0x41, 0, 0x40, ...memory, DROP),
      (...memory) => admitted(...three, 0xfc, 0x0a, 0, ...memory),
      (...memory) => admitted(...three, 0xfc, 0x0a, ...memory, 0),
      (...memory) => admitted(...three, 0xfc, 0x0b, ...memory),
    ];
    for (const test of cases) expect([test(0), test(1), test(0x80, 0x00)]).toEqual([true, false, false]);
  });

  it('the opcode after fc, alignment and offset are LEB128; alignment is at most natural', () => {
    expect(admitted(0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 0x8b, 0x80, 0x00, 0)).toBe(true);
    const load = (...immediates: number[]): boolean => admitted(0x41, 0, 0x28, ...immediates, DROP);
    expect([load(2, 0), load(0x82, 0x00, 0), load(2, 0x80, 0x80, 0x00), load(0, 0)]).toEqual([true, true, true, true]);
    expect([load(3, 0), load(2, 0x80, 0x80, 0x80, 0x80, 0x10)]).toEqual([false, false]);
  });

  it('a select names one type', () => {
    const select = (...types: number[]): boolean => admitted(0x41, 1, 0x41, 2, 0x41, 3, 0x1c, ...types, DROP);
    expect([select(1, 0x7f), select(0), select(2, 0x7f, 0x7f), select(1, 0x7e)]).toEqual([true, false, false, false]);
  });

  it("a block type is 40, 7f, 7e or 70 in one byte, or a type's index", () => {
    expect(admitted(0x02, 0x40, 0x0b)).toBe(true);
    expect(admitted(0x02, 0x7f, 0x41, 0, 0x0b, DROP)).toBe(true);
    expect(admitted(0x02, 0x7e, 0x42, 0, 0x0b, DROP)).toBe(true);
    expect(admitted(0x02, 0x70, 0xd0, 0x70, 0x0b, DROP)).toBe(true);
    expect(admitted(0x02, 0x00, 0x41, 0, 0x0b, DROP)).toBe(true);
    expect(admitted(0x02, 0xc0, 0x7f, 0x0b)).toBe(false);
    expect(admitted(0x02, 0xff, 0x7f, 0x41, 0, 0x0b, DROP)).toBe(false);
    expect(admitted(0x02, 0x01, 0x41, 0, 0x0b, DROP)).toBe(false);
  });
});
