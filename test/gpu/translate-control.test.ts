import { describe, expect, it } from 'vitest';
import { ownText } from './translated.js';

describe('translation to WGSL: control flow and calls', () => {
  it('a loop, a block left early, a call and 64-bit arithmetic', () => {
    const text = `
      (module
        (memory (export "memory") 1)
        (global $step (mut i64) (i64.const -2))
        (func $sum (param $count i32) (param $total i64) (result i64)
          (block $done
            (loop $again
              (br_if $done (i32.eqz (local.get $count)))
              (local.set $total (i64.add (local.get $total) (global.get $step)))
              (local.set $count (i32.sub (local.get $count) (i32.const 1)))
              (br $again)))
          (local.get $total))
        (func (export "__execute") (result i32)
          (i64.store offset=4 (i32.const 100) (call $sum (i32.const 10) (i64.const 0x100_0000_0000)))
          (if (result i32) (i32.load offset=3 (i32.const 1000))
            (then (i32.const 104))
            (else (unreachable)))))
    `;
    expect(ownText(text)).toMatchInlineSnapshot(`
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
    const text = `
      (module
        (memory (export "memory") 1)
        (type $unary (func (param i32) (result i32)))
        (table 4 funcref)
        (elem (i32.const 0) func $increment $other $through_table $increment)
        (func $increment (param $n i32) (result i32) (i32.add (local.get $n) (i32.const 1)))
        (func $through_table (param $n i32) (result i32)
          (call_indirect (type $unary) (local.get $n) (i32.const 0)))
        (func $other (result i32) (i32.const 4))
        (func (export "__execute") (result i32)
          (call_indirect (type $unary) (i32.const 7) (i32.const 2))))
    `;
    expect(ownText(text)).toMatchInlineSnapshot(`
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

  it('several values: of a function, of a block with parameters, of a loop', () => {
    const text = `
      (module
        (memory (export "memory") 1)
        (func $two (param $n i32) (result i32 i64) (local.get $n) (i64.const 5))
        (func (export "__execute") (result i32)
          (local $n i32)
          (call $two (i32.const 3))
          (block (param i32 i64) (result i32)
            i32.wrap_i64
            i32.add)
          (loop $again (param i32) (result i32)
            i32.const 1
            i32.sub
            local.tee $n
            local.get $n
            br_if $again)))
    `;
    expect(ownText(text)).toMatchInlineSnapshot(`
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

  it('a long br_table by its runs of equal targets', () => {
    const labels = [...new Array(300).fill('$returns_4'), ...new Array(20).fill('$gives_8'), '$returns_4'].join(' ');
    const text = `
      (module
        (memory (export "memory") 1)
        (func (export "__execute") (result i32)
          (block $gives_8
            (block $returns_4
              (br_table ${labels} (i32.load (i32.const 1))))
            (return (i32.const 4)))
          (i32.const 8)))
    `;
    expect(ownText(text)).toMatchInlineSnapshot(`
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
});
