import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
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
/** A standard input that holds `parts`. */
const stdin = (...parts: (Uint8Array | string)[]) =>
  Object.assign(Readable.from(parts, { objectMode: true }), { isTTY: false });

/** Script of one 8:8 message, the lane's simplest. */
const message = encodeCellpack({ block: 8n, tx: 8n }, [2, 1, 77]);
const script = encodeRunestone({ protostones: [{ pointer: 0, refund: 0, message }] });
const carrier = serialise({ outputs: [{}, { value: 0n, script }] });
const spend = (raw: Uint8Array) => serialise({ inputs: [{ prevTxid: parseTransaction(raw).txid }] });

describe('decode TXHEX', () => {
  test('JSON in the shape of a vector', async () => {
    const { text, exitStatus } = await decodeCommand(toHex(carrier), { json: true });
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

  test('spaces and a 0x are allowed, anything else is an error with a code', async () => {
    expect((await decodeCommand(`0x${toHex(carrier)}\n`, {})).exitStatus).toBe(0);
    await expect(decodeCommand('abc', {})).rejects.toMatchObject({ code: 'TX_BAD_HEX' });
    await expect(decodeCommand('abcd', {})).rejects.toMatchObject({ code: 'TX_TRUNCATED' });
    await expect(decodeCommand('no such file', {})).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(decodeCommand(undefined, {}, stdin())).rejects.toMatchObject({ code: 'USAGE_NOTHING_TO_DECODE' });
    const atTerminal = Object.assign(stdin('abcd'), { isTTY: true });
    await expect(decodeCommand(undefined, {}, atTerminal)).rejects.toMatchObject({ code: 'USAGE_NOTHING_TO_DECODE' });
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

  test('counts, lane transactions by the block alone, in block order', async () => {
    const { text } = await decodeCommand(file('block.bin', raw), { json: true });
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
    expect((await decodeCommand(file('block.bin', raw), {})).text).toContain('tag1Protostones 2');
  });

  test('an altered or cut file is an error', async () => {
    const altered = raw.slice();
    altered[altered.length - 1] ^= 1;
    await expect(decodeCommand(file('altered.bin', altered), {})).rejects.toMatchObject({
      code: 'BLOCK_BAD_MERKLE_ROOT',
    });
    await expect(decodeCommand(file('cut.bin', raw.subarray(0, 500)), {})).rejects.toMatchObject({
      code: 'BLOCK_TRUNCATED',
    });
    await expect(decodeCommand(file('long.bin', concatBytes(raw, raw)), {})).rejects.toMatchObject({
      code: 'BLOCK_TRAILING_BYTES',
    });
  });
});

describe('decode FILE, or of what comes in', () => {
  const raw = block([coinbase(), carrier]);
  const [asTransaction, asBlock] = [/^txid {9}[0-9a-f]{64}$/m, /^txs {13}2$/m];

  test('a transaction or a block, raw or as hex', async () => {
    for (const [name, content, wanted] of [
      ['tx.bin', carrier, asTransaction],
      ['tx.hex', `${toHex(carrier)}\n`, asTransaction],
      ['tx0x.hex', `0x${toHex(carrier)}`, asTransaction],
      ['block2.bin', raw, asBlock],
      ['block2.hex', `${toHex(raw).replace(/(.{64})/g, '$1\n')}\n`, asBlock],
    ] as const) {
      expect((await decodeCommand(file(name, content), {})).text).toMatch(wanted);
      expect((await decodeCommand('-', {}, stdin(content))).text).toMatch(wanted);
      // Nothing is named: what comes in is taken, in whatever pieces.
      const bytes = Buffer.from(content);
      const pieces = [bytes.subarray(0, 7), bytes.subarray(7)];
      expect((await decodeCommand(undefined, {}, stdin(...pieces))).text).toMatch(wanted);
    }
  });

  test('that is neither is an error with a code', async () => {
    await expect(decodeCommand('-', {}, stdin())).rejects.toMatchObject({ code: 'USAGE_NOTHING_TO_DECODE' });
    await expect(decodeCommand('-', {}, stdin('abc'))).rejects.toMatchObject({ code: 'TX_BAD_HEX' });
    await expect(decodeCommand('-', {}, stdin('abcd'))).rejects.toMatchObject({ code: 'TX_TRUNCATED' });
    await expect(decodeCommand('-', {}, stdin('no hex'))).rejects.toMatchObject({ code: 'BLOCK_TRUNCATED' });
    const cut = stdin(toHex(raw.subarray(0, raw.length - 1)));
    await expect(decodeCommand('-', {}, cut)).rejects.toMatchObject({ code: 'BLOCK_TRUNCATED' });
    const endless = stdin(...Array.from({ length: 66 }, () => new Uint8Array(1 << 20)));
    await expect(decodeCommand('-', {}, endless)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  });
});

describe('decode --vectors', () => {
  test('ends with the counts; exit status 1 if any failed', async () => {
    expect(await decodeCommand(undefined, { vectors: bundled })).toEqual({
      text: '45 passed, 0 failed',
      exitStatus: 0,
    });
    const spoilt = readFileSync(bundled, 'utf8').replace('"flaw": "Opcode"', '"flaw": "Varint"');
    const result = await decodeCommand(undefined, { vectors: file('spoilt.json', spoilt) });
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
  ])('block %s has its known counts', async (name, counts) => {
    const { text } = await decodeCommand(fileURLToPath(new URL(`${name}.bin`, mainnet)), { json: true });
    expect(JSON.parse(text)).toMatchObject({ height: Number(name), ...counts });
  });
});
