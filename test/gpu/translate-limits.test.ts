import { describe, expect, it } from 'vitest';
import { ACCESS, BUFFERS, CALL, RESULT } from '../../src/gpu/translate/layout.js';
import { translate } from './translated.js';

/** A module of one page whose `__execute` returns `body`; `parts` stand before it. */
const program = (body: string, parts = ''): string => `
  (module
    (memory (export "memory") 1)
    ${parts}
    (func (export "__execute") (result i32) ${body}))
`;

/** Why a module has no kernel. */
function reason(text: string): string {
  const translation = translate(text);
  return translation.ok ? 'none' : translation.reason;
}

describe('translation to WGSL: layout and limits', () => {
  it('the structs of the kernel are those that packing writes', () => {
    const translation = translate(program('(i32.const 4)'));
    if (!translation.ok) throw new Error(translation.reason);
    const { wgsl } = translation.kernel;
    for (const [name, struct] of Object.entries({ CALL, ACCESS, RESULT })) {
      expect(wgsl).toContain(`const ${name}_WORDS = ${struct.words}u;`);
      for (const [field, at] of Object.entries(struct.offset))
        expect(wgsl).toContain(`const ${name}_${field} = ${at}u;`);
    }
    for (const { name } of BUFFERS) expect(wgsl).toMatch(new RegExp(`var<storage, read(_write)?> ${name}:`));
  });

  it('a segment out of bounds has no kernel; static data beyond the window and empty memory have one', () => {
    const PAGE = 65_536;
    const WINDOW = 8_192;
    const twoBytesAt = (address: number): string =>
      program('(i32.const 4)', `(data (i32.const ${address}) "\\01\\02")`);
    expect(reason(twoBytesAt(PAGE - 1))).toBe('a data segment out of bounds');
    expect(reason(twoBytesAt(WINDOW - 1))).toBe('none');
    const empty = '(module (memory (export "memory") 0 1) (func (export "__execute") (result i32) (i32.const 4)))';
    expect(reason(empty)).toBe('none');
  });

  it('deep nesting has no kernel', () => {
    const levels = 70;
    const nested = `${'(if (local.get $x) (then '.repeat(levels)} (local.set $x (i32.const 1)) ${'))'.repeat(levels)}`;
    // The compile work that a module may need grows with its bytes.
    const padding = `(data (i32.const 2000) "${'\\00'.repeat(2_000)}")`;
    expect(reason(program(`(local $x i32) ${nested} (i32.const 4)`, padding))).toContain('nesting');
  });

  it('code that explodes when its calls are inlined has no kernel', () => {
    const twice = (i: number): string => `(func $f${i + 1} (result i32) (drop (call $f${i})) (call $f${i}))`;
    const doublings = Array.from({ length: 40 }, (_, i) => twice(i)).join('\n');
    const text = program('(call $f40)', `(func $f0 (result i32) (i32.const 4)) ${doublings}`);
    expect(reason(text)).toContain('once inlined');
  });

  it('a deep chain of calls has no kernel', () => {
    const links = Array.from({ length: 200 }, (_, i) => `(func $f${i + 1} (result i32) (call $f${i}))`).join('\n');
    const text = program('(call $f200)', `(func $f0 (result i32) (i32.const 4)) ${links}`);
    expect(reason(text)).toContain('deep');
  });
});
