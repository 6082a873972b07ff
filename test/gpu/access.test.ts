import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import type { GpuCall, GpuExecutor } from '../../src/gpu/pack/types.js';
import { concatBytes, u32Bytes } from '../../src/util/bytes.js';
import { wat } from '../helpers/wat.js';
import { gpuCall, runAndCompare } from './support.js';

const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const buffer = (bytes: Uint8Array): Uint8Array => concatBytes(u32Bytes(bytes.length), bytes);
const map = (...pairs: (readonly [Uint8Array, Uint8Array])[]): Uint8Array =>
  concatBytes(u32Bytes(pairs.length), ...pairs.flatMap(([key, value]) => [buffer(key), buffer(value)]));

/** Where a module keeps a key, and the bytes that it returns; a buffer's length lies in the word before it. */
const KEY = 1604;
const OUT = 2052;
/** A result without transfers begins with 16 zero bytes; then comes the number of storage entries. */
const ENTRIES = OUT + 16;
const VALUE = ENTRIES + 4;

/** Loads the key that its context holds; returns a result without transfers or entries, then the key's value. */
const READER = wat(`
  (module
    (import "env" "__load_context" (func $load_context (param i32) (result i32)))
    (import "env" "__request_storage" (func $request_storage (param i32) (result i32)))
    (import "env" "__load_storage" (func $load_storage (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "__execute") (result i32)
      (local $length i32)
      (drop (call $load_context (i32.const ${KEY})))
      (local.set $length (call $request_storage (i32.const ${KEY})))
      (drop (call $load_storage (i32.const ${KEY}) (i32.const ${VALUE})))
      ;; The host wrote the value's length over the number of entries: put the zero back.
      (i32.store (i32.const ${ENTRIES}) (i32.const 0))
      (i32.store (i32.const ${OUT - 4}) (i32.add (local.get $length) (i32.const ${VALUE - OUT})))
      (i32.const ${OUT})))
`);

/** Returns its context. */
const ECHO = wat(`
  (module
    (import "env" "__load_context" (func $load_context (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "__execute") (result i32) (call $load_context (i32.const ${OUT}))))
`);

/** Declares the key that its context holds as read and as written, and returns an empty buffer. */
const DECLARER = wat(`
  (module
    (import "env" "__load_context" (func $load_context (param i32) (result i32)))
    (import "env" "__record_get" (func $record_get (param i32)))
    (import "env" "__record_put" (func $record_put (param i32)))
    (memory (export "memory") 1)
    (func (export "__execute") (result i32)
      (call $record_get (call $load_context (i32.const ${KEY})))
      (call $record_put (i32.const ${KEY}))
      (i32.const ${OUT})))
`);
/** Fuel of DECLARER for a key of one byte: instructions, the context, then each declaration. */
const DECLARER_FUEL = { instructions: 6, context: 102, declaration: 601 } as const;

