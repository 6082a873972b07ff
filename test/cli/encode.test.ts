import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { decodeCommand } from '../../src/cli/decode.js';
import {
  encodeCellpackCommand,
  encodeEnvelopeCommand,
  encodeProtostoneCommand,
  encodeRunestoneCommand,
  encodeTransactionCommand,
} from '../../src/cli/encode.js';
import type { TransactionDescription } from '../../src/protocol/describe.js';
import { encodeCellpack, encodeRunestone } from '../../src/protocol/encode.js';
import { toHex, U128_MAX } from '../../src/util/bytes.js';
import { serialise } from '../bitcoin/builder.js';
import { cli, lastLine, ROOT } from '../helpers/cli.js';

const MINT = { block: 2n, tx: 1n };
const folder = mkdtempSync(join(tmpdir(), 'warpshrew-encode-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'stones.json');
const claim = join(ROOT, 'dist/wasm/programs/claim.wasm');

async function decoded(hex: string): Promise<TransactionDescription> {
  return JSON.parse((await decodeCommand(hex, { json: true })).text) as TransactionDescription;
}

test('decode reads what encode writes: target, inputs, pointer, refund, edicts and the program', async () => {
  const inputs = ['77', '5', '--pointer', '1', '--edict', '2:1:500:0', '--edict', '4:7:0:3'];
  const run = await cli('encode', 'transaction', '2:1', ...inputs, '--envelope', claim);
  expect(run.stderr).toBe('');
  const { protostones, witness, outputs, op_return_vout } = await decoded(run.stdout.trim());
  expect({ outputs, op_return_vout }).toEqual({ outputs: 2, op_return_vout: 1 });
  expect(protostones).toMatchObject([
    {
      ...{ protocol_tag: '1', pointer: 1, refund: 0, cellpack: { target: '8:8' } },
      edicts: [
        { id: '2:1', amount: '500', output: '0' },
        { id: '4:7', amount: '0', output: '3' },
      ],
    },
  ]);
  expect(protostones?.[0].cellpack?.inputs.slice(0, 4)).toEqual(['2', '1', '77', '5']);
  expect(witness?.gunzip).toBe(readFileSync(claim).toString('hex'));
});

test('what decode prints is encoded to the same script', async () => {
  const u128 = fc.bigInt(0n, U128_MAX);
  const u32 = fc.integer({ min: 0, max: 0xffffffff });
  const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
  const edict = fc.record({ id: fc.record({ block: u128, tx: u128 }), amount: u128, output: u128 });
  const stone = fc.record({
    ...{ protocolTag: fc.bigInt(1n, U128_MAX), burn: maybe(u128), pointer: maybe(u32), refund: maybe(u32) },
    ...{ from: maybe(u32), message: fc.uint8Array({ maxLength: 40 }), edicts: fc.array(edict, { maxLength: 3 }) },
  });
  await fc.assert(
    fc.asyncProperty(fc.array(stone, { minLength: 1, maxLength: 3 }), async (protostones) => {
      const script = encodeRunestone({ protostones });
      const carrier = toHex(serialise({ outputs: [{}, { value: 0n, script }] }));
      writeFileSync(file, (await decodeCommand(carrier, { json: true })).text);
      expect((await encodeRunestoneCommand(undefined, [], { like: file })).text).toBe(toHex(script));
    }),
    { seed: 16, numRuns: 100 },
  );
});

test('the parts of a message, each by itself', async () => {
  const message = toHex(encodeCellpack({ block: 8n, tx: 8n }, [2, 1, 77]));
  expect(encodeCellpackCommand(MINT, [77n], {}).text).toBe(message);
  expect(encodeCellpackCommand(MINT, [77n], { bare: true }).text).toBe('02014d');
  const values = (await encodeProtostoneCommand(MINT, [77n], {})).text.split('\n');
  const { protocol_u128 } = JSON.parse((await encodeRunestoneCommand(MINT, [77n], { json: true })).text) as {
    protocol_u128: string[];
  };
  expect(values).toEqual(protocol_u128);
  const spent = { txid: 'ab'.repeat(31).padEnd(64, '0'), vout: 7 };
  const tx = await encodeTransactionCommand(MINT, [77n], {
    input: [spent],
    output: [{ script: Uint8Array.of(0x52), value: 999n }],
  });
  expect(tx.text).toContain(`${Buffer.from(spent.txid, 'hex').reverse().toString('hex')}07000000`);
  expect(tx.text).toContain('e7030000000000000152');
  const stored = JSON.parse(encodeEnvelopeCommand(claim, { stored: true, json: true }).text) as { body: number };
  const small = JSON.parse(encodeEnvelopeCommand(claim, { json: true }).text) as { body: number; program: number };
  expect(small.program).toBe(readFileSync(claim).length);
  expect(small.body).toBeLessThan(small.program);
  expect(stored.body).toBeGreaterThan(small.program);
});

test.each([
  ['{', '$'],
  ['{"protostones": 1}', 'protostones'],
  ['[{"pointer": -1}]', 'protostones[0].pointer'],
  [`[{"burn": "${U128_MAX + 1n}"}]`, 'protostones[0].burn'],
  ['[{}, {"message": "abc"}]', 'protostones[1].message'],
  ['[{"cellpack": {"target": "8", "inputs": []}}]', 'protostones[0].cellpack.target'],
  ['[{"cellpack": {"target": "8:8", "inputs": [null]}}]', 'protostones[0].cellpack.inputs[0]'],
  ['[{"edicts": [{"id": "2:1", "amount": "1"}]}]', 'protostones[0].edicts[0].output'],
])('%s is refused at its place', async (text, at) => {
  writeFileSync(file, text);
  const run = encodeRunestoneCommand(undefined, [], { like: file });
  await expect(run).rejects.toMatchObject({ code: 'PROTOSTONES_BAD_JSON', facts: { at } });
});

test('one of a target and a file must say what to encode; numbers out of range are refused', async () => {
  await expect(encodeRunestoneCommand(undefined, [], {})).rejects.toMatchObject({ code: 'USAGE_NOTHING_TO_ENCODE' });
  const both = encodeRunestoneCommand(MINT, [], { like: file });
  await expect(both).rejects.toMatchObject({ code: 'USAGE_NOTHING_TO_ENCODE' });
  const run = await cli('encode', 'runestone', '2:1', '1', '--pointer', '4294967296');
  expect(run).toMatchObject({ status: 2, stderr: expect.stringContaining('from 0 to 4294967295') });
  const json = lastLine(await cli('encode', 'cellpack', '2:1', '1', '--json'));
  expect(json).toMatchObject({ cellpack: { target: '8:8', inputs: ['2', '1', '1'] } });
});
