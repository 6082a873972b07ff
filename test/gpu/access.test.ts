import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import type { GpuCall, GpuExecutor } from '../../src/gpu/pack/types.js';
import { concatBytes, u32Bytes } from '../../src/util/bytes.js';
import { call, get, i32, OP, op, set, WasmBuilder } from '../helpers/wasm-builder.js';
import { gpuCall, runAndCompare } from './support.js';

const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const buffer = (bytes: Uint8Array): Uint8Array => concatBytes(u32Bytes(bytes.length), bytes);
const map = (...pairs: (readonly [Uint8Array, Uint8Array])[]): Uint8Array =>
  concatBytes(u32Bytes(pairs.length), ...pairs.flatMap(([key, value]) => [buffer(key), buffer(value)]));

/** Data of the key and of the returned bytes begin here. */
const KEY = 1604;
const OUT = 2052;

/** Loads the key that its context holds (a buffer) and returns `count 0 ++ map 0 ++ value`. */
function reader(): WasmBuilder {
  const b = new WasmBuilder();
  const loadContext = b.import('__load_context');
  const request = b.import('__request_storage');
  const loadStorage = b.import('__load_storage');
  return b.execute(
    [
      i32(KEY),
      call(loadContext),
      op(OP.drop),
      i32(KEY),
      call(request),
      set(0),
      i32(KEY),
      i32(OUT + 20),
      call(loadStorage),
      op(OP.drop),
      // The host wrote the value's length over the four bytes of the map's count: put the zero back.
      i32(OUT + 16),
      i32(0),
      op(OP.i32Store, 0, 0),
      i32(OUT - 4),
      get(0),
      i32(20),
      op(OP.i32Add),
      op(OP.i32Store, 0, 0),
      i32(OUT),
    ],
    ['i32'],
  );
}

/** Returns its context. */
function echo(): WasmBuilder {
  const b = new WasmBuilder();
  const loadContext = b.import('__load_context');
  return b.execute([i32(OUT), call(loadContext)]);
}

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
    const program = reader();
    const results = await runAndCompare(
      executor,
      asked.map((i) => gpuCall(program, { context: text(`key-${i}`), reads })),
    );
    results.forEach(({ status, touched }, i) => {
      expect(status).toBe('OK');
      expect(touched.flatMap((t, k) => (t ? [k] : []))).toEqual([asked[i]]);
    });
  });

  it('a read of a key outside the declared set is an ACCESS_VIOLATION, whatever other calls declare', async () => {
    const program = reader();
    const reads = (name: string) => [{ key: text(name), value: text('secret') }];
    expect(
      await statuses([
        gpuCall(program, { context: text('b'), reads: reads('a') }),
        gpuCall(program, { context: text('b'), reads: reads('b') }),
        gpuCall(program, { context: text('b'), reads: [] }),
        gpuCall(program, { context: text('b'), reads: [], writes: [text('b')] }),
        gpuCall(program, { context: text('bb'), reads: reads('b') }),
        gpuCall(program, { context: text(''), reads: reads('b') }),
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
    const program = reader();
    const calls = Array.from({ length: 200 }, (_, i) =>
      gpuCall(program, { context: text('same'), reads: [{ key: text('same'), value: text(`value ${i}`) }] }),
    );
    expect(new Set(await statuses(calls))).toEqual(new Set(['OK']));
  });

  it('keys that differ in one byte, in length or not at all from a long one are told apart', async () => {
    const program = reader();
    const long = (length: number, last: number): Uint8Array =>
      Uint8Array.from({ length }, (_, i) => (i === length - 1 ? last : 1));
    const reads: GpuCall['reads'][number][] = [];
    for (let n = 1; n < 20; n++)
      reads.push({ key: long(n, 1), value: long(n, 9) }, { key: long(n, 2), value: undefined });
    reads.push({ key: new Uint8Array(0), value: text('empty key') });
    const calls = reads.map(({ key }) => gpuCall(program, { context: key, reads }));
    expect(new Set(await statuses(calls))).toEqual(new Set(['OK']));
    expect(await statuses([gpuCall(program, { context: long(5, 3), reads })])).toEqual(['ACCESS_VIOLATION']);
  });

  it('a returned storage map with a key outside the declared write set is an ACCESS_VIOLATION', async () => {
    const program = echo();
    const result = (...pairs: (readonly [Uint8Array, Uint8Array])[]) => concatBytes(new Uint8Array(16), map(...pairs));
    const a = [text('a'), text('1')] as const;
    const b = [text('bee'), text('')] as const;
    const transfer = concatBytes(Uint8Array.of(1), new Uint8Array(15 + 48), map(a));
    const writes = [text('a')];
    expect(
      await statuses([
        gpuCall(program, { context: result(a), writes }),
        gpuCall(program, { context: result(b), writes }),
        gpuCall(program, { context: result(a, b), writes }),
        gpuCall(program, { context: result(a, b), writes: [text('a'), text('bee')] }),
        gpuCall(program, { context: result(), writes: [] }),
        gpuCall(program, { context: transfer, writes }),
        gpuCall(program, { context: transfer, writes: [] }),
        gpuCall(program, { context: transfer, writes: [], reads: [{ key: text('a'), value: undefined }] }),
      ]),
    ).toEqual(['OK', 'ACCESS_VIOLATION', 'ACCESS_VIOLATION', 'OK', 'OK', 'OK', 'ACCESS_VIOLATION', 'ACCESS_VIOLATION']);
  });

  it('a result that does not parse is handed back as it is', async () => {
    const whole = concatBytes(new Uint8Array(16), map([text('x'), text('1')]));
    const program = echo();
    const calls = Array.from({ length: whole.length }, (_, n) => gpuCall(program, { context: whole.subarray(0, n) }));
    const manyTransfers = concatBytes(new Uint8Array(15), Uint8Array.of(1), map([text('x'), text('1')]));
    calls.push(gpuCall(program, { context: manyTransfers }));
    expect(new Set(await statuses(calls))).toEqual(new Set(['OK']));
  });

  it('a declaration outside the sets is an ACCESS_VIOLATION, one inside costs a byte each', async () => {
    const b = new WasmBuilder();
    const loadContext = b.import('__load_context');
    const recordGet = b.import('__record_get');
    const recordPut = b.import('__record_put');
    b.execute([i32(KEY), call(loadContext), call(recordGet), i32(KEY), call(recordPut), i32(OUT)]);
    const reads = [{ key: text('r'), value: undefined }];
    const writes = [text('r')];
    expect(
      await statuses([
        gpuCall(b, { context: text('r'), reads, writes }),
        gpuCall(b, { context: text('r'), reads, writes: [] }),
        gpuCall(b, { context: text('r'), reads: [], writes }),
        gpuCall(b, { context: text('r'), reads, writes, fuel: 6 + 102 + 601 + 600 }),
      ]),
    ).toEqual(['OK', 'ACCESS_VIOLATION', 'ACCESS_VIOLATION', 'OUT_OF_FUEL']);
    // A key that is only declared was not read: it must not show in what the transaction read.
    const [declared] = await runAndCompare(executor, [gpuCall(b, { context: text('r'), reads, writes })]);
    expect(declared?.touched).toEqual([false]);
  });
});
