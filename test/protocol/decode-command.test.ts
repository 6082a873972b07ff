import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { parseTransaction } from '../../src/bitcoin/parse-transaction.js';
import { decodeCommand, decodeTxCommand } from '../../src/cli/decode.js';
import { encodeCellpack, encodeRunestone } from '../../src/protocol/encode.js';
import { concatBytes, fromHex, toHex } from '../../src/util/bytes.js';
import { block, coinbase, serialise } from '../bitcoin/builder.js';

const bundled = fileURLToPath(new URL('../../fixtures/vectors/wire.json', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'warpshrew-decode-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: Uint8Array | string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const code = (text: string) => expect.objectContaining({ code: text });

/** Script of one 8:8 message, the lane's simplest. */
const message = encodeCellpack({ block: 8n, tx: 8n }, [2, 1, 77]);
const script = encodeRunestone({ protostones: [{ pointer: 0, refund: 0, message }] });
const carrier = serialise({ outputs: [{}, { value: 0n, script }] });
const spend = (raw: Uint8Array) => serialise({ inputs: [{ prevTxid: parseTransaction(raw).txid }] });

describe('decode TXHEX', () => {
  test('JSON in the shape of a vector', () => {
    const { text, exitStatus } = decodeCommand(toHex(carrier), { json: true });
    expect(exitStatus).toBe(0);
    expect(JSON.parse(text)).toMatchObject({
      artifact: 'runestone',
      op_return_vout: 1,
      protostones: [
        { shadow_vout: 3, pointer: 0, cellpack: { target: '8:8', inputs: ['2', '1', '77', ...Array(10).fill('0')] } },
      ],
    });
  });

  test('text names runestone, protostones and cellpack; a cenotaph its flaw', () => {
    expect(decodeTxCommand(toHex(carrier)).text).toContain('cellpack   8:8 [2, 1, 77, 0');
    const cenotaph = serialise({ outputs: [{ script: fromHex('6a5d02140151') }] });
    expect(decodeTxCommand(toHex(cenotaph)).text).toContain('cenotaph     output 0, flaw Opcode');
    expect(decodeTxCommand(toHex(serialise({}))).text).toContain('runestone    none');
  });

  test('spaces and a 0x are allowed, anything else is an error with a code', () => {
    expect(decodeCommand(`0x${toHex(carrier)}\n`, {}).exitStatus).toBe(0);
    expect(() => decodeCommand('abc', {})).toThrow(code('TX_BAD_HEX'));
    expect(() => decodeCommand('abcd', {})).toThrow(code('TX_TRUNCATED'));
    expect(() => decodeCommand('no such file', {})).toThrow(code('FILE_UNREADABLE'));
    expect(() => decodeCommand(undefined, {})).toThrow(code('USAGE_NOTHING_TO_DECODE'));
  });
});

describe('decode BLOCK', () => {
  const child = spend(carrier);
  const grandchild = spend(child);
  const tagTwo = serialise({
    inputs: [{ prevVout: 9 }],
    outputs: [{}, { script: encodeRunestone({ protostones: [{ protocolTag: 2n, message }] }) }],
  });
  const cenotaph = serialise({ inputs: [{ prevVout: 10 }], outputs: [{ script: fromHex('6a5d02140151') }] });
  const broken = serialise({ inputs: [{ prevVout: 11 }], outputs: [{ script: fromHex('6a5d06ff7f81d0ec02') }] });
  const short = serialise({
    inputs: [{ prevVout: 12 }],
    outputs: [{ script: encodeRunestone({ protostones: [{ rawFields: [[81, (1n << 120n) - 1n]] }] }) }],
  });
  const stranger = serialise({ inputs: [{ prevVout: 13 }] });
  const raw = block([coinbase(), grandchild, carrier, child, spend(child), tagTwo, cenotaph, broken, short, stranger]);

  test('counts, lane transactions by the block alone, in block order', () => {
    const { text } = decodeCommand(file('block.bin', raw), { json: true });
    expect(JSON.parse(text)).toEqual({
      height: 1,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      txs: 10,
      runestones: 5,
      cenotaphs: 1,
      protostones: 3,
      tag1Protostones: 2,
      cellpacks: 1,
      // The carrier, its child, that one's child behind it, and the bad message. What stands before its parent is none.
      laneTxs: 4,
    });
    expect(decodeCommand(file('block.bin', raw), {}).text).toContain('tag1Protostones 2');
  });

  test('an altered or cut file is an error', () => {
    const altered = raw.slice();
    altered[altered.length - 1] ^= 1;
    expect(() => decodeCommand(file('altered.bin', altered), {})).toThrow(code('BLOCK_BAD_MERKLE_ROOT'));
    expect(() => decodeCommand(file('cut.bin', raw.subarray(0, 500)), {})).toThrow(code('BLOCK_TRUNCATED'));
    expect(() => decodeCommand(file('long.bin', concatBytes(raw, raw)), {})).toThrow(code('BLOCK_TRAILING_BYTES'));
  });
});

describe('decode --vectors', () => {
  test('ends with the counts; exit status 1 if any failed', () => {
    expect(decodeCommand(undefined, { vectors: bundled })).toEqual({ text: '45 passed, 0 failed', exitStatus: 0 });
    const spoilt = readFileSync(bundled, 'utf8').replace('"flaw": "Opcode"', '"flaw": "Varint"');
    const result = decodeCommand(undefined, { vectors: file('spoilt.json', spoilt) });
    expect(result.exitStatus).toBe(1);
    expect(result.text.split('\n')).toEqual([
      'FAILED cenotaph-opcode',
      '  expect.flaw: expected "Varint", found "Opcode"',
      '44 passed, 1 failed',
    ]);
  });
});

const mainnet = new URL('../../../shared/data/blocks/', import.meta.url);

describe.skipIf(!existsSync(mainnet))('real blocks (they are not part of the repository)', () => {
  test.each([
    [
      '849236',
      { txs: 2410, runestones: 1813, cenotaphs: 0, protostones: 0, tag1Protostones: 0, cellpacks: 0, laneTxs: 0 },
    ],
    [
      '905646',
      { txs: 3491, runestones: 938, cenotaphs: 0, protostones: 21, tag1Protostones: 20, cellpacks: 1, laneTxs: 20 },
    ],
  ])('block %s has its known counts', (name, counts) => {
    const { text } = decodeCommand(fileURLToPath(new URL(`${name}.bin`, mainnet)), { json: true });
    expect(JSON.parse(text)).toMatchObject({ height: Number(name), ...counts });
  });
});
