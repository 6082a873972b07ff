import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { MAX_BLOCK_LENGTH } from '../../src/bitcoin/limits.js';
import { allRows } from '../../src/testing/chains/database-rows.js';
import { concatBytes, toHex, u32Bytes } from '../../src/util/bytes.js';
import { block, coinbase, commitmentOf, serialise } from '../bitcoin/builder.js';
import { temporaryFolder } from '../helpers/cli.js';
import { chainUpTo } from '../helpers/short-chain.js';
import { Running } from './running.js';

const TIP = 120;
const REAL = new URL('../../../shared/data/blocks/905646.bin', import.meta.url);

/** The largest block there may be: transactions of 40 outputs to scripts of their own. */
function largestBlock(): Uint8Array {
  const transactions: Uint8Array[] = [];
  let bytes = 400;
  for (let number = 0; bytes < MAX_BLOCK_LENGTH - 3_000; number++) {
    const outputs = Array.from({ length: 40 }, (_, i) => ({ script: concatBytes(u32Bytes(number), u32Bytes(i)) }));
    transactions.push(serialise({ inputs: [{ prevVout: number, witness: [new Uint8Array(64)] }], outputs }));
    bytes += transactions[number].length;
  }
  return block([coinbase({ commitment: commitmentOf(transactions) }), ...transactions]);
}

/** Indexes as much of the bundled chain as is needed. */
const start = (db: string): Promise<Running> =>
  Running.start('--fixture', chainUpTo(TIP), '--db', db, '--view-timeout', '600000', '--ready-within', '0');

/** The rows of an index of which nobody asked anything, once both tests or one of them have wanted them. */
let alone: Promise<ReadonlyMap<string, string>> | undefined;

async function rowsAlone(): Promise<ReadonlyMap<string, string>> {
  const db = join(temporaryFolder(), 'alone.db');
  const service = await start(db);
  await service.until('/ready', (_, status) => status === 200);
  service.signal('SIGTERM');
  expect((await service.done()).status).toBe(0);
  return allRows(db);
}

/** Previews a block so many times at once while the bundled chain is indexed; nothing of that is stored. */
async function previewWhileIndexing(raw: Uint8Array, count: number): Promise<void> {
  const db = join(temporaryFolder(), 'previewed.db');
  const service = await start(db);
  const header = toHex(raw.subarray(0, 80));
  const ask = (number: number) =>
    service.call('metashrew_preview', `0x${toHex(raw)}`, 'blockbyheight', toHex(u32Bytes(number + 1)), number);
  // Over heights that are, or are not, indexed by then: the block is the next one either way.
  const previews = Array.from({ length: count }, (_, number) => ask(number));
  await service.until('/ready', (_, status) => status === 200);
  const indexed = performance.now();
  expect((await service.call('metashrew_view', 'tipheight', '0x')).result).toBe(`0x${toHex(u32Bytes(TIP))}`);
  for (const answer of await Promise.all(previews)) expect(String(answer.result).slice(66)).toBe(header);
  expect(performance.now()).toBeGreaterThan(indexed);
  expect((await service.call('metashrew_view', 'blockbyheight', toHex(u32Bytes(TIP + 1)))).result).toBe('0x');
  const { memory } = (await service.get('/status')).body as { memory: { rss: number } };
  expect(memory.rss).toBeLessThan(2 ** 31);
  service.signal('SIGTERM');
  expect((await service.done()).status).toBe(0);
  alone ??= rowsAlone();
  expect(await allRows(db)).toEqual(await alone);
}

test('previews of the largest block while a chain is indexed: all are answered, and nothing is stored', async () => {
  const raw = largestBlock();
  expect(raw.length).toBeGreaterThan(MAX_BLOCK_LENGTH - 3_000);
  expect(() => BlockOffsets.read(raw)).not.toThrow();
  await previewWhileIndexing(raw, 2);
});

test.skipIf(!existsSync(REAL))('8 previews at once of a block of the main network (../shared), likewise', () =>
  previewWhileIndexing(readFileSync(REAL), 8),
);
