/**
 * Every load and store by width, sign, alignment and offset, at and over the end of the memory; bulk instructions on
 * memory.
 */

interface Access {
  readonly type: 'i32' | 'i64';
  readonly bytes: 1 | 2 | 4 | 8;
  /** `8_s` and the like, or nothing. */
  readonly suffix: string;
}

const END = 65_536;
const OFFSETS = [0, 4_097];
const LOADS: readonly Access[] = (['i32', 'i64'] as const).flatMap((type): Access[] => [
  { type, bytes: type === 'i32' ? 4 : 8, suffix: '' },
  ...([1, 2, 4] as const)
    .filter((bytes) => bytes < 4 || type === 'i64')
    .flatMap((bytes) => ['s', 'u'].map((sign) => ({ type, bytes, suffix: `${bytes * 8}_${sign}` }))),
]);
const STORES: readonly Access[] = LOADS.filter(({ suffix }) => !suffix.endsWith('_s')).map((access) => ({
  ...access,
  suffix: access.suffix.replace('_u', ''),
}));

const alignments = ({ bytes }: Access): number[] => (bytes === 1 ? [1] : [1, bytes]);
/** What the memory holds: no two words are equal, and signs alternate. */
const patternAt = (at: number): number => (at * 167 + (at >> 8) * 59 + 131) & 0xff;
const signedOf = (type: string, v: bigint): bigint => BigInt.asIntN(Number(type.slice(1)), v);

/** Bytes at the ends: what segments put there. */
function segments(): string {
  const part = (from: number, to: number): string => {
    const bytes = Array.from(
      { length: to - from },
      (_, i) =>
        `\\${patternAt(from + i)
          .toString(16)
          .padStart(2, '0')}`,
    );
    return `(data (i32.const ${from}) "${bytes.join('')}")`;
  };
  return [part(0, 32), part(4_096, 4_128), part(END - 32, END)].join(' ');
}

function loaded(at: number, { bytes, suffix, type }: Access): bigint {
  let value = 0n;
  for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(patternAt(at + i));
  return suffix.endsWith('_s') ? BigInt.asIntN(bytes * 8, value) : signedOf(type, value);
}

/** Scripts of all loads: reads within the patterns at both ends, and the first addresses over the end. */
export function loadScripts(): string[] {
  return (['i32', 'i64'] as const).map((type) => {
    const functions: string[] = [];
    const calls: string[] = [];
    for (const access of LOADS.filter((a) => a.type === type)) {
      for (const align of alignments(access)) {
        for (const offset of OFFSETS) {
          const name = `${type}.load${access.suffix} offset=${offset} align=${align}`;
          functions.push(`(func (export "${name}") (param i32) (result ${type}) (${name} (local.get 0)))`);
          const last = END - access.bytes - offset;
          for (const at of [0, 1, 2, 7, last - 3, last]) {
            const value = loaded(at + offset, access);
            calls.push(`(assert_return (invoke "${name}" (i32.const ${at})) (${type}.const ${value}))`);
          }
          for (const at of [last + 1, END - offset, END, 2 ** 31 - 1, -1, -offset]) {
            if (at === 0 || (at + offset === 0 && offset === 0)) continue;
            calls.push(`(assert_trap (invoke "${name}" (i32.const ${at})) "")`);
          }
        }
      }
    }
    return `(module (memory 1) ${segments()}\n${functions.join('\n')})\n${calls.join('\n')}`;
  });
}

/** Scripts of all stores: each gives the bytes around what it stored, which must be the pattern but for that. */
export function storeScripts(): string[] {
  return (['i32', 'i64'] as const).map((type) => {
    const functions: string[] = [];
    const calls: string[] = [];
    for (const access of STORES.filter((a) => a.type === type)) {
      for (const align of alignments(access)) {
        for (const offset of OFFSETS) {
          const name = `${type}.store${access.suffix} offset=${offset} align=${align}`;
          // The word is read before and put back behind, for the next one.
          functions.push(`(func (export "${name}") (param i32 i32 ${type}) (result i64) (local i64 i64)
            (local.set 3 (i64.load (local.get 0)))
            (${name} (local.get 1) (local.get 2))
            (local.set 4 (i64.load (local.get 0)))
            (i64.store (local.get 0) (local.get 3))
            (local.get 4))`);
          for (const [around, inside] of [
            [0, 0],
            [4_096, 3],
            [END - 8, 8 - access.bytes],
          ] as const) {
            const at = around + Math.min(inside, 8 - access.bytes);
            if (at < offset) continue;
            const value = 0xfedcba9876543210n >> BigInt((at * 4) % 32);
            const mask = ((1n << BigInt(access.bytes * 8)) - 1n) << BigInt((at - around) * 8);
            const before = loaded(around, { type: 'i64', bytes: 8, suffix: '' });
            const after = (before & ~mask) | ((value << BigInt((at - around) * 8)) & mask);
            const given = `(i32.const ${around}) (i32.const ${at - offset}) (${type}.const ${signedOf(type, value)})`;
            const wanted = `(i64.const ${BigInt.asIntN(64, after)})`;
            calls.push(`(assert_return (invoke "${name}" ${given}) ${wanted})`);
          }
          for (const at of [END - access.bytes - offset + 1, END, -1]) {
            calls.push(`(assert_trap (invoke "${name}" (i32.const 0) (i32.const ${at}) (${type}.const 1)) "")`);
          }
        }
      }
    }
    return `(module (memory 1) ${segments()}\n${functions.join('\n')})\n${calls.join('\n')}`;
  });
}

