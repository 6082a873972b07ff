/** Block files in a folder of a test's own: writing them, opening them, and the chains that they hold. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished } from 'vitest';
import { type BlockFilesOptions, BlockFilesSource } from '../../src/chain/block-files.js';
import { NodeRpc } from '../../src/chain/node-rpc.js';
import { NodeSource } from '../../src/chain/node-source.js';
import type { ChainBlock } from '../../src/chain/source.js';
import { concatBytes, fromHex, toHex, u32Bytes } from '../../src/util/bytes.js';
import { branch } from './blocks.js';
import { still } from './clock.js';
import { FakeNode } from './fake-node.js';

export const MAGIC = fromHex('fabfb5da');
export const KEY = fromHex('a1b2c3d4e5f60718');
export const TIP = 30;
export const main = branch(TIP);
export const stale = branch(TIP - 4, 'stale', 12);
export const longer = branch(TIP + 5, 'longer', 20);
export const raws = (blocks: readonly { raw: Uint8Array }[]): Uint8Array[] => blocks.map(({ raw }) => raw);
export const never = new AbortController().signal;

/** The folder of the test that runs; every test has its own. */
export let folder: string;
let xorKey: Uint8Array | undefined;

/** Gives each test of the file that calls this such a folder. */
export function useFolders(): void {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'warpshrew-blk-'));
    xorKey = undefined;
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  });
}

export const record = (raw: Uint8Array): Uint8Array => concatBytes(MAGIC, u32Bytes(raw.length), raw);
export const fileOf = (number: number): string => join(folder, `blk${String(number).padStart(5, '0')}.dat`);

/** Writes a block file of parts: a node's key combined with all but the padding. */
export function write(number: number, parts: readonly Uint8Array[], padding = 0): void {
  const bytes = concatBytes(...parts);
  const { length } = KEY;
  const key = xorKey;
  writeFileSync(fileOf(number), key ? bytes.map((byte, i) => byte ^ key[i % length]) : bytes);
  if (padding > 0) appendFileSync(fileOf(number), new Uint8Array(padding));
}

export function useKey(): void {
  xorKey = KEY;
  writeFileSync(join(folder, 'xor.dat'), KEY);
}

export async function open(options: Partial<BlockFilesOptions> = {}): Promise<BlockFilesSource> {
  const source = await BlockFilesSource.open({ folder, refreshMs: 0, pollMs: 10, ...options });
  onTestFinished(() => source.close());
  return source;
}

export async function withNode(blocks: Parameters<typeof FakeNode.start>[0], options: Partial<BlockFilesOptions> = {}) {
  const node = await FakeNode.start(blocks);
  const rpc = new NodeRpc({ url: node.url, clock: still(), attempts: 2 });
  return { node, source: await open({ node: new NodeSource(rpc), ...options }) };
}

export async function collect(source: BlockFilesSource, from = 0, to = 1000): Promise<ChainBlock[]> {
  const all: ChainBlock[] = [];
  for await (const block of source.blocks(from, to, never)) all.push(block);
  return all;
}

/** Holds what a source gives against the blocks of a chain. */
export function expectChain(blocks: readonly ChainBlock[], chain: readonly { raw: Uint8Array }[], from = 0): void {
  expect(blocks.map(({ height }) => height)).toEqual(chain.map((_, i) => from + i));
  expect(blocks.map(({ raw }) => toHex(raw))).toEqual(chain.map(({ raw }) => toHex(raw)));
}
