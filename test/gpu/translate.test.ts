import { describe, expect, it } from 'vitest';
import { ACCESS, BUFFERS, CALL, RESULT } from '../../src/gpu/translate/layout.js';
import { type Translation, translateProgram } from '../../src/gpu/translate/module.js';
import { prepareProgram } from '../../src/program/prepare.js';
import {
  block,
  brTable,
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

      const ENTRY_FUEL = 5000u;
      fn execute() -> u32 {
      return f1();
      }

      "
    `);
  });

  it('an indirect call: one case per function of its type, a trap for anything else; the call back is cut', () => {
    const b = new WasmBuilder();
    const type = b.type('(i32)->i32');
    const first = b.function('(i32)->i32', [get(0), i32(1), op(OP.i32Add)]);
    const second = b.function('(i32)->i32', [get(0), i32(0), op(OP.callIndirect, type, 0)]);
    const other = b.function('()->i32', [i32(4)]);
    b.tableOf(first, other, second, first);
    b.execute([i32(7), i32(2), op(OP.callIndirect, type, 0)]);
    expect(ownText(b)).toMatchInlineSnapshot(`
      "var<private> w_fuel: u32 = 0u;
      var<private> w_stack: u32 = 0u;
      var<private> w_why: u32 = 0u;
      var<private> window: array<u32, WINDOW_WORDS + 3>;
      fn f0(p0: u32) -> u32 {
      var l0: u32 = p0;
      var ret0: u32;
      var br = 0u;
      charge(3u);
      ret0 = (l0 + 1u);
      return ret0;
      }

      fn f1(p0: u32) -> u32 {
      var l0: u32 = p0;
      var ret0: u32;
      var br = 0u;
      if (st == 0u) {
      charge(3u);
      let t0 = l0;
      var r1: u32;
      switch (0u) {
      case 0u, 3u: {
      r1 = f0(t0);
      }
      case 2u: {
      stop(STOP_PUNT_RECURSION);
      }
      default: { stop(STATUS_TRAP); }
      }
      ret0 = r1;
      }
      return ret0;
      }

      fn f3() -> u32 {
      var ret0: u32;
      var br = 0u;
      if (st == 0u) {
      charge(3u);
      var r0: u32;
      switch (2u) {
      case 0u, 3u: {
      r0 = f0(7u);
      }
      case 2u: {
      r0 = f1(7u);
      }
      default: { stop(STATUS_TRAP); }
      }
      ret0 = r0;
      }
      return ret0;
      }

      const ENTRY_FUEL = 5336u;
      fn execute() -> u32 {
      return f3();
      }

      "
    `);
  });

  it('memory.grow, memory.size, and a passive segment that is dropped', () => {
    const b = new WasmBuilder();
    b.memory = { minPages: 1, maxPages: 3 };
    b.dataSegments.push({ mode: 'passive', offset: undefined, bytes: Uint8Array.of(1, 2, 3, 4, 5) });
    b.dataCount = 1;
    b.execute([
      i32(1),
      op(OP.memoryGrow, 0),
      op(OP.drop),
      i32(200),
      i32(0),
      i32(5),
      op(OP.memoryInit, 0, 0),
      op(OP.dataDrop, 0),
      op(OP.memorySize, 0),
    ]);
    expect(ownText(b)).toMatchInlineSnapshot(`
      "var<private> w_fuel: u32 = 0u;
      var<private> w_stack: u32 = 0u;
      var<private> w_why: u32 = 0u;
      var<private> window: array<u32, WINDOW_WORDS + 3>;
      fn f1(p0: u32) -> u32 {
      var l0: u32 = p0;
      var l1: u32 = u32();
      var ret0: u32;
      var br = 0u;
      charge(1000u);
      let t0 = w_fuel;
      let t1 = div_u32(t0, 5000u);
      if ((l0 > t1)) {
      w_why = 1u;
      stop_unreachable();
      }
      let t2 = w_fuel;
      w_fuel = select(w_fuel, (t2 - (l0 * 5000u)), st == 0u);
      let t3 = memory_grow(l0);
      l1 = t3;
      if ((l1 == 4294967295u)) {
      let t4 = (MEMORY_BYTES >> 16u);
      if ((l0 <= (3u - t4))) {
      w_why = 3u;
      stop_unreachable();
      }
      }
      ret0 = l1;
      return ret0;
      }

      fn f2(p0: u32) -> u32 {
      var l0: u32 = p0;
      var l1: u32 = u32();
      var ret0: u32;
      var br = 0u;
      l1 = ((l0 >> (4u & 31u)) + select(0u, 1u, ((l0 & 15u) != 0u)));
      charge(l1);
      ret0 = l0;
      return ret0;
      }

      fn f0() -> u32 {
      var ret0: u32;
      var br = 0u;
      if (st == 0u) {
      charge(9u);
      let t0 = f1(1u);
      let t1 = f2(5u);
      memory_init(200u, 0u, t1, 1u, segment0);
      segment0 = 0u;
      let t2 = (MEMORY_BYTES >> 16u);
      ret0 = t2;
      }
      return ret0;
      }

      const ENTRY_FUEL = 5000u;
      fn execute() -> u32 {
      return f0();
      }

      "
    `);
  });

  it('several values: of a function, of a block with parameters, round a loop', () => {
    const b = new WasmBuilder();
    const two = b.function('(i32)->(i32,i64)', [get(0), i64(5n)]);
    const join = { kind: 'type', index: b.type('(i32,i64)->i32') } as const;
    const round = { kind: 'type', index: b.type('(i32)->i32') } as const;
    b.execute(
      [
        i32(3),
        call(two),
        block(join),
        op(0xa7),
        op(OP.i32Add),
        end,
        loop(round),
        i32(1),
        op(OP.i32Sub),
        op(OP.localTee, 0),
        get(0),
        op(OP.brIf, 0),
        end,
      ],
      ['i32'],
    );
    expect(ownText(b)).toMatchInlineSnapshot(`
      "var<private> w_fuel: u32 = 0u;
      var<private> w_stack: u32 = 0u;
      var<private> w_why: u32 = 0u;
      var<private> window: array<u32, WINDOW_WORDS + 3>;
      fn f0(p0: u32) -> Results_il {
      var l0: u32 = p0;
      var ret0: u32;
      var ret1: vec2<u32>;
      var br = 0u;
      charge(2u);
      let t0 = l0;
      let t1 = vec2<u32>(5u, 0u);
      ret0 = t0;
      ret1 = t1;
      return Results_il(ret0, ret1);
      }

      fn f1() -> u32 {
      var l0: u32 = u32();
      var ret0: u32;
      var br = 0u;
      if (st == 0u) {
      charge(4u);
      let t0 = f0(3u);
      let t1 = t0.v0;
      let t2 = t0.v1;
      var r3: u32;
      r3 = (t1 + (t2).x);
      let t4 = r3;
      var r5: u32;
      var r6: u32;
      r6 = t4;
      loop {
      if (st != 0u) { break; }
      charge(5u);
      l0 = (r6 - 1u);
      let t7 = l0;
      if ((l0 != 0u)) {
      r6 = t7;
      continue;
      }
      r5 = t7;
      break;
      }
      ret0 = r5;
      }
      return ret0;
      }

      const ENTRY_FUEL = 5000u;
      fn execute() -> u32 {
      return f1();
      }

      "
    `);
  });

  it('accesses: of constant addresses, of aligned ones, of any', () => {
    const b = new WasmBuilder();
    const loadContext = b.import('__load_context');
    b.execute(
      [
        i32(100),
        i32(104),
        op(OP.i32Load, 0, 0),
        op(OP.i32Store, 4, 0),
        // A local that counts in words is aligned; when it holds something loaded later, it is not.
        i32(400),
        set(0),
        loop(),
        get(0),
        get(0),
        op(OP.i64Load, 8, 0),
        op(OP.i64Store, 0, 0),
        get(0),
        i32(8),
        op(OP.i32Sub),
        op(OP.localTee, 0),
        op(OP.brIf, 0),
        end,
        i32(104),
        call(loadContext),
        set(0),
        get(0),
        op(OP.i32Load, 0, 0),
        op(OP.drop),
        get(0),
      ],
      ['i32'],
    );
    expect(ownText(b)).toMatchInlineSnapshot(`
      "var<private> w_fuel: u32 = 0u;
      var<private> w_stack: u32 = 0u;
      var<private> w_why: u32 = 0u;
      var<private> window: array<u32, WINDOW_WORDS + 3>;
      fn f1() -> u32 {
      var l0: u32 = u32();
      var ret0: u32;
      var br = 0u;
      if (st == 0u) {
      charge(6u);
      let t0 = get_word(26u);
      set_word(26u, t0);
      l0 = 400u;
      loop {
      if (st != 0u) { break; }
      charge(9u);
      let t1 = load64_aligned(l0, 8u);
      store64_aligned(l0, 0u, t1);
      l0 = (l0 - 8u);
      if ((l0 != 0u)) {
      continue;
      }
      break;
      }
      charge(7u);
      let t2 = host_load_context(104u);
      l0 = t2;
      let t3 = load32(l0, 0u);
      ret0 = l0;
      }
      return ret0;
      }

      const ENTRY_FUEL = 5000u;
      fn execute() -> u32 {
      return f1();
      }

      "
    `);
  });

  it('a long br_table by its runs of equal targets', () => {
    const b = new WasmBuilder();
    const targets = [...new Array<number>(300).fill(0), ...new Array<number>(20).fill(1), 0];
    b.execute([
      block(),
      block(),
      i32(1),
      op(OP.i32Load, 0, 0),
      brTable(...targets),
      end,
      i32(4),
      op(OP.return),
      end,
      i32(8),
    ]);
    expect(ownText(b)).toMatchInlineSnapshot(`
      "var<private> w_fuel: u32 = 0u;
      var<private> w_stack: u32 = 0u;
      var<private> w_why: u32 = 0u;
      var<private> window: array<u32, WINDOW_WORDS + 3>;
      fn f0() -> u32 {
      var ret0: u32;
      var br = 0u;
      var r0: u32;
      switch 0u { default: {
      charge(3u);
      switch 0u { default: {
      switch 0u { default: {
      let t1 = load32(1u, 0u);
      let t2 = t1;
      br = 4u;
      br = select(br, 3u, t2 - 300u <= 19u);
      if (br == 4u) { br = 0u; break; }
      if (br != 0u) { break; }
      break;
      }}
      if (br == 3u) { br = 0u; break; }
      charge(2u);
      r0 = 4u;
      br = 2u;
      break;
      }}
      if (br == 2u) { br = 0u; break; }
      charge(1u);
      r0 = 8u;
      }}
      ret0 = r0;
      return ret0;
      }

      const ENTRY_FUEL = 5000u;
      fn execute() -> u32 {
      return f0();
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
    const levels = 70;
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
    // The compile work that a module may need grows with its bytes.
    deep.data(2_000, new Uint8Array(2_000));
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