describe('storage access in the kernel', () => {
  let executor: GpuExecutor;
  beforeAll(async () => {
    executor = await openGpuExecutor({ patient: true });
  });
  afterAll(() => executor?.close());

  const statuses = async (calls: GpuCall[]): Promise<string[]> =>
    (await runAndCompare(executor, calls)).map(({ status }) => status);

  it('a declared key gives its value, and only that read is marked as touched', async () => {
    const reads = Array.from({ length: 70 }, (_, i) => ({ key: text(`key-${i}`), value: text('v'.repeat(i)) }));
    const asked = [0, 1, 31, 32, 33, 69];
    const results = await runAndCompare(
      executor,
      asked.map((i) => gpuCall(READER, { context: text(`key-${i}`), reads })),
    );
    results.forEach(({ status, touched }, i) => {
      expect(status).toBe('OK');
      expect(touched.flatMap((t, k) => (t ? [k] : []))).toEqual([asked[i]]);
    });
  });

  it('a read of a key outside the declared set is an ACCESS_VIOLATION, whatever other calls declare', async () => {
    const reads = (name: string) => [{ key: text(name), value: text('secret') }];
    expect(
      await statuses([
        gpuCall(READER, { context: text('b'), reads: reads('a') }),
        gpuCall(READER, { context: text('b'), reads: reads('b') }),
        gpuCall(READER, { context: text('b'), reads: [] }),
        gpuCall(READER, { context: text('b'), reads: [], writes: [text('b')] }),
        gpuCall(READER, { context: text('bb'), reads: reads('b') }),
        gpuCall(READER, { context: text(''), reads: reads('b') }),
      ]),
    ).toEqual([
      'ACCESS_VIOLATION',
      'OK',
      'ACCESS_VIOLATION',
      'ACCESS_VIOLATION',
      'ACCESS_VIOLATION',
      'ACCESS_VIOLATION',
    ]);
  });

  it('the same key with another value in each call: each sees its own', async () => {
    const calls = Array.from({ length: 200 }, (_, i) =>
      gpuCall(READER, { context: text('same'), reads: [{ key: text('same'), value: text(`value ${i}`) }] }),
    );
    expect(new Set(await statuses(calls))).toEqual(new Set(['OK']));
  });

  it('keys that differ in one byte, in length or not at all from a long one are told apart', async () => {
    const long = (length: number, last: number): Uint8Array =>
      Uint8Array.from({ length }, (_, i) => (i === length - 1 ? last : 1));
    const reads: GpuCall['reads'][number][] = [];
    for (let n = 1; n < 20; n++)
      reads.push({ key: long(n, 1), value: long(n, 9) }, { key: long(n, 2), value: undefined });
    reads.push({ key: new Uint8Array(0), value: text('empty key') });
    const calls = reads.map(({ key }) => gpuCall(READER, { context: key, reads }));
    expect(new Set(await statuses(calls))).toEqual(new Set(['OK']));
    expect(await statuses([gpuCall(READER, { context: long(5, 3), reads })])).toEqual(['ACCESS_VIOLATION']);
  });

  it('a returned storage map with a key outside the declared write set is an ACCESS_VIOLATION', async () => {
    const result = (...pairs: (readonly [Uint8Array, Uint8Array])[]) => concatBytes(new Uint8Array(16), map(...pairs));
    const a = [text('a'), text('1')] as const;
    const b = [text('bee'), text('')] as const;
    const transfer = concatBytes(Uint8Array.of(1), new Uint8Array(15 + 48), map(a));
    const writes = [text('a')];
    expect(
      await statuses([
        gpuCall(ECHO, { context: result(a), writes }),
        gpuCall(ECHO, { context: result(b), writes }),
        gpuCall(ECHO, { context: result(a, b), writes }),
        gpuCall(ECHO, { context: result(a, b), writes: [text('a'), text('bee')] }),
        gpuCall(ECHO, { context: result(), writes: [] }),
        gpuCall(ECHO, { context: transfer, writes }),
        gpuCall(ECHO, { context: transfer, writes: [] }),
        gpuCall(ECHO, { context: transfer, writes: [], reads: [{ key: text('a'), value: undefined }] }),
      ]),
    ).toEqual(['OK', 'ACCESS_VIOLATION', 'ACCESS_VIOLATION', 'OK', 'OK', 'OK', 'ACCESS_VIOLATION', 'ACCESS_VIOLATION']);
  });

  it('a result that does not parse is handed back as it is', async () => {
    const whole = concatBytes(new Uint8Array(16), map([text('x'), text('1')]));
    const calls = Array.from({ length: whole.length }, (_, n) => gpuCall(ECHO, { context: whole.subarray(0, n) }));
    const manyTransfers = concatBytes(new Uint8Array(15), Uint8Array.of(1), map([text('x'), text('1')]));
    calls.push(gpuCall(ECHO, { context: manyTransfers }));
    expect(new Set(await statuses(calls))).toEqual(new Set(['OK']));
  });

  it('a declaration outside the sets is an ACCESS_VIOLATION, one inside costs a byte each', async () => {
    const reads = [{ key: text('r'), value: undefined }];
    const writes = [text('r')];
    const { instructions, context, declaration } = DECLARER_FUEL;
    const enough = instructions + context + declaration * 2;
    expect(
      await statuses([
        gpuCall(DECLARER, { context: text('r'), reads, writes }),
        gpuCall(DECLARER, { context: text('r'), reads, writes: [] }),
        gpuCall(DECLARER, { context: text('r'), reads: [], writes }),
        gpuCall(DECLARER, { context: text('r'), reads, writes, fuel: enough - 1 }),
      ]),
    ).toEqual(['OK', 'ACCESS_VIOLATION', 'ACCESS_VIOLATION', 'OUT_OF_FUEL']);
    // A key that is only declared was not read: it must not show in what the transaction read.
    const [declared] = await runAndCompare(executor, [gpuCall(DECLARER, { context: text('r'), reads, writes })]);
    expect(declared?.touched).toEqual([false]);
  });
});
