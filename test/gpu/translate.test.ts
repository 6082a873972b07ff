import { describe, expect, it } from 'vitest';
import { ACCESS, BUFFERS, CALL, RESULT } from '../../src/gpu/layout.js';
import { type Translation, translateProgram } from '../../src/gpu/translate/module.js';
import { prepareProgram } from '../../src/program/prepare.js';
import {
  block,
  call,
  else_,
  end,
  get,
  i32,
  i64,
  if_,
  loop,
  OP,
  op,
  set,
  WasmBuilder,
} from '../helpers/wasm-builder.js';

const WINDOW = { bytes: 8192, place: 'private' } as const;
const translate = (b: WasmBuilder): Translation => translateProgram(prepareProgram(b.bytes()), WINDOW);

/** The part of a kernel that was translated: its globals and functions. */
function ownText(b: WasmBuilder): string {
  const translation = translate(b);
  if (!translation.ok) throw new Error(translation.reason);
  const { wgsl } = translation.kernel;
  const functions = wgsl.slice(wgsl.search(/^fn f\d/m), wgsl.indexOf('// One invocation per message'));
  return [...(wgsl.match(/^var<private> [gw]\w+: .*$/gm) ?? []), functions].join('\n');
}

describe('translation to WGSL', () => {
  it('a loop, a block left early, a call and 64-bit arithmetic', () => {
    const b = new WasmBuilder();
    b.global('i64', -2n);
    const sum = b.function(
      '(i32,i64)->i64',
      [
        block(),
        loop(),
        get(0),
        op(OP.i32Eqz),
        op(OP.brIf, 1),
        get(1),
        op(OP.globalGet, 0),
        op(0x7c),
        set(1),
        get(0),
        i32(1),
        op(OP.i32Sub),
        set(0),
        op(OP.br, 0),
        end,
        end,
        get(1),
      ],
      [],
    );
    b.execute([
      i32(100),
      i32(10),
      i64(1n << 40n),
      call(sum),
      op(OP.i64Store, 4, 0),
      i32(1000),
      op(OP.i32Load, 3, 0),
      if_('i32'),
      i32(104),
      else_,
      op(OP.unreachable),
      end,
    ]);
    expect(ownText(b)).toMatchInlineSnapshot(`
      "var<private> g0: vec2<u32> = vec2<u32>(4294967294u, 4294967295u);
      var<private> w_fuel: u32 = 0u;
      var<private> w_stack: u32 = 0u;
      var<private> w_why: u32 = 0u;
      var<private> window: array<u32, WINDOW_WORDS + 3>;
      fn f0(p0: u32, p1: vec2<u32>) -> vec2<u32> {
      var l0: u32 = p0;
      var l1: vec2<u32> = p1;
      var ret0: vec2<u32>;
      var br = 0u;
      if (st == 0u) {
      switch 0u { default: {
      loop {
      if (st != 0u) { break; }
      charge(3u);
      if ((l0 == 0u)) {
      br = 2u;
      break;
      }
      charge(9u);
      let t0 = g0;
      l1 = add64(l1, t0);
      l0 = (l0 - 1u);
      continue;
      }
      if (br == 2u) { br = 0u; break; }
      }}
      charge(1u);
      ret0 = l1;
      }
      return ret0;
      }

      fn f1() -> u32 {
      var ret0: u32;
      var br = 0u;
      if (st == 0u) {
      charge(8u);
      let t0 = f0(10u, vec2<u32>(0u, 256u));
      set_words(26u, t0);
      let t1 = load32(1000u, 3u);
      var r2: u32;
      if ((t1 != 0u)) {
      charge(1u);
      r2 = 104u;
      } else {
      charge(1u);
      stop_unreachable();
      }
      ret0 = r2;
      }
      return ret0;
      }

      fn execute() -> u32 {
      return f1();
      }

      "
    `);
  });

  it('the structs of the kernel are those that packing writes', () => {
    const translation = translate(new WasmBuilder().execute([i32(4)]));
    if (!translation.ok) throw new Error(translation.reason);
    const { wgsl } = translation.kernel;
    for (const [name, struct] of Object.entries({ CALL, ACCESS, RESULT })) {
      expect(wgsl).toContain(`const ${name}_WORDS = ${struct.words}u;`);
      for (const [field, at] of Object.entries(struct.offset))
        expect(wgsl).toContain(`const ${name}_${field} = ${at}u;`);
    }
    for (const { name } of BUFFERS) expect(wgsl).toMatch(new RegExp(`var<storage, read(_write)?> ${name}:`));
  });

  it('a segment out of bounds is refused; static data beyond the window and empty memory are not', () => {
    const body = [i32(4)];
    const reason = (b: WasmBuilder): string => {
      const t = translate(b);
      return t.ok ? 'none' : t.reason;
    };
    expect(reason(new WasmBuilder().data(65_535, Uint8Array.of(1, 2)).execute(body))).toBe(
      'a data segment out of bounds',
    );
    expect(reason(new WasmBuilder().data(8191, Uint8Array.of(1, 2)).execute(body))).toBe('none');
    const empty = new WasmBuilder();
    empty.memory = { minPages: 0, maxPages: 1 };
    expect(reason(empty.execute(body))).toBe('none');
  });

  it('deep nesting, deep call chains and code that explodes when inlined are refused', () => {
    const deep = new WasmBuilder();
    const levels = 120;
    deep.execute(
      [
        ...Array.from({ length: levels }, () => [get(0), if_()]).flat(),
        i32(1),
        set(0),
        ...Array.from({ length: levels }, () => end),
        i32(4),
      ],
      ['i32'],
    );
    expect(translate(deep)).toEqual({ ok: false, reason: expect.stringContaining('nesting') });

    const bomb = new WasmBuilder();
    let callee = bomb.function('()->i32', [i32(4)]);
    for (let i = 0; i < 40; i++) callee = bomb.function('()->i32', [call(callee), op(OP.drop), call(callee)]);
    bomb.execute([call(callee)]);
    expect(translate(bomb)).toEqual({ ok: false, reason: expect.stringContaining('once inlined') });

    const chain = new WasmBuilder();
    let last = chain.function('()->i32', [i32(4)]);
    for (let i = 0; i < 200; i++) last = chain.function('()->i32', [call(last)]);
    chain.execute([call(last)]);
    expect(translate(chain)).toEqual({ ok: false, reason: expect.stringContaining('deep') });
  });
});
