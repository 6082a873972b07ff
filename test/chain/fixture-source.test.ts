import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openSource } from '../../src/bitcoin/sources.js';
import { FixtureSource } from '../../src/chain/fixture-source.js';
import type { ChainBlock } from '../../src/chain/source.js';
import { toHex } from '../../src/util/bytes.js';
import { CHAIN } from '../helpers/cli.js';
import { branch } from './blocks.js';

const never = new AbortController().signal;

async function collect(blocks: AsyncIterable<ChainBlock>): Promise<ChainBlock[]> {
  const all: ChainBlock[] = [];
  for await (const block of blocks) all.push(block);
  return all;
}

function folderOf(heights: readonly number[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-fixture-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const chain = branch(20);
  for (const height of heights) writeFileSync(join(folder, `${height}.bin`), chain[height].raw);
  return folder;
}

it('a fixture chain is a source like others', async () => {
  const source = new FixtureSource(CHAIN);
  const chain = [...openSource(CHAIN).blocks()];
  const blocks = await collect(source.blocks(0, 10_000, never));
  expect(blocks.map(({ height, raw }) => [height, toHex(raw)])).toEqual(
    chain.map(({ height, raw }) => [height, toHex(raw)]),
  );
  const last = blocks[blocks.length - 1];
  expect([source.kind, source.network, await source.tip()]).toEqual([
    'fixture',
    'regtest',
    { height: last.height, hash: last.hash },
  ]);
  expect(await source.genesis()).toEqual(branch(0)[0].hash);
  expect(await source.hashAt(last.height + 1)).toBeUndefined();
  const abort = new AbortController();
  const some = source.blocks(5, 9, abort.signal);
  expect((await some.next()).value?.height).toBe(5);
  abort.abort();
  expect((await some.next()).done).toBe(true);
  await source.changed(60_000, abort.signal);
  await source.changed(1, never);
  await source.close();
});

it('a folder of blocks is one too, if none is missing in between', async () => {
  const source = new FixtureSource(folderOf([17, 18, 19, 20]));
  expect([(await source.tip()).height, await source.genesis()]).toEqual([20, undefined]);
  expect((await collect(source.blocks(18, 19, never))).map(({ hash }) => hash)).toEqual(
    branch(20)
      .slice(18, 20)
      .map(({ hash }) => hash),
  );
  expect(await collect(source.blocks(10, 20, never))).toEqual([]);
  const gap = folderOf([17, 19]);
  expect(() => new FixtureSource(gap)).toThrow(expect.objectContaining({ code: 'BLOCK_FILE_FOLDER_GAP' }));
});
