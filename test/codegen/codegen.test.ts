import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, expect, test } from 'vitest';
import { codegenCommand } from '../../src/cli/codegen.js';
import { ContractChain } from '../../src/contract-chain/contract-chain.js';
import { concatBytes, toHex, u32Bytes } from '../../src/util/bytes.js';
import { ROOT } from '../helpers/cli.js';
import { i32, WasmBuilder } from '../helpers/wasm-builder.js';

const NAMES = ['mint', 'amm', 'claim', 'ledger', 'names'] as const;
type Name = (typeof NAMES)[number];

const AT = 256;
const folder = mkdtempSync(join(tmpdir(), 'warpshrew-codegen-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const wasmOf = (name: Name): Uint8Array => new Uint8Array(readFileSync(join(ROOT, `dist/wasm/programs/${name}.wasm`)));
const metaOf = (name: Name): string => join(ROOT, `wasm/programs/${name}.json`);
const given = (content: string | Uint8Array, name = 'meta.json'): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

/** Its functions take and give what the types of the generated file say, which the compiler has checked. */
type Client = Readonly<Record<string, (...values: unknown[]) => never>>;

/** A program whose `__meta` gives `text`. */
function saying(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const wasm = new WasmBuilder().data(AT, concatBytes(u32Bytes(bytes.length), bytes)).execute([i32(0)]);
  return wasm.export('__meta', wasm.function('()->i32', [i32(AT + 4)])).bytes();
}

async function clientOf(name: Name): Promise<Client> {
  const { text } = await codegenCommand(undefined, { meta: metaOf(name) });
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  return (await import(pathToFileURL(given(outputText, `${name}.mjs`)).href)) as Client;
}

test('the clients of the bundled programs pass the compiler at its strictest, with nothing unused', async () => {
  const files = [];
  for (const name of NAMES)
    files.push(given((await codegenCommand(undefined, { meta: metaOf(name) })).text, `${name}.ts`));
  const program = ts.createProgram(files, {
    ...{ strict: true, noEmit: true, noUnusedLocals: true, noUnusedParameters: true, noUncheckedIndexedAccess: true },
    ...{
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
      types: [],
    },
  });
  expect(ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText)).toEqual([]);
});

test('calls that a client encodes run, and it decodes their data and the storage', async () => {
  const chain = new ContractChain();
  const [mint, amm, ledger, names] = await Promise.all([
    clientOf('mint'),
    clientOf('amm'),
    clientOf('ledger'),
    clientOf('names'),
  ]);
  const token = chain.deploy(wasmOf('mint'), mint.encodeInitialise(10n, 1_000n));
  const other = chain.deploy(wasmOf('mint'), mint.encodeInitialise(10n, 1_000n));
  for (const each of [token, token, other]) chain.call(each, mint.encodeMint());
  const asked = (of: typeof token, inputs: bigint[]): Uint8Array => chain.call(of, inputs).data;
  expect(mint.decodeMinted(asked(token, mint.encodeMinted()))).toBe(2n);
  expect(mint.decodeName(asked(token, mint.encodeName()))).toBe('mint');
  expect(mint.readConfig(chain.storage(token, mint.keyOfConfig()))).toEqual({ cap: 10n, valuePerMint: 1_000n });

  const pool = chain.deploy(wasmOf('amm'), amm.encodeInitialise());
  chain.call(pool, amm.encodeCreatePool(7n, token.id, other.id, 30n));
  const send = { '2:1': 500n, '2:2': 800n };
  expect(chain.call(pool, amm.encodeAddLiquidity(7n, 3n, 0n), { send }).status).toBe('OK');
  expect(amm.readPool(chain.storage(pool, amm.keyOfPool(7n)))).toEqual({
    ...{ a: token.id, b: other.id, reserveA: 500n, reserveB: 800n, shares: 500n, feeBps: 30n },
  });
  expect(amm.decodeShares(asked(pool, amm.encodeShares(7n, 3n)))).toBe(500n);
  expect(() => amm.readPool(new Uint8Array(8))).toThrow(/pool: 8 bytes, at least 128/);

  const accounts = chain.deploy(wasmOf('ledger'), ledger.encodeInitialise(token.id));
  const key = Uint8Array.from({ length: 32 }, (_, i) => i);
  expect(chain.call(accounts, ledger.encodeDeposit(key), { send: { '2:1': 20n } }).status).toBe('OK');
  expect(ledger.readAccount(chain.storage(accounts, ledger.keyOfAccount(key)))).toEqual({ balance: 20n, nonce: 0n });
  expect(ledger.decodeAsset(asked(accounts, ledger.encodeAsset()))).toEqual(token.id);

  const registry = chain.deploy(wasmOf('names'), names.encodeInitialise());
  const padded = new Uint8Array(32);
  padded.set(Buffer.from('shrew'));
  const data = Uint8Array.from({ length: 21 }, (_, i) => 200 + i);
  expect(chain.call(registry, names.encodeRegister(padded, key, data)).status).toBe('OK');
  expect(toHex(names.decodeResolve(asked(registry, names.encodeResolve(padded))))).toContain(toHex(data));
  expect(names.readEntry(chain.storage(registry, names.keyOfEntry('shrew')))).toEqual({ owner: key, nonce: 0n, data });
  expect(() => names.encodeResolve(key.subarray(1))).toThrow(RangeError);
});

test('a program says itself what it is; lists, texts and names that TypeScript keeps are fine', async () => {
  const params = [
    'String',
    { name: 'delete', type: 'Vec<AlkaneId>' },
    { name: 'x', type: 'bool' },
    { name: 'x', type: 'Vec<u8>' },
  ];
  const meta = {
    contract: 'Odd\n',
    methods: [{ name: 'all', opcode: '340282366920938463463374607431768211455', params }],
  };
  const { text } = await codegenCommand(given(saying(JSON.stringify(meta)), 'odd.wasm'), {});
  expect(text).toContain('a client of the contract Odd?');
  const { outputText } = ts.transpileModule(text, { compilerOptions: { module: ts.ModuleKind.ESNext } });
  const client = (await import(pathToFileURL(given(outputText, 'odd.mjs')).href)) as Client;
  expect(client.encodeAll('ab', [{ block: 2n, tx: 5n }], true, Uint8Array.of(3, 4))).toEqual([
    ...[2n ** 128n - 1n, 0x6261n, 1n, 2n, 5n, 1n, 2n, 0x0403n],
  ]);
});

test.each<[unknown, string]>([
  [1, '$'],
  [{ contract: 'A' }, '$.methods'],
  [{ contract: 'A', methods: [{ name: 'a b', opcode: 1 }] }, '$.methods[0].name'],
  [{ contract: 'A', methods: [{ name: 'a', opcode: -1 }] }, '$.methods[0].opcode'],
  [{ contract: 'A', methods: [{ name: 'a', opcode: 1, params: ['what'] }] }, '$.methods[0].params[0].type'],
  [
    {
      contract: 'A',
      methods: [
        { name: 'a', opcode: 1 },
        { name: 'a', opcode: 2 },
      ],
    },
    '$.methods',
  ],
])('%j is refused at its place', async (meta, at) => {
  const run = codegenCommand(undefined, { meta: given(JSON.stringify(meta)) });
  await expect(run).rejects.toMatchObject({ code: 'CODEGEN_META', facts: { at } });
});

test('there must be a contract', async () => {
  await expect(codegenCommand(undefined, {})).rejects.toMatchObject({ code: 'USAGE_CODEGEN' });
  await expect(codegenCommand('2:1', {})).rejects.toMatchObject({ code: 'USAGE_CODEGEN' });
  await expect(codegenCommand(join(ROOT, 'dist/wasm/programs/mint.wasm'), {})).rejects.toMatchObject({ kind: 'input' });
});
