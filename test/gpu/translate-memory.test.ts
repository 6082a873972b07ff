import { describe, expect, it } from 'vitest';
import { ownText } from './translated.js';

describe('translation to WGSL: memory', () => {
  it('memory.grow, memory.size, and a passive segment that is dropped', () => {
    const text = `
      (module
        (memory (export "memory") 1 3)
        (data $bytes "\\01\\02\\03\\04\\05")
        (func (export "__execute") (result i32)
          (drop (memory.grow (i32.const 1)))
          (memory.init $bytes (i32.const 200) (i32.const 0) (i32.const 5))
          (data.drop $bytes)
          (memory.size)))
    `;
    expect(ownText(text)).toMatchInlineSnapshot(`
      "var<private> w_fuel: u32 = 0u;
      var<private> w_stack: u32 = 0u;
      var<private> w_why: u32 = 0u;
      var<private> window: array<u32, WINDOW_WORDS + 3>;
      fn f1(p0: u32) -> u32 {
      var l0: u32 = p0;
      var l1: u32 = u32();
      var ret0: u32;
      var br = 0u;
      switch 0u { default: {
      charge(1000u);
      let t0 = w_fuel;
      let t1 = div_u32(t0, 5000u);
      if ((l0 > t1)) {
      w_why = 1u;
      stop_unreachable();
      }
      let t2 = w_fuel;
      w_fuel = select(w_fuel, (t2 - (l0 * 5000u)), st == 0u);
      let t3 = (MEMORY_BYTES >> 16u);
      if ((l0 > (3u - t3))) {
      ret0 = 4294967295u;
      break;
      }
      let t4 = memory_grow(l0);
      l1 = t4;
      if ((l1 == 4294967295u)) {
      w_why = 3u;
      stop_unreachable();
      }
      ret0 = l1;
      }}
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

  it('accesses: of constant addresses, of aligned ones, of any', () => {
    const RECORD = 100;
    const FIELD = 4;
    const CONTEXT = 104;
    const text = `
      (module
        (import "env" "__load_context" (func $load_context (param i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "__execute") (result i32)
          (local $at i32)
          ;; Constant addresses.
          (i32.store offset=${FIELD} (i32.const ${RECORD}) (i32.load (i32.const ${RECORD + FIELD})))
          ;; A local that only takes multiples of 4 is an aligned address.
          (local.set $at (i32.const 400))
          (loop $next
            (i64.store (local.get $at) (i64.load offset=8 (local.get $at)))
            (br_if $next (local.tee $at (i32.sub (local.get $at) (i32.const 8)))))
          ;; What a host function returns may be any number.
          (local.set $at (call $load_context (i32.const ${CONTEXT})))
          (drop (i32.load (local.get $at)))
          (local.get $at)))
    `;
    expect(ownText(text)).toMatchInlineSnapshot(`
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
});
