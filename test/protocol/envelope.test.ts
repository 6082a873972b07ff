import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeEnvelope, gzipStored } from '../../src/protocol/encode.js';
import { findEnvelope, locateEnvelope } from '../../src/protocol/envelope.js';
import { concatBytes, fromHex, toHex } from '../../src/util/bytes.js';

const CONTROL = new Uint8Array(33);
const BIN = '0342494e';
/** A transaction with one input, whose script path witness holds the script. */
const withScript = (script: Uint8Array | string) => {
  const bytes = typeof script === 'string' ? fromHex(script) : script;
  return { inputs: [{ witness: [bytes, CONTROL] }] };
};
const find = (script: Uint8Array | string): string | undefined => {
  const body = findEnvelope(withScript(script));
  return body && toHex(body);
};

describe('where an envelope is looked for', () => {
  const script = encodeEnvelope(Uint8Array.of(1, 2, 3));

  test('second-to-last witness item, the annex not counted', () => {
    const annex = Uint8Array.of(0x50, 1);
    const at = (witness: Uint8Array[]) => findEnvelope({ inputs: [{ witness }] });
    expect(at([script, CONTROL])).toEqual(Uint8Array.of(1, 2, 3));
    expect(at([new Uint8Array(64), script, CONTROL, annex])).toEqual(Uint8Array.of(1, 2, 3));
    expect(at([script, annex])).toBeUndefined();
    expect(at([script])).toBeUndefined();
    expect(at([script, CONTROL, CONTROL])).toBeUndefined();
    expect(at([])).toBeUndefined();
    // An empty last item is no annex.
    expect(at([script, new Uint8Array(0)])).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('two envelopes: the first of the transaction counts, in order of inputs, then within the script', () => {
    const other = encodeEnvelope(Uint8Array.of(9));
    const tx = {
      inputs: [{ witness: [] }, { witness: [concatBytes(script, other), CONTROL] }, { witness: [other, CONTROL] }],
    };
    expect(locateEnvelope(tx)).toEqual({ input: 1, body: Uint8Array.of(1, 2, 3) });
  });
});

describe('what an envelope is', () => {
  test('the first push after BIN is dropped whatever it holds, the others are joined', () => {
    expect(find(`0063${BIN}00020a0b010c68`)).toBe('0a0b0c');
    expect(find(`0063${BIN}02ffff020a0b68`)).toBe('0a0b');
    expect(find(`0063${BIN}51020a0b68`)).toBe('0a0b');
  });

  test('an envelope with an empty body is the first envelope', () => {
    const empty = `0063${BIN}68`;
    expect(find(`${empty}0063${BIN}00010168`)).toBe('');
    expect(find(`0063${BIN}0068`)).toBe('');
    expect(find(`0063${BIN}000068`)).toBe('');
  });

  test('pushes count by content, whatever their opcode', () => {
    expect(find(`4c0063${BIN}00010768`)).toBe('07');
    expect(find(`4d00006303424 94e00010768`.replace(' ', ''))).toBe('07');
    expect(find(`00634c0342494e4c004c010768`)).toBe('07');
    expect(find(`00634e0300000042494e00010768`)).toBe('07');
  });

  test('opcodes of small numbers are pushes of one byte', () => {
    expect(find(`0063${BIN}004f51606f68`)).toBeUndefined();
    expect(find(`0063${BIN}004f516068`)).toBe('810110');
  });

  test('another opcode voids it, no OP_ENDIF is no envelope', () => {
    expect(find(`0063${BIN}00010161010268`)).toBeUndefined();
    expect(find(`0063${BIN}000101`)).toBeUndefined();
    expect(find(`0064${BIN}00010168`)).toBeUndefined();
    expect(find('0063034249 4f00010168'.replace(' ', ''))).toBeUndefined();
    expect(find('0063')).toBeUndefined();
    expect(find('')).toBeUndefined();
  });

  test('an envelope voided halfway: the scan resumes one instruction after the first 00 of the attempt', () => {
    // The second envelope begins with a push that the first attempt had taken as part of its body.
    expect(find(`0063${BIN}0001010063${BIN}00010268`)).toBe('02');
    expect(find(`0063${BIN}000101ac0063${BIN}00010268`)).toBe('02');
    expect(find(`000063${BIN}00010268`)).toBe('02');
  });

  test('a script that does not parse has no envelopes, even before the bad push', () => {
    expect(find(`0063${BIN}00010168`)).toBe('01');
    expect(find(`0063${BIN}0001016805aa`)).toBeUndefined();
    expect(find(`0063${BIN}000101684dff`)).toBeUndefined();
  });

  test('very many void attempts take linear time and memory', () => {
    const attempt = fromHex(`0063${BIN}0001`);
    const script = new Uint8Array(attempt.length * 200_000);
    for (let at = 0; at < script.length; at += attempt.length) script.set(attempt, at);
    expect(findEnvelope(withScript(script))).toBeUndefined();
  });
});

describe('builders', () => {
  test('a body of any length comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (body) => {
        expect(findEnvelope(withScript(encodeEnvelope(body)))).toEqual(body);
      }),
    );
  });

  test('stored gzip inflates to itself, over block limits too', () => {
    for (const length of [0, 1, 65_534, 65_535, 65_536, 131_070, 200_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 31) & 0xff);
      expect(Buffer.compare(gunzipSync(gzipStored(bytes)), bytes)).toBe(0);
    }
    expect(toHex(gzipStored(Uint8Array.of(1)))).toBe('1f8b08000000000000ff010100feff011bdf05a501000000');
  });
});
