import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CallResult, ContractChain } from '../../src/contract-chain/contract-chain.js';
import { translateProgram } from '../../src/gpu/translate/module.js';
import { compileScript } from '../../src/harness/compile.js';
import { metaJson } from '../../src/harness/meta-declaration.js';
import { RecordingChain } from '../../src/harness/recording-chain.js';
import { Replayer, recordedRun } from '../../src/harness/replay.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { ROOT } from '../helpers/cli.js';

const SOURCE = 'wasm/sdk-tests/workbench.ts';
const LIMIT = 1n << 256n;

let folder: string;
let wasm: Uint8Array;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'warpshrew-test-'));
  const file = join(folder, 'workbench.wasm');
  await compileScript(ROOT, 'workbench', join(ROOT, SOURCE), file);
  wasm = new Uint8Array(readFileSync(file));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function deployed(recording = new RecordingChain()): {
  chain: ContractChain;
  call: (...inputs: bigint[]) => CallResult;
} {
  const chain = new ContractChain(recording);
  const { id } = chain.deploy(wasm);
  return { chain, call: (...inputs) => chain.call(id, inputs) };
}

const u64At = ({ data }: CallResult, at: number): bigint => Buffer.from(data).readBigUInt64LE(at);
const number = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex') || '0'}`);

describe('what was found to be easily done wrong with the SDK', () => {
  it('objects of AssemblyScript lie beside its buffers', async () => {
    const recording = new RecordingChain();
    const { call } = deployed(recording);
    const result = call(1n, 12345n);
    expect(result).toMatchObject({ status: 'OK', error: undefined });
    expect(number(result.data.subarray(0, 16))).toBe(12345n);
    expect(u64At(result, 16)).toBe(BigInt((3 * 64 * 63) / 2));
    const replayer = new Replayer('in batches');
    expect(await replayer.differenceIn(recordedRun(recording))).toBeUndefined();
    await replayer.close();
  });

  it('the parts of a response come in any order, with keys made between them', () => {
    const { chain, call } = deployed();
    const result = call(2n, 5n, 6n);
    expect(result.transfers.map(({ amount }) => amount)).toEqual([5n, 6n]);
    expect(Buffer.from(chain.storage('2:1', 'second') ?? []).toString()).toBe('two');
    expect(chain.storage('2:1', 'first')?.length).toBe(8);
    expect(Buffer.from(result.data).toString('latin1')).toBe('\u0004done\u0007\0\0\0\0\0\0\0');
  });

  it.each([
    ['an allocation while a buffer is open', 3n, 'a buffer is still open'],
    ['a buffer that is closed after another one was made', 4n, 'is given a buffer that is not the last one'],
    ['bytes that are appended to nothing', 5n, 'there is no buffer to append to'],
    ['an incoming asset that is not there', 6n, 'there are fewer incoming assets'],
    ['buffers that fill the memory', 7n, 'the memory of the contract is full'],
    ['objects that fill the memory', 8n, 'the memory of the contract is full'],
    ['a response that is begun twice', 11n, 'responseBegin would drop transfers'],
    ['an error that is thrown, with its place', 12n, `thrown by hand (${SOURCE}:`],
  ])('%s reverts, and says so', (_, opcode, why) => {
    const { status, error } = deployed().call(opcode);
    expect({ status, error }).toEqual({ status: 'REVERT', error: expect.stringContaining(why) });
  });

  it('a value of another length reverts where a number is wanted', () => {
    const { call } = deployed();
    expect(call(9n).status).toBe('OK');
    expect(call(10n)).toMatchObject({ status: 'REVERT', error: expect.stringContaining('has another length') });
  });

  it('with the allocator of AssemblyScript it does not compile, and the compiler says what does', async () => {
    const asc = await import('assemblyscript/asc');
    const sources = {
      'a.ts': "import { key } from './sdk/index'; export function __execute(): usize { return key('a'); }",
    };
    const original = asc.libraryFiles['rt/stub'];
    asc.libraryFiles['rt/stub'] = readFileSync(
      join(ROOT, 'node_modules/assemblyscript/std/assembly/rt/stub.ts'),
      'utf8',
    );
    const readFile = (name: string): string | null => {
      const [, module] = /^sdk\/(\w+)\.ts$/.exec(name) ?? [];
      if (module !== undefined) return readFileSync(join(ROOT, `dist/sdk/${module}.ts`), 'utf8');
      return sources[name as keyof typeof sources] ?? null;
    };
    const { error, stderr } = await asc.main(['a.ts', '--outFile', 'a.wasm', '--runtime', 'stub'], {
      readFile,
      writeFile: () => undefined,
      listFiles: () => null,
    });
    asc.libraryFiles['rt/stub'] = original;
    expect(error).not.toBeNull();
    expect(stderr.toString()).toContain("Cannot find name 'warpshrew_compile_builds_this'");
  });
});