/** memory.size, grow, copy, fill, init and data.drop; a memory of no pages; static addresses over the end. */
export function bulkScript(): string {
  const sum = `(func $sum (param $at i32) (param $n i32) (result i64) (local $s i64)
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $n)))
      (local.set $s (i64.add (i64.mul (local.get $s) (i64.const 31)) (i64.load8_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br $next)))
    (local.get $s))`;
  const folded = (bytes: readonly number[]): bigint =>
    BigInt.asIntN(
      64,
      bytes.reduce((s, byte) => s * 31n + BigInt(byte), 0n),
    );
  const passive = [9, 8, 7, 6, 5];
  const bytes = new Uint8Array(64);
  const calls: string[] = [];
  const view = (): void => void calls.push(`(assert_return (invoke "view") (i64.const ${folded([...bytes])}))`);
  const three = (...n: number[]): string => n.map((v) => `(i32.const ${v})`).join(' ');
  const ok = (name: string, ...n: number[]): void =>
    void calls.push(`(assert_return (invoke "${name}" ${three(...n)}))`);
  const traps = (name: string, ...n: number[]): void =>
    void calls.push(`(assert_trap (invoke "${name}" ${three(...n)}) "")`);
  view();
  for (const [to, value, n] of [
    [0, 0x1ff, 3],
    [10, 7, 20],
    [63, 1, 1],
    [5, 9, 0],
  ] as const) {
    ok('fill', to, value, n);
    bytes.fill(value & 0xff, to, to + n);
    view();
  }
  ok('fill', END, 1, 0);
  for (const n of [
    [END, 1, 1],
    [END + 1, 1, 0],
    [END - 3, 1, 4],
    [-1, 1, 2],
  ])
    traps('fill', ...n);
  view();
  for (const [to, from, n] of [
    [3, 0, 12],
    [0, 3, 12],
    [20, 21, 30],
    [33, 30, 17],
    [7, 7, 9],
    [1, 50, 0],
  ] as const) {
    ok('copy', to, from, n);
    bytes.copyWithin(to, from, from + n);
    view();
  }
  ok('copy', END, 0, 0);
  for (const n of [
    [END, 0, 1],
    [0, END, 1],
    [END + 1, 0, 0],
    [0, END + 1, 0],
    [0, END - 2, 3],
    [-1, 0, 2],
  ])
    traps('copy', ...n);
  for (const [to, from, n] of [
    [40, 0, 5],
    [2, 3, 2],
    [60, 4, 1],
    [11, 5, 0],
  ] as const) {
    ok('init', to, from, n);
    bytes.set(passive.slice(from, from + n), to);
    view();
  }
  for (const n of [
    [0, 0, 6],
    [0, 6, 0],
    [END, 0, 1],
    [END - 1, 0, 2],
    [0, -1, 1],
    [END + 1, 0, 0],
  ])
    traps('init', ...n);
  calls.push('(assert_return (invoke "drop"))', '(assert_return (invoke "drop"))');
  traps('init', 0, 0, 1);
  ok('init', 0, 0, 0);
  view();
  const grown = (by: number, before: number): void =>
    void calls.push(`(assert_return (invoke "grow" (i32.const ${by})) (i32.const ${before}))`);
  grown(0, 1);
  grown(2, 1);
  grown(600, -1);
  grown(1, 3);
  calls.push('(assert_return (invoke "size") (i32.const 4))');
  traps('fill', END * 4, 1, 1);
  view();
  return `(module (memory 1) (data $p "${passive.map((b) => `\\0${b}`).join('')}") ${sum}
    (func (export "view") (result i64) (call $sum (i32.const 0) (i32.const 64)))
    (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
    (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
    (func (export "init") (param i32 i32 i32) (memory.init $p (local.get 0) (local.get 1) (local.get 2)))
    (func (export "drop") (data.drop $p))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "size") (result i32) (memory.size)))\n${calls.join('\n')}
  (module (memory 0)
    (func (export "load 0") (result i32) (i32.load (i32.const 0)))
    (func (export "store 64") (i32.store (i32.const 64) (i32.const 1)))
    (func (export "load8 after a grow that fails") (result i32)
      (drop (memory.grow (i32.const 513))) (i32.load8_u (i32.const 0)))
    (func (export "load at the end of a grown page") (result i32)
      (drop (memory.grow (i32.const 1))) (i32.load offset=4 (i32.const ${END - 8})))
    (func (export "load over the end of a grown page") (result i32)
      (drop (memory.grow (i32.const 1))) (i32.load offset=4 (i32.const ${END - 7}))))
  (assert_trap (invoke "load 0") "")
  (assert_trap (invoke "store 64") "")
  (assert_trap (invoke "load8 after a grow that fails") "")
  (assert_trap (invoke "load over the end of a grown page") "")
  (assert_return (invoke "load at the end of a grown page") (i32.const 0))`;
}