describe('what the SDK offers beside that', () => {
  it('numbers of 256 bits are those of big integers', () => {
    const { call } = deployed();
    const halves = (value: bigint): bigint[] => [value & ((1n << 128n) - 1n), value >> 128n];
    const numbers = [0n, 1n, 7n, (1n << 64n) - 1n, 1n << 128n, (1n << 200n) + 12345n, LIMIT - 1n];
    for (const [i, a] of numbers.entries()) {
      for (const b of numbers.slice(i % 2)) {
        const run = (operation: bigint): [flag: bigint, first: bigint, second: bigint] => {
          const result = call(13n, operation, ...halves(a), ...halves(b));
          expect(result.status).toBe('OK');
          const { data } = result;
          return [u64At(result, 0), number(data.subarray(8, 40)), number(data.subarray(40, 72))];
        };
        expect(run(0n).slice(0, 2)).toEqual([a + b >= LIMIT ? 1n : 0n, (a + b) % LIMIT]);
        expect(run(1n).slice(0, 2)).toEqual([a < b ? 1n : 0n, (a - b + LIMIT) % LIMIT]);
        expect(run(2n).slice(0, 2)).toEqual(a * b < LIMIT ? [1n, a * b] : [0n, 0n]);
        expect(run(3n)).toEqual(b === 0n ? [0n, 0n, 0n] : [1n, a / b, a % b]);
        expect(run(4n)[0]).toBe(a < b ? 1n : 0n);
      }
    }
  });

  it('a message learns what surrounds it', () => {
    const { chain, call } = deployed();
    const result = call(14n);
    expect(result).toMatchObject({ status: 'OK', error: undefined });
    const { data, block } = result;
    expect(u64At(result, 0)).toBe(BigInt(block.height));
    expect(u64At(result, 8)).toBe(1n);
    expect(number(data.subarray(16, 32))).toBe(0n);
    expect(number(data.subarray(32, 48))).toBe(2n);
    expect(Buffer.from(data.subarray(48, 128))).toEqual(Buffer.from(block.raw.subarray(0, 80)));
    expect(u64At(result, 128)).toBe(BigInt(block.time));
    expect(u64At(result, 136)).toBe(BigInt(block.transactions[0].raw.length));
    expect(result.receipt?.logs.map((log) => Buffer.from(log.data, 'hex').toString())).toEqual(['hello']);
    expect(chain.height).toBe(block.height);
  });

  it('a Merkle proof leads to its root from its place alone', () => {
    const { call } = deployed();
    const sha = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
    const leaf = Buffer.alloc(16, 3);
    const [left, right] = [sha(Buffer.of(1)), sha(Buffer.of(2))];
    // Place 2 of four: the sibling on its right, then the pair on its left.
    const root = sha(left, sha(sha(leaf), right));
    const inputs = (hash: Buffer): bigint[] => [number(hash.subarray(0, 16)), number(hash.subarray(16))];
    const proves = (place: bigint): bigint =>
      u64At(call(15n, place, ...inputs(root), number(leaf), ...inputs(right), ...inputs(left)), 0);
    expect([0n, 1n, 2n, 3n, 6n].map(proves)).toEqual([0n, 0n, 1n, 0n, 0n]);
  });

  it('incoming assets are counted, and keys that a dry run declares are as if written', () => {
    const { chain, call } = deployed();
    call(2n, 5n, 6n);
    call(9n);
    const result = chain.call('2:1', [16, 77], { send: { '2:1': 4 } });
    expect(result).toMatchObject({ status: 'OK', error: undefined });
    expect(number(result.data.subarray(0, 16))).toBe(4n);
    expect([u64At(result, 16), u64At(result, 24)]).toEqual([1n, 1n]);
    expect(Buffer.from(result.data.subarray(48)).toString()).toBe('odd');
    expect(number(chain.storage('2:1', 'kept') ?? new Uint8Array(0))).toBe(77n);
  });

  it('the kernel takes a contract that is made with it and calls no other', async () => {
    const source = join(folder, 'small.ts');
    writeFileSync(
      source,
      `import { addNumber, finishEmpty, getU128, key } from 'warpshrew/sdk';
const VALUE: usize = memory.data(16, 8);
export function __execute(): usize {
  getU128(key('a'), VALUE);
  addNumber(VALUE);
  return finishEmpty();
}
`,
    );
    await compileScript(folder, 'small', source, join(folder, 'small.wasm'));
    const program = prepareProgram(new Uint8Array(readFileSync(join(folder, 'small.wasm'))));
    expect(translateProgram(program, { bytes: 2048, place: 'private' }).ok).toBe(true);
  });
});

it.each([
  ['no JSON', '{', /not JSON|JSON/],
  ['no name', '{"methods":[]}', /"contract" is no name/],
  ['no methods', '{"contract":"A"}', /"methods" is no list/],
  ['a method without a name', '{"contract":"A","methods":[{"opcode":1}]}', /method 0 has no name/],
  ['a bad opcode', '{"contract":"A","methods":[{"name":"a","opcode":-1}]}', /the opcode of a is no number/],
  [
    'an opcode twice',
    '{"contract":"A","methods":[{"name":"a","opcode":1},{"name":"b","opcode":1}]}',
    /two methods have the opcode 1/,
  ],
  [
    'a parameter without a type',
    '{"contract":"A","methods":[{"name":"a","opcode":1,"params":[{"name":"b"}]}]}',
    /"params" of a is no list/,
  ],
  ['bad parameters', '{"contract":"A","methods":[{"name":"a","opcode":1,"params":[1]}]}', /"params" of a is no list/],
])('a declaration with %s is refused', (_, text, why) => {
  expect(() => metaJson(text, 'a.json')).toThrow(why);
});
